"""A month of use: how many requests, how long, how many of them cached or in a batch."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from fttui.problem import Problem
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import say

if TYPE_CHECKING:
    from fttui.pricing.use import Traffic

# field, words, whether it is a percentage
FIELDS = (
    ("requests", "Requests a month", False),
    ("prompt_tokens", "Prompt tokens of one", False),
    ("answer_tokens", "Answer tokens of one", False),
    ("saved_prompt_tokens", "Prompt tokens tuning saves", False),
    ("cached_share", "Prompts cached, %", True),
    ("batch_share", "Sent in batches, %", True),
)
DATASET = "dataset"


class TrafficDialog(Dialog["Traffic | str"]):
    """Answers a Traffic, DATASET for the dataset's own lengths, or None."""

    DEFAULT_CSS = """
    TrafficDialog > #box { width: 64; }
    TrafficDialog .row { height: 1; }
    TrafficDialog .row Label { width: 30; color: $muted; }
    TrafficDialog .row Input { width: 20; }
    TrafficDialog #hint { color: $error; height: auto; margin-top: 1; }
    """
    BINDINGS = [
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("ctrl+t", "dataset", "The dataset's own", show=False, priority=True),
    ]

    def __init__(self, traffic: Traffic, *, of_dataset: bool) -> None:
        super().__init__()
        self._traffic, self._of_dataset = traffic, of_dataset

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("A month of use"), classes="title")
            for name, words, percent in FIELDS:
                value = getattr(self._traffic, name)
                text = f"{value * 100:f}".rstrip("0").rstrip(".") if percent else str(value)
                with Horizontal(classes="row"):
                    yield Label(say(words))
                    yield Input(text or "0", id=name, compact=True, select_on_focus=True)
            yield Static("", id="hint")
            keys = "enter accept   ↑ ↓ move   esc leave"
            keys += "   ^t as in the dataset" if self._of_dataset else ""
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#requests", Input).focus()

    def action_dataset(self) -> None:
        if self._of_dataset:
            self.dismiss(DATASET)

    def on_input_submitted(self) -> None:
        from fttui.pricing.use import Traffic

        values: dict[str, int | Decimal] = {}
        for name, words, percent in FIELDS:
            field = self.query_one(f"#{name}", Input)
            text = field.value.strip().replace(",", "").replace("_", "") or "0"
            try:
                values[name] = Decimal(text) / 100 if percent else int(text)
            except (InvalidOperation, ValueError):
                return self._refuse(field, f"{words}: a number, please")
        try:
            made = Traffic(**values).checked()  # type: ignore[arg-type]
        except Problem as problem:
            return self._refuse(None, " · ".join(problem.lines()))
        self.dismiss(made)
        return None

    def _refuse(self, field: Input | None, words: str) -> None:
        self.query_one("#hint", Static).update(say("✗ " + words))
        if field is not None:
            field.focus()
