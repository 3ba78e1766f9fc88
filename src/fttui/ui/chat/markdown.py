"""Markdown as blocks of styled text: headings, lists, quotes, code, tables, emphasis. Nothing in it is
obeyed, and what is not well-formed stays as it was written.

`render(a + b)` is `render(a) + render(b)` wherever `Growth` says that `a` is finished.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rich.cells import cell_len

from fttui.ui.widgets.wrapping import Block, Span

LONGEST = 5_000  # characters of a line in which emphasis is looked for
WIDEST = 40  # cells of a table's column
DEEPEST = 12  # cells a list is indented at most

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_BULLET = re.compile(r"(\s*)([-*+])\s+(\[[ xX]\]\s+)?(.*)$")
_NUMBER = re.compile(r"(\s*)(\d{1,9}[.)])\s+(.*)$")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)$")
_RULE = re.compile(r"\s{0,3}([-*_])(\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_{}\[\]()#+.!~|>-])"
    r"|(?P<ticks>`{1,3})(?P<code>[^`\n]+)(?P=ticks)(?!`)"
    r"|\*\*(?=\S)(?P<strong>[^\n]{1,400}?)(?<=\S)\*\*(?!\*)"
    r"|(?<!\w)__(?=\S)(?P<strong2>[^_\n]+)(?<=\S)__(?!\w)"
    r"|(?<![\w*])\*(?=[^\s*])(?P<soft>[^*\n]+)(?<=\S)\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])(?P<soft2>[^_\n]+)(?<=\S)_(?!\w)"
    r"|~~(?=\S)(?P<gone>[^~\n]+)~~"
    r"|!?\[(?P<label>[^\[\]\n]+)\]\((?P<url>[^()\s]+)\)"
)


@lru_cache(maxsize=64)
def rendered(text: str) -> tuple[Block, ...]:
    """`render`, remembered: a conversation is drawn again and again. Copy a block before changing it."""
    return render(text)


def render(text: str) -> tuple[Block, ...]:
    """Clean text as blocks, one or more a paragraph."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return tuple(_blocks(lines))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = _fence_end(lines, at, fence[1])
            yield from _code(lines[at + 1 : end], fence[2])
            at = end + 1
        elif "|" in lines[at] and at + 1 < len(lines) and _is_table_rule(lines[at + 1]):
            end = at
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield from _table(lines[at:end])
            at = end
        else:
            yield _line(lines[at])
            at += 1


def _fence_end(lines: Sequence[str], at: int, marker: str) -> int:
    """The line that closes a fence, or the one after the last."""
    return next(
        (n for n in range(at + 1, len(lines)) if closes(lines[n], marker)),
        len(lines),
    )


def closes(line: str, marker: str) -> bool:
    """This line ends a fence that was opened with `marker`."""
    bare = line.strip()
    return len(bare) >= len(marker) and not bare.strip(marker[0])


def _code(lines: Sequence[str], language: str) -> Iterator[Block]:
    if language.strip():
        yield Block(language.strip(), "faint", " ▏", "faint")
    yield Block("\n".join(lines), "", " ▏", "faint")


def _line(line: str) -> Block:
    heading = _HEADING.match(line)
    if heading:
        style = "heading" if len(heading[1]) < 3 else "bold"
        text, spans = inline(heading[2], style)
        return Block(text, style, spans=spans)
    if _RULE.match(line):
        return Block("─" * 24, "faint")
    bullet = _BULLET.match(line)
    if bullet:
        box = bullet[3]
        sign = "• " if not box else "☐ " if box[1] == " " else "☑ "
        return _item(bullet[1], sign, bullet[4])
    number = _NUMBER.match(line)
    if number:
        return _item(number[1], f"{number[2]} ", number[3])
    quote = _QUOTE.match(line)
    if quote:
        text, spans = inline(quote[1], "dim")
        return Block(text, "dim", " ▎", "faint", spans=spans)
    text, spans = inline(line)
    return Block(text, spans=spans)


def _item(indent: str, sign: str, said: str) -> Block:
    text, spans = inline(said)
    gutter = " " + " " * min(len(indent), DEEPEST) + sign
    return Block(text, "", gutter, "accent", spans=spans, hang=" " * len(gutter))


# ---- tables ----


def _is_table_rule(line: str) -> bool:
    return len(line) < LONGEST and "-" in line and "|" in line and bool(_TABLE_RULE.match(line))


def _table(lines: Sequence[str]) -> Iterator[Block]:
    rows = [_cells(line) for number, line in enumerate(lines) if number != 1]
    widths = [
        min(WIDEST, max(cell_len(row[at][0]) if at < len(row) else 0 for row in rows))
        for at in range(max(len(row) for row in rows))
    ]
    for number, row in enumerate(rows):
        text, spans = "", list[Span]()
        for at, (cell, marked) in enumerate(row):
            text += "  " if at else ""
            spans += [(a + len(text), b + len(text), style) for a, b, style in marked]
            text += cell + " " * (widths[at] - cell_len(cell) if at + 1 < len(row) else 0)
        yield Block(text, "bold" if number == 0 else "", spans=spans)
        if number == 0:
            rule = "  ".join("─" * width for width in widths)
            yield Block(rule, "faint")


def _cells(line: str) -> list[tuple[str, list[Span]]]:
    bare = line.strip().removeprefix("|").removesuffix("|")
    return [inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", bare)]


# ---- emphasis ----


def inline(text: str, base: str = "") -> tuple[str, list[Span]]:
    """(the text without its marks, what is emphasised in it)."""
    if len(text) > LONGEST or not any(sign in text for sign in "*_`~[\\"):
        return text, []
    made, spans, at = "", list[Span](), 0
    for hit in _INLINE.finditer(text):
        made += text[at : hit.start()]
        at = hit.end()
        said, inner, style = _emphasis(hit, base)
        if style:
            inner = flat([(0, len(said), style)], inner)
        spans += [(a + len(made), b + len(made), name) for a, b, name in inner]
        made += said
    return made + text[at:], spans


def _emphasis(hit: re.Match[str], base: str) -> tuple[str, list[Span], str]:
    """(its text, what is emphasised in that, its own style)."""
    found = hit.groupdict()
    if found["escaped"]:
        return found["escaped"], [], ""
    if found["code"]:
        return found["code"], [], "accent"
    if found["label"]:
        url = found["url"]
        if url == found["label"]:
            return url, [], "link"
        said = f"{found['label']} ({url})"
        return said, [(len(found["label"]), len(said), "faint")], "link"
    strong = found["strong"] or found["strong2"]
    style = "bold" if strong else "strike" if found["gone"] else "italic"
    if style in base.split():
        style = ""
    elif {style, base} == {"bold", "italic"}:
        style = "bold italic"
    said, spans = inline(strong or found["soft"] or found["soft2"] or found["gone"], style or base)
    return said, spans, style


def flat(spans: Sequence[Span], over: Sequence[Span]) -> list[Span]:
    """Spans without overlaps, in order: where `over` marks something, it wins. Each list is in order."""
    made: list[Span] = []
    for begin, end, style in spans:
        at = begin
        for a, b, _ in over:
            if b <= at or a >= end:
                continue
            if a > at:
                made.append((at, a, style))
            at = max(at, b)
        if at < end:
            made.append((at, end, style))
    return sorted([*made, *over])


# ---- while it grows ----


class Growth:
    """Watches a text that grows at its end: how much of it is finished. Every line is looked at once."""

    def __init__(self) -> None:
        self._looked = 0
        self._fence = ""

    def finished(self, text: str) -> int:
        """The offset up to which `text` can be rendered; 0 while it is all one growing block."""
        end = 0
        while (stop := text.find("\n", self._looked)) >= 0:
            line, begin = text[self._looked : stop], self._looked
            self._looked = stop + 1
            if self._fence:
                if closes(line, self._fence):
                    self._fence, end = "", self._looked
                continue
            fence = _FENCE.match(line) if len(line) < LONGEST else None
            if fence:
                self._fence, end = fence[1], begin
            elif "|" not in line:  # a table is finished by the line after it
                end = self._looked
        return end
