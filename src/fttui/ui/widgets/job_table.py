"""One job as a row, and the words for what it is doing. Columns depend on the width; nothing jumps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fttui.text import duration, plural
from fttui.ui import plotting
from fttui.ui.crumbs import status
from fttui.ui.jobs.listing import Group
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part, fit

# Words that fit the status column; the others are shown as they are.
WORDS = {"validating_files": "validating"}
# The same status without any symbol beyond ASCII.
PLAIN = {"●": "*", "✓": "+", "✗": "x", "◌": "o", "‖": "=", "⊘": "-", "?": "?"}


@dataclass(frozen=True)
class Look:
    """How rows are drawn. price: of a job, as text. tag: columns for the profile's name, 0 for none.
    marked, watched: ids. grouped: sweeps have headings."""

    ascii_only: bool = False
    price: Callable[[Track], str] = lambda track: ""
    tag: int = 0
    marked: frozenset[str] = frozenset()
    watched: frozenset[str] = frozenset()
    grouped: bool = False


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


STEPS = 9  # columns of the progress


def progress(track: Track) -> str:
    """`612/1,204`, `612`, `3 ep` or nothing, in STEPS columns."""
    step, total = track.progress()
    if step and total:
        full = f"{step:,}/{total:,}"
        return full if len(full) <= STEPS else _short(step, total)
    if step:
        full = f"step {step:,}"
        return full if len(full) <= STEPS else _thousands(step)
    epochs = track.job.hyperparameters.get("n_epochs")
    return f"{epochs} ep" if isinstance(epochs, int) else ""


def _short(step: int, total: int) -> str:
    """`1204/3612`, `12k/36k`; at last the part that is done."""
    for text in (f"{step}/{total}", f"{_thousands(step)}/{_thousands(total)}"):
        if len(text) <= STEPS:
            return text
    return f"{100 * step / total:.1f}%"


def _thousands(count: int) -> str:
    """`950`, `9.5k`, `95k`, `1.2M`."""
    if count < 1000:
        return str(count)
    unit, value = ("k", count / 1e3) if count < 999_500 else ("M", count / 1e6)
    return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"


def outcome(track: Track, look: Look) -> tuple[str, str]:
    """What is left to come, what it cost, or how long it took: (text, style name)."""
    seconds = track.seconds_left()
    if seconds is not None:
        return f"{left(seconds)} left", "primary"
    price = look.price(track)
    if price:
        return price, "dim"
    taken = track.seconds_taken()
    return (duration(taken) if taken is not None else "", "dim")


@dataclass(frozen=True)
class _Columns:
    """Widths; 0: not shown. What gets no room first: the model, the curve, the rest, then the tag."""

    name: int
    model: int
    tag: int
    spark: int
    loss: int = 6
    rest: int = 0

    @classmethod
    def of(cls, width: int, tag: int) -> _Columns:
        room = width - 15 - STEPS - 1 - 6  # what is always there: badge and word, progress, loss
        rest = 10 if room >= 22 else 0
        room -= rest
        spark = 8 if width - tag >= 64 else 6
        spark = spark if rest and room - spark - 1 - (tag and tag + 1) >= 11 else 0
        room -= spark and spark + 1
        tag = tag if room - tag >= 9 else 0
        room -= tag + 1 if tag else 0
        name = room - 1 if room < 35 else max(16, room - 24)
        model = room - name - 2
        return cls(max(4, name), model if model >= 11 else 0, tag, spark, rest=rest and rest - 1)

    @property
    def figures(self) -> int:
        """From the progress to the end."""
        return STEPS + 1 + (self.spark and self.spark + 1) + 6 + (self.rest and self.rest + 1)


def row(track: Track, width: int, look: Look) -> Sequence[Part]:
    """The parts of a job's row: status, name, model, profile, progress, curve, loss, rest."""
    job = track.job
    columns = _Columns.of(width, look.tag)
    glyph, style = badge(job.status, look.ascii_only)
    old = bool(track.remembered_at) or track.gone
    shade = "faint" if old else style
    parts: list[Part] = [
        _edge(track, look),
        (f"{glyph} ", shade),
        (f"{fit(word(job.status), 10)} ", shade),
        *_name(track, columns, look, old),
    ]
    if columns.model:
        parts.append((fit(job.model, columns.model) + " ", "dim"))
    if columns.tag:
        parts.append((fit(track.profile, columns.tag) + " ", "accent"))
    if job.status == "failed":
        note = " (no longer listed)" if track.gone else " (remembered)" if old else ""
        shade = "faint" if old else "error"
        return [*parts, (fit(_reason(track) + note, columns.figures), shade)]
    if track.gone:
        return [*parts, (fit("no longer listed by the provider", columns.figures), "faint")]
    parts.append((fit(progress(track), STEPS, "right") + " ", "dim" if old else ""))
    return [*parts, *_curve(track, columns, look)]


def _edge(track: Track, look: Look) -> Part:
    """The first column: marked, or under the heading of a sweep."""
    if track.id in look.marked:
        return ("|" if look.ascii_only else "┃", "accent")
    return (":" if look.ascii_only else "╎", "faint") if look.grouped and track.sweep else " "


def _name(track: Track, columns: _Columns, look: Look, old: bool) -> list[Part]:
    """The name; a watched job's ends with a sign."""
    style = "faint" if old else "bold"
    if track.id not in look.watched:
        return [(fit(track.name, columns.name) + " ", style)]
    sign = "w" if look.ascii_only else "◉"
    return [(fit(track.name, columns.name - 2), style), (f" {sign} ", "accent")]


def _curve(track: Track, columns: _Columns, look: Look) -> list[Part]:
    """From the curve to the end of the row."""
    ended = track.job.ended
    value = track.loss.last
    number = plotting.number(value) if value is not None else ""
    parts: list[Part] = []
    if columns.spark:
        curve = plotting.sparkline(track.loss, columns.spark, ascii_only=look.ascii_only)
        parts.append((fit(curve, columns.spark) + " ", "dim" if ended else "primary"))
    parts.append((fit(number, columns.loss, "right"), "" if ended else "bold"))
    if columns.rest:
        text, tint = outcome(track, look)
        parts.append((" " + fit(text, columns.rest, "right"), tint))
    return parts


def group_row(group: Group, width: int, look: Look) -> Sequence[Part]:
    """The heading of a sweep: its name, how its jobs stand, the best of them."""
    arrow = ("+" if group.folded else "-") if look.ascii_only else ("▸" if group.folded else "▾")
    marked = all(track.id in look.marked for track in group.tracks)
    parts: list[Part] = [
        (("┃" if not look.ascii_only else "|") if marked else " ", "accent"),
        (f"{arrow} ", "accent"),
        (fit(group.name, min(24, max(8, width // 3))).rstrip(), "bold"),
        (f"  {plural(len(group.tracks), 'job')}", "dim"),
    ]
    for name, count in group.counts():
        glyph, style = badge(name, look.ascii_only)
        parts += [("  ", ""), (f"{glyph}{count}", style)]
    best = group.best()
    if best is not None:
        track, value, kind = best
        which = "valid " if kind == "valid" else ""
        parts += [("  best ", "dim"), (f"{which}{plotting.number(value)}", "ok")]
        parts.append((f" {track.name}", "dim"))
    return parts


def _reason(track: Track) -> str:
    error = track.job.error
    if error is None:
        return "no reason given"
    return error.message or error.code
