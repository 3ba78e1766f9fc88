"""A stream of 200 tokens a second on a real pty: how late the event loop gets, and bytes on the wire.

Run: python tests/bench/bench_stream.py [COLUMNS]. One to three columns answer at once (default 1).
Prints one line a figure with its bound; exits 1 if one fails.
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

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ui")]
TOKENS, RATE = 2500, 200
GAP_BOUND, WIRE_BOUND = 20.0, 60_000.0  # ms, bytes a second
WORDS = ("fine", "tuned ", "models ", "answer ", "in ", "lines, ", "some ", "of them\n", "long ")


def child(url: str, out: Path, columns: int) -> None:
    """The app in this terminal: sends one prompt, measures its own event loop, writes JSON, quits."""
    os.environ.update(OPENAI_API_KEY="bench", OPENAI_BASE_URL=url)
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
            gaps, began, cpu = [], perf_counter(), process_time()
            while answers.running:
                before = perf_counter()
                await asyncio.sleep(0.005)
                gaps.append((perf_counter() - before - 0.005) * 1000)
            seconds = perf_counter() - began
            facts = {"gaps": gaps, "seconds": seconds, "cpu": process_time() - cpu}
            out.write_text(json.dumps(facts))
            self.exit()

        def on_ready(self) -> None:
            self.run_worker(self.measure(), group="bench")

    Bench(profile="openai").run()


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - measured from outside, no event to wait for
        await asyncio.sleep(0.01)


def _enter() -> object:
    from textual import events

    return events.Key("enter", "\r")


def serve(ready: threading.Event, address: list[str], columns: int) -> None:
    from scripted import Script, Scripted

    pieces = [WORDS[n % len(WORDS)] for n in range(TOKENS)]

    async def run() -> None:
        scripts = {f"model-{n}": Script(pieces, delay=1 / RATE) for n in range(columns)}
        async with Scripted(scripts) as server:
            address.append(server.url)
            ready.set()
            await asyncio.sleep(120)

    asyncio.run(run())


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return 0
    from wire import Terminal

    columns = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    ready, address = threading.Event(), []
    threading.Thread(target=serve, args=(ready, address, columns), daemon=True).start()
    ready.wait(10)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FTTUI_HOME"] = folder
        out = Path(folder) / "facts.json"
        terminal = Terminal(
            [sys.executable, __file__, "--child", address[0], str(out), str(columns)]
        )
        sent = 0
        deadline = perf_counter() + 90
        terminal.read(20, until="model-0")
        while perf_counter() < deadline and not out.exists():
            sent += len(terminal.read(0.2))
        facts = json.loads(out.read_text())
        terminal.close()
    gap = statistics.quantiles(facts["gaps"], n=20)[-1]
    wire = sent / facts["seconds"]
    print(f"{columns} column(s), {facts['seconds']:.1f} s, {facts['cpu']:.1f} s of CPU")
    good = [
        _report("event loop late, p95", gap, GAP_BOUND, "ms"),
        _report("bytes a second on the wire", wire, WIRE_BOUND * columns, "B/s"),
    ]
    return 0 if all(good) else 1


def _report(name: str, value: float, bound: float, unit: str) -> bool:
    good = value <= bound
    print(f"{'ok  ' if good else 'FAIL'} {name:<40} {value:10.1f} {unit} (bound {bound:g})")
    return good


if __name__ == "__main__":
    sys.exit(main())
