"""A file that cannot be used, as a page: what, why, what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from fttui.problem import Problem
from fttui.ui.text import Part, say

if TYPE_CHECKING:
    from fttui.dataset.report import Report


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

    def tell(self, problem: Problem, *, can_look: bool = False) -> None:
        """can_look: the file has lines, which enter shows all the same."""
        self.problem = problem
        parts: list[Part] = [("✗ ", "error"), (problem.what, "bold")]
        if problem.code:
            parts.append((f"   {problem.code}", "faint"))
        if problem.why:
            parts += ["\n\n", problem.why]
        if problem.remedy:
            parts += ["\n\n", ("→ ", "accent"), problem.remedy]
        parts += ["\n\n", ("o", "key"), (" open another   ", "dim"), ("r", "key")]
        parts.append((" read it again", "dim"))
        if can_look:
            parts += [("   enter", "key"), (" show its lines all the same", "dim")]
        self.query_one(Static).update(say(*parts))


def problem_of(report: Report | None) -> Problem | None:
    """What makes a checked file unusable, None when it can be used."""
    if report is None or report.verdict != "unusable":
        return None
    from fttui.dataset.checks import CATALOGUE

    name = Path(report.file).name
    worst = next((f for f in report.findings if f.severity == "error"), None)
    if worst is None:
        return Problem(f"{name} cannot be used", report.summary)
    check = CATALOGUE.get(worst.code)
    why = f"{worst.message[:1].upper()}{worst.message[1:]}."
    if check is not None:
        why += f"\n{check.why}"
    remedy = worst.fix or (check.fix if check is not None else "")
    return Problem(f"{name} cannot be used", why, remedy or "open another file", code=worst.code)
