"""What the panes know of the active profile's jobs: the bridge between the watcher and the screen.

Lives on the app's event loop. Remembered jobs are there at once, marked with their age, until the
first look confirms them. `changed` is published only when there is something new.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.signal import Signal

from fttui.problem import Problem
from fttui.ui.jobs.track import Track

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job
    from fttui.service.watch import Change, Watcher
    from fttui.ui.app import FttuiApp

SUBMITTING = "submitting-"  # how the id of a job begins that is only on its way


@dataclass(frozen=True)
class News:
    """ids: jobs with anything new. replaced: id of a submitted job → its real one. state: how
    the reading itself goes (first look, offline, back again) is new."""

    ids: frozenset[str] = frozenset()
    replaced: Mapping[str, str] = field(default_factory=dict)
    state: bool = False


class Feed:
    """One an active profile; `start` it, `close` it."""

    def __init__(self, app: FttuiApp, provider: Provider) -> None:
        self.app = app
        self.provider = provider
        self.profile = provider.profile.name
        self.changed: Signal[News] = Signal(app, "feed.changed")
        self.tracks: dict[str, Track] = {}
        self.problem: Problem | None = None  # why the last look failed
        self.read_at = 0.0  # Unix seconds of the last good look, 0 before the first
        self._watcher: Watcher | None = None
        self._watched: frozenset[str] = frozenset()
        self._reading: set[str] = set()  # jobs whose checkpoints are being read
        self._closed = False

    # -- life

    def start(self) -> None:
        """Show what is remembered, then look. Returns at once."""
        for body, at in self.app.state.seen_jobs(self.profile):
            track = Track.remembered(body, at)
            self.tracks[track.id] = track
        self._publish(News(frozenset(self.tracks), state=True))
        self.app.run_worker(self._run(), group="feed", exclusive=True, exit_on_error=False)

    async def _run(self) -> None:
        from fttui.service.watch import Watcher

        try:
            await self.provider.ready()
        except Problem as problem:
            self._failed(problem)
            return
        if self._closed:
            return
        self._watcher = Watcher(self._take)
        self._watcher.visible(self.profile, self._watched)
        self._watcher.add(self.provider)

    async def close(self) -> None:
        self._closed = True
        if self._watcher is not None:
            await self._watcher.close()

    def refresh(self) -> None:
        """Look now. Also the way back when connecting failed."""
        if self._watcher is not None:
            self._watcher.poke(self.profile)
        else:
            self.app.run_worker(self._run(), group="feed", exclusive=True, exit_on_error=False)

    # -- what is known

    def jobs(self) -> list[Track]:
        """Newest first; what is being submitted on top."""
        return sorted(self.tracks.values(), key=_age)

    def get(self, job_id: str) -> Track | None:
        return self.tracks.get(job_id)

    def watch(self, ids: Iterable[str]) -> None:
        """The jobs on screen whose events are worth reading."""
        wanted = frozenset(i for i in ids if not i.startswith(SUBMITTING))
        if wanted != self._watched:
            self._watched = wanted
            if self._watcher is not None:
                self._watcher.visible(self.profile, wanted)

    # -- what is done here

    def submitting(self, tag: str, job: Job) -> None:
        """A launch is on its way: its job is shown before the provider knows it."""
        self.tracks[SUBMITTING + tag] = Track(job, asked=dict(job.hyperparameters))
        self._publish(News(frozenset({job.id})))

    def submitted(self, tag: str, job: Job | None) -> None:
        """The launch came to its end: with its real job, or refused (None)."""
        old = SUBMITTING + tag
        track = self.tracks.pop(old, None)
        if job is None:
            self._publish(News(frozenset({old})))
            return
        if job.id not in self.tracks:
            self.tracks[job.id] = Track(job, asked=dict(track.asked if track else {}))
        self._publish(News(frozenset({old, job.id}), {old: job.id}))
        self.note(job)

    def note(self, job: Job) -> None:
        """A job that was just made or changed by us."""
        if self._watcher is not None:
            self._watcher.note(self.profile, job)

    def read_checkpoints(self, job_id: str) -> None:
        """Read a job's checkpoints in the background; `changed` tells when they are there."""
        if job_id.startswith(SUBMITTING) or job_id in self._reading or self._watcher is None:
            return
        self._reading.add(job_id)
        self.app.run_worker(
            self._checkpoints(job_id), group=f"checkpoints-{job_id}", exit_on_error=False
        )

    async def _checkpoints(self, job_id: str) -> None:
        from fttui.service import checkpoints

        try:
            found = await checkpoints.listing(self.provider, job_id)
        except Problem:
            found = None  # the pane says why (provider.lacks), or asks again
        finally:
            self._reading.discard(job_id)
        track = self.tracks.get(job_id)
        if track is not None and found is not None and found != track.checkpoints:
            track.checkpoints = found
            self._publish(News(frozenset({job_id})))

    # -- news from the watcher

    def _take(self, change: Change) -> None:
        if self._closed:
            return
        ids: set[str] = set()
        for job in change.jobs:
            track = self.tracks.setdefault(job.id, Track(job))
            ended = job.ended and not (track.job.ended and not track.remembered_at)
            track.update(job)
            ids.add(job.id)
            if ended and job.id in self._watched:
                self.read_checkpoints(job.id)
        for job_id in change.gone:
            if job_id in self.tracks:
                self.tracks[job_id].gone = True
                ids.add(job_id)
        for job_id, events in change.events.items():
            owner = self.tracks.get(job_id)
            if owner is not None:
                ids.add(job_id)
                if owner.add_events(events):
                    self.read_checkpoints(job_id)
        state = bool(change.problem) != bool(self.problem) or not self.read_at
        self.problem = change.problem
        self.read_at = change.read_at or self.read_at
        self._keep(ids)
        self._publish(News(frozenset(ids), state=state))

    def _failed(self, problem: Problem) -> None:
        self.problem = problem
        self._publish(News(state=True))

    def _keep(self, ids: Iterable[str]) -> None:
        bodies = [self.tracks[i].body() for i in ids if i in self.tracks]
        if bodies:
            self.app.state.saw_jobs(self.profile, bodies)

    def _publish(self, news: News) -> None:
        if self._closed or not self.app.is_running:
            return
        backend = self.app.backend
        backend.last_read, backend.stale = self.read_at, self.problem is not None
        self.changed.publish(news)
        self._follow(news)

    def _follow(self, news: News) -> None:
        """The job on the thread is the newest body of it."""
        job = self.app.thread.job
        if job is None:
            return
        now = self.tracks.get(news.replaced.get(job.id, job.id))
        if now is not None and now.job != job:
            self.app.change(job=now.job)


def _age(track: Track) -> tuple[int, float, str]:
    job = track.job
    first = 0 if job.status == "submitting" else 1
    return first, -(job.created_at or time.time()), job.id
