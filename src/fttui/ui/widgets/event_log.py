"""The log of a job: any number of events, following the newest unless you scrolled up; searched with `/`."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip

from fttui.ui.text import Part, fit
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.service.types import JobEvent

GLYPH = {"error": ("✗", "error"), "warn": ("⚠", "warning"), "warning": ("⚠", "warning")}
KEPT = 300  # drawn lines, a few screens
PLAIN = {"error": "x", "warn": "!", "warning": "!"}


def stamp(event: JobEvent) -> str:
    """When it happened, in local time; dashes where that is not told."""
    if not event.created_at:
        return "--:--:--"
    return time.strftime("%H:%M:%S", time.localtime(event.created_at))


def _shown(event: JobEvent) -> str:
    known = event.type in ("message", "metrics")
    return event.message if known else f"{event.type}: {event.message}"


def _words(event: JobEvent) -> str:
    return _shown(event).lower()


class EventLog(LineList):
    """Oldest first. Posts `Following` when it stops or begins to follow, or when more arrived below;
    `Search` when `/` is pressed; `Found` when the hits of a search, or the one shown, are others."""

    BINDINGS = [
        Binding("slash", "search", "Search the log", show=False, id="events.search"),
        Binding("n", "hit(1)", "Next hit", show=False, id="events.next_hit"),
        Binding("N", "hit(-1)", "Previous hit", show=False, id="events.previous_hit"),
    ]

    class Search(Message):
        """Something to search for is wanted."""

    class Found(Message):
        """The hits of the search, or the place among them, are others."""

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
        self.wanted = ""  # what is searched for, lower case
        self._hits: list[int] = []
        self._searched = 0  # so many events were looked through
        self._strips: dict[object, Strip] = {}  # lines as they were drawn

    def show(self, owner: str, events: Sequence[JobEvent]) -> None:
        """Show a job's events; the same job's list may have grown."""
        if owner != self._owner:
            self._owner, self._events, self.following = owner, events, True
            self.find("")
            self._strips.clear()
            self.set_count(len(events), cursor=len(events) - 1)
            self.refresh()
            self._to_end()
            return
        grown = len(events) - self.count
        self._events = events
        if grown:
            self.set_count(len(events))
            if self.wanted:
                self._look()
                self.post_message(self.Found())
            if self.following:
                self._to_end()
        self._tell()

    def _to_end(self) -> None:
        self.following = True
        self._scroll_to_end()  # first: a cursor beyond the edge would scroll by a third of a page
        if self.count:
            self.cursor = self.count - 1
        self.call_after_refresh(self._scroll_to_end)  # the height may not be known before

    def _scroll_to_end(self) -> None:
        height = self.scrollable_content_region.height
        y = max(0, self.count - height)
        if int(self.scroll_offset.y) != y:
            # forced: right after it grew from nothing, or behind a dialog, it has no scrollbar yet
            self.scroll_to(y=y, animate=False, immediate=True, force=True)
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

    # -- searching

    def find(self, text: str) -> int:
        """Search for a text (case does not matter; "" ends it) and go to the nearest hit at or above
        the cursor. Returns the number of hits."""
        had, self.wanted = self.wanted, text.strip().lower()
        self._hits, self._searched = [], 0
        self._look()
        if self._hits:
            place = bisect_right(self._hits, self.cursor) - 1
            self._show(self._hits[max(0, place)])
        if had or self.wanted:
            self.refresh()
            self.post_message(self.Found())
        return len(self._hits)

    def _look(self) -> None:
        """Look through the events that were not looked through yet."""
        wanted = self.wanted
        if wanted:
            first, last = self._searched, len(self._events)
            self._hits += [i for i in range(first, last) if wanted in _words(self._events[i])]
            self._searched = last

    def _show(self, row: int) -> None:
        self.following = False
        self.cursor = row
        self.following = row >= self.count - 1
        self._tell()

    @property
    def found(self) -> str:
        """`3 of 12 · loss=nan`, or why not."""
        if not self.wanted:
            return ""
        place = bisect_left(self._hits, self.cursor)
        at = (
            f"{place + 1:,} of "
            if place < len(self._hits) and self._hits[place] == self.cursor
            else ""
        )
        return f"{at}{len(self._hits):,} · {self.wanted}" if self._hits else f"none · {self.wanted}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """n and N are the screen's where nothing is searched for."""
        return bool(self.wanted) if action == "hit" else super().check_action(action, parameters)

    def action_search(self) -> None:
        self.post_message(self.Search())

    def action_hit(self, delta: int) -> None:
        """The next hit below the cursor (+1) or above it (-1), round the ends."""
        if not self._hits:
            self.app.bell()
            return
        place = bisect_right(self._hits, self.cursor) if delta > 0 else (
            bisect_left(self._hits, self.cursor) - 1
        )  # fmt: skip
        self._show(self._hits[place % len(self._hits)])
        self.post_message(self.Found())

    # -- drawing

    def render_line(self, y: int) -> Strip:
        """An event never changes: while the log follows, only the new lines are made."""
        row = y + int(self.scroll_offset.y)
        if row == self.cursor or row >= self.count or self._pass is None:
            return super().render_line(y)
        key = (row, self._pass, self.wanted, self.app.theme)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > KEPT:
                self._strips.clear()
            strip = self._strips[key] = super().render_line(y)
        return strip

    def _event(self, row: int, width: int) -> Sequence[Part]:
        event = self._events[row]
        plain = bool(getattr(self.app, "ascii_only", False))
        glyph, style = GLYPH.get(event.level, (" ", ""))
        if event.level in PLAIN and plain:
            glyph = PLAIN[event.level]
        if not style and event.type == "metrics":
            style = "dim"
        text = fit(_shown(event), max(0, width - 12))
        return [
            (f" {stamp(event)} ", "faint"),
            (f"{glyph} ", style),
            *self._marked(text, style),
        ]

    def _marked(self, text: str, style: str) -> Sequence[Part]:
        """The text, what is searched for standing out."""
        if not self.wanted:
            return [(text, style)]
        parts: list[Part] = []
        low, at = text.lower(), 0
        while len(low) == len(text) and (hit := low.find(self.wanted, at)) >= 0:
            end = hit + len(self.wanted)
            parts += [(text[at:hit], style), (text[hit:end], "match")]
            at = end
        return [*parts, (text[at:], style)]

    def _cursor_style(self) -> Style:
        return super()._cursor_style() if self.has_focus else Style()
