"""One line asked for, with a hint and a check before it is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say


class Prompt(Dialog[str]):
    """Answers the typed line, or None. `check(text)` returns a complaint, or "" to accept."""

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        hint: Sequence[Part] = (),
        check: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._value, self._hint, self._check = title, value, hint, check

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield Input(value=self._value)
            yield Static(say(*self._hint), id="hint")
            yield Label(say(("enter accept   esc leave", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        complaint = self._check(event.value) if self._check else ""
        if complaint:
            self.query_one("#hint", Static).update(say(("✗ " + complaint, "error")))
        else:
            self.dismiss(event.value)
