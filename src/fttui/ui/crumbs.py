"""What the top lines say: the thread link by link, whose money, and what will stop when."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING

from fttui.text import one_line, plural
from fttui.ui.text import Part
from fttui.ui.thread import Thread

if TYPE_CHECKING:
    from fttui.ui.backend import Backend

# glyph, word, style of a job's status; an unknown status is shown as it is.
STATUS: dict[str, tuple[str, str]] = {
    "validating_files": ("◌", "accent"),
    "queued": ("◌", "accent"),
    "running": ("●", "primary"),
    "pausing": ("‖", "warning"),
    "paused": ("‖", "warning"),
    "succeeded": ("✓", "ok"),
    "failed": ("✗", "error"),
    "cancelled": ("⊘", "dim"),
    "submitting": ("◌", "dim"),
}


def status(name: str) -> tuple[str, str]:
    """(glyph, style name) of a job's status."""
    return STATUS.get(name, ("?", "warning"))


def crumbs(thread: Thread) -> list[list[Part]]:
    """The links, each a list of parts; a link that has nothing yet is its bare name, dim."""
    return [
        _data(thread),
        _check(thread),
        _cost(thread),
        _job(thread),
        _checkpoint(thread),
        _chat(thread),
    ]


def _data(thread: Thread) -> list[Part]:
    if thread.path is None:
        return [("data", "faint")]
    return [(one_line(thread.path.name, 32), "bold")]


def _check(thread: Thread) -> list[Part]:
    if thread.problem is not None:
        return [("✗ unusable", "error")]
    if thread.report is not None:
        counts = thread.report.severities
        errors, warnings = counts.get("error", 0), counts.get("warning", 0)
        if errors:
            return [(f"✗ {plural(errors, 'error')}", "error")]
        if warnings:
            return [("✓ 0 errors", "ok"), (f" ⚠ {warnings:,}", "warning")]
        return [("✓ 0 errors", "ok")]
    if thread.progress is not None and thread.progress.bytes_total:
        return [
            (f"checking {100 * thread.progress.bytes_done // thread.progress.bytes_total}%", "dim")
        ]
    return [("check", "faint")]


def _cost(thread: Thread) -> list[Part]:
    estimate = thread.estimate
    if estimate is None:
        return [("cost", "faint")]
    if not estimate.total:
        return [("free", "ok")]
    from fttui.pricing.money import show

    about = "~" if thread.report is None else ""  # the file is still being scanned
    return [(about + show(estimate.total, estimate.currency), "bold")]


def _job(thread: Thread) -> list[Part]:
    job = thread.job
    if job is None:
        return [("job", "faint")]
    glyph, style = status(job.status)
    name = job.suffix or job.id[-8:]
    return [(f"{glyph} ", style), (one_line(name, 20), ""), (f" {job.status}", style)]


def _checkpoint(thread: Thread) -> list[Part]:
    if thread.checkpoint is None:
        return [("checkpoint", "faint")]
    return [f"step {thread.checkpoint.step}"]


def _chat(thread: Thread) -> list[Part]:
    if thread.evaluation:
        return [
            (one_line(thread.evaluation, 32), "ok" if thread.evaluation[-1] != "%" else "accent")
        ]
    if not thread.chat_models:
        return [("chat", "faint")]
    return [plural(len(thread.chat_models), "model")]


def whose(backend: Backend) -> list[Part]:
    """The profile whose money is at stake (that of the job, where one is shown), and when its jobs were last read."""
    profile = backend.at_stake
    if profile is None:
        return []
    parts: list[Part] = [(profile.name, "accent")]
    owner = "/".join(one_line(part, 16) for part in (profile.organization, profile.project) if part)
    if owner or profile.name != profile.provider:
        parts.append((f" {owner or profile.host}", "dim"))
    if profile.read_only:
        parts.append((" read-only", "warning"))
    if profile.name != backend.profile.name:  # the job of another one: what is launched is not its
        parts.append((f" (in hand: {backend.profile.name})", "dim"))
    age = backend.last_read
    if age:
        style = "warning" if backend.stale else "dim"
        parts.append((time.strftime("  read %H:%M", time.localtime(age)), style))
    return parts


def banner(thread: Thread, room: int = 80) -> list[Part]:
    """The lifecycle of the plan's model, when its end is near; the shortest true words where room is
    short."""
    if thread.model is None:
        return []
    from fttui.pricing import lifecycle

    left = lifecycle.life(thread.model, date.today())
    if left.level == "ok":
        return []
    parts = []
    if not left.trainable:
        parts.append("cannot be trained")
    elif left.training_days is not None:
        parts.append(f"training ends in {left.training_days}d")
    if left.tuned_days is not None:
        parts.append(f"model retires in {left.tuned_days}d" if left.answers else "model retired")
    text = "⚠ " + ", ".join(parts)
    if len(text) > room and left.trainable and left.training_days is not None:
        text = f"⚠ trains {left.training_days}d" + (
            f", lives {left.tuned_days}d" if left.tuned_days is not None else ""
        )
    return [(text, "error" if left.level == "over" else "warning")]
