"""The check of the files for the plan as it is in the form: another model has other limits, another
validation file has its own mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.dataset.scan import Progress
    from fttui.dataset.target import Target
    from fttui.ui.app import FttuiApp

TELL_EVERY = 0.2  # seconds between two words on the progress
NO_VALIDATION = frozenset({"R007"})  # the check that misses a validation file
_Plan = tuple["Target", "Path | None", frozenset[str]]  # target, validation file, checks left out


class Checking:
    """`want` says what the plan is; `report` is what was found for it, None while it is being looked at.

    The check of the open file is taken where it was made for the same limits and the same two files;
    else the files are checked again, in a thread, as a worker of the dialog. `changed` is called on
    the event loop when there is anything new. problem: why the files cannot be checked.
    """

    def __init__(self, app: FttuiApp, changed: Callable[[], None]) -> None:
        self.report: Report | None = None
        self.problem: Problem | None = None
        self.percent: int | None = None
        self._app = app
        self._changed = changed
        self._wanted: _Plan | None = None
        self._done: dict[tuple[_Plan, str], Report] = {}

    def want(self, target: Target, validation: Path | None, split: bool = False) -> bool:
        """The plan, as it is now. True where the files must be checked: run `check` in a worker.

        split: a part is held out for validation, so that none is missing.
        """
        thread = self._app.thread
        if thread.path is None or thread.problem is not None:
            self._wanted, self.report = None, None
            return False
        if validation is not None and not validation.is_file():
            validation = None  # said elsewhere; the dataset is checked all the same
        moot = NO_VALIDATION if split and target.method == "reinforcement" else frozenset[str]()
        if not moot and self._threads_own(target, validation):
            self._wanted, self.report, self.problem = None, thread.report, None
            return False
        wanted = (target, validation, moot)
        if wanted == self._wanted:
            return False
        self._wanted, self.problem, self.percent = wanted, None, None
        self.report = self._done.get((wanted, str(thread.path)))
        return self.report is None

    def _threads_own(self, target: Target, validation: Path | None) -> bool:
        """Whether the open file's own check, done or on its way, is the one that is wanted."""
        thread = self._app.thread
        same = validation == thread.validation or (
            validation is not None
            and thread.validation is not None
            and validation.absolute() == thread.validation.absolute()
        )
        return same and self._app.backend.target() == target

    async def check(self) -> None:
        """Check the files for what is wanted now."""
        from fttui.dataset import scan

        wanted, path = self._wanted, self._app.thread.path
        if wanted is None or path is None:
            return
        target, validation, moot = wanted
        app = self._app
        muted = app.state.muted(path) | frozenset(app.backend.config.settings.mute) | moot
        last = 0.0

        def progress(now: Progress) -> None:
            nonlocal last
            if monotonic() - last > TELL_EVERY and now.bytes_total:
                last = monotonic()
                app.call_from_thread(self._tell, 100 * now.bytes_done // now.bytes_total)

        def look() -> Report | None:
            try:
                return scan.scan(
                    path,
                    target=target,
                    validation=validation,
                    muted=muted,
                    on_progress=progress,
                    cancelled=lambda: self._wanted != wanted,
                )
            except scan.Cancelled:
                return None

        try:
            found = await asyncio.to_thread(look)
        except Problem as problem:
            found, self.problem = None, problem
        except asyncio.CancelledError:
            if self._wanted == wanted:
                self._wanted = None  # nobody waits for it any more
            raise
        if found is not None:
            self._done[(wanted, str(path))] = found
        if self._wanted == wanted:
            self.report, self.percent = found, None
            self._changed()

    def _tell(self, percent: int) -> None:
        self.percent = percent
        self._changed()
