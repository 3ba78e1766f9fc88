"""A virtual list: any number of rows, only the visible ones drawn, only the changed ones sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fttui.ui.text import Palette, Part

RowMaker = Callable[[int, int], Sequence[Part]]


class LineList(ScrollView, can_focus=True):
    """Rows come from `row(i, width)`: parts of (text, style name), made when they are drawn.

    A cursor move refreshes two lines, so it costs a few hundred bytes on the wire over a million
    rows. Posts `Moved` when the cursor changes and `Chosen` on enter or a second click.
    """

    DEFAULT_CSS = """
    LineList { height: 1fr; width: 1fr; background: $background; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("home,g", "edge(0)", "First", show=False, id="list.home"),
        Binding("end,G", "edge(1)", "Last", show=False, id="list.end"),
        Binding("enter", "choose", "Open", show=False, id="list.open"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False, init=False)

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, list_: LineList, row: int) -> None:
            super().__init__()
            self.list = list_
            self.row = row

        @property
        def control(self) -> LineList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineList.Moved) and message.list is self.list

    class Chosen(Message):
        """A row was opened."""

        def __init__(self, list_: LineList, row: int) -> None:
            super().__init__()
            self.list = list_
            self.row = row

        @property
        def control(self) -> LineList:
            return self.list

    def __init__(
        self, row: RowMaker, count: int = 0, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._row = row
        self._count = count
        self._palette: Palette | None = None
        self._palette_theme = ""
        self._pass: tuple[Style, int] | None = None  # base style and width while lines are drawn

    # -- content

    @property
    def count(self) -> int:
        return self._count

    def on_mount(self) -> None:
        self._resize()

    def set_count(self, count: int, *, cursor: int | None = None) -> None:
        """Change the number of rows; visible ones are drawn again only if they changed."""
        before, self._count = self._count, count
        self._resize()
        target = self.cursor if cursor is None else cursor
        target = max(0, min(target, count - 1))
        if target != self.cursor:
            self.cursor = target
        top = int(self.scroll_offset.y)
        if min(before, count) < top + self.size.height:
            self.refresh()

    def refresh_row(self, row: int) -> None:
        """Draw one row again, if it is visible."""
        y = row - int(self.scroll_offset.y)
        if 0 <= y < self.size.height:  # refresh_line would send the scrollbar's cell as well
            self.refresh(Region(0, y, self.scrollable_content_region.width, 1))

    def _resize(self) -> None:
        self.virtual_size = Size(max(1, self.size.width), self._count)

    def on_resize(self, event: events.Resize) -> None:
        self._resize()
        self.call_after_refresh(self._keep_visible)

    def _keep_visible(self) -> None:
        """The row under the cursor stays on the screen through a resize."""
        height = self.scrollable_content_region.height
        top = int(self.scroll_offset.y)
        if height and not top <= self.cursor < top + height:
            self.scroll_to(y=max(0, self.cursor - height // 2), animate=False, immediate=True)

    # -- motion

    def validate_cursor(self, value: int) -> int:
        return max(0, min(value, self._count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        top, height = int(self.scroll_offset.y), self.scrollable_content_region.height
        if height and not top <= new < top + height:
            above = new < top
            if abs(new - old) == 1:  # a step over the edge: by most of a page, not line by line,
                # since every scroll sends the whole list
                y = new - 2 * height // 3 if above else new - height // 3
            elif abs(new - (top if above else top + height - 1)) < height:
                y = new if above else new - height + 1
            else:
                y = new - height // 2
            self.scroll_to(y=max(0, y), animate=False, immediate=True)
            self.refresh()
        else:
            self.refresh_row(old)
            self.refresh_row(new)
        self.post_message(self.Moved(self, new))

    def action_move(self, delta: int) -> None:
        if self._count:
            self.cursor += delta

    def action_page(self, direction: int) -> None:
        if self._count:
            self.cursor += direction * max(1, self.scrollable_content_region.height - 1)

    def action_edge(self, which: int) -> None:
        if self._count:
            self.cursor = self._count - 1 if which else 0

    def action_choose(self) -> None:
        if self._count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        row = event.y + int(self.scroll_offset.y)
        if row >= self._count:
            return
        if row == self.cursor and event.chain > 1:
            self.action_choose()
        self.cursor = row

    def on_focus(self) -> None:
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        self.refresh_row(self.cursor)

    # -- drawing

    @property
    def palette(self) -> Palette:
        if self._palette is None or self._palette_theme != self.app.theme:
            self._palette, self._palette_theme = Palette(self.app), self.app.theme
        return self._palette

    def render_lines(self, crop: Region) -> list[Strip]:
        self._pass = (self.rich_style, self.scrollable_content_region.width)  # once, not a line
        try:
            return super().render_lines(crop)
        finally:
            self._pass = None

    def render_line(self, y: int) -> Strip:
        # the width is without the scrollbar
        base, width = self._pass or (self.rich_style, self.scrollable_content_region.width)
        row = y + int(self.scroll_offset.y)
        if row >= self._count:
            return Strip.blank(width, base)
        if row == self.cursor:
            base += self._cursor_style()
        segments = [Segment(text, base + style) for text, style in self._parts(row, width) if text]
        room = width - sum(cell_len(segment.text) for segment in segments)
        if room < 0:
            return Strip(segments).adjust_cell_length(width, base)
        if room:
            segments.append(Segment(" " * room, base))
        return Strip(segments, width)  # one only: every Strip costs as much as drawing a part

    def _parts(self, row: int, width: int) -> list[tuple[str, Style]]:
        palette = self.palette
        return [
            (part, palette[""]) if isinstance(part, str) else (part[0], palette[part[1]])
            for part in self._row(row, width)
            if part
        ]

    def _cursor_style(self) -> Style:
        variables = self.app.theme_variables
        name = "block-cursor-background" if self.has_focus else "panel"
        color = variables.get(name, "")
        if self.app.no_color or not color.startswith("#"):
            return Style(reverse=True)
        return Style(bgcolor=color, bold=self.has_focus)

    def row_text(self, row: int) -> str:
        """What a row says, without colours (for tests and the clipboard)."""
        return "".join(text for text, _ in self._parts(row, self.size.width)).rstrip()


def columns(parts: Sequence[Part]) -> int:
    """Cells a row's parts take."""
    return sum(cell_len(part if isinstance(part, str) else part[0]) for part in parts)
