"""Everything that was said, newest first: a toast is never the only place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList


@dataclass(frozen=True)
class Notice:
    """clock: local time, HH:MM:SS."""

    clock: str
    severity: str
    message: str


class Notices(Dialog[None]):
    DEFAULT_CSS = """
    Notices > #box { width: 100; height: 24; }
    """

    def __init__(self, notices: Sequence[Notice]) -> None:
        super().__init__()
        self._notices = list(reversed(notices))

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Notices"), classes="title")
            if self._notices:
                yield LineList(self._row, len(self._notices))
            else:
                yield Label(say(("nothing was said yet", "dim")))
            yield Label(say(("esc close", "dim")), classes="keys")

    def _row(self, row: int, width: int) -> Sequence[Part]:
        notice = self._notices[row]
        style = {"error": "error", "warning": "warning"}.get(notice.severity, "")
        return [(notice.clock, "dim"), " ", (fit(notice.message, width - 9), style)]
