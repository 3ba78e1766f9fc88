"""Which checkpoint to keep: figures, the best by a metric with the reason, and where validation turned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fttui.ui import plotting
from fttui.ui.jobs.track import Track

if TYPE_CHECKING:
    from fttui.service.types import Checkpoint


@dataclass(frozen=True)
class Metric:
    """What checkpoints are ranked by. sign: +1 where less is better, -1 where more is."""

    name: str
    title: str
    sign: int


METRICS = (
    Metric("valid_loss", "validation loss", 1),
    Metric("valid_accuracy", "validation accuracy", -1),
    Metric("valid_reward", "validation reward", -1),
    Metric("train_loss", "training loss", 1),
    Metric("train_accuracy", "training accuracy", -1),
    Metric("train_reward", "training reward", -1),
    Metric("step", "newest", -1),
)
NEWEST = METRICS[-1]
RISE = 1.005  # times the lowest validation loss: less is noise


@dataclass(frozen=True)
class Kept:
    """A checkpoint with everything known about it. final: it is the job's result."""

    track: Track
    checkpoint: Checkpoint
    final: bool
    step: int
    epoch: float | None
    train_loss: float | None
    valid_loss: float | None
    train_accuracy: float | None
    valid_accuracy: float | None
    train_reward: float | None = None
    valid_reward: float | None = None

    @property
    def model(self) -> str:
        return self.checkpoint.model

    @property
    def key(self) -> str:
        return self.checkpoint.id or self.checkpoint.model

    def figure(self, metric: Metric) -> float | None:
        value = getattr(self, metric.name)
        return None if value is None else float(value)


def of_job(track: Track) -> list[Kept]:
    """A job's checkpoints, the newest step first; its result is among them, once."""
    from fttui.service.types import Checkpoint

    job = track.job
    found = list(track.checkpoints or [])
    if job.fine_tuned_model and all(row.model != job.fine_tuned_model for row in found):
        step, _ = track.progress()
        last = max((row.step for row in found), default=0)
        at = max(step, last)
        made = Checkpoint(
            id="", model=job.fine_tuned_model, job=job.id, step=at, created_at=job.finished_at or 0
        )
        same = [row for row in found if row.step == at]
        if same:  # the same weights under the shorter name
            found = [row for row in found if row.step != at]
            made = Checkpoint(
                id=same[0].id, model=made.model, job=job.id, step=at,
                created_at=same[0].created_at, metrics=same[0].metrics,
            )  # fmt: skip
        found.append(made)
    rows = [_kept(track, row) for row in found]
    return sorted(rows, key=lambda row: row.step, reverse=True)


def _kept(track: Track, row: Checkpoint) -> Kept:
    metrics, series = row.metrics, track.curves.series

    def curve(name: str) -> float | None:
        near = series[name].at(row.step)
        return near[1] if near and near[0] == row.step else None

    def first(*values: float | None) -> float | None:
        return next((value for value in values if value is not None), None)

    return Kept(
        track,
        row,
        bool(row.model) and row.model == track.job.fine_tuned_model,
        row.step,
        _epoch(track, row.step),
        first(metrics.train_loss, curve("train")),
        first(metrics.best_valid_loss, curve("full_valid"), curve("valid")),
        first(metrics.train_accuracy, curve("train_acc")),
        first(metrics.best_valid_accuracy, curve("full_valid_acc"), curve("valid_acc")),
        first(metrics.train_reward, curve("reward")),
        first(metrics.valid_reward, curve("valid_reward")),
    )


def _epoch(track: Track, step: int) -> float | None:
    """Epochs done at a step; None where the steps of an epoch are not known."""
    epochs = track.job.hyperparameters.get("n_epochs")
    _, total = track.progress()
    if total is None and track.job.ended:
        total = track.progress()[0]
    if not isinstance(epochs, int) or not total or not step:
        return None
    return step * epochs / total


def usable(rows: Sequence[Kept]) -> list[Metric]:
    """The metrics that at least one row has."""
    return [m for m in METRICS if any(row.figure(m) is not None for row in rows)]


def ordered(rows: Sequence[Kept], metric: Metric) -> list[Kept]:
    """The best first; of equals, the earlier step (it saw the data less often); without it, last."""
    if metric is NEWEST:
        return sorted(rows, key=lambda row: (row.checkpoint.created_at, row.step), reverse=True)

    def place(row: Kept) -> tuple[bool, float, int]:
        value = row.figure(metric)
        return value is None, (value or 0.0) * metric.sign, row.step

    return sorted(rows, key=place)


def best(rows: Sequence[Kept], metric: Metric) -> Kept | None:
    """The best row, where one has the metric."""
    known = [row for row in rows if row.figure(metric) is not None]
    return ordered(known, metric)[0] if known else None


def reason(rows: Sequence[Kept], metric: Metric) -> str:
    """Why the best is the best: `lowest validation loss, 0.410 (next: 0.450 at step 600)`."""
    top = best(rows, metric)
    if top is None:
        return ""
    several = len({row.track.id for row in rows}) > 1

    def where(row: Kept) -> str:
        return f"{row.track.name} step {row.step:,}" if several else f"step {row.step:,}"

    if metric is NEWEST:
        return f"{where(top)}: the newest"
    word = "lowest" if metric.sign > 0 else "highest"
    figure = top.figure(metric) or 0.0
    text = f"{where(top)}: {word} {metric.title}, {plotting.number(figure)}"
    second = best([row for row in rows if row is not top], metric)
    if second is not None and second.figure(metric) is not None:
        value = plotting.number(second.figure(metric) or 0.0)
        text += f" (next: {value} at {where(second)})"
    return text


def comparable(rows: Sequence[Kept]) -> str:
    """Why validation figures of these rows do not compare; "" where they do."""
    told = [row for row in rows if row.valid_loss is not None or row.valid_accuracy is not None]
    files = {row.track.job.validation_file for row in told}
    if len(files) > 1:
        return f"validated on {len(files)} different files: their losses do not compare"
    bases = {row.track.job.model.partition("-20")[0] for row in told}
    if len(bases) > 1:
        return "of different base models: their losses compare only roughly"
    return ""


def turning(rows: Sequence[Kept]) -> Kept | None:
    """The checkpoint of one job after which validation rose; None where it did not."""
    known = sorted((row for row in rows if row.valid_loss is not None), key=lambda row: row.step)
    if len(known) < 2:
        return None
    low = min(known, key=lambda row: (row.valid_loss or 0.0, row.step))
    rose = (known[-1].valid_loss or 0.0) > (low.valid_loss or 0.0) * RISE
    return low if low is not known[-1] and rose else None


def past_turning(rows: Sequence[Kept]) -> frozenset[str]:
    """Keys of the checkpoints after the turning of their job."""
    found = set()
    for job in {row.track.id for row in rows}:
        own = [row for row in rows if row.track.id == job]
        low = turning(own)
        found |= {row.key for row in own if low is not None and row.step > low.step}
    return frozenset(found)


def turned(rows: Sequence[Kept]) -> str:
    """Where validation began to rise while training went on falling; "" where it did not."""
    low = turning(rows)
    if low is None:
        return ""
    last = max((row for row in rows if row.valid_loss is not None), key=lambda row: row.step)
    before, after = low.valid_loss or 0.0, last.valid_loss or 0.0
    text = (
        f"over-fitting: validation turned after step {low.step:,}"
        f" ({plotting.number(before)} → {plotting.number(after)})"
    )
    if (
        low.train_loss is not None
        and last.train_loss is not None
        and low.train_loss > last.train_loss
    ):
        text += " while the training loss fell on"
    return text
