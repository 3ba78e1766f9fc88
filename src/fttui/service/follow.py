"""One job to its end: looked at as often as it moves, through every fault of the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from fttui.problem import Problem
from fttui.service import jobs
from fttui.service.pace import Pace
from fttui.service.provider import Provider
from fttui.service.types import Job, JobEvent

PAGES = 10  # of the list, looked through for a running job


@dataclass(frozen=True, slots=True)
class Step:
    """One look. events: new ones, oldest first. problem: why this look failed; the job is then as it
    was, None where it was never seen. next_in: seconds to the next look."""

    job: Job | None
    events: tuple[JobEvent, ...] = ()
    problem: Problem | None = None
    next_in: float = 0.0


def over(job: Job) -> bool:
    """It will not change any more; also in a status nobody knows, where it has an end."""
    return job.ended or (bool(job.finished_at) and not job.live and not job.paused)


async def follow(
    provider: Provider, job_id: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[Step]:
    """Looks at a job until it is over. Only what no waiting can mend raises Problem (no such job, a key
    that is refused)."""
    pace, last, job = Pace(), "", None
    while True:
        try:
            now = await jobs.retrieve(
                provider, job_id, attempts=1
            )  # before its events: none is missed
            fresh = await _events(provider, job_id, last)
        except Problem as problem:
            if not problem.retry:
                raise
            yield Step(job, (), problem, pace.failed(problem))
        else:
            changed, job = bool(fresh) or now != job, now
            last = fresh[-1].id if fresh else last
            seconds = pace.after(changed=changed, live=now.live, seen=True)
            yield Step(now, tuple(fresh), None, seconds)
            if over(now):
                return
        await sleep(pace.seconds)


async def _events(provider: Provider, job_id: str, last: str) -> list[JobEvent]:
    if provider.lacks("events"):
        return []
    try:
        return await jobs.events_since(provider, job_id, last, attempts=1)
    except Problem as problem:
        if not await jobs.no_such_route(provider, job_id, problem):
            raise
        provider.learned["events"] = "This provider has no events."
        return []


async def newest_running(provider: Provider) -> Job:
    """The newest job that is not over. Problem "no_job" where there is none."""
    cursor = ""
    for _ in range(PAGES):
        page = await jobs.listing(provider, after=cursor)
        running = [job for job in page.items if job.live or job.paused]
        if running:
            return max(running, key=lambda job: (job.live, job.created_at))
        if not page.has_more or page.cursor in ("", cursor):
            break
        cursor = page.cursor
    raise Problem(
        "No job is running.",
        f"Profile {provider.profile.name!r} has none that is not over.",
        "Name one: fttui watch JOB. `fttui jobs` lists them.",
        code="no_job",
    )
