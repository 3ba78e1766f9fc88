"""First paint against the smallest Textual app, bytes per key and idle bytes on a million examples.

Run: python tests/bench/bench_screen.py. Prints one line a figure with its bound; exits 1 if one fails.
Both programs are started in turn in the same run, so a busy machine slows both.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from wire import Terminal

HERE = Path(__file__).resolve().parent
RUNS = 7
MILLION = 1_000_000


def dataset(path: Path, lines: int) -> Path:
    """`lines` small chat examples."""
    with path.open("w", encoding="utf-8") as out:
        for number in range(lines):
            messages = [
                {"role": "user", "content": f"How do I reset account {number}? [but] it expired."},
                {"role": "assistant", "content": f"Open the link again, number {number}."},
            ]
            out.write(json.dumps({"messages": messages}) + "\n")
    return path


def first_paint(command: list[str], marker: str) -> float:
    """Seconds from spawn to the marker on the wire."""
    terminal = Terminal(command)
    terminal.read(30, until=marker)
    seconds = perf_counter() - terminal.started
    terminal.close()
    return seconds


def report(name: str, value: float, bound: float, unit: str) -> bool:
    good = value <= bound
    print(
        f"{'ok  ' if good else 'FAIL'} {name:<46} {value:10.2f} {unit} (bound {bound:g})",
        flush=True,
    )
    return good


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FTTUI_HOME"] = folder
        # An installed program has its bytecode; the first run, which does not count, writes ours.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        small = dataset(Path(folder) / "small.jsonl", 200)
        large = dataset(Path(folder) / "large.jsonl", MILLION)
        fttui = [sys.executable, "-m", "fttui"]
        hello = [sys.executable, str(HERE / "hello.py")]
        times: dict[str, list[float]] = {"hello": [], "small": [], "large": []}
        for _ in range(RUNS):
            times["hello"].append(first_paint(hello, "item 5"))
            times["small"].append(first_paint([*fttui, str(small)], "account 3"))
            times["large"].append(first_paint([*fttui, str(large)], "account 3"))
        floor = statistics.median(times["hello"][1:])
        good = [
            report(f"first paint, {name} file, against hello",
                   statistics.median(times[name][1:]) / floor, 1.6, "x")
            for name in ("small", "large")
        ]  # fmt: skip
        terminal = Terminal([*fttui, str(large)])
        terminal.read(30, until="account 3")
        terminal.read(120, quiet=6.0)  # the scan's progress has ended
        for key, bound in (("down", 1024.0), ("j", 1024.0)):
            sizes = [len(terminal.press(key)) for _ in range(12)]
            good.append(
                report(f"bytes for `{key}` (median of 12)", statistics.median(sizes), bound, "B")
            )
        terminal.read(2, quiet=0.5)
        good.append(report("bytes in 3 idle seconds", len(terminal.read(3)), 0, "B"))
        terminal.close()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
