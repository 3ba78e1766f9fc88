"""A bordered pane whose title can change without the pane being sent again."""

from __future__ import annotations

from textual.containers import Vertical
from textual.geometry import Region

from fttui.ui.text import Part, say

TITLE_EDGE = 4  # the corner, one piece of line, and a blank on each side of the title


class Pane(Vertical):
    """Textual redraws all of a widget for a new border title: some kilobytes on the wire. This one
    sends the one line of border."""

    DEFAULT_CSS = """
    Pane { border: round $border-blurred; border-title-color: $muted; padding: 0; height: 1fr; width: 1fr;
        border-subtitle-color: $muted; }
    Pane:focus-within { border: round $primary; border-title-color: $text-primary; }
    """

    def say_title(self, *parts: Part) -> None:
        content = say(*parts)
        if self._border_title is None or self._border_title.markup != content.markup:
            before, self._border_title = self._border_title, content
            longest = max(content.cell_length, before.cell_length if before is not None else 0)
            self._redraw_line(0, longest + TITLE_EDGE)

    def say_subtitle(self, *parts: Part) -> None:
        content = say(*parts)
        if self._border_subtitle is None or self._border_subtitle.markup != content.markup:
            self._border_subtitle = content
            self._redraw_line(self.outer_size.height - 1, self.outer_size.width)

    def _redraw_line(self, y: int, columns: int) -> None:
        """Send the first `columns` of a line of the border: the title stands at the left."""
        x0, y0 = self.content_offset
        self.refresh(Region(-x0, y - y0, min(columns, self.outer_size.width), 1))
