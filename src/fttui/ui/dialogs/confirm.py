"""Money and deletion: the thing is named, No has the focus, enter is dead for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say

DEAD_SECONDS = 0.4  # a held-down enter that opened this dialog must not answer it


class Confirm(Dialog[bool]):
    """Answers True only for `yes_key`, the yes button, or the typed word when one is asked for."""

    DEFAULT_CSS = """
    Confirm #buttons { height: auto; margin-top: 1; }
    Confirm Button { margin-right: 2; min-width: 12; }
    Confirm Input { margin-top: 1; }
    """
    BINDINGS = [
        Binding("y", "yes", "Yes", show=False),
        Binding("n", "close", "No", show=False),
        Binding("enter", "no", "No", show=False),  # wherever the focus is, enter is No
        Binding("left,right,tab", "swap", "Other button", show=False),
    ]

    def __init__(
        self,
        title: str,
        body: Sequence[Part],
        *,
        yes: str = "Yes",
        no: str = "No",
        type_this: str = "",
        danger: bool = True,
    ) -> None:
        super().__init__()
        self._title, self._body, self._yes, self._no = title, body, yes, no
        self._type_this = type_this
        self._danger = danger
        self._opened = monotonic()

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield Static(say(*self._body))
            if self._type_this:
                yield Input(placeholder=f"type {self._type_this} to confirm", id="typed")
            with Horizontal(id="buttons"):
                yield Button(self._no, id="no")
                yield Button(
                    f"{self._yes} (y)", id="yes", variant="error" if self._danger else "primary"
                )

    def on_mount(self) -> None:
        self._opened = monotonic()
        self.query_one("#typed" if self._type_this else "#no").focus()

    def _too_soon(self) -> bool:
        return monotonic() - self._opened < DEAD_SECONDS

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "no":
            if not self._too_soon():
                self.dismiss(False)
        elif not self._too_soon():
            self.action_yes()

    def on_input_submitted(self) -> None:
        if not self._too_soon():
            self.action_yes()

    def action_yes(self) -> None:
        if self._type_this:
            typed = self.query_one("#typed", Input).value.strip()
            if typed != self._type_this:
                self.query_one("#typed", Input).focus()
                self.app.bell()
                return
        self.dismiss(True)

    def action_no(self) -> None:
        if not self._too_soon():
            self.dismiss(False)

    def action_swap(self) -> None:
        yes, no = self.query_one("#yes", Button), self.query_one("#no", Button)
        (yes if no.has_focus else no).focus()

    def action_close(self) -> None:
        self.dismiss(False)
