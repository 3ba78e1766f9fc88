"""One job as the panes know it: its last body, events, curves, checkpoints, and what follows from them. Pure."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fttui.ui.jobs.curves import Curves, Series

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.service.types import Checkpoint, Job, JobEvent

RATE_EVENTS = 40  # the speed is measured over this many metrics events
GAP = 5.0  # times the usual time between two of them: the job stood still (paused, restarted)
SPARK_POINTS = 32  # of the loss, kept for the next start
OURS = "_fttui"  # what we keep inside a remembered body, beside the provider's own fields


@dataclass
class Track:
    """profile, kind: whose job it is, and of which provider. remembered_at: Unix seconds of the remembered
    body, 0 once it was read in this session. asked: hyperparameters as they were asked for, where seen."""

    job: Job
    profile: str = ""
    kind: str = ""
    remembered_at: float = 0.0
    events: list[JobEvent] = field(default_factory=list)
    curves: Curves = field(default_factory=Curves)
    checkpoints: list[Checkpoint] | None = None  # None: not read
    asked: dict[str, Any] = field(default_factory=dict)
    gone: bool = False  # the provider lists it no longer
    spark: Series = field(default_factory=Series)  # remembered, until there are events
    _pace: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RATE_EVENTS))

    @property
    def id(self) -> str:
        return self.job.id

    @property
    def name(self) -> str:
        """What a person calls it: its suffix, else the end of its id."""
        return self.job.suffix or self.job.id[-8:]

    @property
    def sweep(self) -> str:
        """The sweep it was launched in, "" for none."""
        from fttui.service import sweep

        return sweep.of(self.job)

    @property
    def live(self) -> bool:
        """Something is going on, as far as the provider still says anything about it."""
        return self.job.live and not self.gone

    def update(self, job: Job) -> None:
        for name, value in job.hyperparameters.items():
            self.asked.setdefault(name, value)
        self.job, self.remembered_at, self.gone = job, 0.0, False

    def add_events(self, events: Iterable[JobEvent]) -> bool:
        """Append events, oldest first; True when one of them tells of a checkpoint."""
        checkpoint = False
        for event in events:
            self.events.append(event)
            metrics = event.metrics
            if metrics is not None:
                self.curves.add(metrics)
                self._pace.append((event.created_at, metrics.step))
            checkpoint |= "checkpoint" in event.message.lower()
        return checkpoint

    # -- what follows

    @property
    def loss(self) -> Series:
        return self.curves.loss if len(self.curves.loss) else self.spark

    def progress(self) -> tuple[int, int | None]:
        """(step, steps in all or None)."""
        step = max(self.curves.last_step, self.job.trained_steps or 0)
        return step, self.curves.total_steps or self.job.total_steps

    def rate(self) -> float | None:
        """Steps a second, measured over the last events, without the times it stood still; None before
        there are two apart."""
        rows = list(self._pace)
        pairs = itertools.pairwise(rows)
        moves = [(b[0] - a[0], b[1] - a[1]) for a, b in pairs if b[1] > a[1] and b[0] >= a[0]]
        each = sorted(seconds / steps for seconds, steps in moves)
        if not each:
            return None
        usual = each[len(each) // 2] or sum(each) / len(each)
        steady = [move for move in moves if move[0] / move[1] <= max(GAP * usual, 1.0)]
        seconds = sum(move[0] for move in steady)
        return sum(move[1] for move in steady) / seconds if seconds > 0 else None

    def seconds_left(self, now: float | None = None) -> float | None:
        """Until the end, from the measured rate, else as the provider estimates it."""
        if self.job.status != "running" or self.gone:
            return None
        step, total = self.progress()
        rate = self.rate()
        if rate and total:
            return max(0.0, (total - step) / rate)
        if self.job.estimated_finish:
            left = self.job.estimated_finish - self._clock(now)
            return left if left > 0 else None
        return None

    def _clock(self, now: float | None = None) -> float:
        """The provider's time: ours, or that of its newest event where its clock is ahead of ours."""
        told = self.events[-1].created_at if self.events else 0
        return max(time.time() if now is None else now, told)

    def seconds_taken(self) -> float | None:
        """From creation to the end, for a job that ended."""
        job = self.job
        if job.finished_at and job.created_at:
            return max(0, job.finished_at - job.created_at)
        if job.ended and self.events and job.created_at:
            return max(0, self.events[-1].created_at - job.created_at)
        return None

    def cost(self, catalog: Catalog | None, provider: str) -> tuple[Decimal, str] | None:
        """(amount, currency) of the tokens billed so far; None where tokens or price are unknown."""
        if catalog is None or not self.job.trained_tokens:
            return None
        model = catalog.get(self.job.model, provider)
        if model is None or model.training is None:
            return None
        price = model.training
        return price.amount * self.job.trained_tokens / 1_000_000, price.currency

    def share(self) -> Decimal | None:
        """The part of its steps that is done, 0 to 1; None where it is not known."""
        step, total = self.progress()
        return Decimal(min(step, total)) / total if step and total else None

    # -- kept for the next start

    def body(self) -> dict[str, Any]:
        """The provider's body with a few figures of ours in it."""
        step, total = self.progress()
        values = self.loss.values
        thin = [values[i * len(values) // SPARK_POINTS] for i in range(SPARK_POINTS)] if (
            len(values) > SPARK_POINTS
        ) else list(values)  # fmt: skip
        if thin:
            thin[-1] = values[-1]
        ours = {"step": step, "total": total, "spark": thin, "asked": self.asked, "gone": self.gone}
        return {**self.job.raw, "id": self.job.id, OURS: ours}

    @classmethod
    def remembered(cls, body: Mapping[str, Any], at: float) -> Track:
        from fttui.service.types import Job

        kept = body.get(OURS) or {}
        track = cls(Job.from_json({k: v for k, v in body.items() if k != OURS}), remembered_at=at)
        track.gone = bool(kept.get("gone"))
        track.asked = dict(kept.get("asked") or track.job.hyperparameters)
        track.spark = Series.of(list(enumerate(kept.get("spark") or [])))
        track.curves.last_step = int(kept.get("step") or 0)
        track.curves.total_steps = kept.get("total")
        return track
