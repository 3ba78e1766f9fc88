"""One job from its provider: every part is asked for by itself, and a part that fails says why. No screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fttui.problem import Problem
from fttui.ui.jobs.track import Track

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.results import Results
    from fttui.service.types import FileInfo, Job, JobEvent

EVENT_PAGES = 5000  # bounded: some servers answer has_more for ever


@dataclass(frozen=True)
class Chosen:
    """A job to export. known: what is remembered of it, for what its provider no longer tells."""

    provider: Provider
    job: Job
    known: Track | None = None

    @property
    def key(self) -> str:
        return f"{self.provider.profile.name}/{self.job.id}"


@dataclass
class Found:
    """What came together. missing: (part, why) of what did not; notes: what is worth knowing."""

    track: Track
    results: list[Results] = field(default_factory=list)
    raw_results: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, FileInfo] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    again: bool = False  # something may come at another try

    async def part(self, name: str, work: Awaitable[Any]) -> Any:
        """The result of a part; None where it failed, which is written down."""
        try:
            return await work
        except Problem as problem:
            self.missing.append((name, problem.why or problem.what))
            self.again |= problem.code not in ("not_supported", "bad_results") and (
                problem.detail.get("status") not in (404, 405, 410, 501)
            )
            return None


async def collect(chosen: Chosen, step: Callable[[str], None]) -> Found:
    """Ask for everything but the datasets' content. step: told of each part that begins."""
    from fttui.service import checkpoints, jobs

    provider, known = chosen.provider, chosen.known
    profile = provider.profile
    found = Found(Track(chosen.job, profile.name, profile.provider))
    step("settings")
    job = await found.part("settings", jobs.retrieve(provider, chosen.job.id))
    found.track.update(job if job is not None else chosen.job)
    if job is None:
        found.notes.append(
            "the provider did not tell this job: these are fttui's own records of it"
        )
    if known is not None:
        found.track.asked = {**found.track.asked, **known.asked}
    job = found.track.job
    step("events")
    await _events(chosen, found)
    step("checkpoints")
    if not provider.lacks("checkpoints"):
        kept = await found.part("checkpoints", checkpoints.listing(provider, job.id))
        found.track.checkpoints = known.checkpoints if kept is None and known else kept
    else:
        found.missing.append(("checkpoints", provider.lacks("checkpoints")))
    step("results")
    for file_id in job.result_files:
        await found.part(f"results file {file_id}", _results(chosen, found, file_id))
    return found


async def _events(chosen: Chosen, found: Found) -> None:
    provider, known = chosen.provider, chosen.known
    if provider.lacks("events"):
        found.missing.append(("events", provider.lacks("events")))
        return
    rows = await found.part("events", all_events(provider, chosen.job.id))
    if rows is None and known is not None and known.events:
        found.notes.append("the events are those fttui had read before")
        rows = known.events
    found.track.add_events(rows or [])


async def all_events(provider: Provider, job_id: str) -> list[JobEvent]:
    """Every event there is, oldest first, none twice."""
    from fttui.service import jobs

    found: dict[str, JobEvent] = {}
    cursor = ""
    for _ in range(EVENT_PAGES):
        page = await jobs.events(provider, job_id, after=cursor)
        before = len(found)
        for event in page.items:
            found.setdefault(event.id or f"{event.created_at} {event.message}", event)
        if not page.has_more or page.cursor in ("", cursor) or len(found) == before:
            break
        cursor = page.cursor
    return list(reversed(found.values()))


async def _results(chosen: Chosen, found: Found, file_id: str) -> None:
    """A results file as it is, and its figures in the curves."""
    from fttui.service import files, results

    raw = await files.content(chosen.provider, file_id)
    found.raw_results[file_id] = raw
    rows = results.parse(raw)
    found.results.append(results.Results(file_id, results.text(raw), rows))
    curves = found.track.curves
    for row in rows:
        curves.add(row)
