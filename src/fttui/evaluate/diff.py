"""Where an answer differs from the expected one, word by word, in plain characters."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

LONGEST = 4_000  # characters of a text that are compared
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
AROUND = 6  # pieces shown on both sides of a difference


def inline(expected: str, answer: str) -> str:
    """`the [-cat-]{+dog+} sat`: minus is missing from the answer, plus is only there. "" where equal."""
    return "".join(text for _, text in pieces(expected, answer))


def pieces(expected: str, answer: str) -> list[tuple[str, str]]:
    """The same as (kind, text): "" equal and folded, "-" with its brackets, "+" with them."""
    if expected == answer:
        return []
    old, new = _PIECE.findall(expected[:LONGEST]), _PIECE.findall(answer[:LONGEST])
    made: list[tuple[str, str]] = []
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for at, (kind, a, b, c, d) in enumerate(steps):
        if kind == "equal":
            made.append(("", _folded(old[a:b], first=at == 0, last=at == len(steps) - 1)))
            continue
        made += [("-", f"[-{''.join(old[a:b])}-]")] if b > a else []
        made += [("+", f"{{+{''.join(new[c:d])}+}}")] if d > c else []
    return made


def alike(expected: str, answer: str) -> float:
    """How much two texts share, 0 to 1, at most: below 0.3 a difference word by word says nothing."""
    old, new = _PIECE.findall(expected[:LONGEST]), _PIECE.findall(answer[:LONGEST])
    old, new = ([piece for piece in row if not piece.isspace()] for row in (old, new))
    return SequenceMatcher(None, old, new, autojunk=False).quick_ratio()


def _folded(pieces: list[str], *, first: bool, last: bool) -> str:
    """What is equal, cut down to what is next to a difference."""
    head, tail = 0 if first else AROUND, 0 if last else AROUND
    if len(pieces) <= head + tail:
        return "".join(pieces)
    start = "".join(pieces[:head])
    end = "".join(pieces[len(pieces) - tail :])
    return f"{start}{' ' if start and not start.endswith(' ') else ''}…{' ' if end else ''}{end}"
