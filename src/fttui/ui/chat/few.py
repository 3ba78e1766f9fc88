"""Examples of the training file shown before a prompt: the baseline a tuned model has to beat."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.ui.thread import Thread

SEED = 0  # the same examples before every prompt
NEARBY = 20_000  # lines they are taken from
TRIED = 40  # lines read for every example wanted


async def shown(thread: Thread, count: int, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`messages` with `count` questions and answers of the open dataset after the instructions."""
    if thread.index is None:
        raise Problem(
            "There are no examples to show first.",
            "no dataset is open",
            "Open the training file (o), or choose the model without examples (f2).",
            code="no_examples",
        )
    return await asyncio.to_thread(_with_examples, thread.index, count, messages)


def _with_examples(
    index: LineIndex, count: int, messages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    from fttui.dataset import formats
    from fttui.evaluate import cases
    from fttui.evaluate.records import Case

    lines = range(min(len(index), NEARBY))
    picked = random.Random(SEED).sample(lines, min(len(lines), TRIED * count))
    read = (cases.of(formats.read(index.line(row)), row + 1) for row in picked)
    pool = [case for case in read if isinstance(case, Case)]
    asked = Case(0, tuple(messages), {"prompt": messages[-1]["content"]}, "", (), ())
    turns = cases.shots(pool, asked, count, SEED)
    if not turns:
        raise Problem(
            "There are no examples to show first.",
            "the open dataset has no example of one question and its answer",
            "Choose the model without examples (f2).",
            code="no_examples",
        )
    return [dict(message) for message in cases.with_shots(asked, turns)]
