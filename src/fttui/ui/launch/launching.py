"""A confirmed launch as its dialog follows it: where it is, how it is stopped, what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import plural, size
from fttui.ui.launch import run as launch_run
from fttui.ui.launch.plan import Order
from fttui.ui.launch.run import Stage
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.feed import Feed

BAR = 24  # columns of the progress bar


class Launching:
    """One a dialog. stage: None while nothing is on its way. refusal: why the last try ended without
    all of its jobs. changed: called whenever either is new. made: told of every job."""

    def __init__(
        self,
        app: FttuiApp,
        feed: Feed,
        changed: Callable[[], None],
        made: Callable[[Order, Job], None],
    ) -> None:
        self._app, self._feed = app, feed
        self._changed, self._made = changed, made
        self._enough = False
        self._jobs: list[Job] = []
        self.stage: Stage | None = None
        self.refusal: Problem | None = None

    async def go(self, orders: Sequence[Order], before: int = 0) -> list[Job] | None:
        """Carry the launch out. All jobs, or None where not all came to be: then `refusal` says why.

        before: jobs of the same sweep that an earlier try made.
        """
        self.refusal, self._enough, self._jobs = None, False, []
        total = before + len(orders)
        self._app.backend.unfinished["launch"] = "A launch is on its way: it would stop."
        self._tell(Stage("beginning"))
        try:
            jobs = await launch_run.run(
                self._app, self._feed, orders, self._tell, self._one_more, lambda: self._enough
            )
            if before + len(jobs) < total:
                self.refusal = self._partly(before, total, Problem("The launch was stopped."))
        except Problem as problem:
            self.refusal = self._partly(before, total, problem)
        except asyncio.CancelledError:
            stopped = Problem("The launch was stopped.", "No job was made.")
            self.refusal = self._partly(before, total, stopped)
            raise
        finally:
            self._app.backend.unfinished.pop("launch", None)
            self.stage = None
            self._changed()
        return jobs if self.refusal is None else None

    def stop(self) -> bool:
        """Stop after the job that is being made. True where nothing is made yet: cancel the worker."""
        if self.stage is not None and self.stage.may_stop:
            return True
        self._enough = True
        self._changed()
        return False

    @property
    def stopping(self) -> bool:
        return self._enough

    def _one_more(self, order: Order, job: Job) -> None:
        self._jobs.append(job)
        self._made(order, job)

    def _partly(self, before: int, total: int, problem: Problem) -> Problem:
        """The reason, with what was made of a sweep that did not come to its end."""
        made = before + len(self._jobs)
        if total == 1 or not made:
            return problem
        left = plural(total - made, "job")
        again = f"Launch again: only the {left} that are missing are made."
        return Problem(
            f"{made} of {total} jobs were made. {problem.what}",
            "" if problem.why == "No job was made." else problem.why,
            f"{problem.remedy} {again}".strip(),
            code=problem.code,
            retry=problem.retry,
            detail=problem.detail,
        )

    def _tell(self, stage: Stage) -> None:
        self.stage = stage
        self._changed()

    # -- in words

    def parts(self) -> list[Part]:
        """The stage in one line, with a bar where there are bytes to count."""
        stage = self.stage
        if stage is None:
            return []
        parts: list[Part] = [(f"{stage.text} ", "")]
        if stage.total:
            full = BAR * stage.done // stage.total
            plain = self._app.ascii_only
            parts += [
                (("#" if plain else "━") * full, "primary"),
                (("." if plain else "━") * (BAR - full), "faint"),
                (f" {100 * stage.done // stage.total:3d} %  ", "bold"),
                (f"{size(stage.done)} of {size(stage.total)}", "dim"),
            ]
        if stage.may_stop:
            parts.append(("   esc stops it", "dim"))
        elif self._enough:
            parts.append(("   stops after this one", "warning"))
        elif "of" in stage.text:
            parts.append(("   esc stops after this one", "dim"))
        return parts
