"""Where two texts differ, word by word, as spans to mark."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache

from fttui.ui.widgets.wrapping import Span

LONGEST = 1_500  # words; comparing grows with the square of it
ALIKE = 0.3  # below this everything differs, and marking everything says nothing
_WORD = re.compile(r"\w+|[^\w\s]")


def marks(text: str, other: str, style: str) -> list[Span]:
    """The parts of `text` that `other` does not have, as (from, to, style)."""
    return [(begin, end, style) for begin, end in _differ(text, other)]


@lru_cache(maxsize=256)  # a conversation is drawn again and again
def _differ(text: str, other: str) -> tuple[tuple[int, int], ...]:
    places = [hit.span() for hit in _WORD.finditer(text)]
    ours, theirs = [text[a:b] for a, b in places], _WORD.findall(other)
    if not places or max(len(ours), len(theirs)) > LONGEST:
        return ()
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    same = sum(sum(map(len, ours[at : at + size])) for at, _, size in matcher.get_matching_blocks())
    if same < ALIKE * max(sum(map(len, ours)), sum(map(len, theirs))):
        return ()
    return tuple(
        (places[a][0], places[b - 1][1])
        for tag, a, b, _, _ in matcher.get_opcodes()
        if tag in ("replace", "delete")
    )
