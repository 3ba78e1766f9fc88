"""A file that cannot be used, as a page: what, why, what to do."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui.text import Part, say


class Unusable(Vertical):
    """Three lines and the keys that help."""

    DEFAULT_CSS = """
    Unusable { align: center middle; height: 1fr; width: 1fr; }
    Unusable > Static { width: 72; max-width: 94%; height: auto; border: round $error; padding: 1 2; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.problem: Problem | None = None

    def compose(self) -> ComposeResult:
        yield Static("")

    def tell(self, problem: Problem) -> None:
        self.problem = problem
        parts: list[Part] = [("✗ ", "error"), (problem.what, "bold")]
        if problem.code:
            parts.append((f"   {problem.code}", "faint"))
        if problem.why:
            parts += ["\n\n", problem.why]
        if problem.remedy:
            parts += ["\n\n", ("→ ", "accent"), problem.remedy]
        parts += ["\n\n", ("o", "key"), (" open another   ", "dim"), ("r", "key")]
        parts += [(" look again   ", "dim"), ("2", "key"), (" what the check found", "dim")]
        self.query_one(Static).update(say(*parts))
