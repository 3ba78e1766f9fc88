"""Text that grows at its end, cut into screen lines: only the last line is ever cut again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.cells import get_character_cell_size

HEAD = 80  # letters of a paragraph that are looked at to know what it is

Span = tuple[int, int, str]  # from, to (offsets into a block's text), style name
_HEADING = re.compile(r"#{1,6} ")
_INLINE = re.compile(r"\*\*[^*\n]+\*\*|`[^`\n]+`")


@dataclass(slots=True)
class Block:
    """One piece of a conversation. `text` is clean already; `spans` mark parts of it.

    rich: it grows; headings, fences and inline code are told apart. limit: screen lines shown, 0 for
    all. hang: the gutter of its further lines, where that is another one. spans do not overlap.
    """

    text: str
    style: str = ""
    gutter: str = " "
    gutter_style: str = ""
    rich: bool = False
    limit: int = 0
    spans: list[Span] = field(default_factory=list)
    hang: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One screen line: text[start:end] of a block. source: where its paragraph begins; fenced: whether
    that paragraph began inside a code fence."""

    block: int
    start: int
    end: int
    source: int
    style: str
    fenced: bool


def lines_of(number: int, block: Block, width: int) -> Iterator[Line]:
    """All screen lines of a block."""
    yield from _lines(number, block, width, 0, 0, False)


def grown(lines: list[Line], block: Block, width: int) -> int:
    """Bring `lines`, which end with this block's, in step with its longer text. Returns the index of
    the first line that may have changed: the last one, or its paragraph's first while that is short
    (its beginning decides the style)."""
    last = lines.pop()
    while last.source < last.start < last.source + HEAD:
        last = lines.pop()
    first = len(lines)
    lines.extend(_lines(last.block, block, width, last.start, last.source, last.fenced))
    return first


def _lines(
    number: int, block: Block, width: int, start: int, source: int, fenced: bool
) -> Iterator[Line]:
    text = block.text
    while True:
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        style, after = _style(block, text[source : min(stop, source + HEAD)], fenced)
        for begin, end in _cut(text, start, stop, max(1, width)):
            yield Line(number, begin, end, source, style, fenced)
        if stop >= len(text):
            return
        start = source = stop + 1
        fenced = after


def _style(block: Block, head: str, fenced: bool) -> tuple[str, bool]:
    """(style of a paragraph, whether the next one is inside a fence)."""
    if not block.rich:
        return block.style, False
    if head.lstrip().startswith("```"):
        return "faint", not fenced
    if fenced:
        return "dim", True
    return ("heading" if _HEADING.match(head) else block.style), False


def _cut(text: str, start: int, stop: int, width: int) -> Iterator[tuple[int, int]]:
    """Greedy, at blanks where there are some; a later character never changes an earlier cut."""
    ascii_only = text.isascii() or text[start:stop].isascii()
    while True:
        end = min(stop, start + width) if ascii_only else _reach(text, start, stop, width)
        if end >= stop:
            yield start, stop
            return
        blank = end if text[end] == " " else text.rfind(" ", start + 1, end)
        if blank <= start:
            yield start, end
            start = end
        else:
            yield start, blank
            start = blank + 1


def _reach(text: str, start: int, stop: int, width: int) -> int:
    """The offset up to which text[start:] fits in `width` cells; always one character further."""
    used = 0
    for place in range(start, stop):
        used += get_character_cell_size(text[place])
        if used > width:
            return max(place, start + 1)
    return stop


def pieces(block: Block, line: Line) -> list[tuple[str, str]]:
    """(text, style) of a line: its own style, with the block's spans and inline code over it."""
    text = block.text[line.start : line.end]
    marks = [
        (max(a, line.start) - line.start, min(b, line.end) - line.start, style)
        for a, b, style in block.spans
        if a < line.end and b > line.start
    ]
    if not marks and block.rich and line.style == block.style:
        marks = [
            (hit.start(), hit.end(), "bold" if hit.group().startswith("*") else "accent")
            for hit in _INLINE.finditer(text)
        ]
    found, at = [], 0
    for begin, end, style in marks:
        if begin > at:
            found.append((text[at:begin], line.style))
        found.append((text[max(begin, at) : end], style))
        at = max(at, end)
    found.append((text[at:], line.style))
    return [pair for pair in found if pair[0]]
