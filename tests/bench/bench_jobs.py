"""A thousand jobs, fifty of them running: what a look asks of the provider, and what it writes to the terminal.

Run: python tests/bench/bench_jobs.py. Prints one line a figure with its bound; exits 1 if one fails.
The provider is a small server on a real socket; the program runs on a pty of its own.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench_screen import report
from wire import KEYS, Terminal

HERE = Path(__file__).resolve().parent
JOBS, LIVE = 1000, 50
CHANGED = 5
IDLE_SECONDS = 33.0  # two looks at least, at the slowest pace for jobs on screen
CLOCK = 0.2  # the header's clock, where a minute turns while we measure (kB)


def _faults() -> Any:
    """The fault server of the service tests."""
    place = HERE.parent / "service" / "faults.py"
    spec = importlib.util.spec_from_file_location("faults", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["faults"] = module
    spec.loader.exec_module(module)
    return module


class Service:
    """The provider, in a thread of its own."""

    def __init__(self) -> None:
        self.server: Any = None
        self._ready, self._over = threading.Event(), threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        async with _faults().FaultServer() as self.server:
            now = int(time.time())
            for number in range(JOBS):
                self._put(number, now - (JOBS - number) * 600, number >= JOBS - LIVE)
            self._ready.set()
            await asyncio.to_thread(self._over.wait)

    def _put(self, number: int, created: int, live: bool) -> None:
        job_id = f"ftjob-{number:04d}"
        self.server.jobs[job_id] = {
            "id": job_id, "model": "gpt-4.1-mini-2025-04-14", "created_at": created,
            "status": "running" if live else "succeeded", "user_provided_suffix": f"run-{number}",
        }  # fmt: skip
        self.server.events[job_id] = [self._event(job_id, step) for step in range(1, 41)]

    @staticmethod
    def _event(job_id: str, step: int) -> dict[str, Any]:
        data = {"step": step, "total_steps": 4000, "train_loss": 2 / step}
        return {"id": f"{job_id}-{step}", "created_at": int(time.time()) - 4000 + step,
                "type": "metrics", "message": f"Step {step}/4000", "data": data}  # fmt: skip

    def move(self, numbers: range) -> None:
        """One step more for each of these jobs."""
        for number in numbers:
            rows = self.server.events[f"ftjob-{number:04d}"]
            rows.append(self._event(f"ftjob-{number:04d}", len(rows) + 1))

    def paths(self) -> list[str]:
        return [request.path for request in list(self.server.requests)]

    def close(self) -> None:
        self._over.set()


def looks(paths: list[str]) -> list[int]:
    """Calls of each whole look, from one call of the list to the next."""
    found: list[int] = []
    for path in paths:
        if path == "/fine_tuning/jobs":
            found.append(0)
        if found:
            found[-1] += 1
    return found[:-1]  # the last one may not be over


def main() -> int:
    service = Service()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(FTTUI_HOME=folder, OPENAI_API_KEY="sk-bench-0123456789")
        os.environ["OPENAI_BASE_URL"] = service.server.url
        terminal = Terminal([sys.executable, "-m", "fttui", "--profile", "openai"])
        terminal.read(30, until="Data")
        terminal.read(3, quiet=1.0)
        started = time.perf_counter()
        os.write(terminal.fd, b"4")
        terminal.read(60, until="Jobs 1,000")
        good = [report("the whole list is read", time.perf_counter() - started, 20.0, "s")]
        terminal.read(40, quiet=4.0)

        service.server.requests.clear()
        silent = len(terminal.read(IDLE_SECONDS))
        calls = looks(service.paths())
        rows = 40 - 5  # of the list, on 40 lines
        every = IDLE_SECONDS / max(1, len(calls))
        good.append(report("seconds between looks, nothing new", every, 17, "s"))
        good.append(report("calls of a look, list and running on screen", max(calls), 1 + rows, ""))
        good.append(report(f"bytes in {IDLE_SECONDS:.0f} s with nothing new", silent, 0, "B"))

        sizes = []
        for _ in range(5):
            service.move(range(JOBS - 12, JOBS - 12 + CHANGED))
            drawn = terminal.read(20, quiet=1.5)
            sizes.append(len(drawn) / 1000)
        sizes.sort()
        good.append(report("a tick that changes five rows, median", sizes[2], 3.0, "kB"))
        good.append(report("… the largest of five", sizes[-1], 3.0 + CLOCK, "kB"))

        service.server.requests.clear()
        for _ in range(10):
            terminal.press("pgdn")
        listed = sum(path == "/fine_tuning/jobs" for path in service.paths())
        good.append(report("looks at the list while ten pages are scrolled", listed, 4, ""))
        for _ in range(12):
            os.write(terminal.fd, KEYS["down"])
            time.sleep(0.03)  # as a key that is held repeats
        size = len(terminal.read(3, quiet=0.5)) / 12 / 1000
        good.append(report("a row for `down` held over twelve", size, 10.0, "kB"))
        terminal.close()
    service.close()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
