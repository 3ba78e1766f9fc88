"""A stream of 200 tokens a second on a real pty: how late the event loop gets, bytes on the wire, CPU.

Run: python tests/bench/bench_stream.py [COLUMNS]. Without an argument: the plain way (one text shown
again every 100 ms, nothing else), one column and four columns, one after the other, and the ratios of
their CPU time. Prints one line a figure with its bound; exits 1 if one fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ui")]
TOKENS, RATE = 2500, 200
GAP_BOUND, WIRE_BOUND = 20.0, 60_000.0  # ms, bytes a second
PLAIN_BOUND, FOUR_BOUND = 1.3, 2.5  # times the CPU of the plain way, and of one column
WORDS = (
    "fine",
    "**tuned** ",
    "models ",
    "`answer` ",
    "in ",
    "lines, ",
    "some ",
    "of them\n",
    "- long ",
)


class Measure:
    """The event loop's lateness and this process's CPU while `busy()`."""

    def __init__(self) -> None:
        self.gaps: list[float] = []

    async def run(self, busy: Callable[[], object]) -> dict[str, Any]:
        began, cpu = perf_counter(), process_time()
        while busy():
            before = perf_counter()
            await asyncio.sleep(0.005)
            self.gaps.append((perf_counter() - before - 0.005) * 1000)
        seconds = perf_counter() - began
        return {"gaps": self.gaps, "seconds": seconds, "cpu": process_time() - cpu}


def child(url: str, out: Path, columns: int) -> None:
    """The app in this terminal: sends one prompt, measures itself, writes JSON, quits."""
    os.environ.update(OPENAI_API_KEY="bench", OPENAI_BASE_URL=url)
    if not columns:
        plain(out)
        return
    import fttui.ui
    from fttui.ui.app import FttuiApp

    class Bench(FttuiApp):
        CSS_PATH = str(Path(fttui.ui.__file__).parent / "app.tcss")

        async def measure(self) -> None:
            self.go("chat")
            self.change(chat_models=[f"model-{n}" for n in range(columns)])
            await until(lambda: getattr(self.screen, "answers", None) and self.screen.models)
            answers = self.screen.answers
            await self.backend.provider()
            await asyncio.sleep(1)
            self.screen.composer.fill("go")
            await self.screen.composer._on_key(_enter())
            await until(lambda: any(reply.text for reply in answers.running.values()))
            out.write_text(json.dumps(await Measure().run(lambda: answers.running)))
            self.exit()

        def on_ready(self) -> None:
            self.run_worker(self.measure(), group="bench")

    Bench(profile="openai").run()


def plain(out: Path) -> None:
    """The cheapest way Textual offers: one Static, its whole text again every 100 ms."""
    from textual.app import App, ComposeResult
    from textual.containers import VerticalScroll
    from textual.content import Content
    from textual.widgets import Static

    from fttui import config
    from fttui.service import chat
    from fttui.service.provider import Provider

    class Plain(App[None]):
        def compose(self) -> ComposeResult:
            with VerticalScroll():
                yield Static(Content("model-0"))

        async def read(self) -> None:
            provider = Provider(config.load().profile("openai"))
            ask = [{"role": "user", "content": "go"}]
            async with chat.stream(provider, "model-0", ask) as stream:
                async for chunk in stream:
                    self.said += chunk.text
            self.done = True

        def show(self) -> None:
            self.query_one(Static).update(Content(self.said))
            self.query_one(VerticalScroll).scroll_end(animate=False)

        async def measure(self) -> None:
            self.run_worker(self.read(), group="read")
            await until(lambda: self.said)
            self.set_interval(0.1, self.show)
            out.write_text(json.dumps(await Measure().run(lambda: not self.done)))
            self.exit()

        def on_ready(self) -> None:
            self.said, self.done = "", False
            self.run_worker(self.measure(), group="bench")

    Plain().run()


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - measured from outside, no event to wait for
        await asyncio.sleep(0.01)


def _enter() -> object:
    from textual import events

    return events.Key("enter", "\r")


def serve(ready: threading.Event, address: list[str]) -> None:
    from scripted import Script, Scripted

    pieces = [WORDS[n % len(WORDS)] for n in range(TOKENS)]

    async def run() -> None:
        scripts = {f"model-{n}": Script(pieces, delay=1 / RATE) for n in range(4)}
        async with Scripted(scripts) as server:
            address.append(server.url)
            ready.set()
            await asyncio.sleep(300)

    asyncio.run(run())


def measured(url: str, columns: int) -> tuple[dict[str, Any], float]:
    """(what the app measured, bytes a second on its terminal). columns 0: the plain way."""
    from wire import Terminal

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FTTUI_HOME"] = folder
        out = Path(folder) / "facts.json"
        terminal = Terminal([sys.executable, __file__, "--child", url, str(out), str(columns)])
        sent = 0
        deadline = perf_counter() + 90
        terminal.read(20, until="model-0")
        while perf_counter() < deadline and not out.exists():
            sent += len(terminal.read(0.2))
        facts = json.loads(out.read_text())
        terminal.close()
    return facts, sent / facts["seconds"]


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return 0
    ready, address = threading.Event(), []
    threading.Thread(target=serve, args=(ready, address), daemon=True).start()
    ready.wait(10)
    wanted = [int(sys.argv[1])] if len(sys.argv) > 1 else [0, 1, 4]
    good, cpu = [], {}
    for columns in wanted:
        facts, wire = measured(address[0], columns)
        cpu[columns] = facts["cpu"]
        name = f"{columns} column(s)" if columns else "the plain way"
        print(f"{name}: {facts['seconds']:.1f} s, {facts['cpu']:.1f} s of CPU, {wire:,.0f} B/s")
        if columns:
            gap = statistics.quantiles(facts["gaps"], n=20)[-1]
            good += [
                _report(
                    "event loop late, p95",
                    gap,
                    GAP_BOUND * (FOUR_BOUND if columns > 1 else 1),
                    "ms",
                ),
                _report("bytes a second on the wire", wire, WIRE_BOUND * columns, "B/s"),
            ]
    if cpu.keys() >= {0, 1, 4}:
        good += [
            _report("CPU of one column to the plain way", cpu[1] / cpu[0], PLAIN_BOUND, "×"),
            _report("CPU of four columns to one", cpu[4] / cpu[1], FOUR_BOUND, "×"),
        ]
    return 0 if all(good) else 1


def _report(name: str, value: float, bound: float, unit: str) -> bool:
    good = value <= bound
    print(f"{'ok  ' if good else 'FAIL'} {name:<40} {value:10.2f} {unit} (bound {bound:g})")
    return good


if __name__ == "__main__":
    sys.exit(main())
