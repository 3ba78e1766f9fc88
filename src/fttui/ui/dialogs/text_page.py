"""A text to read: a title, lines that scroll, and a key that copies all of them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say


class TextPage(Dialog[None]):
    """Shows `lines` (rows of parts); `show` brings others."""

    DEFAULT_CSS = """
    TextPage > #box { width: 96%; height: auto; max-height: 92%; }
    TextPage VerticalScroll { height: auto; max-height: 100%; background: $surface; }
    TextPage VerticalScroll Static { height: auto; }
    """
    BINDINGS = [
        Binding("y", "copy", "Copy all of it", show=False),
        Binding("q,enter", "close", "Close", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Sequence[Part]]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            with VerticalScroll():
                yield Static(id="page")
            yield Label(say(("esc close   y copy all of it", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.show(self._lines)

    def show(self, lines: Sequence[Sequence[Part]]) -> None:
        self._lines = lines
        self.query_one("#page", Static).update(Content("\n").join([say(*row) for row in lines]))

    def action_copy(self) -> None:
        text = "\n".join(say(*row).plain for row in self._lines)
        self.app.copy(text, "the page")  # type: ignore[attr-defined]
