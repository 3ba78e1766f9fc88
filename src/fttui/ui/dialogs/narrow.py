"""A dialog with a line to type in above a list: what is typed narrows, arrows move, enter takes."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from fttui.ui.dialogs.base import Answer, Dialog
from fttui.ui.widgets.line_list import LineList

KEYS = {"down": 1, "up": -1, "pagedown": 1, "pageup": -1}


class NarrowDialog(Dialog[Answer]):
    """Subclasses yield one Input and one LineList, and answer for a row in `take`."""

    def take(self, row: int) -> None:
        raise NotImplementedError

    @property
    def rows(self) -> LineList:
        return self.query_one(LineList)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_key(self, event: events.Key) -> None:
        step = KEYS.get(event.key)
        if step is not None:
            move = self.rows.action_page if "page" in event.key else self.rows.action_move
            move(step)
            event.stop()

    def on_input_submitted(self) -> None:
        self.take(self.rows.cursor)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.take(event.row)
