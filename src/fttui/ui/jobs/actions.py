"""What can be done to jobs, why not, and what it means: to one of them or to several at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.deploy import entry as deploying
from fttui.ui.jobs.feed import SUBMITTING, Feed
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.money import Purse

NAMED = 8  # jobs that a question names one by one
TALKS = 3  # models that chat at once
FREE = ("copy", "log", "smooth", "curve", "detail", "export", "mark", "mark_all", "compare")


def why_not(app: FttuiApp, name: str, track: Track) -> str:
    """Why an action cannot be done to this job now; "" where it can."""
    job, feed = track.job, app.backend.feed_of(track.job)
    if name in FREE:
        return ""
    if track.id.startswith(SUBMITTING):
        return "the job is still on its way to the provider"
    if name == "forget":
        return "" if track.gone else "the provider still lists it: only our own record is forgotten"
    if name == "watch":
        watched = feed is not None and job.id in feed.watched
        return f"the job {_ended(job)} already" if job.ended and not watched else ""
    if name in ("cancel", "pause") and track.gone:
        return "the provider lists this job no longer"
    if feed is None:
        return "the configuration is still being read"
    if name == "deploy":
        return deploying.why_not(feed.provider, job.fine_tuned_model)
    if name == "chat" and job.fine_tuned_model:
        return deploying.why_no_chat(app, feed.provider, job.fine_tuned_model)
    return _why_not_there(name, track, feed)


def _why_not_there(name: str, track: Track, feed: Feed) -> str:
    """The same, as far as the provider decides it."""
    job = track.job
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


# -- cancel, pause, resume


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


def _consequences(can: Sequence[Track], skipped: int) -> list[Part]:
    """The same for several: each named, with what it loses."""
    parts: list[Part] = []
    for track in can[:NAMED]:
        step, total = track.progress()
        far = f"step {step:,}" + (f" of {total:,}" if total else "") if step else track.job.status
        whose = f" · {track.profile}" if track.profile else ""
        parts += [f"{track.name} ", (f"{far}{whose}\n", "dim")]
    if len(can) > NAMED:
        parts.append(f"and {len(can) - NAMED} more\n")
    parts.append("They stop and cannot go on; their checkpoints stay.")
    if skipped:
        parts.append((f"\n{plural(skipped, 'job')} of those marked cannot be cancelled.", "dim"))
    return parts


def cancel(app: FttuiApp, tracks: Sequence[Track]) -> None:
    """Ask, then cancel those that can be."""
    from fttui.ui.dialogs.confirm import Confirm

    can = [track for track in tracks if not why_not(app, "cancel", track)]
    if not can:
        return
    if len(tracks) == 1:
        title, body, yes, no = f"Cancel {can[0].name}?", consequence(can[0]), "the job", "running"
    else:
        title, body = (
            f"Cancel {plural(len(can), 'job')}?",
            _consequences(can, len(tracks) - len(can)),
        )
        yes, no = plural(len(can), "job"), "them running"

    def answered(said: bool | None) -> None:
        if said:
            _begin(app, "cancel", can)

    app.push_screen(Confirm(title, body, yes=f"Cancel {yes}", no=f"Keep {no}"), answered)


def pause_or_resume(app: FttuiApp, tracks: Sequence[Track]) -> None:
    """Pause what runs; where nothing does, resume what is paused."""
    can = [track for track in tracks if not why_not(app, "pause", track)]
    running = [track for track in can if not track.job.paused]
    _begin(app, "pause" if running else "resume", running or can)


def _begin(app: FttuiApp, verb: str, tracks: Sequence[Track]) -> None:
    app.run_worker(_act(app, verb, tracks), group=f"job-{verb}", exit_on_error=False)


async def _act(app: FttuiApp, verb: str, tracks: Sequence[Track]) -> None:
    """Do it to one after the other, and say so; a failure is shown and ends it."""
    from fttui.service import jobs

    call = {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}[verb]
    for place, track in enumerate(tracks):
        feed = app.backend.feed_of(track.job)
        if feed is None:
            continue
        try:
            now = await call(feed.provider, track.id)
        except Problem as problem:
            app.show_problem(problem)
            left = len(tracks) - place - 1
            if left:
                app.notify(f"{plural(left, 'job')} left as they are", severity="warning", timeout=5)
            return
        feed.note(now)
        if len(tracks) == 1:
            app.notify(f"{track.name}: {verb} asked, now {now.status}", timeout=3)
    if len(tracks) > 1:
        app.notify(f"{verb} asked for {plural(len(tracks), 'job')}", timeout=3)


# -- looking after them


def watch(app: FttuiApp, tracks: Sequence[Track]) -> None:
    """Say when they end; all of them watched already: no longer."""
    pairs = [(app.backend.feed_of(track.job), track) for track in tracks]
    known = [(feed, track) for feed, track in pairs if feed is not None]
    can = [(f, t) for f, t in known if t.id in f.watched or not t.job.ended]
    on = any(track.id not in feed.watched for feed, track in can)
    for feed, track in can:
        feed.mind(track.id, on)
    if can:
        names = can[0][1].name if len(can) == 1 else plural(len(can), "job")
        app.notify(f"{'watching' if on else 'no longer watching'} {names}", timeout=3)


def forget(app: FttuiApp, tracks: Sequence[Track]) -> None:
    """Ask, then take jobs that are listed no longer out of our own record."""
    from fttui.ui.dialogs.confirm import Confirm

    gone = [track for track in tracks if track.gone]
    if not gone:
        return
    name = gone[0].name if len(gone) == 1 else plural(len(gone), "job")
    body: list[Part] = [
        "The provider lists it no longer: what fttui remembers of it is all there is."
    ]

    def answered(said: bool | None) -> None:
        if said:
            for feed in app.backend.feeds:
                feed.forget([track.id for track in gone])

    app.push_screen(Confirm(f"Forget {name}?", body, yes="Forget", no="Keep"), answered)


def chat(app: FttuiApp, tracks: Sequence[Track]) -> None:
    """Talk to the base and what the job made of it; to what several jobs made, side by side."""
    made = [track for track in tracks if track.job.fine_tuned_model]
    if not made:
        return
    profile = made[0].profile
    models = [track.job.fine_tuned_model for track in made if track.profile == profile]
    if len(made) == 1:
        models.insert(0, made[0].job.model)
    app.backend.follow(made[0].job)
    models = deploying.asked_as(app, deploying.provider_of(app, made[0].job), models)
    app.change(job=made[0].job, chat_models=models[:TALKS])
    app.go("chat")


def compare(app: FttuiApp, tracks: Sequence[Track], purse: Purse) -> None:
    from fttui.ui.dialogs.compare_jobs import CompareJobs

    app.push_screen(CompareJobs(tracks, purse))


def export(app: FttuiApp, tracks: Sequence[Track], chart: str) -> None:
    """Save a report of each job in the folder fttui was started in, and say where. chart: of the first,
    where there is only one."""
    from fttui.ui.jobs import report as job_report

    paths = []
    try:
        for track in tracks:
            paths.append(job_report.save(track, chart if len(tracks) == 1 else "", Path.cwd()))
    except Problem as problem:
        app.show_problem(problem)
    if len(paths) == 1:
        app.notify(f"saved {paths[0]}", timeout=5)
    elif paths:
        app.notify(f"saved {plural(len(paths), 'report')} in {paths[0].parent}", timeout=5)
