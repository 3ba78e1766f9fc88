"""The loss chart with two series of 20,000 points: milliseconds of CPU a redraw, bytes a changed step sends.

    python tests/bench/bench_chart.py

Budget: 50 ms a redraw. Prints one JSON object; exits 1 over it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from statistics import median
from time import process_time
from typing import Any

from textual.app import App, ComposeResult

from fttui.ui.jobs.curves import Series
from fttui.ui.widgets.loss_chart import LossChart, Trace

POINTS = 20_000
BUDGET = 50
SIZE = (120, 40)


class Chart(App[None]):
    ascii_only = False

    def compose(self) -> ComposeResult:
        yield LossChart()


def noisy(level: float) -> Series:
    chance = random.Random(1)
    return Series.of([(i, level / (1 + i / 2000) + chance.random()) for i in range(1, POINTS + 1)])


async def measure() -> dict[str, Any]:
    app = Chart()
    async with app.run_test(size=SIZE) as pilot:
        chart = app.query_one(LossChart)
        train, valid = noisy(2.0), noisy(3.0)
        traces = [Trace("train", train, "primary"), Trace("valid", valid, "warning")]
        chart.show(traces, total=POINTS * 1.1, at_once=True)
        await pilot.pause()
        found: dict[str, Any] = {"points": 2 * POINTS, "size": SIZE}
        for name, setup in (
            ("plain", None),
            ("log", chart.toggle_log),
            ("smooth", chart.toggle_smooth),
        ):
            if setup is not None:
                setup()
            times = []
            for _ in range(15):
                train.add(train.steps[-1] + 1, 1.0)  # a new step each time: nothing is kept
                begun = process_time()
                chart.redraw()
                times.append((process_time() - begun) * 1000)
            found[f"{name}_ms"] = {"median": round(median(times), 1), "worst": round(max(times), 1)}
        await pilot.pause()
        sent: list[str] = []
        display = app._display

        def counted(screen: Any, renderable: Any) -> None:
            if hasattr(renderable, "render_segments"):
                sent.append(renderable.render_segments(app.console))
            display(screen, renderable)

        app._display = counted  # type: ignore[method-assign]
        chart.redraw()
        await pilot.pause()
        found["nothing_new_bytes"] = sum(map(len, sent))
        train.add(train.steps[-1] + 1, 3.5)
        chart.redraw()
        await pilot.pause()
        found["one_step_bytes"] = sum(len(text.encode()) for text in sent)
    return found


if __name__ == "__main__":
    figures = asyncio.run(measure())
    print(json.dumps(figures, indent=1))
    slow = [
        name for name, row in figures.items() if name.endswith("_ms") and row["median"] > BUDGET
    ]
    sys.exit(f"over {BUDGET} ms: {', '.join(slow)}" if slow else 0)
