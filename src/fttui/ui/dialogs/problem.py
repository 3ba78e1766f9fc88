"""An error as three lines — what, why, what to do — with the details one key away."""

from __future__ import annotations

import json

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Label, Static

from fttui.problem import Problem
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import say


class ProblemDialog(Dialog[str]):
    """Shows a Problem. `d` shows the details, `y` copies all of it, `r` answers "retry" where that can help."""

    DEFAULT_CSS = """
    ProblemDialog > #box { border: round $error; }
    ProblemDialog #detail { display: none; max-height: 14; margin-top: 1; background: $background; }
    ProblemDialog.-detail #detail { display: block; }
    """
    BINDINGS = [
        Binding("enter", "close", "Close", show=False),
        Binding("d", "detail", "Details", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("r", "retry", "Retry", show=False),
    ]

    def __init__(self, problem: Problem, *, can_retry: bool = False) -> None:
        super().__init__()
        self.problem = problem
        self._can_retry = can_retry

    def compose(self) -> ComposeResult:
        problem = self.problem
        with Vertical(id="box"):
            yield Label(say(("✗ ", "error"), (problem.what, "bold")), classes="title")
            if problem.why:
                yield Static(say(problem.why))
            if problem.remedy:
                yield Static(say(("→ ", "accent"), problem.remedy))
            with VerticalScroll(id="detail"):
                yield Static(say(self._details()))
            keys = "enter close   y copy"
            keys += "   d details" if self._details() else ""
            keys += "   r try again" if self._can_retry else ""
            yield Label(say((keys, "dim")), classes="keys")

    def _details(self) -> str:
        detail = dict(self.problem.detail)
        if self.problem.code:
            detail = {"code": self.problem.code, **detail}
        return json.dumps(detail, indent=2, ensure_ascii=False, default=str) if detail else ""

    def action_detail(self) -> None:
        self.toggle_class("-detail")

    def action_copy(self) -> None:
        self.app.copy("\n".join([*self.problem.lines(), self._details()]), "the error")  # type: ignore[attr-defined]

    def action_retry(self) -> None:
        if self._can_retry:
            self.dismiss("retry")
