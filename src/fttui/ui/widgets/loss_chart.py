"""Curves over steps in braille: scales, smoothing, a value cursor, zoom, several jobs on one another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import cast

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from fttui.ui import plotting
from fttui.ui.jobs.curves import Series, Smooth
from fttui.ui.text import Palette, fit
from fttui.ui.widgets.chart_cells import Cells, Trace, merge
from fttui.ui.widgets.chart_frame import LEGEND_ROWS, Frame, axis, legend

__all__ = ["LossChart", "Trace"]

MIN_SECONDS = 1.0  # a live curve is drawn at most this often
SMOOTHING = 0.9
NARROWEST = 4.0  # steps that a zoom shows at least


@dataclass(frozen=True)
class Grid:
    """Everything that was drawn: rows of (character, style name), as wide as the widget."""

    rows: list[list[tuple[str, str]]]
    frame: Frame


class LossChart(Widget, can_focus=True):
    """Shows traces over steps. The scale, smoothing and zoom are asked for by the screen; left and
    right move the value cursor, and what is shown with it.

    `show` may be called as often as there is news: it draws at most once a second, and only the
    lines that differ are sent to the terminal.
    """

    DEFAULT_CSS = """
    LossChart { height: 1fr; min-height: 5; width: 1fr; background: $background; }
    """
    BINDINGS = [
        Binding("left,h", "step(-1)", "Value before", show=False, id="chart.left"),
        Binding("right", "step(1)", "Value after", show=False, id="chart.right"),
        Binding("shift+left,pageup", "jump(-1)", "Far left", show=False, id="chart.far_left"),
        Binding("shift+right,pagedown", "jump(1)", "Far right", show=False, id="chart.far_right"),
        Binding("home", "edge(0)", "First value", show=False, id="chart.first"),
        Binding("end", "edge(1)", "Last value", show=False, id="chart.last"),
    ]

    class CursorMoved(Message):
        """The value cursor is on another step; None: it was put away."""

        def __init__(self, step: float | None) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.traces: tuple[Trace, ...] = ()
        self.total: float | None = None
        self.marks: tuple[float, ...] = ()
        self.empty: str = ""
        self.log_scale = False
        self.smoothing = False
        self.cursor: float | None = None
        self._grid: Grid | None = None
        self._drawn: list[list[tuple[str, str]]] = []
        self._drawn_at = 0.0
        self._timer: Timer | None = None
        self.window: tuple[float, float] | None = None  # the steps zoomed to
        self._smoothed: dict[int, Smooth] = {}
        self._palette: tuple[str, Palette] | None = None

    # -- what is shown

    def show(
        self,
        traces: Sequence[Trace],
        *,
        total: float | None = None,
        marks: Sequence[float] = (),
        empty: str = "",
        at_once: bool = False,
    ) -> None:
        """Show these traces. total: the last step there will be, when known; marks: steps with a
        checkpoint; empty: what to say without any value; at_once: another job, do not wait."""
        before = max(self._steps(), default=0.0)
        self.traces, self.total, self.marks, self.empty = tuple(traces), total, tuple(marks), empty
        if not at_once:
            self._slide(before)
        if at_once:
            self.cursor = self.window = None
            self._smoothed.clear()
            self.redraw()
        else:
            self._soon()

    def _soon(self) -> None:
        wait = self._drawn_at + MIN_SECONDS - monotonic()
        if wait <= 0:
            self.redraw()
        elif self._timer is None:
            self._timer = self.set_timer(wait, self.redraw)

    def redraw(self) -> None:
        """Draw now; lines that are as they were are left alone."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._drawn_at = monotonic()
        before = self._drawn
        self._grid = self._draw()
        self._drawn = self._grid.rows
        if len(before) != len(self._drawn):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
            if old != new:
                self.refresh_lines(y, 1)

    def refresh_lines(self, y: int, count: int) -> None:
        self.refresh(Region(0, y, self.size.width, count))

    def on_resize(self, event: events.Resize) -> None:
        self._drawn = []
        self.redraw()

    def toggle_log(self) -> bool:
        self.log_scale = not self.log_scale
        self.redraw()
        return self.log_scale

    def toggle_smooth(self) -> bool:
        self.smoothing = not self.smoothing
        self.redraw()
        return self.smoothing

    # -- zoom

    def zoom(self, factor: float) -> bool:
        """Show `factor` times as many steps around the cursor (without one: the newest); 0: all of
        them. False where nothing changed."""
        before = self.window
        full = self._extent()
        if not factor or full is None:
            self.window = None
        else:
            low, high = self.window or full
            span = max(NARROWEST, (high - low) * factor)
            if span >= full[1] - full[0]:
                self.window = None
            else:
                newest = max(self._steps(), default=full[1])
                centre = self.cursor if self.cursor is not None else newest
                place = (centre - low) / (high - low) if low <= centre <= high else 0.5
                begin = centre - span * place
                begin = max(full[0], min(begin, full[1] - span))
                self.window = (begin, begin + span)
        self.redraw()
        return self.window != before

    def _extent(self) -> tuple[float, float] | None:
        """The first and the last step there is, or will be."""
        lines = [trace for trace in self.traces if len(trace.series)]
        return self._x_range(lines) if lines else None

    def _slide(self, before: float) -> None:
        """What is zoomed to the newest step stays with it while the job goes on."""
        newest = max(self._steps(), default=0.0)
        if self.window is None or self.cursor is not None or newest <= self.window[1]:
            return
        low, high = self.window
        if low <= before <= high:
            self.window = (low + newest - high, newest)

    def _follow(self) -> None:
        """Move what is shown so that the cursor is in it."""
        if self.window is None or self.cursor is None:
            return
        low, high = self.window
        move = min(0.0, self.cursor - low) + max(0.0, self.cursor - high)
        self.window = (low + move, high + move)

    # -- the value cursor

    def _steps(self) -> Sequence[float]:
        return max((trace.series.steps for trace in self.traces), key=len, default=())

    def _move(self, index: int) -> None:
        steps = self._steps()
        if steps:
            self.cursor = steps[max(0, min(index, len(steps) - 1))]
            self._follow()
            self.redraw()
            self.post_message(self.CursorMoved(self.cursor))

    def _index(self) -> int:
        steps = self._steps()
        return len(steps) if self.cursor is None else bisect_left(steps, self.cursor)

    def action_step(self, delta: int) -> None:
        """One dot column on: at least one value, more where many values share a column."""
        width = self._grid.frame.plot if self._grid else 1
        self._move(self._index() + delta * max(1, self._shown() // (2 * max(1, width))))

    def action_jump(self, direction: int) -> None:
        self._move(self._index() + direction * max(1, self._shown() // 10))

    def _shown(self) -> int:
        """How many values lie in what is shown."""
        steps = self._steps()
        if self.window is None:
            return len(steps)
        return bisect_right(steps, self.window[1]) - bisect_left(steps, self.window[0])

    def action_edge(self, which: int) -> None:
        self._move(len(self._steps()) - 1 if which else 0)

    def clear_cursor(self) -> bool:
        """Put the cursor away; True when there was one."""
        had = self.cursor is not None
        self.cursor = None
        if had:
            self.redraw()
            self.post_message(self.CursorMoved(None))
        return had

    def on_click(self, event: events.Click) -> None:
        frame = self._grid.frame if self._grid else None
        if frame and frame.plot > 1 and event.x >= frame.gutter:
            wanted = frame.step(event.x - frame.gutter)
            steps = self._steps()
            if steps:
                self.cursor = min(steps, key=lambda step: abs(step - wanted))
                self.redraw()
                self.post_message(self.CursorMoved(self.cursor))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.zoom(0.5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.zoom(2.0)

    # -- drawing

    @property
    def ascii_only(self) -> bool:
        return bool(getattr(self.app, "ascii_only", False))

    def _lines(self) -> list[Trace]:
        """What is drawn, the faint first: raw curves lie under their smoothed ones."""
        if not self.smoothing:
            return [trace for trace in self.traces if len(trace.series)]
        raw, smooth = [], []
        for trace in self.traces:
            if len(trace.series) > 4 and not trace.dashed:
                if not trace.mark:  # of many jobs, only the means
                    raw.append(Trace(trace.name, trace.series, "faint"))
                smooth.append(replace(trace, series=self._smooth(trace.series)))
            elif len(trace.series):
                smooth.append(trace)
        return raw + smooth

    def _smooth(self, series: Series) -> Series:
        known = self._smoothed.get(id(series))
        if known is None or known.source is not series:
            known = self._smoothed[id(series)] = Smooth(series, SMOOTHING)
        return known.series()

    def _draw(self) -> Grid:
        width, height = self.size.width, self.size.height
        lines = self._lines()
        x_low, x_high = self.window or (self._x_range(lines) if lines else (0.0, 1.0))
        within = (x_low, x_high) if self.window else None
        every = [trace.series for trace in lines]
        span = plotting.value_range(every, log=self.log_scale, within=within)
        if span is None and self.window:  # nothing lies in it: as high as all of it
            span = plotting.value_range(every, log=self.log_scale)
        axis_lines = 2 if height >= 6 else (1 if height >= 4 else 0)
        top = self._legend(lines, width, height) if height >= 3 and lines else []
        tall = height - axis_lines - len(top)
        if span is None or width < 12 or tall < 2:
            return self._nothing(width, height)
        low, high = span
        labels = self._labels(low, high, tall)
        gutter = max(len(text) for _, text in labels) + 2
        frame = Frame(gutter, width - gutter, x_low, x_high, self.ascii_only)
        cells = Cells(frame.plot, tall, x_low, x_high, self.ascii_only)
        low, high = self._padded(low, high, labels)
        for trace in lines:
            cells.draw(trace, low, high, self.log_scale)
        if self.cursor is not None and x_low <= self.cursor <= x_high:
            cells.upright(self.cursor)
        at = {cells.row(value, low, high, self.log_scale): text for value, text in labels}
        bar, tick = ("|", "+") if self.ascii_only else ("│", "┤")
        rows = list(top)
        for y in range(tall):
            text = at.get(y, "")
            edge = tick if text else bar
            rows.append([(f"{text:>{gutter - 2}} ", "dim"), (edge, "faint"), *cells.line(y)])
        rows += axis(frame, axis_lines, self.marks)
        return Grid([merge(row) for row in rows], frame)

    def _nothing(self, width: int, height: int) -> Grid:
        rows: list[list[tuple[str, str]]] = [[] for _ in range(height)]
        if height:
            rows[height // 2 if height > 2 else 0] = [(fit(" " + self.empty, width), "dim")]
        return Grid(rows, Frame(0, 0, 0, 1))

    def _labels(self, low: float, high: float, tall: int) -> list[tuple[float, str]]:
        most = max(2, tall // 2)
        if self.log_scale:
            values = plotting.log_ticks(low, high, most)
            return [(value, f"{value:g}") for value in values]
        step = plotting.nice_step(high - low, most)
        return [(value, plotting.number(value, step)) for value in plotting.ticks(low, high, most)]

    def _padded(
        self, low: float, high: float, labels: list[tuple[float, str]]
    ) -> tuple[float, float]:
        """A linear scale whose values come near zero begins at zero: heights can be compared."""
        if not self.log_scale and 0 < low < high * 0.15:
            labels.insert(0, (0.0, "0"))
            return 0.0, high
        return low, high

    def _x_range(self, lines: list[Trace]) -> tuple[float, float]:
        first = min(trace.series.steps[0] for trace in lines)
        last = max(trace.series.steps[-1] for trace in lines)
        high = max(last, self.total or last)
        return (first, high) if high > first else (first - 1, first + 1)

    def _legend(self, lines: list[Trace], width: int, height: int) -> list[list[tuple[str, str]]]:
        shown = [trace for trace in lines if trace.style != "faint"]
        words = [*(["log"] if self.log_scale else []), *(["smooth"] if self.smoothing else [])]
        if self.window is not None:
            words.append(f"steps {self.window[0]:,.0f}–{self.window[1]:,.0f}")
        how = " · ".join(words).replace("–", "-" if self.ascii_only else "–")
        rows = max(1, min(LEGEND_ROWS, height // 4))
        return legend(shown, self.cursor, how, width, rows, self.ascii_only)

    def render_line(self, y: int) -> Strip:
        if self._grid is None or self.size.height != len(self._drawn):
            self._grid = self._draw()
            self._drawn = self._grid.rows
        base = self.rich_style
        if y >= len(self._drawn):
            return Strip.blank(self.size.width, base)
        palette = self._colours()
        segments = [Segment(text, base + palette[style]) for text, style in self._drawn[y]]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _colours(self) -> Palette:
        if self._palette is None or self._palette[0] != self.app.theme:
            self._palette = (self.app.theme, Palette(cast("object", self.app)))  # type: ignore[arg-type]
        return self._palette[1]

    def text(self) -> str:
        """What is drawn, without colours."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self._drawn)
