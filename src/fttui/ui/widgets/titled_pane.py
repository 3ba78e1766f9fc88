"""A bordered pane whose title can change without the pane being sent again."""

from __future__ import annotations

from textual.containers import Vertical
from textual.geometry import Region

from fttui.ui.text import Part, say


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
            self._border_title = content
            self._redraw_line(0)

    def say_subtitle(self, *parts: Part) -> None:
        content = say(*parts)
        if self._border_subtitle is None or self._border_subtitle.markup != content.markup:
            self._border_subtitle = content
            self._redraw_line(self.outer_size.height - 1)

    def _redraw_line(self, y: int) -> None:
        x0, y0 = self.content_offset
        self.refresh(Region(-x0, y - y0, self.outer_size.width, 1))
