"""Prompts and expected answers from a dataset file; a sample of them; examples to show a model first."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fttui.dataset import formats, framing
from fttui.dataset.formats import Example, Message
from fttui.evaluate.records import Case
from fttui.problem import Problem

# Where a file without an answer in its conversation keeps one, the first that is there.
ANSWER_KEYS = ("expected", "reference_answer", "answer", "target", "ideal", "label", "reference")


@dataclass(frozen=True, slots=True)
class Cases:
    """What a file holds for an evaluation. skipped: (line, why) of what cannot be asked."""

    rows: tuple[Case, ...]
    skipped: tuple[tuple[int, str], ...] = ()

    @property
    def longest(self) -> str:
        """The longest expected answer, as far as characters go."""
        return max((case.expected for case in self.rows), key=len, default="")

    def sample(self, count: int | None, seed: int = 0) -> Cases:
        """`count` of them by seed, in the file's order; the same seed gives the same ones."""
        if count is None or count >= len(self.rows):
            return self
        picked = sorted(random.Random(seed).sample(range(len(self.rows)), max(0, count)))
        return replace(self, rows=tuple(self.rows[i] for i in picked))


def read(path: Path) -> Cases:
    """Every example of `path` that can be asked. Problem where there is none."""
    rows: list[Case] = []
    skipped: list[tuple[int, str]] = []
    for line, raw in enumerate(framing.lines(path, Counter()), 1):
        if not raw.strip():
            continue
        made = of(formats.read(raw), line)
        if isinstance(made, Case):
            rows.append(made)
        else:
            skipped.append((line, made))
    if not rows:
        first = f"line {skipped[0][0]}: {skipped[0][1]}" if skipped else "it is empty"
        raise Problem(
            f"{path} holds nothing that can be asked.", first,
            "Check it: fttui check FILE. Other shapes: fttui convert FILE.", code="no_prompts",
        )  # fmt: skip
    return Cases(tuple(rows), tuple(skipped))


def of(example: Example, line: int = 0) -> Case | str:
    """One example as a case, or why it is none."""
    if example.error:
        return example.error
    answer: Message | None = None
    turns = _sent(example)
    if example.format in ("chat", "completion"):
        if not example.messages or example.messages[-1].role != "assistant":
            return "it does not end with an assistant message"
        answer = example.messages[-1]
        turns = turns[:-1]
    elif example.format == "preference":
        answer = example.preferred[0] if example.preferred else None
    elif example.format != "reinforcement":
        return f"its format is not known{f' ({example.foreign})' if example.foreign else ''}"
    if not turns:
        return "there is no prompt"
    return _case(example, line, turns, answer)


def _case(example: Example, line: int, turns: list[dict[str, Any]], answer: Message | None) -> Case:
    item: dict[str, Any] = {**example.extras}
    if answer is not None:
        expected = answer.content_text
    else:
        found = next((example.extras[key] for key in ANSWER_KEYS if key in example.extras), "")
        expected = found if isinstance(found, str) else formats._text(found)
    tools = (
        tuple(answer.tool_calls) if answer else tuple(_listed(example.extras.get("expected_tools")))
    )
    said = [turn for turn in example.messages if turn.role == "user"]
    item.setdefault("expected", expected)
    item.setdefault("expected_tools", list(tools))
    item.setdefault("messages", turns)
    item["prompt"] = said[-1].content_text if said else ""
    return Case(line, tuple(turns), item, expected, tools, tuple(example.tools))


def _listed(value: Any) -> list[Any]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _sent(example: Example) -> list[dict[str, Any]]:
    """The conversation as a request takes it: as written, without what only training knows."""
    obj = example.obj if isinstance(example.obj, Mapping) else {}
    source = obj.get("input") if example.format == "preference" else obj
    written = source.get("messages") if isinstance(source, Mapping) else None
    if isinstance(written, list) and all(isinstance(row, dict) for row in written):
        return [{key: value for key, value in row.items() if key != "weight"} for row in written]
    return [{"role": turn.role, "content": turn.content_text} for turn in example.messages]


# ---- examples shown before the question ----


def shots(pool: Sequence[Case], case: Case, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """`count` questions and answers of `pool` by seed, the same for every case, as turns.

    An example that asks what the case asks is left out and another takes its place. Multi-turn and
    tool-calling examples are not shown: a pair must stand alone.
    """
    order = list(range(len(pool)))
    random.Random(seed).shuffle(order)
    turns: list[dict[str, Any]] = []
    for at in order:
        shown = pool[at]
        asked = [row for row in shown.messages if row.get("role") not in ("system", "developer")]
        alone = len(asked) == 1 and asked[0].get("role") == "user" and shown.expected
        if alone and not shown.expected_tools and shown.prompt != case.prompt:
            turns += [dict(asked[0]), {"role": "assistant", "content": shown.expected}]
        if len(turns) >= 2 * count:
            break
    return turns


def with_shots(case: Case, turns: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The case's messages with `turns` after its instructions."""
    head = 0
    while head < len(case.messages) and case.messages[head].get("role") in ("system", "developer"):
        head += 1
    return [*case.messages[:head], *turns, *case.messages[head:]]
