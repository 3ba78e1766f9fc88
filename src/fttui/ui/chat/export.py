"""A conversation as a file: Markdown to read, JSONL to train or evaluate with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fttui.ui.chat.conversation import Conversation, Reply
from fttui.ui.chat.view import facts_line
from fttui.ui.chat.voices import Voice


def markdown(conversation: Conversation, systems: Sequence[str]) -> str:
    """The path that is shown, every column's answer under its prompt."""
    turns = conversation.turns
    lines = [f"# {' '.join(turns[0].prompt.split())[:80]}", ""]
    when = time.strftime("%Y-%m-%d %H:%M")
    lines += [f"fttui, {conversation.profile}, {when}", ""]
    for system in dict.fromkeys(system for system in systems if system):
        lines += ["System prompt:", "", _quoted(system), ""]
    for number, turn in enumerate(turns, 1):
        lines += [f"## {number}. Prompt", ""]
        if turn.source:
            lines += [f"From {turn.source}", ""]
        lines += [_quoted(turn.prompt), ""]
        for column in sorted(turn.replies):
            lines += _answer(turn.replies[column])
        if turn.expected:
            lines += ["### Expected", "", turn.expected, ""]
    return "\n".join(lines).rstrip() + "\n"


def _answer(reply: Reply) -> list[str]:
    lines = [f"### {Voice.of(reply.model).title}", "", reply.text, ""]
    for call in reply.calls:
        lines += [f"`{call.get('name')}({call.get('arguments')})`", ""]
    if reply.problem:
        lines += [f"*{' '.join(reply.problem)}*", ""]
    facts = facts_line(reply.facts)
    ended = "" if reply.end in ("stop", "") else f"ended: {reply.end}"
    said = " · ".join(part for part in (facts, ended) if part)
    return [*lines, *([f"*{said}*", ""] if said else [])]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def examples(conversation: Conversation, systems: Sequence[str]) -> list[dict[str, Any]]:
    """The path that is shown as training examples: one a column, and one for each row of a dataset."""
    made = []
    columns = sorted({column for turn in conversation.turns for column in turn.replies})
    for column in columns:
        system = systems[column] if column < len(systems) else ""
        ends = [
            place
            for place, turn in enumerate(conversation.turns)
            if turn.source
            or place + 1 == len(conversation.turns)
            or conversation.turns[place + 1].source
        ]
        for place in ends:
            reply = conversation.turns[place].replies.get(column)
            if reply is not None and reply.text:
                sent = conversation.messages(column, system, place)
                answer = {"role": "assistant", "content": reply.text}
                made.append({"messages": [*sent, answer]})
    return made


def free_name(title: str, suffix: str) -> Path:
    """A name in the folder we are in that nothing has yet."""
    words = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()[:6])
    stem = f"chat-{words[:48]}" if words else "chat"
    names = (f"{stem}{f'-{n}' if n > 1 else ''}{suffix}" for n in range(1, 10_000))
    return next(Path.cwd() / name for name in names if not (Path.cwd() / name).exists())
