"""What each way has cost by month 0 … 12, and where two of them cross."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from textual.content import Content
from textual.widget import Widget

from fttui.text import plural
from fttui.ui.plotting import Canvas, Scale, nice_step, ticks
from fttui.ui.text import Part, fit, say

STYLES = ("primary", "warning", "ok", "accent")


@dataclass(frozen=True)
class Curve:
    """Money at the end of each month; None from when the model no longer answers."""

    name: str
    amounts: tuple[Decimal | None, ...]


class CostChart(Widget):
    """Lines in braille, a legend below, and ▲ on the axis where training has paid for itself."""

    DEFAULT_CSS = """
    CostChart { height: 12; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._curves: tuple[Curve, ...] = ()
        self._crossing: Decimal | None = None
        self._sign = "$"

    def show(self, curves: tuple[Curve, ...], crossing: Decimal | None, sign: str) -> None:
        if (curves, crossing, sign) != (self._curves, self._crossing, self._sign):
            self._curves, self._crossing, self._sign = curves, crossing, sign
            self.refresh()

    def render(self) -> Content:
        known = [c for c in self._curves if any(amount is not None for amount in c.amounts)]
        width, height = self.size.width, self.size.height
        if not known:
            return say(("nothing to draw: a price is missing", "faint"))
        if width < 24 or height < 5:
            return say("")
        return say(*self._draw(known, width, height))

    def _draw(self, known: list[Curve], width: int, height: int) -> list[Part]:
        top = max(float(a) for c in known for a in c.amounts if a is not None) or 1.0
        months = max(len(curve.amounts) for curve in known) - 1
        marks = ticks(0.0, top, 3)
        label = max(len(_money(mark, self._sign)) for mark in marks) + 1
        rows = height - 2 - (len(known) + 1) // 2
        across = max(8, width - label - 2)
        high = max(top, nice_step(top, 3))
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        grid: list[list[tuple[str, str]]] = [[(" ", "")] * across for _ in range(rows)]
        for curve, style in reversed(list(zip(known, STYLES, strict=False))):
            canvas = Canvas(across, rows, ascii_only=ascii_only)
            dots_x, dots_y = canvas.dots
            _polyline(canvas, curve, months, dots_x, Scale(0.0, high, dots_y))
            for y, dots in enumerate(canvas.cells):
                for x, bits in enumerate(dots):
                    if bits:
                        grid[y][x] = ("*" if ascii_only else chr(0x2800 + bits), style)
        at = {round((1 - mark / high) * (rows - 1)): mark for mark in marks}
        parts: list[Part] = []
        for y, cells in enumerate(grid):
            text = _money(at[y], self._sign) if y in at else ""
            parts += [(f"{text:>{label}} ", "dim"), ("┤" if y in at else "│", "faint")]
            parts += [(glyph, style) for glyph, style in cells]
            parts.append("\n")
        return [*parts, *self._axis(label, across, months), *_legend(known, width)]

    def _axis(self, label: int, across: int, months: int) -> list[Part]:
        line = ["─"] * across
        style = "faint"
        words = f" 0 … {months} months"
        if self._crossing is not None and self._crossing <= months:
            x = min(across - 1, round(float(self._crossing) / months * (across - 1)))
            line[x] = "▲"
            words = f" ▲ break-even after {_time(self._crossing)}"
        return [
            (f"{'':>{label}} └", "faint"),
            ("".join(line), style),
            "\n",
            (fit(f"{'':>{label}}  {words.strip()}", label + across + 2), "dim"),
            "\n",
        ]


def _polyline(canvas: Canvas, curve: Curve, months: int, dots_x: int, place: Scale) -> None:
    before: tuple[int, int] | None = None
    for month, amount in enumerate(curve.amounts):
        if amount is None:
            return
        dot = (round(month / months * (dots_x - 1)), place(float(amount)))
        canvas.dot(*dot)
        if before is not None:
            canvas.join(*before, *dot, dashed=False)
        before = dot


def _legend(known: list[Curve], width: int) -> list[Part]:
    parts: list[Part] = []
    half = max(16, width // 2 - 3)
    for number, (curve, style) in enumerate(zip(known, STYLES, strict=False)):
        ends = " ✕" if None in curve.amounts else ""
        parts += [("━ ", style), (fit(curve.name + ends, half), "dim")]
        parts.append("\n" if number % 2 else " ")
    return parts


def _time(months: Decimal) -> str:
    days = max(1, round(months * 30))
    return plural(days, "day") if days < 60 else f"{months:.1f} months"


def _money(value: float, sign: str) -> str:
    if value >= 1000:
        return f"{sign}{value / 1000:,.3g}k"
    return f"{sign}{value:,.3g}"
