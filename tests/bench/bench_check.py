"""Speed and memory of a full check against tiktoken alone: same text, same cores, in turns.

    python tests/bench/bench_check.py [MB] [ROUNDS]

Makes its own corpus (seeded; the files of this machine's Python, each used once), counts its texts
with tiktoken alone in two processes (joined by a special token, the fastest exact way), checks the file
with two workers, and prints the ratio of each round side by side. Peak memory is summed over all processes,
in a run of its own before the rounds: looking at it takes a tenth of the processors' time.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ALONE = """
import sys, time, orjson, tiktoken
from fttui.dataset import vocabulary
path, part = sys.argv[1], int(sys.argv[2])
encoding = tiktoken.Encoding(**vocabulary.published("o200k_base"))
groups, group, size = [], [], 0
for i, line in enumerate(open(path, "rb")):
    if i % 2 == part:
        for message in orjson.loads(line)["messages"]:
            group.append(message["content"]); size += len(message["content"])
        if size > 1_000_000:
            groups.append("<|endofprompt|>".join(group)); group, size = [], 0
groups.append("<|endofprompt|>".join(group))
print("ready", flush=True); sys.stdin.readline()
start, cpu = time.perf_counter(), time.process_time()
for text in groups:
    encoding._core_bpe.encode_to_tiktoken_buffer(text, {"<|endofprompt|>"})
print(time.perf_counter() - start, time.process_time() - cpu, flush=True)
"""
CHECK = """
import os, sys, time
from fttui.dataset.scan import scan
if __name__ == "__main__":
    start, before = time.perf_counter(), sum(os.times()[:4])
    report = scan(sys.argv[1], workers=2, cached=False)
    spent = time.perf_counter() - start, sum(os.times()[:4]) - before
    print(*spent, report.examples, report.tokens.total, len(report.findings), flush=True)
"""
NAMES = {"0": "full check", "1": "full check, fast"}


def words() -> Iterator[str]:
    """Text and code of this machine's Python and its packages, each file once, again only when they end."""
    folders = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    files = sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".md", ".rst", ".txt") and 1_000 < path.stat().st_size < 300_000
    )
    random.Random(1).shuffle(files)
    for path in itertools.cycle(dict.fromkeys(files)):
        yield path.read_text("utf-8", "replace").replace("\r\n", "\n")


def corpus(path: Path, size: int, seed: int = 7) -> None:
    """A chat file of `size` bytes: questions and answers cut one after the other from real text and code,
    some with words of other languages, half the lines escaped."""
    random_ = random.Random(seed)
    source, text, at = words(), "", 0
    extra = [
        "Wie spät ist es in Tromsø? ",
        "Где находится библиотека? ",
        "今天天气怎么样？",
        "¿Dónde está la estación? ",
        "🎉 ",
    ]
    systems = [
        "You answer briefly and to the point.",
        "You explain Python code to beginners.",
        "Be kind. " * 30,
    ]
    written = 0
    with open(path, "wb") as file:
        while written < size:
            messages = [{"role": "system", "content": random_.choice(systems)}]
            for _ in range(random_.choice((1, 1, 2, 3))):
                for role, low, high in (("user", 60, 500), ("assistant", 200, 1600)):
                    length = random_.randrange(low, high)
                    if at >= len(text):
                        text, at = next(source), 0
                    cut, at = text[at : at + length].strip() or "So.", at + length
                    more = random_.choice(extra) * random_.randrange(3)
                    messages.append({"role": role, "content": f"{cut} {more}."})
            data = json.dumps({"messages": messages}, ensure_ascii=random_.random() < 0.5)
            written += file.write(data.encode("utf-8", "replace") + b"\n")


def alone(path: Path) -> tuple[float, float]:
    """Seconds tiktoken needs for all texts, in two processes: the longer of the two, and of processor."""
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", ALONE, str(path), str(part)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in (0, 1)
    ]
    for worker in crew:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in crew:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    times = [tuple(map(float, worker.communicate()[0].split())) for worker in crew]
    return max(wall for wall, _ in times), sum(cpu for _, cpu in times)


def check(path: Path, fast: str = "0", watched: bool = False) -> tuple[float, float, int, str]:
    """(seconds, of processor, peak bytes over all processes, what was found) of one full check, the start
    of its processes included. fast: "0" counts with tiktoken, "1" with toktok where it is installed.
    watched: look at the memory, which is 0 otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHECK, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FTTUI_FAST": fast},
    )
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, memory(process.pid))

    watcher = threading.Thread(target=watch)
    if watched:
        watcher.start()
    out = process.communicate()[0].split()
    done.set()
    if watched:
        watcher.join()
    return (
        float(out[0]),
        float(out[1]),
        peak,
        f"{int(out[2]):,} examples, {int(out[3]):,} tokens, {out[4]} findings",
    )


def memory(pid: int) -> int:
    """Resident bytes of a process and of all it started, shared pages counted once (PSS)."""
    total = 0
    for one in family(pid):
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def family(pid: int) -> Iterator[int]:
    """A process and all that it and its children started."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def main() -> None:
    size = int(sys.argv[1]) * 1_000_000 if len(sys.argv) > 1 else 100_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    modes = ["0", "1"] if importlib.util.find_spec("toktok") else ["0"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.jsonl"
        corpus(path, size)
        size = os.path.getsize(path)
        print(f"{size / 1e6:.0f} MB, {os.cpu_count()} cores")
        for mode in modes:
            print(f"{NAMES[mode]:17} peak {check(path, mode, watched=True)[2] / 1e6:.0f} MB")
        best: dict[str, list[float]] = {}
        for _ in range(rounds):
            first = list(alone(path))
            show("tiktoken alone", size, first, first, "")
            best["alone"] = least(best.get("alone"), first)
            for mode in modes:
                seconds, cpu, _, found = check(path, mode)
                name = NAMES[mode]
                show(name, size, first, [seconds, cpu], f"· {found}")
                best[name] = least(best.get(name), [seconds, cpu])
        print("best of each side:")
        for name, times in best.items():
            show(name, size, best["alone"], times, "")


def show(name: str, size: int, first: list[float], times: list[float], more: str) -> None:
    wall, cpu = (a / b for a, b in zip(first, times, strict=True))
    print(
        f"{name:17} {size / times[0] / 1e6:5.1f} MB/s · ratio {wall:4.0%} · of processor time {cpu:4.0%} "
        f"({times[1]:.1f} s) {more}",
        flush=True,
    )


def least(known: list[float] | None, now: list[float]) -> list[float]:
    return [min(pair) for pair in zip(known or now, now, strict=True)]


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"{time.monotonic() - started:.0f} s")
