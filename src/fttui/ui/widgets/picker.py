"""One line of a form that is chosen, not typed: enter, space or a click asks for the choice."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from fttui.ui.text import fit, say


class Picker(Widget, can_focus=True):
    """Shows `text`; posts `Asked` when it is opened and `Stepped` on left and right."""

    DEFAULT_CSS = """
    Picker { height: 1; width: 1fr; background: $surface; }
    Picker:focus { background: $panel; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "ask", "Choose", show=False),
        Binding("left", "step(-1)", "Previous", show=False),
        Binding("right", "step(1)", "Next", show=False),
    ]

    class Asked(Message):
        def __init__(self, picker: Picker) -> None:
            super().__init__()
            self.picker = picker

        @property
        def control(self) -> Picker:
            return self.picker

    class Stepped(Message):
        def __init__(self, picker: Picker, delta: int) -> None:
            super().__init__()
            self.picker = picker
            self.delta = delta

        @property
        def control(self) -> Picker:
            return self.picker

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.refresh()

    def render(self) -> Content:
        mark = "v" if getattr(self.app, "ascii_only", False) else "▾"
        return say(fit(self._text, self.size.width - 3), (f" {mark} ", "accent"))

    def action_ask(self) -> None:
        self.post_message(self.Asked(self))

    def action_step(self, delta: int) -> None:
        self.post_message(self.Stepped(self, delta))

    def on_click(self, event: events.Click) -> None:
        self.focus()
        self.action_ask()
