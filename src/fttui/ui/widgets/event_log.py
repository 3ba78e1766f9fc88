"""The log of a job: any number of events, following the newest unless you scrolled up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from textual.message import Message

from fttui.ui.text import Part, fit
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.service.types import JobEvent

GLYPH = {"error": ("✗", "error"), "warn": ("⚠", "warning"), "warning": ("⚠", "warning")}
PLAIN = {"error": "x", "warn": "!", "warning": "!"}


def stamp(event: JobEvent) -> str:
    """When it happened, in local time; dashes where that is not told."""
    if not event.created_at:
        return "--:--:--"
    return time.strftime("%H:%M:%S", time.localtime(event.created_at))


class EventLog(LineList):
    """Oldest first. Posts `Following` when it stops or begins to follow, or when more arrived below."""

    class Following(Message):
        """below: events under the last visible one while not following."""

        def __init__(self, log: EventLog, on: bool, below: int) -> None:
            super().__init__()
            self.log_ = log
            self.on = on
            self.below = below

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(self._event, id=id)
        self._events: Sequence[JobEvent] = ()
        self._owner = ""
        self.following = True
        self._told: tuple[bool, int] = (True, 0)

    def show(self, owner: str, events: Sequence[JobEvent]) -> None:
        """Show a job's events; the same job's list may have grown."""
        if owner != self._owner:
            self._owner, self._events, self.following = owner, events, True
            self.set_count(len(events), cursor=len(events) - 1)
            self.refresh()
            self._to_end()
            return
        grown = len(events) - self.count
        self._events = events
        if grown:
            self.set_count(len(events))
            if self.following:
                self._to_end()
        self._tell()

    def _to_end(self) -> None:
        self.following = True
        if self.count:
            self.cursor = self.count - 1
        self.call_after_refresh(self._scroll_to_end)

    def _scroll_to_end(self) -> None:
        height = self.scrollable_content_region.height
        y = max(0, self.count - height)
        if int(self.scroll_offset.y) != y:
            self.scroll_to(y=y, animate=False, immediate=True)
            self.refresh()
        self._tell()

    @property
    def below(self) -> int:
        """Events under the last visible row."""
        height = self.scrollable_content_region.height
        return max(0, self.count - int(self.scroll_offset.y) - height)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if int(new) < int(old):
            self.following = self.below == 0
        elif self.below == 0:
            self.following = True
        self._tell()

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.has_focus:
            self.following = new >= self.count - 1
            self._tell()

    def _tell(self) -> None:
        now = (self.following, 0 if self.following else self.below)
        if now != self._told:
            self._told = now
            self.post_message(self.Following(self, *now))

    # -- drawing

    def _event(self, row: int, width: int) -> Sequence[Part]:
        event = self._events[row]
        plain = bool(getattr(self.app, "ascii_only", False))
        glyph, style = GLYPH.get(event.level, (" ", ""))
        if event.level in PLAIN and plain:
            glyph = PLAIN[event.level]
        if not style and event.type == "metrics":
            style = "dim"
        kind = "" if event.type in ("message", "metrics") else f"{event.type}: "
        return [
            (f" {stamp(event)} ", "faint"),
            (f"{glyph} ", style),
            (fit(kind + event.message, max(0, width - 12)), style),
        ]

    def _cursor_style(self) -> Style:
        return super()._cursor_style() if self.has_focus else Style()
