"""One column of a conversation: follows its end cheaply, and stays where the reader scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fttui.ui.chat.markdown import Growth, render
from fttui.ui.text import Palette
from fttui.ui.widgets.wrapping import Block, Line, grown, lines_of, pieces

UNHURRIED = (
    1.0  # seconds between two jumps after the end; sooner than that, less of the old is kept
)


class Transcript(ScrollView, can_focus=True):
    """Blocks of text, the last of which may grow.

    A growing answer redraws only its last lines. When it leaves the view, the view moves on by half
    a page: a line at a time would send the whole screen for every line.
    """

    DEFAULT_CSS = """
    Transcript {
        height: 1fr; width: 1fr; background: $background; overflow-x: hidden;
        scrollbar-size-vertical: 1; padding: 0;
    }
    """
    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False, id="transcript.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="transcript.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="transcript.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="transcript.page_up"),
        Binding("home,g", "edge(0)", "First", show=False, id="transcript.home"),
        Binding("end,G", "edge(1)", "Last", show=False, id="transcript.end"),
    ]

    class Picked(Message):
        """The column was clicked or focused."""

        def __init__(self, transcript: Transcript) -> None:
            super().__init__()
            self.transcript = transcript

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.blocks: list[Block] = []
        self.following = True
        self._lines: list[Line] = []
        self._hidden: dict[int, int] = {}  # block → lines beyond its limit
        self._wrapped_at = 0
        self._moving = False
        self._palette: Palette | None = None
        self._palette_theme = ""
        self._below = 0  # what the last line said is further down
        self._base: Style | None = None  # Textual walks up the tree for it, for every line
        self._jumped = 0.0
        self._growth = Growth()

    # -- content

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Show these and nothing else; the view keeps its place, or the end if it was there."""
        self.blocks = list(blocks)
        self._growth = Growth()
        self._wrap()
        self._reach()
        self.refresh()

    def grow(self, text: str) -> None:
        """Add clean text to the last block; what that finishes is shown as Markdown."""
        if not text or not self.blocks:
            return
        block = self.blocks[-1]
        block.text += text
        if self._width() != self._wrapped_at or not self._lines:
            self._wrap()
            self._reach()
            self.refresh()
            return
        first = grown(self._lines, block, self._text_width(block))
        finished = self._growth.finished(block.text) if block.rich else 0
        if finished:
            first = min(first, self._finish(block, finished))
        if not self._reach():
            self._refresh_from(first)

    def _finish(self, block: Block, end: int) -> int:
        """Show the last block up to `end` as Markdown, and let the rest grow. Returns the first line
        that looks another way than it did."""
        number = len(self.blocks) - 1
        first = len(self._lines)
        while first and self._lines[first - 1].block == number:
            first -= 1
        before = self._looks(first)
        del self._lines[first:]
        self.blocks[number:] = [*render(block.text[:end]), Block(block.text[end:], rich=True)]
        self._growth = Growth()
        self._growth.finished(self.blocks[-1].text)
        for at in range(number, len(self.blocks)):
            made = self.blocks[at]
            self._lines.extend(lines_of(at, made, self._text_width(made)))
        after = self._looks(first)
        same = next(
            (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
            min(len(before), len(after)),
        )
        gone = first + len(before) - len(self._lines)  # marks took lines that are not needed now
        if gone > 0:
            top = int(self.scroll_offset.y)
            self.refresh_lines(max(0, len(self._lines) - top), gone)
        return first + same

    def _looks(self, first: int) -> list[object]:
        """What the lines from `first` on show, as far as they are in view."""
        top = int(self.scroll_offset.y)
        rows = self._lines[max(first, top) : top + self.size.height]
        hidden = [None] * max(0, top - first)
        return [
            *hidden,
            *((self._gutter(line), pieces(self.blocks[line.block], line)) for line in rows),
        ]

    def _gutter(self, line: Line) -> str:
        block = self.blocks[line.block]
        return block.gutter if line.start == 0 or block.hang is None else block.hang

    def _width(self) -> int:
        return self.scrollable_content_region.width or self.size.width

    def _text_width(self, block: Block) -> int:
        return max(4, self._width() - len(block.gutter) - 1)

    def _wrap(self) -> None:
        self._wrapped_at = self._width()
        self._lines, self._hidden = [], {}
        if not self._wrapped_at:
            return
        for number, block in enumerate(self.blocks):
            made = list(lines_of(number, block, self._text_width(block)))
            if block.limit and len(made) > block.limit:
                self._hidden[number] = len(made) - block.limit + 1
                made = made[: block.limit]
            self._lines.extend(made)

    def _refresh_from(self, first: int) -> None:
        """Redraw from a line to the end of the text, and the note on what is below."""
        top, height = int(self.scroll_offset.y), self.size.height
        y = max(0, first - top)
        count = min(height, len(self._lines) - top) - y
        if y < height and count > 0:
            self.refresh_lines(y, count)
        if self._count_below() != self._below:
            self.refresh_lines(height - 1, 1)

    # -- the view

    def _height(self) -> int:
        return self.scrollable_content_region.height or self.size.height

    def _reach(self) -> bool:
        """Make the end reachable, and go there when following. True: all of the view is redrawn."""
        height, total = self._height(), len(self._lines)
        if not height:
            return False
        top = int(self.scroll_offset.y)
        if not self.following:
            if total > self.virtual_size.height:
                self._set_virtual(total + height // 2)
            elif total < self.virtual_size.height - height:
                self._set_virtual(total)
            return False
        if top <= total <= top + height and (top or total <= height):
            return False
        now = monotonic()
        kept = height // 2 if now - self._jumped > UNHURRIED else height // 4
        self._jumped = now
        top = max(0, total - kept - 1) if total > height else 0
        self._set_virtual(max(total, top + height))
        self._go(top)
        self.refresh()
        return True

    def settle(self) -> None:
        """Nothing grows any more: the end of the text at the bottom of the view."""
        if self.following:
            height, total = self._height(), len(self._lines)
            self._set_virtual(total)
            self._go(max(0, total - height))
            self.refresh()

    def _set_virtual(self, lines: int) -> None:
        self.virtual_size = Size(max(1, self._width()), lines)

    def _go(self, top: int) -> None:
        self._moving = True
        try:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        finally:
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._moving and round(old_value) != round(new_value):
            self.following = round(new_value) + self._height() >= len(self._lines)

    def _count_below(self) -> int:
        if self.following:
            return 0
        return max(0, len(self._lines) - int(self.scroll_offset.y) - self._height())

    def on_resize(self, event: events.Resize) -> None:
        if self._width() != self._wrapped_at:
            self._wrap()
        if self.following:
            self.call_after_refresh(self.settle)
        else:
            self._set_virtual(len(self._lines))

    def on_mount(self) -> None:
        self._wrap()

    def action_move(self, delta: int) -> None:
        self.scroll_to(y=int(self.scroll_offset.y) + delta, animate=False, immediate=True)

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self._height() - 2))

    def action_edge(self, which: int) -> None:
        if which:
            self.following = True
            self.settle()
        else:
            self.scroll_to(y=0, animate=False, immediate=True)

    def on_focus(self) -> None:
        self.post_message(self.Picked(self))

    # -- drawing

    @property
    def palette(self) -> Palette:
        if self._palette is None or self._palette_theme != self.app.theme:
            self._palette, self._palette_theme = Palette(self.app), self.app.theme
        return self._palette

    def notify_style_update(self) -> None:
        self._base = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self._base = self._base or self.rich_style
        row = y + int(self.scroll_offset.y)
        if y == self.size.height - 1:
            self._below = self._count_below()
            if self._below:
                note = f" ▼ {self._below:,} more · end "
                return Strip([Segment(note, base + self.palette["accent"])]).adjust_cell_length(
                    width, base
                )
        if row >= len(self._lines):
            return Strip.blank(width, base)
        line, palette = self._lines[row], self.palette
        block = self.blocks[line.block]
        made = [Segment(self._gutter(line), base + palette[block.gutter_style])]
        hidden = self._hidden.get(line.block, 0)
        if hidden and self._is_last(row):
            made.append(Segment(f"… {hidden:,} more lines", base + palette["faint"]))
        else:
            made += [Segment(text, base + palette[style]) for text, style in pieces(block, line)]
        return Strip(made).adjust_cell_length(width, base)

    def _is_last(self, row: int) -> bool:
        return row + 1 >= len(self._lines) or self._lines[row + 1].block != self._lines[row].block

    def plain(self) -> str:
        """All of it as text, for tests and the clipboard."""
        return "\n".join(block.text for block in self.blocks)

    def reveal(self, number: int) -> None:
        """Bring the beginning of a block into view, near the top."""
        row = next((at for at, line in enumerate(self._lines) if line.block >= number), 0)
        self.following = False
        self._set_virtual(max(len(self._lines), row + self._height()))
        self._go(row)
        self.refresh()
