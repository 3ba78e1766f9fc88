"""A scrolled text of styled lines: only the lines that differ are sent when it shows something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fttui.ui.text import Palette, Part

Line = list[Part]
Builder = Callable[[int], Sequence[Line]]

_WORDS = re.compile(r"\s*\S+|\s+$")


def wrap(text: str, width: int) -> Iterator[str]:
    """`text` (already clean) in lines of at most `width` columns, cut between words where it can be."""
    width = max(1, width)
    for line in text.split("\n"):
        if len(line) <= width and (line.isascii() or cell_len(line) <= width):
            yield line
        else:
            yield from _wrap_line(line, width)


def _wrap_line(line: str, width: int) -> Iterator[str]:
    measure: Callable[[str], int] = len if line.isascii() else cell_len
    current, used = "", 0
    for word in _WORDS.findall(line):
        cells = measure(word)
        if used + cells <= width:
            current, used = current + word, used + cells
            continue
        if current:
            yield current
        word = word.lstrip() if current else word
        if measure(word) > width:  # a word longer than a line is cut where it must be
            *full, word = chop_cells(word, width)
            yield from full
        current, used = word, measure(word)
    yield current


class TextView(ScrollView, can_focus=True):
    """Lines made by a builder for the width at hand. Draws and sends what changed, nothing more.

    `show(builder)` replaces the text; it is built again when the width changes.
    """

    DEFAULT_CSS = """
    TextView { height: 1fr; width: 1fr; background: $background; scrollbar-size-vertical: 1;
        overflow-x: hidden; scrollbar-gutter: stable; padding: 0 1; }
    """
    BINDINGS = [
        Binding("down,j", "go(1)", "Down", show=False, id="text.down"),
        Binding("up,k", "go(-1)", "Up", show=False, id="text.up"),
        Binding("pagedown,ctrl+d,space", "page(1)", "Page down", show=False, id="text.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="text.page_up"),
        Binding("home,g", "edge(0)", "Start", show=False, id="text.home"),
        Binding("end,G", "edge(1)", "End", show=False, id="text.end"),
    ]

    def __init__(
        self, builder: Builder | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._builder: Builder = builder or (lambda width: ())
        self._lines: Sequence[Line] = ()
        self._built_for = -1
        self._marked: re.Pattern[str] | None = None
        self._palette: Palette | None = None
        self._palette_theme = ""

    # -- content

    def show(self, builder: Builder, *, mark: re.Pattern[str] | None = None) -> None:
        """Show what `builder(width)` makes, from its first line; `mark` lights up what it matches."""
        old = [] if self._built_for < 0 else self._visible()
        self._builder, self._marked = builder, mark
        if not self._room:
            self._built_for = -1
            return
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self._build()
        self._send_changes(old)

    def text(self) -> str:
        """What it says, without colours (for tests and the clipboard)."""
        return "\n".join("".join(_text(part) for part in line).rstrip() for line in self._lines)

    def jump(self, line: int) -> None:
        """Bring a line of the text into view."""
        height = max(1, self.content_size.height)
        top = int(self.scroll_offset.y)
        if not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 3), animate=False, immediate=True)

    def find(self, wanted: str) -> int:
        """The first line that has a part of style `wanted`, -1 for none."""
        for number, line in enumerate(self._lines):
            if any(not isinstance(part, str) and part[1] == wanted for part in line):
                return number
        return -1

    def _build(self) -> None:
        width = self._room
        self._built_for = width
        self._lines = self._builder(width) if width > 0 else ()
        self.virtual_size = Size(width, len(self._lines))

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width  # without the scrollbar

    def on_resize(self, event: events.Resize) -> None:
        if self._room != self._built_for:
            self._build()
            self.refresh()

    def _visible(self) -> list[Strip]:
        return [self._strip(y) for y in range(self.content_size.height)]

    def _send_changes(self, old: list[Strip]) -> None:
        """Refresh runs of lines that differ from those that were there."""
        new = self._visible()
        if len(old) != len(new):
            self.refresh()
            return
        for y, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                self.refresh(Region(0, y, self.size.width, 1))

    # -- motion

    def action_go(self, delta: int) -> None:
        self.scroll_relative(y=delta, animate=False)

    def action_page(self, direction: int) -> None:
        step = max(1, self.content_size.height - 1)
        self.scroll_relative(y=direction * step, animate=False)

    def action_edge(self, which: int) -> None:
        self.scroll_to(y=len(self._lines) if which else 0, animate=False)

    # -- drawing

    @property
    def palette(self) -> Palette:
        if self._palette is None or self._palette_theme != self.app.theme:
            self._palette, self._palette_theme = Palette(self.app), self.app.theme
        return self._palette

    def render_line(self, y: int) -> Strip:
        return self._strip(y)

    def _strip(self, y: int) -> Strip:
        row = y + int(self.scroll_offset.y)
        base, width = self.rich_style, self._room
        if row >= len(self._lines):
            return Strip.blank(width, base)
        segments = [
            Segment(text, base + style)
            for part in self._lines[row]
            for text, style in self._styled(part)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _styled(self, part: Part) -> Iterable[tuple[str, Style]]:
        text, name = (part, "") if isinstance(part, str) else part
        style = self.palette[name]
        if self._marked is None:
            return [(text, style)]
        pieces, at = [], 0
        for found in self._marked.finditer(text):
            pieces.append((text[at : found.start()], style))
            pieces.append((found.group(), self.palette["match"]))
            at = found.end()
        pieces.append((text[at:], style))
        return [piece for piece in pieces if piece[0]]


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part[0]
