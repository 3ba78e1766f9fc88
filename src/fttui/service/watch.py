"""One poller for all jobs of all open profiles: asks less the less there is to know, tells only what changed.

A look costs one list call, and one call for each job that is live and on screen. Older pages of the list
are read one at a time, when someone asks (`older`). No screen is known here: whoever listens gets a
`Change`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from fttui.problem import Problem
from fttui.service import errors, jobs
from fttui.service.pace import Pace
from fttui.service.provider import Provider
from fttui.service.types import Job, JobEvent, Page

PAGE = 100  # jobs a look; older ones come with `older()`
AT_ONCE = 6  # calls about single jobs that may be under way together
GRACE = (
    60.0  # seconds in which a new job may be missing from the list: some services are slow to list
)


@dataclass(frozen=True, slots=True)
class Change:
    """What is new about one profile; empty fields say "as before".

    jobs: new or changed ones. gone: ids that are no longer listed. events: per job, oldest first.
    problem: why the last look failed (None after a good one); what was known stays known.
    read_at: Unix seconds of the last good look, 0 before the first. next_in: seconds to the next.
    """

    profile: str
    jobs: tuple[Job, ...] = ()
    gone: tuple[str, ...] = ()
    events: dict[str, tuple[JobEvent, ...]] = field(default_factory=dict)
    problem: Problem | None = None
    read_at: float = 0.0
    next_in: float = 0.0


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass


@dataclass(slots=True)
class _News:
    """What was learned and not told yet: a look that fails half-way loses nothing."""

    jobs: dict[str, Job] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    events: dict[str, tuple[JobEvent, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.jobs or self.gone or self.events)


@dataclass(slots=True)
class _Desk:
    """What is known of one profile."""

    provider: Provider
    pace: Pace = field(default_factory=Pace)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: dict[str, Job] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)  # job id → Unix seconds
    last_event: dict[str, str] = field(default_factory=dict)  # job id → id of the newest known
    done: set[str] = field(default_factory=set)  # ended jobs whose last events were read
    news: _News = field(default_factory=_News)
    read_at: float = 0.0
    problem: Problem | None = None
    cursor: str = ""
    more: bool = False
    began: float = 0.0  # Unix seconds at which the reading of the whole list began
    reach: int | None = None  # every job made after this (Unix seconds) was read; None: no look yet
    page: frozenset[str] = frozenset()  # ids on the newest page
    noted: dict[str, float] = field(default_factory=dict)  # job id → when someone here made it
    turn: set[str] = field(
        default_factory=set
    )  # off that page: asked for themselves next, not events
    fresh: set[str] = field(default_factory=set)  # came on screen since the last look
    asked: bool = True  # the next look reads the list, however soon it comes
    due: float = 0.0  # Unix seconds of the next look at the list
    first: bool = True
    task: asyncio.Task[None] | None = None


class Watcher:
    """`add` profiles, say what is `visible`, get `Change`s through the callback; `close` at the end.

    The callback runs on the event loop and must be quick. `clock` gives Unix seconds; `wait(event,
    seconds)` returns when either happened: both are replaced in tests.
    """

    def __init__(
        self,
        on_change: Callable[[Change], None],
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[asyncio.Event, float], Awaitable[None]] = _wait,
    ) -> None:
        self._tell = on_change
        self._clock = clock
        self._pause = wait
        self._desks: dict[str, _Desk] = {}
        self._visible: dict[str, frozenset[str]] = {}

    # ---- what to watch ----

    def add(self, provider: Provider) -> None:
        """Watch the jobs of a profile, from now on."""
        name = provider.profile.name
        if name not in self._desks:
            desk = self._desks[name] = _Desk(provider)
            desk.task = asyncio.create_task(self._loop(desk), name=f"watch {name}")

    def drop(self, profile: str) -> asyncio.Task[None] | None:
        """Watch a profile no longer; what still ends."""
        desk = self._desks.pop(profile, None)
        if desk is None or desk.task is None:
            return None
        desk.task.cancel()
        return desk.task

    async def close(self) -> None:
        tasks = [self.drop(name) for name in list(self._desks)]
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)

    def visible(self, profile: str, job_ids: Iterable[str]) -> None:
        """The jobs on screen: their events are read too. Those of a new one are read at once, without
        another look at the list: scrolling asks for little."""
        wanted = frozenset(job_ids)
        fresh = wanted - self._visible.get(profile, frozenset())
        self._visible[profile] = wanted
        desk = self._desks.get(profile)
        if not fresh or desk is None:
            return
        desk.fresh |= fresh
        if any(desk.jobs[i].live for i in fresh if i in desk.jobs):
            desk.pace.hurry()
        desk.woken.set()

    def poke(self, profile: str | None = None) -> None:
        """Look now: something was done, or someone asked."""
        for name, desk in self._desks.items():
            if profile in (None, name):
                desk.pace.hurry()
                desk.asked = True
                desk.woken.set()

    # ---- what is known ----

    def jobs(self, profile: str) -> list[Job]:
        """Newest first."""
        desk = self._desks.get(profile)
        rows = desk.jobs.values() if desk else ()
        return sorted(rows, key=lambda job: (job.created_at, job.id), reverse=True)

    def age(self, profile: str, job_id: str = "") -> float | None:
        """Seconds since the profile, or one job of it, was read; None: never."""
        desk = self._desks.get(profile)
        at = desk and (desk.read.get(job_id, 0.0) if job_id else desk.read_at)
        return max(0.0, self._clock() - at) if at else None

    def has_older(self, profile: str) -> bool:
        desk = self._desks.get(profile)
        return bool(desk and desk.more)

    def misses(self, profile: str, job: Job) -> bool:
        """Whether a job known from before would have been listed by now, and was not."""
        desk = self._desks.get(profile)
        if desk is None or desk.reach is None or job.id in desk.jobs:
            return False
        return job.created_at > desk.reach

    async def older(self, profile: str) -> int:
        """Read one more page of the list; the number of jobs it brought. Raises Problem."""
        desk = self._desks.get(profile)
        if desk is None or not desk.more:
            return 0
        page = await self._after(desk)
        if self._desks.get(profile) is not desk:  # closed meanwhile
            return 0
        desk.more = page.has_more and page.cursor not in ("", desk.cursor)
        desk.cursor = page.cursor or desk.cursor
        for job in page.items:
            self._learn(desk, job)
        self._reached(desk, page)
        if not desk.more:  # all of it was read: what was not on it is gone
            for job_id in [i for i in desk.jobs if desk.read[i] < desk.began]:
                self._drop(desk, job_id)
        brought = len(desk.news.jobs)
        self._report(desk)
        return brought

    async def _after(self, desk: _Desk) -> Page[Job]:
        """The page after the cursor; where that job is gone, after the oldest known one."""
        try:
            return await jobs.listing(desk.provider, after=desk.cursor, limit=PAGE, attempts=2)
        except Problem as problem:
            rest = [job for job in desk.jobs.values() if job.id != desk.cursor]
            if problem.detail.get("status") not in (400, 404) or not rest:
                raise
            desk.cursor = min(rest, key=lambda job: (job.created_at, job.id)).id
            return await jobs.listing(desk.provider, after=desk.cursor, limit=PAGE, attempts=2)

    def again(self, profile: str) -> None:
        """Look now, and read the older pages anew as well: what was deleted there is noticed then."""
        desk = self._desks.get(profile)
        if desk is not None:
            desk.cursor, desk.more = "", False
            self.poke(profile)

    def note(self, profile: str, job: Job) -> None:
        """A job that someone just made or changed: shown at once, looked at soon."""
        desk = self._desks.get(profile)
        if desk is not None:
            desk.noted[job.id] = self._clock()
            self._learn(desk, job)
            self._report(desk)
            self.poke(profile)

    # ---- looking ----

    async def _loop(self, desk: _Desk) -> None:
        woken = False
        while True:
            desk.woken.clear()
            whole = desk.asked or not woken or self._clock() >= desk.due
            seconds = await self.look(desk.provider.profile.name, whole=whole)
            await self._pause(desk.woken, seconds)
            woken = desk.woken.is_set()

    async def look(self, profile: str, *, whole: bool = True) -> float:
        """One look at a profile (not `whole`: only at what came on screen); returns the seconds to wait
        before the next."""
        desk = self._desks[profile]
        fresh, desk.fresh = desk.fresh, set()
        try:
            if whole:
                desk.asked = False
                asked = await self._list(desk)
                await self._events(desk, self._on_screen(desk) - asked)
            else:
                await self._events(desk, fresh & self._on_screen(desk))
        except Exception as exc:  # noqa: BLE001 - nothing may end the watching
            return self._failed(desk, errors.problem(exc, doing="Reading the jobs"))
        desk.read_at = self._clock()
        mended, desk.problem = desk.problem is not None, None
        if mended:
            desk.pace.hurry()
        if whole:
            live = any(job.live for job in desk.jobs.values())
            changed = bool(desk.news)
            seconds = desk.pace.after(changed=changed, live=live, seen=self._seen(desk))
            desk.due = desk.read_at + seconds
        else:
            seconds = min(max(0.0, desk.due - desk.read_at), desk.pace.seconds)
        if desk.news or mended or desk.first:
            desk.first = False
            self._report(desk)
        return seconds

    async def _list(self, desk: _Desk) -> set[str]:
        """The newest page; and the live jobs on screen that are older than it, which are asked for in
        turn with their events. The ids of those that were asked for now."""
        asked_at = self._clock()
        page = await jobs.listing(desk.provider, limit=PAGE, attempts=1)
        if not desk.cursor:
            desk.cursor, desk.more, desk.began = page.cursor, page.has_more, asked_at
        listed = {job.id: job for job in page.items if job.id}
        desk.page = frozenset(listed)
        for job in listed.values():
            self._learn(desk, job)
        self._reached(desk, page)
        # A job inside the stretch the page covers that is not on it was deleted elsewhere.
        oldest = min((job.created_at for job in listed.values()), default=0)
        covered = oldest if page.has_more else -1
        older = []
        for job in [job for job in desk.jobs.values() if job.id not in listed]:
            new = asked_at - desk.noted.get(job.id, -GRACE) < GRACE
            if job.created_at > covered and desk.read[job.id] < asked_at and not new:
                self._drop(desk, job.id)
            elif job.live and job.id in self._on_screen(desk) & desk.turn:
                older.append(job.id)
        desk.turn.difference_update(older)
        await self._each(self._retrieve(desk, job_id) for job_id in older)
        return set(older)

    async def _retrieve(self, desk: _Desk, job_id: str) -> None:
        try:
            self._learn(desk, await jobs.retrieve(desk.provider, job_id, attempts=1))
        except Problem as problem:
            if problem.detail.get("status") != 404:
                raise
            self._drop(desk, job_id)

    @staticmethod
    async def _each(calls: Iterable[Awaitable[None]]) -> None:
        """All of them, a few at a time; one that fails does not lose the news of the others."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(call: Awaitable[None]) -> None:
            async with room:
                await call

        for done in await asyncio.gather(*map(one, calls), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def _events(self, desk: _Desk, wanted: Iterable[str]) -> None:
        """New events of the jobs on screen: live ones at every look, ended ones once."""
        known = [i for i in sorted(wanted) if i in desk.jobs and i not in desk.done]
        if not desk.provider.lacks("events"):
            await self._each(self._events_of(desk, job_id) for job_id in known)
        desk.turn |= {i for i in known if i not in desk.page}

    async def _events_of(self, desk: _Desk, job_id: str) -> None:
        ended = desk.jobs[job_id].ended
        fresh = await self._fresh(desk, job_id, desk.last_event.get(job_id, ""))
        if fresh:
            desk.last_event[job_id] = fresh[-1].id
            desk.news.events[job_id] = desk.news.events.get(job_id, ()) + tuple(fresh)
        elif ended:  # the last events may come a little after the end
            desk.done.add(job_id)

    async def _fresh(self, desk: _Desk, job_id: str, last: str) -> list[JobEvent]:
        try:
            return await jobs.events_since(desk.provider, job_id, last, attempts=1)
        except Problem as problem:
            status = problem.detail.get("status")
            if status in (405, 501):
                desk.provider.learned["events"] = "This provider has no events."
            elif status != 404:  # 404: deleted elsewhere, or not known yet: the list will say
                raise
            return []

    def _learn(self, desk: _Desk, job: Job) -> None:
        """Keep a job; it is news where it is new or different."""
        desk.read[job.id] = self._clock()
        if desk.jobs.get(job.id) == job:
            return
        desk.jobs[job.id] = desk.news.jobs[job.id] = job
        desk.news.gone.discard(job.id)
        if not job.ended:
            desk.done.discard(job.id)

    def _drop(self, desk: _Desk, job_id: str) -> None:
        """A job is listed no longer."""
        if desk.jobs.pop(job_id, None) is not None:
            desk.news.jobs.pop(job_id, None)
            desk.news.gone.add(job_id)

    def _reached(self, desk: _Desk, page: Page[Job]) -> None:
        """How far back everything is known, after one more page."""
        if not page.has_more:
            desk.reach = -1
        elif desk.reach != -1 and page.items:
            oldest = min(job.created_at for job in page.items)
            desk.reach = oldest if desk.reach is None else min(oldest, desk.reach)

    def _on_screen(self, desk: _Desk) -> frozenset[str]:
        return self._visible.get(desk.provider.profile.name, frozenset())

    def _seen(self, desk: _Desk) -> bool:
        return any(i in desk.jobs and desk.jobs[i].live for i in self._on_screen(desk))

    def _failed(self, desk: _Desk, problem: Problem) -> float:
        seconds = desk.pace.failed(problem)
        news = desk.problem is None or desk.problem.code != problem.code
        desk.problem = problem
        if news or desk.news:
            self._report(desk)
        return seconds

    def _report(self, desk: _Desk) -> None:
        news, desk.news = desk.news, _News()
        self._tell(
            Change(
                desk.provider.profile.name,
                tuple(news.jobs.values()),
                tuple(sorted(news.gone)),
                news.events,
                desk.problem,
                desk.read_at,
                desk.pace.seconds,
            )
        )
