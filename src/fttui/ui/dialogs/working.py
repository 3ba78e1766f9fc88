"""Work over a whole file: how far it is when it takes a while, and escape stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say

PATIENCE = 0.25  # seconds before the progress is shown
FRAME = 0.1  # seconds between two looks at it
WIDTH = 40  # columns of the bar

Result = TypeVar("Result")
OnProgress = Callable[[int], None]
Work = Callable[[OnProgress, Callable[[], bool]], Result]


class Working(Dialog[None]):
    """Shows lines done of `total` until `over()`; escape only asks the work to stop."""

    DEFAULT_CSS = """
    Working > #box { width: 60; }
    """

    def __init__(
        self, title: str, total: int, done: Callable[[], int], over: Callable[[], bool]
    ) -> None:
        super().__init__()
        self._title, self._total, self._done, self._over = title, total, done, over
        self.stopped = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield Static(id="done")
            yield Label(say(("esc stop, nothing is left behind", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.set_interval(FRAME, self._look)
        self._look()

    def _look(self) -> None:
        if self._over():
            self.dismiss(None)  # a problem shown above it meanwhile: the next look does it
            return
        self.query_one("#done", Static).update(say(*self._words()))

    def _words(self) -> list[Part]:
        if self.stopped:
            return ["stopping …"]
        done = min(self._done(), self._total)
        full = WIDTH * done // max(1, self._total)
        share = f" {done / max(1, self._total):4.0%}"
        return [("█" * full, "primary"), ("░" * (WIDTH - full), "faint"), share]

    def action_close(self) -> None:
        self.stopped = True
        self._look()


async def working(app: App[Any], title: str, total: int, work: Work[Result]) -> Result | None:
    """What `work(on_progress, cancelled)` returns, run in a thread; None when it was stopped.

    on_progress takes the lines done. The work raises `scan.Cancelled` when it finds itself cancelled.
    """
    from fttui.dataset.scan import Cancelled

    done, left = 0, False
    dialog: Working | None = None

    def told(lines: int) -> None:
        nonlocal done
        done = lines

    def cancelled() -> bool:
        return left or (dialog is not None and dialog.stopped)

    task = asyncio.ensure_future(asyncio.to_thread(work, told, cancelled))
    try:
        await asyncio.wait({task}, timeout=PATIENCE)
        if not task.done():
            dialog = Working(title, total, lambda: done, task.done)
            await app.push_screen_wait(dialog)
        return await task
    except Cancelled:
        return None
    finally:
        left = True
