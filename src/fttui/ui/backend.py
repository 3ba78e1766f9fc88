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
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.announce import Announcer
    from fttui.ui.jobs.feed import Feed
    from fttui.ui.jobs.feeds import Feeds

FIRST_BYTES = 256 * 1024  # enough lines for any screen, read before the first frame
CHUNK_BYTES = 16 * 1024 * 1024


class Backend:
    """One a running app."""

    def __init__(self, app: FttuiApp, profile: str | None) -> None:
        self.app = app
        self.profile_name = profile
        self._providers: dict[str, Provider] = {}
        self.unfinished: dict[str, str] = {}  # what a quit would lose: key → "an upload is running"
        self.shown: Job | None = None  # the job under the cursor in Jobs
        self._by_hand: Feed | None = None  # tests feed the panes themselves
        self._known = False  # the configuration was read, and the jobs are being watched
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

        known = self._providers.get(profile.name)
        if known is None or known.profile != profile:  # the configuration may have been read again
            known = self._providers[profile.name] = Provider(profile)
        return known

    @property
    def profile_if_known(self) -> Profile | None:
        """The active profile once the configuration was read (not before the first frame)."""
        return self.profile if "config" in self.__dict__ else None

    # -- the jobs of all open profiles

    @cached_property
    def feeds(self) -> Feeds:
        from fttui.ui.jobs.feeds import Feeds

        return Feeds(self.app)

    @cached_property
    def announcer(self) -> Announcer:
        """Says when a watched job ends."""
        from fttui.ui.jobs.announce import Announcer

        return Announcer(self.app)

    @property
    def feed(self) -> Feed | None:
        """The jobs of the profile in hand, once the configuration is read: what is launched goes there."""
        if self._by_hand is not None:
            return self._by_hand
        return self.feeds.get(self.profile.name) if self._known else None

    @feed.setter
    def feed(self, feed: Feed | None) -> None:
        self._by_hand = feed
        self.feeds.put(feed)

    def feed_of(self, job: Job | None) -> Feed | None:
        """The feed of the profile a job belongs to; without a job, that of the profile in hand."""
        found = self.feeds.of(job.id) if job is not None and self._known else None
        return found or self.feed

    @property
    def at_stake(self) -> Profile | None:
        """Whose money what is on the screen is about: that of the job, in Jobs and Checkpoints."""
        profile = self.profile_if_known
        if profile is None or self.app.current_mode not in ("jobs", "checkpoints"):
            return profile
        feed = self.feed_of(self._job())
        return feed.provider.profile if feed is not None else profile

    def _job(self) -> Job | None:
        """The job that the screen is about."""
        if self.app.current_mode == "jobs" and self.shown is not None:
            return self.shown
        return self.app.thread.job

    @property
    def last_read(self) -> float:
        """Unix time the jobs of that profile were last read, 0 for never."""
        feed = self.feed_of(self._job()) if self._known else None
        return feed.read_when() if feed is not None else 0.0

    @property
    def stale(self) -> bool:
        """The last reading failed."""
        feed = self.feed_of(self._job()) if self._known else None
        return feed is not None and feed.problem is not None

    def begin(self) -> None:
        """The configuration was read: show the jobs of the open profiles, and watch them."""
        self._known = True
        for feed in self.feeds:
            if feed.profile not in self.config.profiles:  # taken out of the configuration
                self.feeds.shut(feed.profile)
        self.feeds.open(self._provider_of(self.profile))
        for name in self.opened():
            profile = self.config.profiles[name]
            if profile.provider == "local":  # its server is not started for what is only looked at
                feed = self.feeds.open(self._provider_of(profile), look=False)
                self.app.run_worker(self._wake(feed), group="wake", exit_on_error=False)
            elif profile.key.present():
                self.feeds.open(self._provider_of(profile))

    async def _wake(self, feed: Feed) -> None:
        """Look at the local jobs where the local server runs already."""
        from fttui.local import launch

        if await asyncio.to_thread(launch.running):
            feed.refresh()

    def opened(self) -> list[str]:
        """The profiles to show jobs of, beside the one in hand: those opened once and never closed."""
        from fttui.ui.jobs.feeds import OPEN

        kept = self.app.state.recall(OPEN, [])
        known = self.config.profiles
        return [name for name in kept if name in known and name != self.profile.name]

    def show_jobs_of(self, name: str, on: bool) -> None:
        """Open or close a profile beside the one in hand; remembered."""
        from fttui.ui.jobs.feeds import OPEN

        kept = [other for other in self.app.state.recall(OPEN, []) if other != name]
        self.app.state.remember(OPEN, [*kept, name] if on else kept)
        if on:
            self.feeds.open(self._provider_of(self.config.profile(name)))
        elif name != self.profile.name:
            self.feeds.shut(name)

    def use(self, name: str, job: Job | None = None) -> None:
        """Work on another profile from now on, with a job of it or without one; the jobs of the one
        before stay in the list. On the same one nothing changes: its plan stays."""
        if self._known and name == self.profile.name:
            return
        before = self.profile.name if self._known else ""
        self.profile_name = name
        self._known = True
        self.feeds.open(self._provider_of(self.profile))
        for kept in filter(None, (before, name)):
            self.show_jobs_of(kept, True)
        self.app.change(job=job, checkpoint=None, chat_models=[], model=None, estimate=None)

    def follow(self, job: Job | None) -> None:
        """Work on with this job: its profile becomes the one in hand, since its model answers there."""
        feed = self.feed_of(job)
        if feed is not None and feed.profile != self.profile.name:
            self.use(feed.profile, job)
            self.app.notify(f"working on profile {feed.profile} from now on", timeout=4)

    def busy(self) -> str:
        """What would be lost by quitting now, "" for nothing (jobs go on without us)."""
        return "; ".join(self.unfinished.values())

    async def close(self) -> None:
        if self._known:
            self.announcer.close()
            await self.feeds.close()
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
