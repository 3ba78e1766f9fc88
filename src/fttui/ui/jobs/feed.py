"""What the panes know of one profile's jobs: the bridge between the watcher and the screens.

Lives on the app's event loop. Remembered jobs are there at once, marked with their age, until the
first look confirms them; those the provider lists no longer stay, marked. `changed` is published only
when there is something new.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textual.signal import Signal

from fttui.problem import Problem
from fttui.ui.jobs.track import Track

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job
    from fttui.service.watch import Change, Watcher
    from fttui.ui.app import FttuiApp

SUBMITTING = "submitting-"  # how the id of a job begins that is only on its way
AT_ONCE = 200  # remembered jobs that are made ready without a pause
FILL_PAGES = 20  # older pages read without being asked for: 2,000 jobs
FILL_PAUSE = 0.3  # seconds between two of them
FILL_RETRY = 30.0  # after one that failed, where the provider names no other time
FILL_TRIES = 4
WATCHED = 3  # watched jobs whose events are read although they are not on screen


@dataclass(frozen=True)
class News:
    """ids: jobs with anything new. replaced: id of a submitted job → its real one. state: how
    the reading itself goes (first look, offline, back again) is new."""

    ids: frozenset[str] = frozenset()
    replaced: Mapping[str, str] = field(default_factory=dict)
    state: bool = False


class Feed:
    """One an open profile; `start` it, `close` it.

    watcher: gives the poller all profiles share (None: one of its own). on_news: told of everything
    that `changed` tells. on_end: told of each watched job that ended or is gone.
    """

    def __init__(
        self,
        app: FttuiApp,
        provider: Provider,
        *,
        watcher: Callable[[], Watcher] | None = None,
        on_news: Callable[[Feed, News], None] = lambda feed, news: None,
        on_end: Callable[[Feed, Track], None] = lambda feed, track: None,
    ) -> None:
        self.app = app
        self.provider = provider
        self.profile = provider.profile.name
        self.kind = provider.profile.provider
        self.changed: Signal[News] = Signal(app, "feed.changed")
        self.tracks: dict[str, Track] = {}
        self.problem: Problem | None = None  # why the last look failed
        self.next_in = 0.0  # seconds after that to the next
        self.read_at = 0.0  # Unix seconds of the last good look that was told, 0 before the first
        self.asleep = False  # only what is remembered is shown; `refresh` wakes it
        self.watched: frozenset[str] = frozenset(
            app.state.recall(f"jobs.watched.{self.profile}", [])
        )
        self._make_watcher = watcher or self._own_watcher
        self._on_news, self._on_end = on_news, on_end
        self._watcher: Watcher | None = None
        self._visible: frozenset[str] = frozenset()
        self._reading: set[str] = set()  # jobs whose checkpoints are being read
        self._unsure: set[str] = set()  # remembered jobs that no look has confirmed
        self._pages = FILL_PAGES  # older pages that may still be read
        self._filling = False
        self._closed = False

    # -- life

    def start(self, *, look: bool = True) -> None:
        """Show what is remembered, then look. Returns at once."""
        kept = self.app.state.seen_jobs(self.profile)
        self._remember(kept[:AT_ONCE])
        if kept[AT_ONCE:]:
            self.app.run_worker(
                self._remember_rest(kept[AT_ONCE:]),
                group=f"remember-{self.profile}",
                exit_on_error=False,
            )
        self.asleep = not look
        self._publish(News(frozenset(self.tracks), state=True))
        if look:
            self._connect()

    def _remember(self, kept: Iterable[tuple[dict[str, Any], float]]) -> None:
        """Show jobs as they were when they were last read, where nothing newer is known."""
        for body, at in kept:
            if body["id"] not in self.tracks:
                track = self._own(Track.remembered(body, at))
                self.tracks[track.id] = track
                self._unsure.add(track.id)

    async def _remember_rest(self, kept: list[tuple[dict[str, Any], float]]) -> None:
        """Thousands of them, a few at a time: the keys go on working."""
        for start in range(0, len(kept), AT_ONCE):
            await asyncio.sleep(0)
            self._remember(kept[start : start + AT_ONCE])
        for job_id in self._missed():
            self.tracks[job_id].gone = True
        self._publish(News(frozenset(str(body["id"]) for body, _ in kept)))

    def _connect(self) -> None:
        self.asleep = False
        self.app.run_worker(
            self._run(), group=f"feed-{self.profile}", exclusive=True, exit_on_error=False
        )

    async def _run(self) -> None:
        try:
            await self.provider.ready()
        except Problem as problem:
            self._failed(problem)
            return
        if self._closed:
            return
        self._watcher = self._make_watcher()
        self._show()
        self._watcher.add(self.provider)

    def _own_watcher(self) -> Watcher:
        from fttui.service.watch import Watcher

        return Watcher(self._take)

    def stop(self) -> None:
        """Look no more, from now on."""
        self._closed = True
        if self._watcher is not None:
            self._watcher.drop(self.profile)

    async def close(self) -> None:
        self.stop()

    def refresh(self) -> None:
        """Look now, and at the older pages again. Also the way back when connecting failed."""
        if self._watcher is not None:
            self._pages = FILL_PAGES
            self._watcher.again(self.profile)
        else:
            self._connect()

    # -- older pages

    @property
    def has_more(self) -> bool:
        """Jobs older than those that were read."""
        return self._watcher is not None and self._watcher.has_older(self.profile)

    def more(self) -> None:
        """Someone is at the end of the list: read one more page."""
        self._pages = max(1, self._pages)
        self._fill()

    def _fill(self) -> None:
        if self.has_more and self._pages > 0 and not self._filling and not self._closed:
            self._filling = True
            self.app.run_worker(
                self._older(), group=f"older-{self.profile}", exclusive=True, exit_on_error=False
            )

    async def _older(self) -> None:
        tries = FILL_TRIES
        try:
            while self.has_more and self._pages > 0 and tries and self._watcher is not None:
                try:
                    await self._watcher.older(self.profile)
                    self._pages -= 1
                    await asyncio.sleep(FILL_PAUSE)
                except Problem as problem:  # the look that comes next says what is wrong
                    tries -= 1
                    await asyncio.sleep(float(problem.detail.get("retry_after", FILL_RETRY)))
        finally:
            self._filling = False

    # -- what is known

    def jobs(self) -> list[Track]:
        """Newest first; what is being submitted on top."""
        return newest_first(self.tracks.values())

    def get(self, job_id: str) -> Track | None:
        return self.tracks.get(job_id)

    def read_when(self, job_id: str = "") -> float:
        """Unix seconds at which the profile, or one job of it, was read last; 0 for never."""
        if self._watcher is None:
            return self.read_at
        age = self._watcher.age(self.profile, job_id)
        return self.read_at if age is None and not job_id else time.time() - (age or time.time())

    def watch(self, ids: Iterable[str]) -> None:
        """The jobs on screen whose events are worth reading."""
        self._visible = frozenset(i for i in ids if not i.startswith(SUBMITTING))
        self._show()

    def _show(self) -> None:
        if self._watcher is not None:
            live = [t.id for t in self.tracks.values() if t.id in self.watched and t.live]
            self._watcher.visible(self.profile, self._visible | set(sorted(live)[-WATCHED:]))

    def mind(self, job_id: str, on: bool) -> None:
        """Say so when this job ends, or no longer; kept for the next start."""
        now = self.watched | {job_id} if on else self.watched - {job_id}
        if now != self.watched:
            self.watched = now
            self.app.state.remember(f"jobs.watched.{self.profile}", sorted(now))
            self._show()
            self._publish(News(frozenset({job_id})))

    def forget(self, ids: Iterable[str]) -> None:
        """Take jobs that the provider lists no longer out of our own record."""
        known = [i for i in ids if i in self.tracks and self.tracks[i].gone]
        for job_id in known:
            del self.tracks[job_id]
        self.app.state.forget_jobs(self.profile, known)
        self._publish(News(frozenset(known)))

    def _own(self, track: Track) -> Track:
        track.profile, track.kind = self.profile, self.kind
        return track

    # -- what is done here

    def submitting(self, tag: str, job: Job) -> None:
        """A launch is on its way: its job is shown before the provider knows it."""
        self.tracks[SUBMITTING + tag] = self._own(Track(job, asked=dict(job.hyperparameters)))
        self._publish(News(frozenset({job.id})))

    def submitted(self, tag: str, job: Job | None) -> None:
        """The launch came to its end: with its real job, or refused (None)."""
        old = SUBMITTING + tag
        track = self.tracks.pop(old, None)
        if job is None:
            self._publish(News(frozenset({old})))
            return
        if job.id not in self.tracks:
            made = Track(job, asked=dict(track.asked if track else {}))
            self.tracks[job.id] = self._own(made)
        self.mind(job.id, True)
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
        over: list[Track] = []
        for job in change.jobs:
            track = self.tracks.get(job.id)
            if track is None:
                track = self.tracks[job.id] = self._own(Track(job))
            ended = job.ended and not (track.job.ended and not track.remembered_at)
            track.update(job)
            ids.add(job.id)
            if ended and job.id in self._visible | self.watched:
                self.read_checkpoints(job.id)
            if job.ended and job.id in self.watched:
                over.append(track)
        self._unsure -= ids
        for job_id in {*change.gone, *self._missed()} & self.tracks.keys():
            self.tracks[job_id].gone = True
            ids.add(job_id)
            if job_id in self.watched:
                over.append(self.tracks[job_id])
        for job_id, events in change.events.items():
            owner = self.tracks.get(job_id)
            if owner is not None:
                ids.add(job_id)
                if owner.add_events(events):
                    self.read_checkpoints(job_id)
        state = bool(change.problem) != bool(self.problem) or not self.read_at
        self.problem, self.next_in = change.problem, change.next_in
        self.read_at = change.read_at or self.read_at
        self._keep(ids)
        self._publish(News(frozenset(ids), state=state))
        for track in over:
            self.mind(track.id, False)
            self._on_end(self, track)
        self._fill()

    def _missed(self) -> list[str]:
        """Remembered jobs that would have been listed by now, and were not."""
        watcher = self._watcher
        if watcher is None or not self._unsure:
            return []
        gone = [i for i in self._unsure if i in self.tracks
                and watcher.misses(self.profile, self.tracks[i].job)]  # fmt: skip
        self._unsure.difference_update(gone)
        return [job_id for job_id in gone if not self.tracks[job_id].gone]

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
        self.changed.publish(news)
        self._on_news(self, news)
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
    return 0 if job.status == "submitting" else 1, -(job.created_at or float("inf")), job.id


def newest_first(tracks: Iterable[Track]) -> list[Track]:
    """What is being submitted on top; a job without a date is taken for new."""
    return sorted(tracks, key=_age)
