"""One line to type a search or a filter into; it is there only while it is used."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from fttui.ui.text import say

Check = Callable[[str], str]  # a complaint about what was typed, "" to accept it


class FilterBar(Horizontal):
    """Posts `Submitted(kind, text)`; a complaint about what was typed is shown beside it."""

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; background: $panel; padding: 0 1; }
    FilterBar.-open { display: block; layout: horizontal; }
    FilterBar > #kind { width: auto; color: $text-accent; text-style: bold; }
    FilterBar > Input { width: 1fr; background: $panel; }
    FilterBar > #complaint { width: auto; max-width: 70%; color: $text-error;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Submitted(Message):
        """What was typed. kind: as given to `ask`."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.kind = ""
        self._check: Check | None = None

    def compose(self) -> ComposeResult:
        yield Label("", id="kind")
        yield Input(compact=True)
        yield Label("", id="complaint")

    def ask(self, kind: str, text: str, hint: str, check: Check | None = None) -> None:
        """Open for typing. `check(text)` returns a complaint, or "" to accept."""
        self.kind, self._check = kind, check
        self.query_one("#kind", Label).update(say(f"{kind} "))
        self.query_one("#complaint", Label).update("")
        box = self.query_one(Input)
        box.placeholder = hint
        box.value = text
        box.cursor_blink = False
        self.add_class("-open")
        box.focus()
        box.action_end()

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def close(self) -> None:
        self.remove_class("-open")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#complaint", Label).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        complaint = self._check(text) if self._check and text else ""
        if complaint:
            self.query_one("#complaint", Label).update(say(f" {complaint}"))
            return
        self.close()
        self.post_message(self.Submitted(self.kind, text))
