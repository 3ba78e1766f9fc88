"""Where two texts differ, word by word, as spans to mark."""

from __future__ import annotations

import difflib
import re

from fttui.ui.widgets.wrapping import Span

LONGEST = 1_500  # words; comparing grows with the square of it
ALIKE = 0.3  # below this everything differs, and marking everything says nothing
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


def marks(text: str, other: str, style: str) -> list[Span]:
    """The parts of `text` that `other` does not have, as (from, to, style)."""
    ours, theirs = _WORD.findall(text), _WORD.findall(other)
    if max(len(ours), len(theirs)) > LONGEST:
        return []
    ends = [0]
    for word in ours:
        ends.append(ends[-1] + len(word))
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    same = sum(
        len("".join(ours[at : at + size]).replace(" ", ""))
        for at, _, size in matcher.get_matching_blocks()
    )
    if same < ALIKE * max(len("".join(text.split())), len("".join(other.split()))):
        return []
    return [
        (ends[a], ends[b], style)
        for tag, a, b, _, _ in matcher.get_opcodes()
        if tag in ("replace", "delete") and text[ends[a] : ends[b]].strip()
    ]
