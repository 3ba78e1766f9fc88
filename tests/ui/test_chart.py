"""The loss chart: no spike is lost, scales are round, and lines that did not change are not drawn again."""

from __future__ import annotations

import math

import pytest
from jobs_help import make_events, make_job
from textual.app import App, ComposeResult

from fttui.service.types import Metrics
from fttui.ui import plotting
from fttui.ui.jobs.curves import Curves, Series, Smooth
from fttui.ui.jobs.overlay import overlay
from fttui.ui.jobs.track import Track
from fttui.ui.widgets.loss_chart import LossChart, Trace


class Chart(App[None]):
    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.ascii_only = ascii_only

    def compose(self) -> ComposeResult:
        yield LossChart()

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)


def falling(count: int, start: float = 2.0) -> Series:
    return Series.of([(i, start * math.exp(-3 * i / count) + 0.2) for i in range(1, count + 1)])


def test_a_spike_among_20000_points_survives_folding() -> None:
    series = Series.of([(i, 1.0) for i in range(20_000)])
    series.add(12_345, 9.0)
    columns = plotting.fold(series, 0, 19_999, 160)
    assert len(columns) == 160
    assert max(column.high for column in columns) == 9.0
    assert sum(1 for column in columns if column.high == 9.0) == 1


def test_folding_keeps_every_point_exactly_once() -> None:
    series = falling(1_000)
    columns = plotting.fold(series, 1, 1_000, 97)
    assert columns[0].first == series.values[0]
    assert columns[-1].last == series.values[-1]
    assert [c.x for c in columns] == sorted({c.x for c in columns})


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.31, 2.7), (3, 1204), (0.0002, 0.0009)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = plotting.ticks(low, high, 6)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)
    step = plotting.nice_step(high - low, 6)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert round(mantissa, 6) in (1, 2, 2.5, 5)


def test_a_step_told_twice_keeps_the_last_value_and_the_order() -> None:
    series = Series.of([(1, 1.0), (3, 3.0), (2, 2.0), (3, 3.5)])
    assert list(series) == [(1, 1.0), (2, 2.0), (3, 3.5)]
    assert series.add(3, 3.5) is False
    assert series.add(4, math.nan) is False


def test_curves_take_whatever_a_step_tells() -> None:
    curves = Curves()
    assert curves.add(Metrics(step=5, total_steps=20, train_loss=1.5, valid_loss=1.7))
    assert not curves.add(Metrics(step=5, total_steps=20, train_loss=1.5, valid_loss=1.7))
    assert (curves.last_step, curves.total_steps) == (5, 20)
    assert curves.valid.last == 1.7


def test_smoothing_starts_without_bias_and_ends_near_the_level() -> None:
    series = Series.of([(i, 4.0 if i % 2 else 2.0) for i in range(200)])
    smooth = series.smoothed(0.9)
    assert smooth.values[0] == pytest.approx(2.0)
    assert abs(smooth.values[-1] - 3.0) < 0.2
    assert list(series.values[:2]) == [2.0, 4.0]


def test_a_sparkline_falls_as_the_loss_does() -> None:
    assert plotting.sparkline(falling(500), 8) == "".join(
        sorted(plotting.sparkline(falling(500), 8))[::-1]
    )
    assert len(plotting.sparkline(falling(500), 8)) == 8
    assert plotting.sparkline(Series(), 8) == ""
    assert plotting.sparkline(falling(500), 8, ascii_only=True).isascii()


async def test_the_chart_shows_values_scale_steps_and_checkpoints() -> None:
    app = Chart()
    async with app.run_test(size=(70, 18)) as pilot:
        valid = Series.of([(i, 1.0 + i / 1000) for i in range(100, 601, 100)])
        traces = [Trace("train", falling(612), "primary"), Trace("valid", valid, "warning", True)]
        app.chart.show(traces, total=1204, marks=[200, 400], at_once=True)
        await pilot.pause()
        text = app.chart.text()
        assert "train 0.300" in text
        assert "valid 1.600" in text
        assert text.count("◆") == 2
        assert "1,000" in text  # the whole run has its place
        last = max(line.rstrip().rfind("⣀") for line in text.splitlines())
        assert last < 45  # half of it is still to come
        app.chart.toggle_log()
        app.chart.toggle_smooth()
        assert "log · smooth" in app.chart.text()


async def test_the_value_cursor_tells_step_and_values() -> None:
    app = Chart()
    async with app.run_test(size=(70, 18)) as pilot:
        app.chart.show([Trace("train", Series.of([(1, 3.0), (2, 2.0), (3, 1.5)]), "primary")])
        app.chart.focus()
        await pilot.press("left")
        await pilot.pause()
        assert "step 3  ━ train 1.500" in app.chart.text()
        await pilot.press("left")
        assert "step 2  ━ train 2.000" in app.chart.text()
        await pilot.press("home")
        assert "step 1  ━ train 3.000" in app.chart.text()
        await pilot.press("right", "right", "right")
        assert "step 3" in app.chart.text()


async def test_ascii_only_draws_nothing_else() -> None:
    app = Chart(ascii_only=True)
    async with app.run_test(size=(70, 18)) as pilot:
        valid = Series.of([(10, 1.0), (40, 0.8)])
        traces = [Trace("train", falling(50), "primary"), Trace("valid", valid, "warning", True)]
        app.chart.show(traces, marks=[25], at_once=True)
        await pilot.pause()
        assert app.chart.text().isascii()
        assert "*" in app.chart.text()


async def test_only_lines_that_changed_are_drawn_again() -> None:
    app = Chart()
    async with app.run_test(size=(70, 18)) as pilot:
        series = falling(300)
        app.chart.show([Trace("train", series, "primary")], total=1000, at_once=True)
        await pilot.pause()
        drawn: list[int] = []
        app.chart.refresh_lines = lambda y, count: drawn.append(y)  # type: ignore[method-assign]
        app.chart.redraw()
        assert drawn == []
        series.add(301, 0.31)
        app.chart.redraw()
        assert 0 in drawn  # the legend
        assert len(drawn) <= 4


@pytest.mark.parametrize("size", [(10, 3), (20, 4), (30, 6), (3, 1)])
async def test_a_tiny_place_does_not_break_it(size: tuple[int, int]) -> None:
    app = Chart()
    async with app.run_test(size=size) as pilot:
        app.chart.show([Trace("train", falling(9), "primary")], at_once=True)
        await pilot.pause()
        app.chart.show([], empty="nothing [/] yet", at_once=True)
        await pilot.pause()
        assert len(app.chart.text().split("\n")) == app.chart.size.height


@pytest.mark.parametrize("values", [[0.0], [0.0, 0.0], [-1.0, 2.0], [5.0, 5.0], [1e-9, 1e9]])
async def test_odd_values_are_drawn_on_both_scales(values: list[float]) -> None:
    app = Chart()
    async with app.run_test(size=(60, 14)) as pilot:
        app.chart.show(
            [Trace("train", Series.of(list(enumerate(values))), "primary")], at_once=True
        )
        await pilot.pause()
        assert "train" in app.chart.text()
        app.chart.toggle_log()
        await pilot.pause()


# -- smoothing that goes on, zoom, several jobs


def test_a_smoothed_curve_goes_on_where_it_was_and_begins_again_after_a_rewrite() -> None:
    source = falling(50)
    smooth = Smooth(source, 0.9)
    first = smooth.series()
    source.add(51, 9.0)
    source.add(52, 8.0)
    assert smooth.series() is first
    assert list(first) == list(source.smoothed(0.9))
    source.add(10, 5.0)  # a resumed job tells a step again
    assert list(smooth.series()) == list(source.smoothed(0.9))


async def test_zoom_shows_fewer_steps_around_the_cursor_and_follows_it() -> None:
    app = Chart()
    async with app.run_test(size=(70, 18)) as pilot:
        series = Series.of([(n, 5.0 if n == 1 else 1.0 + n / 1e4) for n in range(1, 1001)])
        app.chart.show([Trace("train", series, "primary")], at_once=True)
        app.chart.focus()
        await pilot.pause()
        assert "\n5┤" in app.chart.text().replace(" ", "")
        assert app.chart.zoom(0.25)
        assert "steps 750–1,000" in app.chart.text()  # the newest, without a cursor
        assert "\n5┤" not in app.chart.text().replace(" ", "")  # of what is shown
        await pilot.press("home")
        assert app.chart.window == (1.0, pytest.approx(250.75))
        assert "\n5┤" in app.chart.text().replace(" ", "")
        assert app.chart.zoom(0)
        assert app.chart.window is None
        assert not app.chart.zoom(2.0)  # all is shown already


async def test_curves_of_several_jobs_are_told_apart_by_a_mark() -> None:
    app = Chart(ascii_only=True)
    tracks = [Track(make_job(n, "succeeded", f"lr-{n}")) for n in range(1, 6)]
    for n, track in enumerate(tracks, 1):
        track.add_events(make_events(30, 30, start=2.0 * n))
    async with app.run_test(size=(90, 24)) as pilot:
        app.chart.show(overlay(tracks), at_once=True)
        await pilot.pause()
        text = app.chart.text()
        assert "1 lr-1 0.067" in text
        assert "5 lr-5 0.333" in text
        plot = "\n".join(text.splitlines()[2:-2])
        assert all(str(n) in plot for n in range(1, 6))  # at the end of each curve
        tracks[0].curves.series["full_valid"].add(10, 1.5)
        few = overlay(tracks[:2], names={tracks[0].id: "first"})
        assert [(t.name, t.dashed, t.mark) for t in few] == [
            ("first", False, "1"),
            ("valid", True, ""),
            ("lr-2", False, "2"),
        ]
        assert [t.name for t in overlay(tracks, curve="valid")] == ["lr-1"]
        app.chart.show(overlay(tracks * 8), at_once=True)  # more than a legend can hold
        assert app.chart.text().splitlines()[3].endswith("+20")
