"""What stands around a plot: the legend above it, the axis of steps below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fttui.ui import plotting
from fttui.ui.text import fit
from fttui.ui.widgets.chart_cells import Trace

Row = list[tuple[str, str]]  # (text, style name)
LEGEND_ROWS = 4  # at most, and never more than a quarter of the height


@dataclass(frozen=True)
class Frame:
    """Where the plot lies: `gutter` cells of labels, then `plot` cells for the steps low … high."""

    gutter: int
    plot: int
    low: float
    high: float
    ascii_only: bool = False

    @property
    def scale(self) -> float:
        """Cells a step."""
        return (self.plot - 1) / (self.high - self.low)

    def column(self, step: float) -> int:
        """The cell of the plot a step lies in."""
        return max(0, min(self.plot - 1, round((step - self.low) * self.scale)))

    def step(self, column: int) -> float:
        """The step in the middle of a cell of the plot."""
        return self.low + column / max(1, self.plot - 1) * (self.high - self.low)


def legend(
    traces: Sequence[Trace], cursor: float | None, how: str, width: int, rows: int, plain: bool
) -> list[Row]:
    """The newest values, or those under the cursor, and how the curves are drawn; `rows` at most."""
    made: list[Row] = [[(" ", "")]]
    if cursor is not None:
        made[0].append((f"step {cursor:,.0f}  ", "bold"))
    for place, trace in enumerate(traces):
        item = _item(trace, cursor, plain)
        if _length(made[-1]) + _length(item) > width and len(made[-1]) > 1:
            if len(made) == rows:
                made[-1].append((fit(f"+{len(traces) - place}", 4).rstrip(), "dim"))
                break
            made.append([(" ", "")])
        made[-1] += item
    room = width - _length(made[0]) - 1
    if how and room >= len(how):
        made[0] += [(" " * (room - len(how)), ""), (how, "accent")]
    return made


def _item(trace: Trace, cursor: float | None, plain: bool) -> Row:
    at = trace.series.at(cursor) if cursor is not None else None
    value = at[1] if at else trace.series.last
    mark = ("- " if trace.dashed else "* ") if plain else ("╌ " if trace.dashed else "━ ")
    arrow = "" if cursor is not None or plain else trace.series.trend()
    far = f" @{at[0]:,.0f}" if at and at[0] != cursor else ""
    return [
        (f"{trace.mark} " if trace.mark and not trace.dashed else mark, trace.style),
        (f"{trace.name} ", "dim"),
        (f"{plotting.number(value or 0.0)}{far}", "bold"),
        (f"{' ' + arrow if arrow else ''}   ", "dim"),
    ]


def _length(row: Row) -> int:
    return sum(len(text) for text, _ in row)


def axis(frame: Frame, lines: int, marks: Sequence[float]) -> list[Row]:
    """The ruler with a tick a round step and ◆ at each mark; below it (`lines` 2) the steps."""
    if not lines:
        return []
    plain = frame.ascii_only
    found = plotting.ticks(frame.low, frame.high, max(1, frame.plot // 9))
    places = sorted({round(place) for place in found} or {round(frame.low)})
    line = ["-" if plain else "─"] * frame.plot
    for place in places:
        line[frame.column(place)] = "+" if plain else "┬"
    ruler: Row = [(char, "faint") for char in line]
    for mark in marks:
        if frame.low <= mark <= frame.high:
            ruler[frame.column(mark)] = ("^" if plain else "◆", "accent")
    corner = "+" if plain else "└"
    rows: list[Row] = [[(" " * (frame.gutter - 1), ""), (corner, "faint"), *ruler]]
    if lines > 1:
        rows.append([(_steps(places, frame), "dim")])
    return rows


def _steps(places: Sequence[int], frame: Frame) -> str:
    text = [" "] * (frame.gutter + frame.plot)
    free = 0
    for place in places:
        word = f"{place:,}"
        at = frame.gutter + round((place - frame.low) * frame.scale) - len(word) // 2
        at = max(free, min(at, frame.gutter + frame.plot - len(word)))
        if at >= free and at + len(word) <= len(text):
            text[at : at + len(word)] = word
            free = at + len(word) + 2
    if "".join(text[:5]).strip() == "" and frame.gutter >= 5:
        text[:4] = "step"
    return "".join(text)
