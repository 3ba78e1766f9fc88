"""What every area's screen shares: the two top lines, the hint bar, and how actions are run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from fttui.problem import Problem
from fttui.ui.actions import BY_ID
from fttui.ui.widgets.hint_bar import HintBar
from fttui.ui.widgets.thread_line import ThreadLine

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp
    from fttui.ui.thread import Thread


class AreaScreen(Screen[None]):
    """A screen of one area. Subclasses set SCOPE and BINDINGS = bindings(SCOPE), yield their widgets
    from `body`, draw from `self.thread` in `thread_changed`, and do actions in `do_<name>`."""

    SCOPE: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.add_class(*self._size_classes())  # from the first frame on, not after a second layout

    def _size_classes(self) -> Iterable[str]:
        """The breakpoints' classes for the terminal as it is."""
        for length, steps in zip(
            self.app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True
        ):
            fitting = [name for least, name in steps or () if length >= least]
            yield from fitting[-1:]

    @property
    def fttui(self) -> FttuiApp:
        return cast("FttuiApp", self.app)

    @property
    def thread(self) -> Thread:
        return self.fttui.thread

    def compose(self) -> ComposeResult:
        yield ThreadLine(self.SCOPE)
        yield from self.body()
        yield HintBar(self.SCOPE)

    def body(self) -> Iterable[Widget]:
        return ()

    def on_mount(self) -> None:
        self.fttui.thread_changed.subscribe(self, self._thread_changed)

    def on_screen_resume(self) -> None:
        self.thread_changed(frozenset(self.thread.__dataclass_fields__))
        self.sync()

    def _thread_changed(self, fields: frozenset[str]) -> None:
        if self.is_mounted and self.is_active:
            self.thread_changed(fields)
            self.sync()

    def thread_changed(self, fields: frozenset[str]) -> None:
        """Some fields of the thread are new. Called for the active screen, and with all on resume."""

    def sync(self) -> None:
        """Bring the top lines and the hints in step with what is possible now."""
        self.query_one(ThreadLine).sync()
        self.query_one(HintBar).sync()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        self.fttui.worker_failed(event)

    # -- actions

    def why_not(self, action_id: str) -> str:
        """The reason an action cannot run now, "" when it can."""
        return ""

    def reason(self, action_id: str) -> str:
        """The same, and why the profile in hand forbids it."""
        return self.fttui.guard(action_id) or self.why_not(action_id)

    def action_do(self, action_id: str) -> None:
        reason = self.reason(action_id)
        if reason:
            self.fttui.say_no(BY_ID[action_id], reason)
            return
        try:
            getattr(self, f"do_{BY_ID[action_id].name}")()
        except Problem as problem:
            self.fttui.show_problem(problem)

    def back(self) -> bool:
        """Escape: True when something was closed here, False to go one link left."""
        return False
