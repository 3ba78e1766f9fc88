"""The work behind the pane: plans, runs and past ones, on providers of its own so that their waits show here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from fttui.text import duration

if TYPE_CHECKING:
    from pathlib import Path

    from fttui.evaluate.summary import Row
    from fttui.service.eval_history import Past
    from fttui.service.eval_plan import Progress
    from fttui.service.eval_planner import Planner
    from fttui.service.eval_ready import Ready
    from fttui.service.eval_result import Result
    from fttui.service.eval_setup import Setup
    from fttui.service.evaluation import Evaluation
    from fttui.service.provider import Provider, Wait
    from fttui.ui.app import FttuiApp


class Runner:
    """One a screen. `ready` is the set-up as it could be started now."""

    def __init__(self, app: FttuiApp) -> None:
        self.app = app
        self.ready: Ready | None = None
        self.evaluation: Evaluation | None = None
        self._providers: dict[str, Provider] = {}
        self._started = 0.0
        self._wait: tuple[Wait, float] | None = None  # the last one and when it ends

    # -- planning

    def provider_of(self, name: str) -> Provider:
        """Of a profile, "" the active one; not asked before it is used."""
        from fttui.service.provider import Provider

        backend = self.app.backend
        found = backend.config.profile(name or backend.profile_name)
        known = self._providers.get(found.name)
        if known is None or known.profile != found:
            known = self._providers[found.name] = Provider(found, on_wait=self._waits)
        return known

    def _planner(self) -> Planner:
        from fttui.service.eval_planner import Planner

        return Planner(self.provider_of, self.app.backend.config.profiles)

    async def prepare(self, setup: Setup, path: Path | None) -> Ready:
        """Count and price a set-up. Raises Problem."""
        self.ready = None
        self.ready = await asyncio.to_thread(self._make_ready, setup, path)
        return self.ready

    def _make_ready(self, setup: Setup, path: Path | None) -> Ready:
        from fttui.service import (
            eval_ready,
        )  # reading its parts takes a moment: here it is a thread's

        return eval_ready.make(self._planner(), setup, self.app.backend.catalog, path)

    # -- running

    async def run(self, ready: Ready, on_row: Callable[[Row], None]) -> Result:
        """Ask what is missing. Cancelled or failed, what came is in the file, and in `partial`."""
        from fttui.service import eval_history
        from fttui.service.eval_store import Store
        from fttui.service.evaluation import Evaluation

        self.evaluation = None
        store = await asyncio.to_thread(Store, ready.path, resume=True)
        try:
            self.evaluation = Evaluation(ready.plan, store, on_row=on_row)
            self._started, self._wait = monotonic(), None
            eval_history.begun(store, ready.setup, ready.plan)
            await self.evaluation.run()
            done = await self.partial(ready)
            eval_history.ended(store, done.note())
            return done
        finally:
            store.close()

    async def partial(self, ready: Ready) -> Result:
        """What there is now, summed up."""
        from fttui.service import eval_result

        assert self.evaluation is not None
        return await asyncio.to_thread(
            eval_result.result, ready.setup, ready.plan, self.evaluation.partial(),
            self.app.backend.catalog,
        )  # fmt: skip

    def journal(self, ready: Ready) -> None:
        """Write down what this run has paid for."""
        from fttui.service import eval_result

        if self.evaluation is not None:
            rows = eval_result.paid(self.evaluation, self.app.backend.catalog)
            eval_result.journal(self.app.state, ready.setup, rows)

    async def review(self, past: Past) -> tuple[Ready, Result]:
        """A past evaluation as it stands; nobody is asked."""
        from fttui.service.eval_store import Kept
        from fttui.service.evaluation import Evaluation

        ready = await self.prepare(past.setup, past.path)
        store = await asyncio.to_thread(Kept, past.path)
        try:
            self.evaluation = Evaluation(ready.plan, store)
            await self.evaluation.review()
        finally:
            store.close()
        return ready, await self.partial(ready)

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()

    # -- how far it is

    def _waits(self, wait: Wait) -> None:
        self._wait = wait, monotonic() + wait.seconds

    def progress(self) -> Progress | None:
        return self.evaluation.progress() if self.evaluation is not None else None

    def words(self, now: Progress) -> str:
        """`2.3/s · 9s left · 4 out`, or what is waited for."""
        waiting = self._waiting(now)
        fresh = now.done - now.known
        spent = monotonic() - self._started
        said = [waiting] if waiting else []
        if fresh and spent > 1:
            rate = fresh / spent
            speed = f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min"
            said += [speed, f"{duration((now.total - now.done) / rate)} left"]
        if now.known:
            said.append(f"{now.known:,} known from before")
        return " · ".join([*said, f"{now.out} out"])

    def _waiting(self, now: Progress) -> str:
        if now.waiting >= 1:
            return f"too many requests: waits {now.waiting:.0f} s"
        if self._wait is not None and self._wait[1] - monotonic() >= 1:
            wait, ends = self._wait
            why = wait.problem.what.rstrip(".")
            return f"{why}: again in {ends - monotonic():.0f} s (try {wait.attempt} of {wait.attempts})"
        return ""
