"""The end of `fttui run`: held-out prompts, asked of the base and of the tuned model."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.commands.progress import Meter
from fttui.text import one_line

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job

ANSWER_TOKENS = 160
SHOWN = 3  # of the answers, in full


async def ask_held_out(
    provider: Provider,
    job: Job,
    path: Path,
    args: argparse.Namespace,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """The answers of both models to the first prompts of `path`, and whether they match."""
    from fttui.evaluate import cases
    from fttui.evaluate.match import matches

    if args.samples < 1:
        return []
    held_out = await asyncio.to_thread(cases.read, path)
    rows: list[dict[str, Any]] = []
    with Meter("asking base and tuned model", quiet=args.json) as meter:
        for case in held_out.rows[: args.samples]:
            base = await _ask(provider, job.model, case.messages, args.seed or 0)
            tuned = await _ask(provider, job.fine_tuned_model, case.messages, args.seed or 0)
            rows.append(
                {
                    "prompt": case.prompt,
                    "expected": case.wanted,
                    "base": base,
                    "tuned": tuned,
                    "base_match": matches(base, case.wanted),
                    "tuned_match": matches(tuned, case.wanted),
                }
            )
            meter.show(len(rows), min(args.samples, len(held_out.rows)))
    _compare(rows, job, say)
    return rows


def _compare(rows: list[dict[str, Any]], job: Job, say: Callable[[str], None]) -> None:
    for row in rows[:SHOWN]:
        say("")
        for name in ("prompt", "expected", "base", "tuned"):
            say(f"{name:<12}{one_line(row[name], 200)}")
    base = sum(row["base_match"] for row in rows)
    tuned = sum(row["tuned_match"] for row in rows)
    say(f"\nheld out    base {base} of {len(rows)} right, tuned {tuned} of {len(rows)}")
    say(f"chat        fttui chat {job.fine_tuned_model}")


async def _ask(
    provider: Provider, model: str, messages: Sequence[Mapping[str, Any]], seed: int
) -> str:
    from fttui.service import chat
    from fttui.service.types import ChatSettings

    settings = ChatSettings(temperature=0.0, max_tokens=ANSWER_TOKENS, seed=seed)
    answer = await chat.answer(provider, model, messages, settings)
    return answer.text
