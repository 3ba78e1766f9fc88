"""One job as a row, and the words for what it is doing. Columns depend on the width; nothing jumps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fttui.text import duration
from fttui.ui import plotting
from fttui.ui.crumbs import status
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part, fit

# Words that fit the status column; the others are shown as they are.
WORDS = {"validating_files": "validating"}
# The same status without any symbol beyond ASCII.
PLAIN = {"●": "*", "✓": "+", "✗": "x", "◌": "o", "‖": "=", "⊘": "-", "?": "?"}


@dataclass(frozen=True)
class Look:
    """How rows are drawn: ascii only; the price of a job as text, by id."""

    ascii_only: bool = False
    prices: dict[str, str] | None = None


def word(name: str) -> str:
    return WORDS.get(name, name)


def badge(name: str, ascii_only: bool = False) -> tuple[str, str]:
    """(glyph, style name) of a status."""
    glyph, style = status(name)
    return (PLAIN.get(glyph, "?") if ascii_only else glyph), style


def left(seconds: float) -> str:
    """A rest of time in at most four characters and a unit: `40s`, `4m`, `2h`, `3d`."""
    if seconds < 90:
        return f"{seconds:.0f}s"
    if seconds < 5400:
        return f"{seconds / 60:.0f}m"
    if seconds < 129_600:
        return f"{seconds / 3600:.0f}h"
    return f"{seconds / 86400:.0f}d"


def ago(at: float, now: float | None = None) -> str:
    """`just now`, `4m ago`, `2d ago`."""
    seconds = (time.time() if now is None else now) - at
    return "just now" if seconds < 60 else f"{left(seconds)} ago"


def progress(track: Track) -> str:
    """`612/1204`, `612`, `3 ep` or nothing."""
    step, total = track.progress()
    if step and total:
        return f"{step:,}/{total:,}"
    if step:
        return f"step {step:,}"
    epochs = track.job.hyperparameters.get("n_epochs")
    return f"{epochs} ep" if isinstance(epochs, int) else ""


def outcome(track: Track, look: Look) -> tuple[str, str]:
    """What is left to come, what it cost, or how long it took: (text, style name)."""
    seconds = track.seconds_left()
    if seconds is not None:
        return f"{left(seconds)} left", "primary"
    price = (look.prices or {}).get(track.id, "")
    if price:
        return price, "dim"
    taken = track.seconds_taken()
    return (duration(taken) if taken is not None else "", "dim")


def row(track: Track, width: int, look: Look) -> Sequence[Part]:
    """The parts of a job's row: status, name, model, progress, curve, loss, rest."""
    job = track.job
    glyph, style = badge(job.status, look.ascii_only)
    old = bool(track.remembered_at) or track.gone
    shade = "faint" if old else style
    parts: list[Part] = [
        (f" {glyph} ", shade),
        (f"{fit(word(job.status), 10)} ", shade),
    ]
    rest = width - 15
    spark, loss, tail = (8 if width >= 64 else 6), 6, 9
    figures = rest >= 44
    fixed = (9 + 1 + spark + 1 + loss + 1 + tail) if figures else (9 + 1 + loss)
    room = max(6, rest - fixed - 1)
    name = room if room < 34 else max(16, room - 22)
    parts += [(fit(track.name, name), "faint" if old else "bold"), " "]
    if room - name >= 12:
        parts.append((fit(job.model, room - name - 1) + " ", "dim"))
    if job.status == "failed":
        reason = _reason(track) + (" (remembered)" if old else "")
        return [*parts, (fit(reason, fixed), "error" if not old else "faint")]
    if track.gone:
        return [*parts, (fit("no longer listed by the provider", fixed), "faint")]
    parts.append((fit(progress(track), 9, "right") + " ", "dim" if old else ""))
    value = track.loss.last
    number = plotting.number(value) if value is not None else ""
    if not figures:
        return [*parts, (fit(number, loss, "right"), "bold")]
    curve = plotting.sparkline(track.loss, spark, ascii_only=look.ascii_only)
    text, tint = outcome(track, look)
    return [
        *parts,
        (fit(curve, spark) + " ", "dim" if job.ended else "primary"),
        (fit(number, loss, "right") + " ", "" if job.ended else "bold"),
        (fit(text, tail, "right"), tint),
    ]


def _reason(track: Track) -> str:
    error = track.job.error
    if error is None:
        return "no reason given"
    return error.message or error.code
