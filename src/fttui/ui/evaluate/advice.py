"""What to add next: the failures in groups, largest first; enter shows a group's prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label, Static

from fttui.text import one_line, plural
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.evaluate.clusters import Advice, Group


class AdviceDialog(Dialog[int]):
    """Answers the place of the group to look at, or None."""

    DEFAULT_CSS = """
    AdviceDialog > #box { width: 104; max-width: 100%; }
    AdviceDialog LineList { height: auto; background: $surface; margin-top: 1; }
    AdviceDialog #group { height: 6; margin-top: 1; }
    AdviceDialog #how { color: $faint; height: auto; margin-top: 1; }
    AdviceDialog.-short > #box { max-height: 100%; }
    AdviceDialog.-short #box > * { margin: 0; }
    """

    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, model: str, advice: Advice) -> None:
        super().__init__()
        self._model, self._advice = model, advice

    def compose(self) -> ComposeResult:
        from fttui.evaluate.clusters import HOW

        advice = self._advice
        failures = plural(advice.failures, "failing prompt")
        with Vertical(id="box"):
            title = f"What to add next, by {failures} of {self._model}"
            yield Label(say(title), classes="title")
            if advice.sentence():
                yield Static(say((advice.sentence(), "warning")))
            yield LineList(self._row, len(advice.groups))
            yield Static(id="group")
            yield Static(say(HOW), id="how")
            yield Label(say(("enter show these prompts   esc close", "dim")), classes="keys")

    def on_mount(self) -> None:
        rows = self.query_one(LineList)
        rows.styles.height = max(1, min(len(self._advice.groups), self.app.size.height - 20, 12))
        rows.focus()
        self._show(0)

    def _row(self, at: int, width: int) -> Sequence[Part]:
        group = self._advice.groups[at]
        return [(f"{len(group.lines):>4} × ", "bold"), fit(group.what, width - 7)]

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        self._show(event.row)

    def _show(self, at: int) -> None:
        if self._advice.groups:
            self.query_one("#group", Static).update(say(*_facts(self._advice.groups[at])))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(event.row)


def _facts(group: Group) -> list[Part]:
    lines = ", ".join(map(str, group.lines[:12])) + (" …" if len(group.lines) > 12 else "")
    parts: list[Part] = [("→ ", "accent"), (one_line(group.advice, 200), "bold"),
                         ("\nlines     ", "dim"), lines]  # fmt: skip
    if group.sample:
        parts += [("\nfor one   ", "dim"), one_line(group.sample, 150)]
    if group.words:
        parts += [("\nwords     ", "dim"), ", ".join(group.words)]
    if group.near:
        near = ", ".join(map(str, group.near))
        parts += [("\ntraining  ", "dim"), f"lines {near} are nearest"]
    return parts
