"""A conversation as the blocks of one column: prompts, answers, what they took, how they differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fttui.problem import Problem
from fttui.text import clean, duration, one_line, plural
from fttui.ui.chat.conversation import LEFT, Conversation, Reply, Turn
from fttui.ui.chat.differences import marks
from fttui.ui.chat.models import kind, short
from fttui.ui.text import Part
from fttui.ui.widgets.wrapping import Block

PROMPT_LINES = 8  # of a long prompt shown above its answer

# The service's word for an end → what to say about it.
ENDS = {
    "length": ("⚠ cut at max tokens; f4 raises it", "warning"),
    "content_filter": ("⚠ ended by the provider's content filter", "warning"),
    "tool_calls": ("· ended with a tool call", "dim"),
    "stopped": ("■ stopped; what came is kept · ^r asks again", "warning"),
    "cut": ("⚠ cut off; what came is kept · ^r asks again", "warning"),
    LEFT: ("⚠ fttui was closed during this answer · ^r asks again", "warning"),
}


def blocks(conversation: Conversation, column: int, model: str) -> list[Block]:
    """Everything the column of `model` shows; a running answer is the last block."""
    made: list[Block] = []
    for turn in conversation.turns:
        reply = turn.replies.get(column)
        if reply is not None:
            made += [Block("")] * bool(made) + of_turn(turn, reply, model)
    return made


def of_turn(turn: Turn, reply: Reply, model: str) -> list[Block]:
    """The blocks of one prompt and its answer."""
    made = [Block(clean(turn.prompt), "bold", "▌ ", "user", limit=PROMPT_LINES)]
    if turn.source:
        made.insert(0, Block(turn.source, "faint", "▌ ", "user"))
    if reply.model != model:
        made.append(Block(f"answered by {short(reply.model)}", "faint"))
    made.append(Block(""))
    text = clean(reply.text)
    if reply.running:
        return [*made, Block(text, rich=True)]
    differs = turn.expected and text.strip()
    spans = marks(text, clean(turn.expected), "mark") if differs else []
    if text:
        made.append(Block(text, rich=True, spans=spans))
    made += _after(reply)
    if turn.expected:
        made += _expected(turn, reply)
    return made


def _after(reply: Reply) -> list[Block]:
    made = [Block(note, "faint") for note in reply.facts.get("notes") or ()]
    for call in reply.facts.get("calls") or ():
        made.append(Block(f"{call.get('name')}({call.get('arguments')})", "dim", "⚙ ", "accent"))
    said = facts_line(reply.facts)
    if said and reply.text:
        made.append(Block(said, "faint"))
    word, style = ENDS.get(reply.end, ("", ""))
    if reply.problem:
        what, *rest = reply.problem
        made.append(Block(clean(what), "error", "✗ ", "error"))
        made += [Block(clean(line), "dim", "  ") for line in rest]
        made.append(Block("^r asks again", "accent", "→ ", "accent"))
    elif word:
        made.append(Block(word, style))
    elif not reply.text and not reply.facts.get("calls"):
        made.append(Block("(an empty answer)", "faint"))
    return made


def _expected(turn: Turn, reply: Reply) -> list[Block]:
    """The dataset's answer under the model's, what is missing there marked."""
    from fttui.evaluate.match import matches

    expected = clean(turn.expected)
    if not reply.text.strip():
        return [Block(""), Block(expected, "dim", "┊ ", "faint")]
    if matches(reply.text, turn.expected):
        return [Block("as expected", "ok", "✓ ", "ok")]
    spans = marks(expected, clean(reply.text), "ok")
    return [
        Block("not as expected; the dataset says", "warning", "≠ ", "warning"),
        Block(expected, "dim", "┊ ", "faint", spans=spans),
    ]


def facts_line(facts: dict[str, Any]) -> str:
    """`212 tokens · 48/s · first 0.31 s · $0.0004`, as far as it is known."""
    said = []
    tokens = facts.get("tokens")
    if tokens:
        said.append(plural(tokens, "token") if facts.get("counted") else f"~{tokens:,} tokens")
    if facts.get("rate"):
        said.append(f"{facts['rate']:,.0f}/s")
    first = facts.get("first")
    if first is not None:
        said.append(f"first {seconds(first)}")
    if facts.get("amount"):
        from fttui.pricing.money import show

        amount = Decimal(facts["amount"])
        said.append(show(amount, facts.get("currency") or "USD") if amount else "free")
    return " · ".join(said)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else duration(value)


def nothing(waiting: str, trouble: Problem | None) -> list[Block]:
    """Instead of columns: the profile that is being asked, or why there are none."""
    if trouble is not None:
        what, *rest = trouble.lines()
        return [
            Block(clean(what), "error", " ✗ ", "error"),
            *(Block(clean(line), "dim", "   ") for line in rest),
        ]
    if waiting:
        return [Block(f"asking {waiting} which models it has …", "dim", " ")]
    return [Block("no model to talk to yet: f2 chooses one", "dim", " ")]


def welcome(model: str, column: int, dataset: bool) -> list[Block]:
    """An empty column: who is here, and the keys that matter first."""
    made = [Block(""), Block(model, "bold", "  "), Block(kind(model), "dim", "  ")]
    if column == 0:
        made += [Block(""), Block("f3 adds a column: one prompt to both", "dim", "  ")]
        if dataset:
            made.append(Block("f5 takes a prompt from the dataset", "dim", "  "))
    return made


def row(turn: Turn) -> list[Part]:
    """A prompt from the dataset before it is sent: where from, what goes with it, what is expected."""
    parts: list[Part] = [(turn.source, "accent")]
    if turn.context:
        roles = ", ".join(dict.fromkeys(str(said["role"]) for said in turn.context))
        parts.append((f" · sent with it: {roles}", "dim"))
    if turn.expected:
        parts += [("\nexpected  ", "ok"), one_line(turn.expected, 220)]
    return parts
