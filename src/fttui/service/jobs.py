"""Fine-tuning jobs: made once and never twice, listed a page at a time, followed by their events."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service.provider import Provider, Wait, part, pause_before
from fttui.service.types import TAG, Job, JobEvent, LaunchSpec, Page

JOBS = "/fine_tuning/jobs"
LOOK_WAITS = (0.0, 1.0, 3.0)  # seconds before each look for a job whose answer was lost
LOOK_LIMIT = 100
CLOCK_SLACK = 300  # seconds a provider's clock may differ from ours
REPEATS = 3
EVENT_PAGE = 100
EVENT_PAGES = 50  # bounded: some servers answer has_more for ever


def body(provider: Provider, spec: LaunchSpec) -> dict[str, Any]:
    """The request that makes the job, with every field where this provider wants it."""
    can = provider.capabilities
    made: dict[str, Any] = {"model": spec.model, "training_file": spec.training_file}
    if spec.validation_file:
        made["validation_file"] = spec.validation_file
    chosen = dict(spec.hyperparameters)
    if can.placement == "top":
        made["hyperparameters"] = {k: v for k, v in chosen.items() if v != "auto"}
    else:
        under = {**({"hyperparameters": chosen} if chosen else {}), **spec.method_fields}
        made["method"] = {"type": spec.method, spec.method: under}
    if spec.suffix:
        made["suffix"] = spec.suffix
    if spec.seed is not None:
        made["seed"] = spec.seed
    if spec.integrations:
        made["integrations"] = [dict(row) for row in spec.integrations]
    if can.metadata:
        made["metadata"] = {**spec.metadata, TAG: spec.tag}
    usual = dict(can.extra_body) | dict(provider.profile.extra_body)
    return made | usual | dict(spec.extra_body)


def read(provider: Provider, obj: Any) -> Job:
    """A job as the provider tells it, its status in the API's words (Azure says "pending", others
    "completed"); a status nobody knows stays as it is."""
    said = to.mapping(obj)
    word = to.text(said.get("status"))
    known = provider.capabilities.status_map.get(word.lower())
    return Job.from_json(said | {"status": known} if known else obj)


async def create(provider: Provider, spec: LaunchSpec, *, sent_before: bool = False) -> Job:
    """Make the job, exactly once.

    The request is never repeated blindly: when its answer is lost, and when the same spec is sent
    again (`sent_before`, or by this provider), the job is looked for first. Problem "create_unknown":
    neither found nor certainly refused.
    """
    provider.writing("Launching a job")
    if spec.method not in provider.capabilities.methods:
        raise Problem(
            "The job cannot be launched.",
            f"{provider.capabilities.title} has no method {spec.method!r}.",
            f"It has: {', '.join(provider.capabilities.methods)}.",
            code="not_supported",
        )
    started = time.time()
    if sent_before or spec.tag in provider.attempted:
        found = await look(provider, spec, since=0)
        if found is not None:
            return found
    provider.attempted.add(spec.tag)
    for attempt in range(1, REPEATS + 1):
        try:
            return await _post(provider, spec)
        except Problem as failed:
            if failed.detail.get("unsure"):
                return await _after_silence(provider, spec, started, failed)
            if attempt == REPEATS or failed.code != "rate_limit" or not failed.retry:
                raise
            wait = pause_before(attempt, failed)
            if wait > 60:
                raise
            await provider.pause(Wait(wait, attempt + 1, REPEATS, failed))
    raise AssertionError("unreachable")


async def _post(provider: Provider, spec: LaunchSpec) -> Job:
    answer = await provider.request(
        "POST", JOBS, doing="Launching the job", body=body(provider, spec), repeat=False
    )
    job = read(provider, answer)
    if not job.id:
        raise Problem(
            "Launching the job failed.",
            "The answer names no job.",
            "Look at the list of jobs before launching again.",
            code="bad_answer",
            detail={"unsure": True},
        )
    return job


async def _after_silence(
    provider: Provider, spec: LaunchSpec, started: float, failed: Problem
) -> Job:
    """The answer was lost: find the job that may have been made, or say that nobody knows."""
    why = failed.why
    for wait in LOOK_WAITS:
        if wait:
            await provider.pause(Wait(wait, 0, 0, failed))
        try:
            found = await look(provider, spec, since=started - CLOCK_SLACK)
        except Problem as blind:
            why = f"{failed.why} Looking for it failed as well: {blind.why}"
            continue
        if found is not None:
            return found
    raise Problem(
        "It is not known whether the job was made.",
        f"{why} It is not in the list of jobs.",
        "Launch again: fttui looks for this very job first, so none is made twice.",
        code="create_unknown",
        retry=True,
        detail={**failed.detail, "tag": spec.tag},
    )


async def look(provider: Provider, spec: LaunchSpec, *, since: float) -> Job | None:
    """The job made from `spec`, if it is listed: by its tag; or, since some providers drop metadata,
    an untagged one with the same model, files and settings created after `since` (Unix seconds;
    0: within a day, and only where tags are known to be dropped)."""
    query: dict[str, Any] = {"limit": LOOK_LIMIT}
    page = await _page(provider, query)
    for job in page.items:
        if job.metadata.get(TAG) == spec.tag:
            return job
    if provider.capabilities.tags and not since:
        return None
    since = since or time.time() - 24 * 3600
    return next((job for job in page.items if job.created_at >= since and _fits(job, spec)), None)


def _fits(job: Job, spec: LaunchSpec) -> bool:
    """Whether a job without a tag looks as if it came from `spec`."""
    if job.metadata:
        return False  # it kept its metadata, so the tag would be there
    if (job.training_file, job.validation_file) != (spec.training_file, spec.validation_file):
        return False
    if not (job.model.startswith(spec.model) or spec.model.startswith(job.model)):
        return False
    if spec.seed is not None and job.seed is not None and job.seed != spec.seed:
        return False
    if spec.suffix and job.suffix and job.suffix != spec.suffix:
        return False
    asked = {k: v for k, v in spec.hyperparameters.items() if v != "auto"}
    return all(str(job.hyperparameters.get(k, v)) == str(v) for k, v in asked.items())


# ---- reading ----


async def listing(
    provider: Provider,
    *,
    after: str = "",
    limit: int = 100,
    metadata: Mapping[str, str] | None = None,
    attempts: int = 4,
) -> Page[Job]:
    """One page of jobs, newest first. `metadata` filters; it is checked here as well, since not
    every provider knows the filter."""
    query: dict[str, Any] = {"after": after, "limit": limit}
    if metadata and provider.capabilities.metadata:
        query["metadata"] = dict(metadata)
    page = await _page(provider, query, attempts)
    if not metadata:
        return page
    wanted = metadata.items()
    rows = tuple(job for job in page.items if all(job.metadata.get(k) == v for k, v in wanted))
    return Page(rows, page.has_more, page.cursor)


async def _page(provider: Provider, query: Mapping[str, Any], attempts: int = 4) -> Page[Job]:
    return await provider.page(
        JOBS,
        lambda obj: read(provider, obj),
        doing="Listing the jobs",
        query=query,
        attempts=attempts,
    )


async def retrieve(provider: Provider, job_id: str, *, attempts: int = 4) -> Job:
    answer = await provider.request(
        "GET", f"{JOBS}/{part(job_id)}", doing=f"Reading job {job_id}", attempts=attempts
    )
    return read(provider, answer)


# ---- acting ----

_FEATURE = {"cancel": "cancel", "pause": "pause", "resume": "pause"}


async def cancel(provider: Provider, job_id: str) -> Job:
    return await _act(provider, job_id, "cancel", "Cancelling")


async def pause(provider: Provider, job_id: str) -> Job:
    return await _act(provider, job_id, "pause", "Pausing")


async def resume(provider: Provider, job_id: str) -> Job:
    return await _act(provider, job_id, "resume", "Resuming")


async def _act(provider: Provider, job_id: str, verb: str, doing: str) -> Job:
    """Doing it twice does no more than doing it once, so it may be repeated."""
    provider.writing(f"{doing} a job")
    provider.require(_FEATURE[verb], f"{doing} a job")
    try:
        answer = await provider.request(
            "POST", f"{JOBS}/{part(job_id)}/{verb}", doing=f"{doing} {job_id}", repeat=True
        )
    except Problem as failed:
        if await no_such_route(provider, job_id, failed):
            provider.learned[_FEATURE[verb]] = f"This provider cannot {verb} a job."
            provider.require(_FEATURE[verb], f"{doing} a job")
        raise
    job = read(provider, answer)
    return job if job.id else await retrieve(provider, job_id)


async def no_such_route(provider: Provider, job_id: str, failed: Problem) -> bool:
    """Whether what failed is missing at this provider, not wrong with this job.

    Many servers answer 404 for routes they do not have: then the job itself is still found.
    """
    status = failed.detail.get("status")
    if status != 404:
        return status in (405, 501)
    try:
        return bool((await retrieve(provider, job_id, attempts=1)).id)
    except Problem:
        return False


def why_not(provider: Provider, job: Job, verb: str) -> str:
    """Why `verb` (cancel, pause, resume) cannot be done to this job now; "" where it can."""
    if provider.profile.read_only:
        return f"Profile {provider.profile.name!r} is read-only."
    if provider.lacks(_FEATURE[verb]):
        return provider.lacks(_FEATURE[verb])
    if job.ended:
        return f"The job has {'been ' if job.status == 'cancelled' else ''}{job.status}."
    if verb == "pause" and job.status != "running":
        return f"Only a running job can be paused; this one is {job.status}."
    if verb == "resume" and not job.paused:
        return f"Only a paused job can be resumed; this one is {job.status}."
    return ""


# ---- events ----


async def events(
    provider: Provider, job_id: str, *, after: str = "", limit: int = EVENT_PAGE, attempts: int = 4
) -> Page[JobEvent]:
    """One page of events, newest first; `after` is the cursor of the page before (older ones follow)."""
    provider.require("events", "Reading events")
    page = await provider.page(
        f"{JOBS}/{part(job_id)}/events",
        JobEvent.from_json,
        doing=f"Reading the events of {job_id}",
        query={"after": after, "limit": limit},
        attempts=attempts,
    )
    return Page(newest_first(page.items), page.has_more, page.cursor)


def newest_first(rows: tuple[JobEvent, ...]) -> tuple[JobEvent, ...]:
    """Most services answer newest first; one that does not is turned round."""
    if len(rows) > 1 and rows[0].created_at < rows[-1].created_at:
        return tuple(reversed(rows))
    return rows


async def events_since(
    provider: Provider, job_id: str, last_id: str = "", *, attempts: int = 4
) -> list[JobEvent]:
    """Events newer than `last_id` ("": all), oldest first, none twice. Bounded in pages."""
    found: dict[str, JobEvent] = {}
    cursor = ""
    for _ in range(EVENT_PAGES):
        page = await events(provider, job_id, after=cursor, attempts=attempts)
        for event in page.items:
            if last_id and event.id == last_id:
                return list(reversed(found.values()))
            found.setdefault(event.id or f"{event.created_at} {event.message}", event)
        if not page.has_more or not page.cursor or page.cursor == cursor:
            break
        cursor = page.cursor
    return list(reversed(found.values()))


def describe(job: Job) -> str:
    """`status`, with the reason where the job failed: one line."""
    reason = to.text(job.error.message) if job.error else ""
    return f"{job.status}: {reason}" if reason else job.status
