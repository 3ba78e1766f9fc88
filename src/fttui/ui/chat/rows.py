"""Prompts from the open dataset: from its held-out part where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.text import one_line
from fttui.ui.chat.conversation import Turn
from fttui.ui.dialogs.choose import Choice, Choose

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.ui.thread import Thread

OFFERED = 200  # rows in the chooser; the row under the cursor of Data comes first
CHUNK = 8 * 1024 * 1024


@dataclass
class Source:
    """A file prompts are taken from. turns: physical line (0-based) → the prompt there."""

    path: Path
    turns: dict[int, Turn] = field(default_factory=dict)
    held_out: bool = False

    def turn(self, value: str | None) -> Turn | None:
        return self.turns.get(int(value)) if value else None


async def source(thread: Thread) -> Source:
    """The validation file's prompts, else those of the dataset from the cursor on."""
    if thread.validation is not None:
        found = Source(thread.validation, held_out=True)
        await asyncio.to_thread(_read, found, None, 0)
    elif thread.path is not None and thread.index is not None:
        found = Source(thread.path)
        await asyncio.to_thread(_read, found, thread.index, thread.row)
    else:
        raise Problem("there is no dataset to take a prompt from", "", "press o to open one")
    if not found.turns:
        raise Problem(
            f"{found.path.name} has no prompt that could be sent",
            "no example with a user message was found near the cursor",
            "look at the file in Data (1)",
        )
    return found


def _read(into: Source, index: LineIndex | None, first: int) -> None:
    from fttui.dataset.lines import LineIndex

    if index is None:
        try:
            index = LineIndex.open(into.path)
            index.extend(CHUNK)
        except OSError as error:
            raise Problem(
                f"{into.path} cannot be opened", error.strerror or str(error), "check the path"
            ) from error
    row = first
    while row < min(len(index), first + 4 * OFFERED) and len(into.turns) < OFFERED:
        turn = turn_of(index.line(row), f"{into.path.name} line {row + 1}")
        if turn is not None:
            into.turns[row] = turn
        row += 1


def turn_of(raw: bytes, label: str) -> Turn | None:
    """The prompt of one example: all before its last answer, and that answer as what is expected."""
    from fttui.dataset import formats

    example = formats.read(raw)
    if example.format == "invalid":
        return None
    messages = list(example.messages)
    expected = example.preferred[0].content_text if example.preferred else ""
    if messages and messages[-1].role == "assistant":
        expected = messages.pop().content_text
    if not messages or messages[-1].role != "user" or not messages[-1].content_text:
        return None
    prompt = messages.pop().content_text
    context: list[dict[str, Any]] = [
        {"role": said.role, "content": said.content_text}
        for said in messages
        if said.role in ("system", "developer", "user", "assistant") and said.content_text
    ]
    return Turn(prompt, context, expected, label)


def chooser(found: Source) -> Choose:
    title = f"A prompt from {found.path.name}" + (" (held out)" if found.held_out else "")
    rows: Sequence[Choice] = [
        Choice(str(row), one_line(turn.prompt, 160), one_line(turn.expected, 24), key=f"{row + 1}")
        for row, turn in found.turns.items()
    ]
    return Choose(title, rows)
