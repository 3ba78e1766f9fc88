"""The event log with 100,000 events: milliseconds a frame while scrolling, searching, growing.

    python tests/bench/bench_events.py

Budget: 16 ms a frame, from the key to the bytes for the terminal: at the size the log has in Jobs
19 of 20 frames, on a whole screen the median. CPU time: the machine may be busy. Prints one JSON
object; exits 1 over the budget.
"""

from __future__ import annotations

import asyncio
import json
import sys
from statistics import median, quantiles
from time import process_time
from typing import Any

from textual.app import App, ComposeResult

from fttui.service.types import JobEvent
from fttui.ui.widgets.event_log import EventLog

EVENTS = 100_000
PANE, SCREEN = (58, 15), (120, 40)
BUDGET = 16.0
FRAMES = 60


class Log(App[None]):
    ascii_only = False

    def compose(self) -> ComposeResult:
        yield EventLog()


def event(n: int) -> JobEvent:
    message = f"Step {n}/{EVENTS}: training loss={2 / n:.4f}, validation loss={2.1 / n:.4f}"
    return JobEvent(f"ev-{n}", 1_790_000_000 + n, "info", message, "metrics")


async def measure(size: tuple[int, int]) -> dict[str, Any]:
    app = Log()
    async with app.run_test(size=size) as pilot:
        draw_as_in_a_terminal(app)
        log = app.query_one(EventLog)
        events = [event(n) for n in range(1, EVENTS + 1)]
        found: dict[str, Any] = {"events": EVENTS, "size": size}
        begun = process_time()
        log.show("job", events)
        await pilot.pause()
        found["first_ms"] = round((process_time() - begun) * 1000, 1)
        log.focus()
        await pilot.pause()

        async def frames(name: str, act: Any) -> None:
            times = []
            for n in range(FRAMES):
                begun = process_time()
                act(n)
                await pilot.pause()  # until it is on the screen
                times.append((process_time() - begun) * 1000)
            p95 = quantiles(times, n=20)[-1]
            found[f"{name}_ms"] = {"median": round(median(times), 2), "p95": round(p95, 2)}

        await frames("page", lambda n: log.action_page(-1))
        await frames("line", lambda n: log.action_move(1))
        await frames("jump", lambda n: log.scroll_to(y=n * 1500, animate=False, immediate=True))
        begun = process_time()
        found["hits"] = log.find("step 99")
        found["search_ms"] = round((process_time() - begun) * 1000, 1)
        await frames("hit", lambda n: log.action_hit(1))
        log.find("")
        log.action_edge(1)
        await pilot.pause()

        def grow(n: int) -> None:
            events.append(event(EVENTS + n + 1))
            log.show("job", events)

        await frames("follow", grow)
    return found


def draw_as_in_a_terminal(app: Any) -> None:
    """Without a terminal no bytes are made: make them, so that they are in the figures."""
    display = app._display

    def drawn(screen: Any, renderable: Any) -> None:
        if hasattr(renderable, "render_segments"):
            renderable.render_segments(app.console)
        display(screen, renderable)

    app._display = drawn


def over(found: dict[str, Any], figure: str) -> list[str]:
    rows = {name: row for name, row in found.items() if isinstance(row, dict)}
    return [f"{name} {row[figure]}" for name, row in rows.items() if row[figure] > BUDGET]


if __name__ == "__main__":
    pane, screen = asyncio.run(measure(PANE)), asyncio.run(measure(SCREEN))
    print(json.dumps({"pane": pane, "screen": screen}, indent=1))
    slow = over(pane, "p95") + over(screen, "median")
    sys.exit(f"over {BUDGET:.0f} ms: {', '.join(slow)}" if slow else 0)
