"""A scrolled text of styled lines: only the lines that differ are sent when it shows something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

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
            *full, word = chop_cells(word, width) or [word]  # rich may give none
            yield from full
        current, used = word, measure(word)
    yield current


class TextView(Widget, can_focus=True):
    """Lines made by a builder for the width at hand; `show(builder)` replaces them.

    It scrolls itself and draws its own scrollbar: Textual's would lay out the screen and send the whole
    widget for every text of another length.
    """

    DEFAULT_CSS = """
    TextView { height: 1fr; width: 1fr; background: $background; }
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
        self._top = 0
        self._sent: list[Strip] = []  # what is on the screen
        self._marked: re.Pattern[str] | None = None
        self._palette: Palette | None = None
        self._palette_theme = ""

    # -- content

    def show(self, builder: Builder, *, mark: re.Pattern[str] | None = None) -> None:
        """Show what `builder(width)` makes, from its first line; `mark` lights up what it matches."""
        self._builder, self._marked, self._top = builder, mark, 0
        self._build()
        self._send()

    def text(self) -> str:
        """What it says, without colours (for tests and the clipboard)."""
        return "\n".join("".join(_text(part) for part in line).rstrip() for line in self._lines)

    def jump(self, line: int) -> None:
        """Bring a line of the text into view."""
        if not self._top <= line < self._top + self.size.height:
            self._scroll(line - self.size.height // 3)

    def find(self, wanted: str) -> int:
        """The first line that has a part of style `wanted`, -1 for none."""
        for number, line in enumerate(self._lines):
            if any(not isinstance(part, str) and part[1] == wanted for part in line):
                return number
        return -1

    def _build(self) -> None:
        room = self.size.width - 2  # the first column stays blank, the last is the scrollbar's
        self._lines = self._builder(room) if room > 0 else ()

    def on_resize(self, event: events.Resize) -> None:
        self._build()
        self._scroll(self._top)
        self.refresh()

    def _send(self) -> None:
        """Refresh the lines that differ from those on the screen."""
        new = [self._strip(y) for y in range(self.size.height)]
        old, self._sent = self._sent, new
        if len(old) != len(new):
            self.refresh()
            return
        changed = []
        for y, (a, b) in enumerate(zip(old, new, strict=True)):
            if a != b:
                start, end = _difference(a, b)
                changed.append(Region(start, y, end - start, 1))
        if changed:
            self.refresh(*changed)

    # -- motion

    def _scroll(self, top: int) -> None:
        top = max(0, min(top, len(self._lines) - self.size.height))
        if top != self._top:
            self._top = top
            self._send()

    def action_go(self, delta: int) -> None:
        self._scroll(self._top + delta)

    def action_page(self, direction: int) -> None:
        self._scroll(self._top + direction * max(1, self.size.height - 1))

    def action_edge(self, which: int) -> None:
        self._scroll(len(self._lines) if which else 0)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(self._top + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(self._top - 3)

    # -- drawing

    @property
    def palette(self) -> Palette:
        if self._palette is None or self._palette_theme != self.app.theme:
            self._palette, self._palette_theme = Palette(self.app), self.app.theme
        return self._palette

    def render_line(self, y: int) -> Strip:
        if y == 0:  # a full repaint begins: theme or size may have changed what `_sent` holds
            self._sent = [self._strip(row) for row in range(self.size.height)]
        return self._sent[y] if y < len(self._sent) else self._strip(y)

    def _strip(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        row = y + self._top
        parts = self._lines[row] if row < len(self._lines) else ()
        segments = [Segment(" ", base + self.palette[""])]
        for part in parts:
            segments += [Segment(text, base + style) for text, style in self._styled(part)]
        strip = Strip(segments).adjust_cell_length(max(0, width - 1), base)
        bar = self._bar(y)  # a blank one needs no style of its own: fewer bytes
        return Strip(
            [*strip, Segment(bar, base + self.palette["faint" if bar != " " else ""])]
        ).simplify()

    def _bar(self, y: int) -> str:
        """The scrollbar's cell on a line; blank where all of the text is in view."""
        count, height = len(self._lines), self.size.height
        if count <= height:
            return " "
        length = max(1, height * height // count)
        start = round(self._top * (height - length) / max(1, count - height))
        return "▐" if start <= y < start + length else " "

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


def _difference(a: Strip, b: Strip) -> tuple[int, int]:
    """The columns, first and after the last, where two lines of one width differ."""
    cells = [[(letter, style) for text, style, _ in strip for letter in text] for strip in (a, b)]
    width = a.cell_length
    if len(cells[0]) != width or len(cells[1]) != width:
        return 0, width  # letters of two columns or of none: not worth counting
    differ = [x for x in range(width) if cells[0][x] != cells[1][x]]
    return (differ[0], differ[-1] + 1) if differ else (0, width)


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part[0]
