"""Scanning: the same in one process or several, cancelled at once, cached by content."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from fttui.dataset import pool
from fttui.dataset.file_hash import FileHash
from fttui.dataset.report import Finding
from fttui.dataset.scan import Cancelled, Progress, scan

from .cases import ONE, chat
from .conftest import as_bytes


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """3 MB with a bad line here and there."""
    lines = [chat(i, f"It is {i}. " * 20) for i in range(9_000)]
    for i, (_, kind, line, _) in enumerate(ONE):
        if kind == "chat" and len(str(line)) < 10_000:
            lines[80 * i] = line
    path = tmp_path / "large.jsonl"
    path.write_bytes(as_bytes(lines))
    return path


def test_workers_find_the_same(large: Path) -> None:
    alone, crew = scan(large, workers=0, cached=False), scan(large, workers=2, cached=False)
    first, second = alone.as_dict(), crew.as_dict()
    assert len(alone.findings) > 40
    assert first == second
    assert list(alone.rows) == list(crew.rows)


def test_offsets_lead_to_the_lines(large: Path) -> None:
    data = large.read_bytes()
    for finding in scan(large, workers=0, cached=False).findings:
        if finding.offset >= 0:
            assert data[: finding.offset].count(b"\n") == finding.line - 1


def test_progress_tells_new_findings(large: Path) -> None:
    seen: list[Progress] = []
    report = scan(large, workers=1, cached=False, on_progress=seen.append)
    assert seen[-1].bytes_done == seen[-1].bytes_total == report.bytes
    told: list[Finding] = [f for progress in seen for f in progress.findings]
    assert len({id(f) for f in told}) == len(told)
    assert {f.code for f in told} <= set(report.counts)


@pytest.mark.parametrize("workers", [0, 2])
def test_cancel_is_at_once(large: Path, workers: int) -> None:
    asked = 0.0

    def cancelled() -> bool:
        nonlocal asked
        asked = asked or time.monotonic()
        return True

    with pytest.raises(Cancelled):
        scan(large, workers=workers, cached=False, cancelled=cancelled)
    assert time.monotonic() - asked < 1.0  # 0.2 on a machine of its own


@pytest.mark.parametrize("workers", [0, 2])
def test_cancel_is_at_once_in_a_file_of_tiny_lines(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "tiny.jsonl"
    path.write_bytes(b"{}\n" * 400_000)
    asked = 0
    began = worst = time.monotonic()
    worst = 0.0

    def cancelled() -> bool:
        nonlocal asked, began, worst
        asked += 1
        now = time.monotonic()
        if asked > 20:  # the start of the processes is over
            worst = max(worst, now - began)
        began = now
        return asked > 60

    with pytest.raises(Cancelled):
        scan(path, workers=workers, cached=False, cancelled=cancelled)
    assert time.monotonic() - began < 1.0  # 0.2 on a machine of its own
    assert worst < 1.0


def test_a_killed_worker_is_a_finding_not_a_crash(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = pool.run
    deaths = 0

    def dying(path, tasks, setup, workers, cancelled):  # type: ignore[no-untyped-def]
        nonlocal deaths
        deaths += 1
        if deaths <= 2:
            raise pool.WorkerDied
        yield from original(path, tasks, setup, workers, cancelled)

    monkeypatch.setattr(pool, "run", dying)
    report = scan(large, workers=2, cached=False)
    assert report.counts["F003"] == 1
    assert report.examples > 4_000


def _workers_of(first: int) -> list[int]:
    """The first worker and those it forked, from /proc."""
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("which", [0, 1])
def test_a_worker_killed_for_real_costs_nothing(
    large: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    killed: list[int] = []
    receive = pool._Crew.receive

    def kill_once(crew: pool._Crew, pipe: Any) -> Any:
        result = receive(crew, pipe)
        if result is not None and not killed:
            killed.append(_workers_of(crew.process.pid)[which])
            os.kill(killed[0], signal.SIGKILL)
        return result

    monkeypatch.setattr(pool._Crew, "receive", kill_once)
    report = scan(large, workers=2, cached=False)
    assert killed
    assert report.as_dict() == scan(large, workers=0, cached=False).as_dict()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_cancelled_scan_leaves_no_process(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    receive = pool._Crew.receive

    def note(crew: pool._Crew, pipe: Any) -> Any:
        result = receive(crew, pipe)
        seen.extend(_workers_of(crew.process.pid))
        return result

    monkeypatch.setattr(pool._Crew, "receive", note)
    with pytest.raises(Cancelled):
        scan(large, workers=2, cached=False, cancelled=lambda: len(set(seen)) > 1)
    assert len(set(seen)) == 2
    deadline = time.monotonic() + 10
    while alive := [pid for pid in seen if _runs(pid)]:
        assert time.monotonic() < deadline, alive
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may have asked yet how it ended


def test_without_processes_the_scan_goes_on_here(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool.sys, "executable", "/nonexistent/python")
    report = scan(large, workers=2, cached=False)
    assert report.examples == scan(large, workers=0, cached=False).examples


def test_results_are_kept_by_content(large: Path, tmp_path: Path) -> None:
    first = scan(large, workers=0)
    again = scan(large)
    assert (first.cached, again.cached) == (False, True)
    assert again.as_dict() == first.as_dict()
    assert list(again.rows) == list(first.rows)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(large.read_bytes())
    assert scan(copy).cached
    with open(copy, "ab") as file:
        file.write(json.dumps(chat(77_777)).encode() + b"\n")
    grown = scan(copy, workers=0)
    assert not grown.cached
    assert grown.examples == first.examples + 1
    assert not scan(large, muted=frozenset({"M022"}), workers=0).cached


def test_a_damaged_cache_is_no_failure(large: Path) -> None:
    first = scan(large, workers=0)
    folder = Path(os.environ["FTTUI_HOME"]) / "cache" / "scans"
    for path in folder.glob("*.scan"):
        path.write_bytes(path.read_bytes()[:-100])
    assert scan(large, workers=0).as_dict() == first.as_dict()


def test_findings_are_bounded_and_counts_exact(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"{}\n" * 30_000 + b"\n" * 30_000)
    report = scan(path, workers=0, cached=False)
    assert report.counts["S001"] == 30_000
    assert len(report.of("S001")) == 1_000
    assert [(f.line, f.count) for f in report.of("J003")] == [(30_001, 30_000)]


def test_the_fast_extra_changes_no_number(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = scan(large, workers=2, cached=False)
    monkeypatch.setenv("FTTUI_FAST", "0")
    exact = scan(large, workers=2, cached=False)
    assert exact.as_dict()["token_stats"] == fast.as_dict()["token_stats"]
    assert list(exact.rows) == list(fast.rows)


def test_cancelling_does_not_wait_for_the_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.jsonl"
    path.write_bytes(json.dumps(chat(1)).encode() + b"\n")
    release = threading.Event()
    monkeypatch.setattr("fttui.dataset.scan.encoder", lambda name: release.wait(60))
    started = time.monotonic()
    with pytest.raises(Cancelled):
        scan(path, workers=0, cached=False, cancelled=lambda: True)
    release.set()
    assert time.monotonic() - started < 10


def test_the_hash_of_a_file_that_cannot_be_read_whole_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"x" * 3_000_000)
    with open(path, "rb") as file:
        for stop, expected in (
            (3_000_000, hashlib.sha256(b"x" * 3_000_000).hexdigest()),
            (1_500_000, hashlib.sha256(b"x" * 1_500_000).hexdigest()),
            (3_000_001, ""),
        ):
            taken = FileHash(file.fileno(), stop)
            assert taken.result() == expected
            taken.end()
