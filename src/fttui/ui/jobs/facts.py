"""What there is to say about one job, as lines of parts: state, settings asked and resolved, files, error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fttui.text import duration, plural
from fttui.ui import plotting
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part
from fttui.ui.widgets.job_table import ago, badge, left, word

SHORT = {
    "n_epochs": "epochs",
    "batch_size": "batch",
    "learning_rate_multiplier": "lr ×",
    "compute_multiplier": "compute ×",
}


def state(track: Track, *, ascii_only: bool = False, price: str = "") -> list[Part]:
    """The first line: status, progress, rest or duration, when it began, how old this is."""
    job = track.job
    glyph, style = badge(job.status, ascii_only)
    parts: list[Part] = [(f"{glyph} {word(job.status)}", style)]
    step, total = track.progress()
    if step:
        parts.append(f" · step {step:,}" + (f" of {total:,}" if total else ""))
    seconds = track.seconds_left()
    if seconds is not None:
        parts.append((f" · {left(seconds)} left", "primary"))
    taken = track.seconds_taken()
    if taken is not None:
        parts.append((f" · took {duration(taken)}", "dim"))
    elif job.created_at:
        parts.append((f" · since {_clock(job.created_at)}", "dim"))
    if job.trained_tokens:
        parts.append((f" · {plural(job.trained_tokens, 'token')}", "dim"))
    if price:
        parts.append((f" · {price}", "bold"))
    if track.remembered_at and not track.gone:
        parts.append((f" · remembered from {ago(track.remembered_at)}", "warning"))
    if track.gone:
        parts.append((" · no longer listed by the provider", "warning"))
    return parts


def _clock(at: int) -> str:
    then = time.localtime(at)
    today = time.localtime()
    same = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M" if same else "%Y-%m-%d %H:%M", then)


def settings(track: Track) -> list[Part]:
    """The model and every setting; what was chosen for "auto" says so."""
    job = track.job
    parts: list[Part] = [(job.model or "no model", ""), (f" · {job.method}", "dim")]
    for name, value in job.hyperparameters.items():
        parts += [(f" · {SHORT.get(name, name)} ", "dim"), (_value(value), "")]
        if track.asked.get(name) == "auto" and value != "auto":
            parts.append((" (auto)", "dim"))
    if job.seed is not None:
        parts += [(" · seed ", "dim"), str(job.seed)]
    return parts


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return str(dict(value))
    return str(value)


def files(track: Track) -> list[Part]:
    """Ids of the files, and the model that came of it."""
    job = track.job
    named = [
        ("train", job.training_file),
        ("validation", job.validation_file),
        ("results", ", ".join(job.result_files)),
    ]
    parts: list[Part] = []
    for name, value in named:
        if value:
            parts += [(f"{' · ' if parts else ''}{name} ", "dim"), value]
    return parts


def result(track: Track) -> list[Part]:
    job = track.job
    if not job.fine_tuned_model:
        return []
    return [("made ", "dim"), (job.fine_tuned_model, "ok")]


def failure(track: Track, *, ascii_only: bool = False) -> list[list[Part]]:
    """Why it failed and what to do, from the provider's words; empty when it did not fail."""
    if track.job.error is None or track.job.status not in ("failed", "cancelled"):
        return []
    from fttui.service.errors import job_problem

    problem = job_problem(track.job.error, track.id)
    cross, arrow = ("x", "->") if ascii_only else ("✗", "→")
    lines: list[list[Part]] = [[(f"{cross} {problem.what}", "error")]]
    if problem.why:
        lines.append([problem.why])
    if problem.remedy:
        lines.append([(f"{arrow} ", "accent"), problem.remedy])
    return lines


def accuracy(track: Track) -> list[Part]:
    """Token accuracies, newest, where they are told."""
    series = track.curves.series
    train = series["train_acc"].last
    valid = series["full_valid_acc"].last
    valid = series["valid_acc"].last if valid is None else valid
    parts: list[Part] = []
    if train is not None:
        parts += [("accuracy train ", "dim"), plotting.number(train)]
    if valid is not None:
        parts += [(f"{' · ' if parts else 'accuracy '}valid ", "dim"), plotting.number(valid)]
    return parts


def nothing_to_draw(track: Track, events_lack: str) -> str:
    """What the chart says while there is no value."""
    status = track.job.status
    if events_lack:
        return events_lack
    if status == "submitting":
        return "on its way to the provider"
    if status in ("validating_files", "queued"):
        return "waiting to begin: the curve starts with the first step"
    if track.job.ended:
        return "no loss was reported"
    return "waiting for the first step"
