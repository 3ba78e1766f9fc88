"""What can be done to a job, why not, and what it means: shared by the panes that show jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.jobs.feed import SUBMITTING, Feed
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp


def why_not(name: str, track: Track | None, feed: Feed | None) -> str:
    """Why cancel, pause, checkpoints or chat cannot be done to this job now; "" where it can."""
    if track is None or feed is None:
        return "no job is selected"
    job = track.job
    if track.id.startswith(SUBMITTING):
        return "the job is still on its way to the provider"
    if name in ("cancel", "pause"):
        from fttui.service import jobs

        verb = "resume" if name == "pause" and job.paused else name
        return jobs.why_not(feed.provider, job, verb)
    if name == "checkpoints":
        return feed.provider.lacks("checkpoints")
    if name == "chat" and not job.fine_tuned_model:
        if job.ended:
            return f"the job {_ended(job)}: it made no model"
        return f"the job is {job.status}: there is no model yet (c: its checkpoints)"
    return ""


def _ended(job: Job) -> str:
    return {"cancelled": "was cancelled"}.get(job.status, job.status)


def why_not_new(app: FttuiApp, feed: Feed | None) -> str:
    profile = app.backend.profile_if_known
    if profile is not None and profile.read_only:
        return f"profile {profile.name} is read-only"
    if app.thread.path is None:
        return "open a dataset first (o)"
    return "" if feed else "the configuration is still being read"


def consequence(track: Track) -> list[Part]:
    """What cancelling this job loses, and what stays."""
    step, total = track.progress()
    parts: list[Part] = [f"{track.id}, {track.job.model}\n"]
    if step:
        many = f" of {total:,}" if total else ""
        parts.append(f"It stops at step {step:,}{many} and cannot go on. ")
    kept = sorted(checkpoint.step for checkpoint in track.checkpoints or [])
    if kept:
        steps = ", ".join(f"{step:,}" for step in kept)
        parts.append(f"Checkpoints at step {steps} stay.")
    else:
        parts.append("No checkpoint was seen yet: there may be no model of it.")
    return parts


async def act(app: FttuiApp, feed: Feed, verb: str, job: Job) -> None:
    """Cancel, pause or resume, and say so; a failure is shown."""
    from fttui.service import jobs

    call = {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}[verb]
    try:
        now = await call(feed.provider, job.id)
    except Problem as problem:
        app.show_problem(problem)
        return
    app.notify(f"{job.suffix or job.id}: {verb} asked, now {now.status}", timeout=3)
    feed.note(now)


def export(app: FttuiApp, track: Track, chart: str) -> None:
    """Save the job's report in the folder fttui was started in, and say where."""
    from fttui.ui.jobs import report as job_report

    try:
        path = job_report.save(track, chart if len(track.loss) else "", Path.cwd())
    except Problem as problem:
        app.show_problem(problem)
    else:
        app.notify(f"saved {path}", timeout=5)
