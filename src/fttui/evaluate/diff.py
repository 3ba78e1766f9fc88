"""Where an answer differs from the expected one, word by word, in plain characters."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

LONGEST = 4_000  # characters of a text that are compared
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
AROUND = 6  # pieces shown on both sides of a difference


def inline(expected: str, answer: str) -> str:
    """`the [-cat-]{+dog+} sat`: minus is missing from the answer, plus is only there. "" where equal."""
    if expected == answer:
        return ""
    old, new = _PIECE.findall(expected[:LONGEST]), _PIECE.findall(answer[:LONGEST])
    made: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            made.append(_folded(old[a:b], first=a == 0, last=b == len(old)))
            continue
        made += [f"[-{''.join(old[a:b])}-]"] if b > a else []
        made += [f"{{+{''.join(new[c:d])}+}}"] if d > c else []
    return "".join(made)


def _folded(pieces: list[str], *, first: bool, last: bool) -> str:
    head = [] if first else pieces[:AROUND]
    tail = [] if last else pieces[-AROUND:]
    if len(pieces) <= len(head) + len(tail):
        return "".join(pieces)
    return f"{''.join(head)} … {''.join(tail)}".strip() if head or tail else "…"
