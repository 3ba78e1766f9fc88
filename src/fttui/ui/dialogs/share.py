"""With which projects a checkpoint is shared: the list, one more, one less."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from fttui.problem import Problem
from fttui.ui.checkpoints.acts import projects
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.service.permissions import Permission
    from fttui.service.provider import Provider


class Share(Dialog[None]):
    """Changes are made at once, with the organization's admin key; a failure is said in place."""

    DEFAULT_CSS = """
    Share LineList { height: auto; max-height: 12; background: $surface; }
    Share #said { height: auto; margin-top: 1; }
    """
    BINDINGS = [Binding("delete", "take", "End the sharing", show=False, priority=True)]

    def __init__(self, provider: Provider, model: str) -> None:
        super().__init__()
        self._provider, self._model = provider, model
        self._rows: list[Permission] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Share ", (self._model, "ok")), classes="title")
            yield LineList(self._row, 1)
            yield Input(placeholder="proj_…  (several with commas)", compact=True)
            yield Static(id="said")
            yield Label(
                say(("enter share   ↑↓ choose   delete end the sharing   esc close", "dim")),
                classes="keys",
            )

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._say([("asking with whom it is shared …", "dim")])
        self.run_worker(self._read(), group="share", exclusive=True, exit_on_error=False)

    def _row(self, at: int, width: int) -> Sequence[Part]:
        if at >= len(self._rows):
            return [(" shared with no other project", "dim")]
        row = self._rows[at]
        since = time.strftime("%Y-%m-%d", time.localtime(row.created_at)) if row.created_at else ""
        return [" ", fit(row.project, max(10, width - 13)), (since, "dim")]

    def _say(self, parts: Sequence[Part]) -> None:
        self.query_one("#said", Static).update(say(*parts))

    def _show(self, rows: list[Permission]) -> None:
        self._rows = rows
        list_ = self.query_one(LineList)
        list_.styles.height = max(1, min(12, len(rows)))
        list_.set_count(max(1, len(rows)))
        list_.refresh()

    async def _read(self) -> None:
        from fttui.service import permissions

        try:
            self._show(await permissions.listing(self._provider, self._model))
            self._say([])
        except Problem as problem:
            self._fail(problem)

    def _fail(self, problem: Problem) -> None:
        what, *rest = problem.lines()
        self._say([(f"✗ {what}\n", "error"), "\n".join(rest)])

    def on_key(self, event: object) -> None:
        key = getattr(event, "key", "")
        if key in ("down", "up"):
            self.query_one(LineList).action_move(1 if key == "down" else -1)

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        event.stop()
        ids, complaint = projects(event.value)
        if complaint:
            self._say([(f"✗ {complaint}", "error")])
            return
        self._say([(f"sharing with {', '.join(ids)} …", "dim")])
        self.run_worker(self._give(ids), group="share", exclusive=True, exit_on_error=False)

    async def _give(self, ids: list[str]) -> None:
        from fttui.service import permissions

        try:
            await permissions.create(self._provider, self._model, ids)
            self._show(await permissions.listing(self._provider, self._model))
        except Problem as problem:
            self._fail(problem)
            return
        self.query_one(Input).value = ""
        self._say([(f"shared with {', '.join(ids)}", "ok")])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, the key deletes of that."""
        if action == "take":
            return self.is_mounted and not self.query_one(Input).value
        return super().check_action(action, parameters)

    def action_take(self) -> None:
        at = self.query_one(LineList).cursor
        if at < len(self._rows):
            row = self._rows[at]
            self._say([(f"ending the sharing with {row.project} …", "dim")])
            self.run_worker(self._take(row), group="share", exclusive=True, exit_on_error=False)

    async def _take(self, row: Permission) -> None:
        from fttui.service import permissions

        try:
            await permissions.delete(self._provider, self._model, row.id)
        except Problem as problem:
            self._fail(problem)
            return
        self._show([other for other in self._rows if other.id != row.id])
        self._say([(f"no longer shared with {row.project}", "ok")])
