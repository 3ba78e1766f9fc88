"""The plot of a chart: curves as dots, laid over one another, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

from fttui.ui import plotting
from fttui.ui.jobs.curves import Series

SPARSE = 4  # a series with fewer points than a quarter of the columns gets a mark on each


@dataclass(frozen=True)
class Trace:
    """One curve: its name in the legend, its style name, and whether its line is dashed.
    mark: one character at its end and in the legend, which tells curves apart without colours."""

    name: str
    series: Series
    style: str
    dashed: bool = False
    mark: str = ""


class Cells:
    """The plot itself: a canvas for each curve, laid over one another."""

    def __init__(self, width: int, height: int, x_low: float, x_high: float, plain: bool) -> None:
        self.width, self.height, self.plain = width, height, plain
        self.x_low, self.x_high = x_low, x_high
        self.layers: list[tuple[plotting.Canvas, str, str]] = []
        self.points: dict[tuple[int, int], tuple[str, str]] = {}
        self.cursor_column: int | None = None

    def scale(self, low: float, high: float, log: bool) -> plotting.Scale:
        return plotting.Scale(low, high, self.height * (1 if self.plain else 4), log)

    def row(self, value: float, low: float, high: float, log: bool) -> int:
        return self.scale(low, high, log)(value) // (1 if self.plain else 4)

    def draw(self, trace: Trace, low: float, high: float, log: bool) -> None:
        canvas = plotting.Canvas(self.width, self.height, ascii_only=self.plain)
        columns = plotting.fold(trace.series, self.x_low, self.x_high, canvas.dots[0])
        scale = self.scale(low, high, log)
        canvas.curve(columns, scale, dashed=trace.dashed)
        glyph = "o" if trace.dashed else ("." if trace.style == "faint" else "*")
        self.layers.append((canvas, trace.style, glyph))
        if len(trace.series) * SPARSE <= self.width or len(trace.series) == 1:
            mark = glyph if self.plain else "●"
            for column in columns:
                place = (scale(column.last) // canvas.down, column.x // canvas.across)
                self.points[place] = (mark, trace.style)
        if trace.mark and columns:
            last = columns[-1]
            y, x = scale(last.last) // canvas.down, last.x // canvas.across
            self.points[self._free(y, x)] = (trace.mark, trace.style)

    def _free(self, y: int, x: int) -> tuple[int, int]:
        """The place for a mark: beside another one where two curves end together."""
        for at in range(x, max(-1, x - 12), -1):
            if not self.points.get((y, at), ("", ""))[0].isalnum():
                return y, at
        return y, x

    def upright(self, step: float) -> None:
        place = (step - self.x_low) / (self.x_high - self.x_low)
        self.cursor_column = max(0, min(self.width - 1, round(place * (self.width - 1))))

    def line(self, y: int) -> list[tuple[str, str]]:
        cells: list[tuple[str, str]] = [(" ", "")] * self.width
        bits = [0] * self.width
        for canvas, style, glyph in self.layers:
            for x, dots in enumerate(canvas.cells[y]):
                if dots:
                    under = cells[x][1] == "faint"  # a raw curve does not thicken its mean
                    bits[x] = dots if under else bits[x] | dots
                    char = glyph if self.plain else chr(0x2800 + bits[x])
                    cells[x] = (char, style)
        for (row, x), point in self.points.items():
            if row == y:
                cells[x] = point
        if self.cursor_column is not None and cells[self.cursor_column][0] == " ":
            cells[self.cursor_column] = ("|" if self.plain else "│", "faint")
        return cells


def merge(cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Neighbours of one style as one piece."""
    merged: list[tuple[str, str]] = []
    for text, style in cells:
        if merged and merged[-1][1] == style:
            merged[-1] = (merged[-1][0] + text, style)
        else:
            merged.append((text, style))
    return merged
