"""Drawing curves with characters: scales, ticks, columns that keep every spike, braille dots. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from fttui.ui.jobs.curves import Series

# bit of a dot in a braille cell, by column (0–1) and row (0–3)
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10ⁿ that divides `span` into at most `most` parts."""
    if span <= 0 or most < 1:
        return 1.0
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5, 10):
        if factor * power >= rough * (1 - 1e-9):
            return factor * power
    return 10 * power


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within [low, high]."""
    step = nice_step(high - low, most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """1, 2, 5 × 10ⁿ within [low, high]; powers of ten alone where that is too many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power
            for power in range(first, last + 1)
            for factor in factors
            if low * (1 - 1e-9) <= factor * 10.0**power <= high * (1 + 1e-9)
        ]
        if len(found) <= most:
            break
    return found if len(found) >= 2 else [low, high]


def number(value: float, step: float = 0.0) -> str:
    """A figure in few characters: as many decimals as `step` needs, else three that say something."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 0.001:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if step:
        decimals = max(0, min(4, -math.floor(math.log10(step) + 1e-9)))
        if decimals < 4 and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
            decimals += 1
        return f"{value:.{decimals}f}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to dots: `low` at dot `dots - 1` (the bottom), `high` at 0. Zero and less have no
    logarithm: they lie on the bottom."""

    low: float
    high: float
    dots: int
    log: bool = False

    def __call__(self, value: float) -> int:
        if self.log:
            if value <= self.low:
                return self.dots - 1
            place = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            place = (value - self.low) / (self.high - self.low)
        return max(0, min(self.dots - 1, round((1 - place) * (self.dots - 1))))


def value_range(
    series: Sequence[Series], *, log: bool, within: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """The lowest and highest finite value of all series, a little apart; None without any.
    within: only the steps from … to."""
    lows, highs = [], []
    for one in series:
        values: Sequence[float] = one.values
        if within is not None:
            steps = one.steps
            values = values[bisect_left(steps, within[0]) : bisect_right(steps, within[1])]
        if not values:
            continue
        low, high = min(values), max(values)
        if (log and low <= 0) or not math.isfinite(low + high):
            values = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
            if not values:
                continue
            low, high = min(values), max(values)
        lows.append(low)
        highs.append(high)
    if not lows:
        return None
    low, high = min(lows), max(highs)
    if high - low <= abs(high) * 1e-9:
        gap = abs(high) * 0.1 or 0.5
        low, high = (low / 2, high * 2) if log else (low - gap, high + gap)
    return low, high


@dataclass(frozen=True, slots=True)
class Column:
    """One column of dots: the first, lowest, highest and last value that fall into it."""

    x: int
    first: float
    low: float
    high: float
    last: float


def fold(series: Series, x_low: float, x_high: float, dots: int) -> list[Column]:
    """The series as columns of dots. Lowest and highest of each are kept, so no spike is lost."""
    steps, values = series.steps, series.values
    begin, end = bisect_left(steps, x_low), bisect_right(steps, x_high)
    if begin >= end:
        return []
    width = (x_high - x_low) / max(1, dots - 1) or 1.0
    found = []
    at = begin
    while at < end:
        x = round((steps[at] - x_low) / width)
        edge = bisect_right(steps, x_low + (x + 0.5) * width, at + 1, end)
        part = values[at:edge]
        found.append(Column(min(x, dots - 1), part[0], min(part), max(part), part[-1]))
        at = edge
    return found


class Canvas:
    """A grid of dots, 2 × 4 in a cell (`ascii`: one dot is one cell)."""

    def __init__(self, width: int, height: int, *, ascii_only: bool = False) -> None:
        self.width, self.height = width, height
        self.across, self.down = (1, 1) if ascii_only else (2, 4)
        self.cells = [bytearray(width) for _ in range(height)]

    @property
    def dots(self) -> tuple[int, int]:
        return self.width * self.across, self.height * self.down

    def dot(self, x: int, y: int) -> None:
        if self.down == 1:
            self.cells[y][x] = 1
        else:
            self.cells[y >> 2][x >> 1] |= _DOTS[x & 1][y & 3]

    def vertical(self, x: int, top: int, bottom: int) -> None:
        for y in range(top, bottom + 1):
            self.dot(x, y)

    def join(self, x0: int, y0: int, x1: int, y1: int, *, dashed: bool) -> None:
        """A line between two dots, its ends left out."""
        span = x1 - x0
        before = y0
        for x in range(x0 + 1, x1):
            y = round(y0 + (y1 - y0) * (x - x0) / span)
            if not dashed or (x // self.across) % 2 == 0:
                step = 1 if y >= before else -1
                inner = before + step if y != before else y
                self.vertical(x, min(inner, y), max(inner, y))
            before = y
        if before != y1 and span == 1:  # neighbours: close the gap between their heights
            middle = (y0 + y1) // 2
            self.vertical(x0, min(y0, middle), max(y0, middle))
            self.vertical(x1, min(middle, y1), max(middle, y1))

    def curve(self, columns: Sequence[Column], scale: Scale, *, dashed: bool = False) -> None:
        """Draw a folded series."""
        before: tuple[int, int] | None = None
        for column in columns:
            self.vertical(column.x, scale(column.high), scale(column.low))
            if before is not None:
                first = scale(column.first)
                gap = dashed and column.x - before[0] > 2 * self.across
                self.join(*before, column.x, first, dashed=gap)
            before = (column.x, scale(column.last))


SPARK = "▁▂▃▄▅▆▇█"
SPARK_ASCII = "_.-~=*#"


def sparkline(series: Series, width: int, *, ascii_only: bool = False) -> str:
    """The whole curve in `width` characters: the mean of each part; shorter while there is little."""
    values = series.values
    if not values or width <= 0:
        return ""
    n = len(values)
    parts = min(width, n)
    means = []
    for i in range(parts):
        part = values[i * n // parts : (i + 1) * n // parts]
        means.append(sum(part) / len(part))
    low, high = min(means), max(means)
    glyphs = SPARK_ASCII if ascii_only else SPARK
    top = len(glyphs) - 1
    span = high - low
    return "".join(glyphs[round((m - low) / span * top) if span else 0] for m in means)
