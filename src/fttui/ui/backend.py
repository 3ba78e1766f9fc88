"""What the panes ask of the rest of the house: the file being scanned, the provider, the watcher.

Runs on the app's event loop; anything slow is in a thread or a process, and comes back as a change
of the thread (`app.change`) or a message. Panes hold no service of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.config import Config, Profile
    from fttui.dataset.report import Report
    from fttui.dataset.scan import Progress
    from fttui.dataset.target import Target
    from fttui.pricing.catalog import Catalog, Model
    from fttui.service.provider import Provider
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.feed import Feed

FIRST_BYTES = 256 * 1024  # enough lines for any screen, read before the first frame
CHUNK_BYTES = 16 * 1024 * 1024


class Backend:
    """One a running app."""

    def __init__(self, app: FttuiApp, profile: str | None) -> None:
        self.app = app
        self.profile_name = profile
        self._providers: dict[str, Provider] = {}
        self.feed: Feed | None = None  # the active profile's jobs, once the configuration is read
        self.unfinished: dict[str, str] = {}  # what a quit would lose: key → "an upload is running"
        self.last_read = 0.0  # unix time the jobs were last read
        self.stale = False  # the last reading failed
        self._generation = 0  # of the open file: a scan of an older one is stale
        self._may_scan = False  # not before the first frame, and the limits to check for are known

    # -- configuration

    @cached_property
    def config(self) -> Config:
        from fttui import config

        return config.load()

    @property
    def profile(self) -> Profile:
        return self.config.profile(self.profile_name)

    @cached_property
    def catalog(self) -> Catalog:
        from fttui.pricing import catalog

        return catalog.load_or_shipped()

    # -- the provider

    async def provider(self) -> Provider:
        """The active profile's provider, ready to be asked. Raises Problem."""
        provider = self._provider_of(self.profile)
        await provider.ready()
        return provider

    def _provider_of(self, profile: Profile) -> Provider:
        from fttui.service.provider import Provider

        if profile.name not in self._providers:
            self._providers[profile.name] = Provider(profile)
        return self._providers[profile.name]

    @property
    def profile_if_known(self) -> Profile | None:
        """The active profile once the configuration was read (not before the first frame)."""
        return self.profile if "config" in self.__dict__ else None

    def begin(self) -> None:
        """The configuration was read: show the active profile's jobs, and watch them."""
        from fttui.ui.jobs.feed import Feed

        old, self.feed = self.feed, Feed(self.app, self._provider_of(self.profile))
        if old is not None:
            self.app.run_worker(old.close(), group="feed-close", exit_on_error=False)
        self.feed.start()

    def use(self, name: str) -> None:
        """Work on another profile from now on. On the same one nothing changes: its plan stays."""
        if self.feed is not None and name == self.profile.name:
            return
        self.profile_name = name
        self.last_read, self.stale = 0.0, False
        self.begin()
        self.app.change(job=None, checkpoint=None, chat_models=[], model=None, estimate=None)

    def busy(self) -> str:
        """What would be lost by quitting now, "" for nothing (jobs go on without us)."""
        return "; ".join(self.unfinished.values())

    async def close(self) -> None:
        if self.feed is not None:
            await self.feed.close()
        for provider in self._providers.values():
            await provider.close()

    # -- the dataset

    def target(self) -> Target:
        """What the file is checked for: the plan's model, or the profile's default."""
        from fttui.dataset.target import Target

        model = self.app.thread.model
        return self.catalog.target(model, self._method(model)) if model else Target()

    def _method(self, model: Model) -> str:
        """The method the file's first example is for, where the model can be trained by it."""
        from fttui.dataset import formats

        index = self.app.thread.index
        first = formats.read(index.line(0)).format if index is not None and len(index) else ""
        method = {"preference": "dpo", "reinforcement": "reinforcement"}.get(first, "")
        return method if method in model.methods else "supervised"

    def open(self, path: Path, validation: Path | None = None) -> None:
        """Show a file at once; index the rest and scan it in the background."""
        from fttui.dataset.lines import LineIndex

        self._generation += 1
        thread: dict[str, Any] = {
            **{"path": path, "validation": validation, "row": 0, "index": None, "problem": None},
            **dict.fromkeys(("report", "progress", "estimate")),
        }
        try:
            index = LineIndex.open(path)
            index.extend(FIRST_BYTES)
        except OSError as error:
            problem = Problem(
                f"{path} cannot be opened",
                error.strerror or str(error),
                "press o to open another file",
                code="unreadable",
            )
            self.app.change(**{**thread, "problem": problem})
            return
        self.app.change(**{**thread, "index": index})
        self.start_scan()

    def begin_scans(self) -> None:
        """Scan from now on: the first frame is out, and the plan says what is checked for."""
        self._may_scan = True
        self.start_scan()

    def start_scan(self) -> None:
        """(Re)index and (re)check the open file; a scan that is running is cancelled."""
        if not self._may_scan or self.app.thread.index is None:
            return
        self.app.run_worker(
            self._scan(self._generation), group="scan", exclusive=True, exit_on_error=False
        )

    async def _scan(self, generation: int) -> None:
        thread = self.app.thread
        index, path, validation = thread.index, thread.path, thread.validation
        if index is None or path is None:
            return
        stop = False

        def stale() -> bool:
            return stop or generation != self._generation

        try:
            while not index.complete and not stale():
                await asyncio.to_thread(index.extend, CHUNK_BYTES)
                self.app.change(index=index)
            report = await asyncio.to_thread(self._check, path, validation, stale)
            if report is not None and not stale():
                self.app.change(report=report, progress=None)
                self.app.state.opened(path, examples=report.examples)
        except Problem as problem:
            self.app.change(problem=problem, progress=None)
        finally:
            stop = True

    def _muted_everywhere(self) -> frozenset[str]:
        try:
            return frozenset(self.config.settings.mute)
        except Problem:  # shown once, when the configuration is read
            return frozenset()

    def _check(
        self, path: Path, validation: Path | None, stale: Callable[[], bool]
    ) -> Report | None:
        from fttui.dataset import scan

        last = 0.0

        def progress(now: Progress) -> None:
            nonlocal last
            if monotonic() - last > 0.15:
                last = monotonic()
                self.app.call_from_thread(self.app.change, progress=now)

        try:
            return scan.scan(
                path,
                target=self.target(),
                validation=validation,
                muted=self.app.state.muted(path) | self._muted_everywhere(),
                on_progress=progress,
                cancelled=stale,
            )
        except scan.Cancelled:
            return None
