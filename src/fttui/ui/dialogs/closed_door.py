"""A door a provider has closed: what it said, why, who could open it, and the ways out, each on a key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import ScrollableContainer, Vertical
from textual.widgets import Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.problem import Problem
    from fttui.service.doors import Door, Way  # noqa: F401 - Way is named in the base


class ClosedDoor(Dialog["Way"]):
    """Answers the way that was chosen, or None. `d` shows the answer as it came, `y` copies all."""

    DEFAULT_CSS = """
    ClosedDoor > #box { width: 96; max-width: 96%; max-height: 96%; border: round $error; }
    ClosedDoor .title { margin-bottom: 0; }
    ClosedDoor #about { color: $muted; margin-bottom: 1; }
    ClosedDoor #words { height: auto; max-height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    ClosedDoor #said { border-left: outer $error; padding: 0 1; margin-bottom: 1; }
    ClosedDoor #why { margin-bottom: 1; }
    ClosedDoor #whom { color: $muted; margin-bottom: 1; }
    ClosedDoor #ways { background: $surface; }
    ClosedDoor #detail { display: none; height: auto; max-height: 12; background: $background; }
    ClosedDoor.-detail #detail { display: block; }
    ClosedDoor.-low #about, ClosedDoor.-low .title { margin-bottom: 0; }
    ClosedDoor.-low #said, ClosedDoor.-low #why, ClosedDoor.-low #whom { margin-bottom: 0; }
    ClosedDoor.-low .keys { margin-top: 0; }
    ClosedDoor.-low #about { height: 1; }
    """
    BINDINGS = [
        Binding("d", "detail", "Details", show=False, priority=True),
        Binding("y", "copy", "Copy", show=False, priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = []
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]

    def __init__(self, door: Door, problem: Problem, about: str) -> None:
        """about: what was being done, on which profile."""
        super().__init__()
        self.door, self.problem, self._about = door, problem, about

    def compose(self) -> ComposeResult:
        door = self.door
        with Vertical(id="box"):
            yield Label(say(("✗ ", "error"), (door.title, "bold")), classes="title")
            yield Static(say((self._about, "")), id="about")
            with ScrollableContainer(id="words", can_focus=False):
                if door.said:
                    yield Static(say(door.said), id="said")
                yield Static(say(("Why  ", "key"), door.why), id="why")
                yield Static(say(("Who can open it  ", "key"), (door.whom, "")), id="whom")
                yield Static(say(self._details()), id="detail")
            yield LineList(self._row, len(door.ways), id="ways")
            keys = "enter take this way   d details   y copy   esc stay here"
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        ways = self.query_one("#ways", LineList)
        ways.styles.height = len(self.door.ways)
        ways.focus()

    def on_resize(self) -> None:
        """The words give way before the ways out do."""
        taken = len(self.door.ways) + 5 + (3 if self.has_class("-high") else 0)
        self.query_one("#words").styles.max_height = max(2, self.size.height - taken - 1)

    def _row(self, row: int, width: int) -> Sequence[Part]:
        way = self.door.ways[row]
        title = fit(way.title, 26)
        return [" ", (way.key, "key"), f"  {title} ", (fit(way.note, max(8, width - 31)), "dim")]

    def _details(self) -> str:
        detail = {"code": self.problem.code, **self.problem.detail}
        return json.dumps(detail, indent=2, ensure_ascii=False, default=str)

    def on_key(self, event: events.Key) -> None:
        way = next((way for way in self.door.ways if way.key == event.key), None)
        if way is not None:
            event.stop()
            self.dismiss(way)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(self.door.ways[event.row])

    def action_detail(self) -> None:
        self.toggle_class("-detail")
        if self.has_class("-detail"):
            self.call_after_refresh(self.query_one("#words", ScrollableContainer).scroll_end)

    def action_copy(self) -> None:
        door = self.door
        text = [door.title, self._about, door.said, door.why, door.whom, "", self._details()]
        self.app.copy("\n".join(text), "what was refused")  # type: ignore[attr-defined]
