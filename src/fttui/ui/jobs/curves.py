"""The figures of a job by step, kept so that 20,000 of them are drawn in a few milliseconds. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.service.types import Metrics

# name of a curve → field of service.types.Metrics
FIELDS = {
    "train": "train_loss",
    "valid": "valid_loss",
    "full_valid": "full_valid_loss",
    "train_acc": "train_accuracy",
    "valid_acc": "valid_accuracy",
    "full_valid_acc": "full_valid_accuracy",
    "reward": "train_reward",
    "valid_reward": "valid_reward",
}


class Series:
    """Values by step, in the order of steps; a step told twice (a job that resumed) keeps the last."""

    __slots__ = ("rewrites", "steps", "values", "version")

    def __init__(self) -> None:
        self.steps = array("d")
        self.values = array("d")
        self.version = 0  # counts every change
        self.rewrites = 0  # counts those that were not a value put at the end

    @classmethod
    def of(cls, pairs: list[tuple[float, float]]) -> Series:
        made = cls()
        for step, value in pairs:
            made.add(step, value)
        return made

    def add(self, step: float, value: float) -> bool:
        """Put a value in; True when it was not known."""
        if value != value:  # a NaN has no place on a chart
            return False
        if not self.steps or step > self.steps[-1]:
            self.steps.append(step)
            self.values.append(value)
        else:
            at = bisect_left(self.steps, step)
            if self.steps[at] == step:
                if self.values[at] == value:
                    return False
                self.values[at] = value
            else:
                self.steps.insert(at, step)
                self.values.insert(at, value)
            self.rewrites += 1
        self.version += 1
        return True

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self.steps, self.values, strict=True)

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None

    def at(self, step: float) -> tuple[float, float] | None:
        """The (step, value) nearest to `step`."""
        if not self.steps:
            return None
        i = bisect_left(self.steps, step)
        near = [k for k in (i - 1, i) if 0 <= k < len(self.steps)]
        best = min(near, key=lambda k: abs(self.steps[k] - step))
        return self.steps[best], self.values[best]

    def smoothed(self, weight: float) -> Series:
        """An exponential mean without the bias of its start; `weight` 0 (none) to below 1."""
        return Smooth(self, weight).series()

    def trend(self) -> str:
        """`↓`, `↑` or `→`: the last tenth of the values against the tenth before."""
        n = len(self.values)
        part = max(1, n // 10)
        if n < 2 * part or n < 2:
            return ""
        new = sum(self.values[-part:]) / part
        old = sum(self.values[-2 * part : -part]) / part
        change = (new - old) / (abs(old) or 1)
        return "→" if abs(change) < 0.01 else ("↓" if change < 0 else "↑")


class Smooth:
    """The exponential mean of a series, kept in step with it: what was added since costs only itself."""

    def __init__(self, source: Series, weight: float) -> None:
        self.source, self.weight = source, weight
        self._begin()

    def _begin(self) -> None:
        self._made = Series()
        self._rewrites = self.source.rewrites
        self._mean = self._norm = 0.0

    def series(self) -> Series:
        """Its values now; the same object every time until the source was rewritten."""
        source, made = self.source, self._made
        if source.rewrites != self._rewrites:
            self._begin()
            made = self._made
        if made.version == source.version and len(made) == len(source):
            return made
        weight, rest = self.weight, 1 - self.weight
        mean, norm = self._mean, self._norm
        for value in source.values[len(made.values) :]:
            mean = weight * mean + rest * value
            norm = weight * norm + rest
            made.values.append(mean / norm)
        made.steps = source.steps
        self._mean, self._norm = mean, norm
        made.version, made.rewrites = source.version, source.rewrites
        return made


class Curves:
    """Every curve of one job, and how many steps it will have."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {name: Series() for name in FIELDS}
        self.total_steps: int | None = None
        self.last_step = 0

    def add(self, metrics: Metrics) -> bool:
        """Take the figures of one step; True when anything in it was new."""
        new = False
        for name, field in FIELDS.items():
            value = getattr(metrics, field)
            if value is not None and self.series[name].add(metrics.step, float(value)):
                new = True
        if metrics.total_steps and metrics.total_steps != self.total_steps:
            self.total_steps, new = metrics.total_steps, True
        if metrics.step > self.last_step:
            self.last_step, new = metrics.step, True
        return new

    @property
    def loss(self) -> Series:
        """What a job is judged by while it trains: its loss, or its reward where it has no loss."""
        return self.series["train"] if len(self.series["train"]) else self.series["reward"]

    @property
    def valid(self) -> Series:
        """Validation over the batch; over the whole file where only that is told."""
        for name in ("valid", "full_valid", "valid_reward"):
            if len(self.series[name]):
                return self.series[name]
        return self.series["valid"]
