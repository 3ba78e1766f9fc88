"""A chart of curves as an SVG file that any browser shows, in light and dark. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape as _escape

from fttui.text import clean
from fttui.ui import plotting
from fttui.ui.jobs.curves import Series

WIDTH, HEIGHT = 880, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 44, 40
# Told apart by people who do not tell red from green; the same hues as on the screen.
COLOURS = ("#2B5FD9", "#C77700", "#0F7C8A", "#A03FA0", "#5B6478", "#C4432B")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#444}.grid{stroke:#8884;stroke-width:1}"
    ".line{fill:none;stroke-width:2}.dash{stroke-dasharray:6 4}"
    "@media (prefers-color-scheme:dark){text{fill:#bbb}}"
)


@dataclass(frozen=True)
class Line:
    """One curve. colour: an index into COLOURS."""

    name: str
    series: Series
    colour: int = 0
    dashed: bool = False


def chart(title: str, lines: Sequence[Line], marks: Sequence[float] = ()) -> str:
    """The picture; "" where no line has a value. marks: steps with a checkpoint."""
    lines = [line for line in lines if len(line.series)]
    span = plotting.value_range([line.series for line in lines], log=False)
    if span is None:
        return ""
    low, high = span
    if 0 < low < high * 0.5:
        low = 0.0
    first = min(line.series.steps[0] for line in lines)
    last = max(line.series.steps[-1] for line in lines)
    if last <= first:
        first, last = first - 1, last + 1
    place = _Place(first, last, low, high)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        *_grid(place),
        *(_marks(place, marks)),
        *(_line(place, line) for line in lines),
        *_legend(title, lines),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def escape(text: str) -> str:
    """A text in XML, which takes no control characters at all."""
    return _escape(clean(text))


@dataclass(frozen=True)
class _Place:
    first: float
    last: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return LEFT + (step - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def _grid(place: _Place) -> list[str]:
    parts = []
    step = plotting.nice_step(place.high - place.low, 6)
    for value in plotting.ticks(place.low, place.high, 6):
        y = place.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        text = plotting.number(value, step)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for at in sorted({round(tick) for tick in plotting.ticks(place.first, place.last, 8)}):
        x = place.x(at)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{at:,}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{HEIGHT - 14}" text-anchor="end">step</text>')
    return parts


def _marks(place: _Place, marks: Sequence[float]) -> list[str]:
    bottom = HEIGHT - BOTTOM
    return [
        f'<path class="grid" stroke-dasharray="2 3" d="M{place.x(m):.1f} {TOP}V{bottom}"/>'
        f'<text x="{place.x(m):.1f}" y="{bottom + 5}" text-anchor="middle">◆</text>'
        for m in marks
        if place.first <= m <= place.last
    ]


def _line(place: _Place, line: Line) -> str:
    """A point a pixel at most: the lowest and the highest value of each, so that no spike is lost."""
    columns = plotting.fold(line.series, place.first, place.last, WIDTH - LEFT - RIGHT)
    points = []
    for column in columns:
        x = LEFT + column.x
        values = [column.first, column.low, column.high, column.last]
        points += [f"{x},{place.y(v):.1f}" for v in dict.fromkeys(values)]
    colour = COLOURS[line.colour % len(COLOURS)]
    dash = " dash" if line.dashed else ""
    if len(columns) == 1:
        left, top = points[-1].split(",")
        return f'<circle cx="{left}" cy="{top}" r="4" fill="{colour}"/>'
    return f'<polyline class="line{dash}" stroke="{colour}" points="{" ".join(points)}"/>'


def _legend(title: str, lines: Sequence[Line]) -> list[str]:
    parts = [f'<text x="{LEFT}" y="24" font-weight="600">{escape(title)}</text>']
    x = WIDTH - RIGHT
    for line in reversed(lines):
        text = f"{line.name} {plotting.number(line.series.last or 0.0)}"
        parts.append(f'<text x="{x}" y="24" text-anchor="end">{escape(text)}</text>')
        x -= 7 * len(text) + 6
        dash = " dash" if line.dashed else ""
        colour = COLOURS[line.colour % len(COLOURS)]
        parts.append(f'<path class="line{dash}" stroke="{colour}" d="M{x - 26} 19h24"/>')
        x -= 44
    return parts
