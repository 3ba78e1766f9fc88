"""A conversation as the blocks of one column: prompts, answers, what they took, how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from fttui.problem import Problem
from fttui.text import clean, duration, one_line, plural
from fttui.ui.chat.conversation import LEFT, Conversation, Reply, Turn
from fttui.ui.chat.differences import marks
from fttui.ui.chat.markdown import Growth, flat, render, rendered
from fttui.ui.chat.voices import Voice, kind, title
from fttui.ui.text import Part
from fttui.ui.widgets.wrapping import Block

PROMPT_LINES = 8  # of a long prompt shown above its answer
DIFFERS = "$text-warning underline"

# The service's word for an end → what to say about it.
ENDS = {
    "content_filter": ("⚠ stopped by the provider's content filter", "warning"),
    "tool_calls": ("· ended with a tool call: what you write next is its result", "dim"),
    "stopped": ("■ stopped; what came is kept · f9 goes on · ^r asks again", "warning"),
    "cut": ("⚠ cut off; what came is kept · f9 goes on · ^r asks again", "warning"),
    LEFT: ("⚠ fttui was closed during this answer · f9 goes on · ^r asks again", "warning"),
}


@dataclass(frozen=True)
class Look:
    """How a column is shown. raw: Markdown as it was written. hidden: nobody may see whose it is.

    other: the column whose answers are compared with this one's, None for no marks.
    selected: the place of the turn that keys act on, -1 where that is simply the last.
    """

    raw: bool = False
    hidden: bool = False
    other: int | None = None
    selected: int = -1


@dataclass
class Shown:
    """starts: the number of the first block of each turn, None where the column has nothing of it."""

    blocks: list[Block] = field(default_factory=list)
    starts: list[int | None] = field(default_factory=list)


def blocks(conversation: Conversation, column: int, model: str, look: Look | None = None) -> Shown:
    """Everything the column of `model` shows; a running answer is last."""
    look = look or Look()
    made = Shown()
    last = len(conversation.turns) - 1
    for place, turn in enumerate(conversation.turns):
        reply = turn.replies.get(column)
        if reply is None or (look.hidden and place < last):
            made.starts.append(None)
            continue
        if made.blocks:
            made.blocks.append(Block(""))
        made.starts.append(len(made.blocks))
        beside = conversation.branches(place)
        if len(beside) > 1:
            number = beside.index(turn) + 1
            made.blocks.append(Block(f"branch {number} of {len(beside)} · < > switches", "accent"))
        made.blocks += of_turn(turn, reply, model, look, selected=place == look.selected)
    return made


def of_turn(
    turn: Turn, reply: Reply, model: str, look: Look, *, selected: bool = False
) -> list[Block]:
    """The blocks of one prompt and its answer."""
    sign, style = ("▶ ", "warning") if selected else ("▌ ", "user")
    made = [Block(clean(turn.prompt), "bold", sign, style, limit=PROMPT_LINES, hang="▌ ")]
    if turn.source:
        made.insert(0, Block(turn.source, "faint", "▌ ", "user"))
    if reply.model != model and not look.hidden:
        made.append(Block(f"answered by {title(reply.model)}", "faint"))
    made.append(Block(""))
    if reply.running:
        return [*made, *_growing(reply, look)]
    made += _answer(turn, reply, look)
    made += _after(reply, look)
    if turn.expected:
        made += _expected(turn, reply)
    return made


def _growing(reply: Reply, look: Look) -> list[Block]:
    text = clean(reply.text)
    if reply.waiting and not text:
        return [Block(clean(reply.waiting), "warning", "⧗ ", "warning", hang="  ")]
    if look.raw:
        return [Block(text)]
    end = Growth().finished(text)
    return [*(render(text[:end]) if end else ()), Block(text[end:], rich=True)]


def _answer(turn: Turn, reply: Reply, look: Look) -> list[Block]:
    made = _rendered(reply.text, look)
    if turn.expected and reply.text.strip():
        return _marked(made, _rendered(turn.expected, look), "mark")
    other = None if look.other is None else turn.replies.get(look.other)
    if other is None or other.running or not other.text or not reply.text:
        return made
    if other.text.strip() != reply.text.strip():
        return _marked(made, _rendered(other.text, look), DIFFERS)
    if look.hidden or reply.column == 0:
        return made
    return [*made, Block(f"≡ the same answer as column {look.other + 1}", "faint")]  # type: ignore[operator]


def _rendered(text: str, look: Look) -> list[Block]:
    if not text:
        return []
    return [Block(clean(text))] if look.raw else list(rendered(clean(text)))


def _marked(made: Sequence[Block], other: Sequence[Block], style: str) -> list[Block]:
    """The blocks, with what `other` does not say marked."""
    ours, theirs = ("\n".join(block.text for block in side) for side in (made, other))
    found = marks(ours, theirs, style)
    marked, at = [], 0
    for block in made:
        end = at + len(block.text)
        mine = [(max(a, at) - at, min(b, end) - at, s) for a, b, s in found if a < end and b > at]
        marked.append(replace(block, spans=flat(block.spans, mine)) if mine else block)
        at = end + 1
    return marked


def _after(reply: Reply, look: Look) -> list[Block]:
    made = [Block(note, "faint") for note in reply.facts.get("notes") or ()]
    for call in reply.calls:
        said = clean(f"{call.get('name')}({call.get('arguments')})")
        made.append(Block(said, "dim", "⚙ ", "accent", hang="  "))
    said = "" if look.hidden else facts_line(reply.facts)
    if said and (reply.text or reply.calls):
        made.append(Block(said, "faint"))
    word, style = _end(reply)
    if reply.problem:
        what, *rest = reply.problem
        made.append(Block(clean(what), "error", "✗ ", "error", hang="  "))
        made += [Block(clean(line), "dim", "  ") for line in rest]
        offer = "f9 goes on where it broke off · " if reply.text else ""
        made.append(Block(f"{offer}^r asks again", "accent", "→ ", "accent", hang="  "))
    elif word:
        made.append(Block(word, style))
    elif not reply.text and not reply.calls:
        made.append(Block("(an empty answer)", "faint"))
    return made


def _end(reply: Reply) -> tuple[str, str]:
    """(what to say about how an answer ended, style)."""
    if reply.end == "length":
        return cut_short(reply.facts), "warning"
    if reply.facts.get("refused") and reply.end == "stop":
        return "⚠ the model declined to answer", "warning"
    return ENDS.get(reply.end, ("", ""))


def cut_short(facts: dict[str, Any]) -> str:
    """Why an answer ended with finish_reason `length`: services say the same for two reasons."""
    prompt, tokens = facts.get("last") or (facts.get("prompt_tokens"), facts.get("tokens") or 0)
    asked, context = facts.get("max_tokens"), facts.get("context")
    if not facts.get("counted") or prompt is None:
        return "⚠ cut at max tokens or by the end of the context; f4 raises the one"
    if asked and tokens >= asked:
        return f"⚠ cut at max tokens ({asked:,}); f4 raises it · f9 goes on"
    if context and prompt + tokens >= context - 1:
        return (
            f"⚠ the context is full: {prompt:,} + {tokens:,} of {context:,} tokens; ^n begins anew"
        )
    if asked:
        return f"⚠ the context is full: {prompt:,} + {tokens:,} tokens; ^n begins anew"
    return f"⚠ cut after {plural(tokens, 'token')}, the provider's own limit; f4 sets max tokens · f9 goes on"


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
        Block("not as expected; the dataset says", "warning", "≠ ", "warning", hang="  "),
        Block(expected, "dim", "┊ ", "faint", spans=spans),
    ]


def facts_line(facts: dict[str, Any]) -> str:
    """`120 + 212 tokens · 48/s · first 0.31s · $0.0004`, as far as it is known."""
    said = []
    tokens = facts.get("tokens")
    if tokens:
        prompt = facts.get("prompt_tokens")
        known = plural(tokens, "token")
        known = f"{prompt:,} + {known}" if prompt else known
        said.append(known if facts.get("counted") else f"~{tokens:,} tokens")
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
    return f"{value:.2f}s" if value < 10 else duration(value)


def nothing(waiting: str, trouble: Problem | None) -> list[Block]:
    """Instead of columns: the profile that is being asked, or why there are none."""
    if trouble is not None:
        what, *rest = trouble.lines()
        return [
            Block(clean(what), "error", " ✗ ", "error", hang="   "),
            *(Block(clean(line), "dim", "   ") for line in rest),
        ]
    if waiting:
        return [Block(f"asking {waiting} which models it has …", "dim", " ")]
    return [Block("no model to talk to yet: f2 chooses one", "dim", " ")]


def welcome(name: str, column: int, dataset: bool, *, ends: str = "") -> list[Block]:
    """An empty column: who is here, and the keys that matter first. ends: when it stops answering."""
    voice = Voice.of(name)
    said = kind(voice.model) + (f" of {voice.profile}" if voice.profile else "")
    said += f", shown {plural(voice.shots, 'example')} first" if voice.shots else ""
    made = [Block(""), Block(voice.model, "bold", "  "), Block(said, "dim", "  ")]
    if ends:
        made.append(Block(ends, "warning", "  "))
    if column == 0:
        made += [Block(""), Block("f3 adds a column: one prompt to both", "dim", "  ")]
        if dataset:
            made.append(Block("f5 takes a prompt from the dataset", "dim", "  "))
        made.append(Block("f8 opens a saved conversation", "dim", "  "))
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
