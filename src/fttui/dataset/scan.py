"""Scan a dataset: open, read in stretches (in worker processes when large), check, count, compare.

`scan` blocks; call it from a thread. It never writes to the file and never raises for what is in it.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fttui.dataset import cache, duplicates, pool
from fttui.dataset.block import BLOCK, Cancelled, Result, Scanner, Task
from fttui.dataset.checks import file as file_checks
from fttui.dataset.checks import filewide, pairs
from fttui.dataset.checks.filewide import COMMON
from fttui.dataset.duplicates import Digests
from fttui.dataset.encoder import encoder
from fttui.dataset.file_hash import FileHash, read_block
from fttui.dataset.merge import Merger
from fttui.dataset.report import Finding, Report, TokenStats, percentiles, verdict
from fttui.dataset.target import OPENAI, Target
from fttui.text import plural

POOL_FROM = 4_000_000  # bytes; below, starting processes costs more than it gives
POOL_FROM_SHORT = (
    1_000_000  # the same for a file of lines shorter than SHORT bytes: they cost by number
)
SHORT = 64
WORKERS = 2
STRETCH = BLOCK  # bytes of one task for a worker
STRETCH_SHORT = BLOCK // 8  # the same where lines are shorter than SHORT
TICK = 0.02  # seconds between two looks at `cancelled` while the vocabulary loads
EVERY = 0.1  # seconds between two calls of on_progress
MANY_ANSWERS = 20  # different answers to one prompt that look meant


@dataclass(slots=True)
class Progress:
    """How far a scan is. findings: those new since the last call."""

    bytes_done: int
    bytes_total: int
    examples: int
    counts: dict[str, int]
    findings: list[Finding] = field(default_factory=list)
    file: str = ""


OnProgress = Callable[[Progress], None]


def scan(
    path: str | os.PathLike[str],
    *,
    target: Target = OPENAI,
    validation: str | os.PathLike[str] | None = None,
    muted: frozenset[str] = frozenset(),
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int | None = None,
    cached: bool = True,
) -> Report:
    """Everything there is to say about a file, and about a validation file beside it.

    on_progress is called at most ten times a second, from the calling thread. cancelled is asked all
    the time; when it says yes, `Cancelled` is raised within 200 ms. workers: 0 scans in this thread,
    None decides by size. Results are cached by content, target and version.
    """
    job = _Job(target, muted, on_progress, cancelled or (lambda: False), workers)
    job.has_pair = validation is not None
    started = time.monotonic()
    if cached and validation is None:
        known = cache.load(path, target, muted)
        if known is not None:
            return known
    report, train = job.one(os.fspath(path))
    try:
        if validation is not None:
            _with_validation(job, report, train, os.fspath(validation))
        elif cached and train is not None:
            cache.save(path, target, muted, report)
    finally:
        if train is not None:
            train.digests.close()
    report.seconds = time.monotonic() - started
    return report


def _with_validation(job: _Job, report: Report, train: Merger | None, path: str) -> None:
    report.validation, other = job.one(path, validation=True)
    if train is None or other is None:
        _conclude(report, job.target)
        return
    for code, line, earlier, count, _ in duplicates.shared(train.digests, other.digests):
        what = {"X001": "is also", "X002": "has the prompt of", "X003": "is nearly"}[code]
        other.note(code, line, f"{what} line {earlier:,} of the training file", count=count)
    sizes = (report.examples, report.validation.examples)
    for code, line, message, count in pairs.check(train.facts, other.facts, sizes, job.target):
        other.note(code, line, message, count=count)
    other.sort()
    other.digests.close()
    _conclude(report.validation, job.target)
    _conclude(report, job.target)


class _Job:
    """One call of `scan`: what stays the same for both files."""

    def __init__(
        self,
        target: Target,
        muted: frozenset[str],
        on_progress: OnProgress | None,
        cancelled: Callable[[], bool],
        workers: int | None,
    ) -> None:
        self.target, self.muted = target, muted
        self.on_progress, self.cancelled, self.workers = on_progress, cancelled, workers

    def one(self, path: str, validation: bool = False) -> tuple[Report, Merger | None]:
        """Scan one file; the merger keeps what a comparison needs, None when nothing was read."""
        report = Report(os.fsencode(path).decode("utf-8", "replace"))
        report.tokens = TokenStats(encoding=self.target.encoding)
        opened = file_checks.open_file(path, self.target)
        merger = Merger(report, self.muted)
        try:
            for found in opened.found:
                merger.note(found.code, found.line, found.message, found.severity, found.count)
            report.bytes = opened.size
            if not opened.fatal:
                self._lines(path, opened, merger)
                self._whole(path, opened, merger, validation)
            elif opened.fd >= 0:
                _frame_only(opened, merger)
        finally:
            if opened.fd >= 0:
                os.close(opened.fd)
        _finish(report, merger, self.target)
        return report, None if opened.fatal else merger

    def _lines(self, path: str, opened: file_checks.Opened, merger: Merger) -> None:
        sent = time.monotonic()
        new: list[Finding] = []
        stop = opened.size if opened.nuls < BLOCK else opened.end
        sha256 = FileHash(opened.fd, stop)
        try:
            for result, done in self._results(path, opened):
                new += merger.add(result)
                now = time.monotonic()
                if self.on_progress and now - sent >= EVERY:
                    self._tell(merger.report, done, opened.size, new)
                    sent, new = now, []
            merger.report.sha256 = sha256.result()
        finally:
            sha256.end()
        if self.on_progress:
            self._tell(merger.report, opened.size, opened.size, new)

    def _tell(self, report: Report, done: int, total: int, new: list[Finding]) -> None:
        assert self.on_progress is not None
        self.on_progress(
            Progress(done, total, report.examples, dict(report.counts), new, report.file)
        )

    def _results(self, path: str, opened: file_checks.Opened) -> Iterator[tuple[Result, int]]:
        size = opened.end - opened.start
        workers = self.workers
        short = opened.head.count(b"\n") > file_checks.HEAD // SHORT
        if workers is None:
            large = size > (POOL_FROM_SHORT if short else POOL_FROM)
            workers = min(WORKERS, os.cpu_count() or 1) if large else 0
        hint = file_checks.hint(opened.head[opened.start :])
        if self.target.method == "reinforcement":
            hint = "reinforcement"
        step = STRETCH_SHORT if short else STRETCH if workers else STRETCH // 4
        tasks = list(_tasks(opened, step))
        if workers:
            setup = (self.target, hint, self.muted)
            results = self._pooled(path, opened.fd, tasks, setup, workers)
        else:
            results = self._inline(opened.fd, tasks, hint)
        for task, result in zip(tasks, results, strict=False):
            yield result, task.stop
        if self.cancelled():
            raise Cancelled

    def _inline(self, fd: int, tasks: list[Task], hint: str) -> Iterator[Result]:
        self._load_vocabulary()
        scanner = Scanner(self.target, hint, self.muted, self.cancelled)
        for task in tasks:
            if self.cancelled():
                raise Cancelled
            yield scanner.scan(fd, task)

    def _load_vocabulary(self) -> None:
        """In a thread of its own, so that cancelling need not wait for it."""
        loading = threading.Thread(target=encoder, args=(self.target.encoding,), daemon=True)
        loading.start()
        while loading.is_alive():
            loading.join(TICK)
            if self.cancelled():
                raise Cancelled

    def _pooled(
        self, path: str, fd: int, tasks: list[Task], setup: pool.Setup, workers: int
    ) -> Iterator[Result]:
        """Results from worker processes. Where one is killed, the rest is read by one alone, which needs
        the least memory; a stretch that kills that one too is reported as not checked."""
        at = 0
        while at < len(tasks):
            try:
                for result in pool.run(path, tasks[at:], setup, workers, self.cancelled):
                    yield result
                    at += 1
                return
            except pool.NoWorkers:
                yield from self._inline(fd, tasks[at:], setup[1])
                return
            except pool.WorkerDied:
                if workers == 1:
                    yield _lost(tasks[at])
                    at += 1
                workers = 1

    def _whole(
        self, path: str, opened: file_checks.Opened, merger: Merger, validation: bool
    ) -> None:
        """Everything that shows only over all lines."""
        report, facts = merger.report, merger.facts
        if opened.nuls:
            line = report.lines + merger.last_newline
            merger.note("F013", line, f"NUL bytes from line {line:,} to the end ({opened.nuls:,})")
        if not report.examples:
            merger.note("F005", 0, "file has no examples")
            return
        if not merger.last_newline and not opened.nuls and not report.counts.get("F017"):
            merger.note("F016", report.lines, "no newline at the end")
        if merger.blank_lines:
            first = merger.blanks[0][0]
            text = f"{plural(merger.blank_lines, 'blank line')} ({merger.blank_ranges()})"
            merger.note("J003", first, text, count=merger.blank_lines)
        for what, code, text in _LINE_ENDS:
            if facts.n[what]:
                merger.note(
                    code,
                    facts.first[what],
                    f"{plural(facts.n[what], 'line')} {text}",
                    count=facts.n[what],
                )
        if validation:
            target_limits = report.examples if report.examples < self.target.min_examples else 0
        else:
            target_limits = 0
        _same_answer(merger)
        for code, line, message, count in filewide.check(facts, report.examples, self.target):
            if code == "S005" and target_limits:
                continue  # X005 says so of a validation file
            merger.note(code, line, message, count=count)
        if self.target.method == "reinforcement" and not validation and not self.has_pair:
            merger.note("R007", 0, "reinforcement training requires a validation file")
        for same in duplicates.repeated(merger.digests):
            if self.cancelled():
                raise Cancelled
            _same(same, merger)
        _long_ones(merger)
        if _changed(path, opened):
            merger.note("F028", 0, "file changed during the check")
        merger.sort()

    has_pair = False  # a validation file is checked along with it


_LINE_ENDS = (
    ("crlf", "F014", "with Windows ends (\\r\\n)"),
    ("separator", "F024", "with U+2028, U+2029 or U+0085 in a string"),
)


def _tasks(opened: file_checks.Opened, step: int) -> Iterator[Task]:
    start = opened.start
    while start < opened.end:
        stop = min(start + step, opened.end)
        yield Task(start, stop, opened.start, opened.end)
        start = stop


def _lost(task: Task) -> Result:
    result = Result(lines=1, examples=0)
    result.counts["F003"] = result.severities["error"] = 1
    text = f"bytes {task.start:,} to {task.stop:,} were not checked: the process that read them was killed (memory?)"
    result.kept.append(("F003", "error", 1, "", text, 1, task.start, False))
    return result


def _frame_only(opened: file_checks.Opened, merger: Merger) -> None:
    """The lines are not looked at: say only how many there are and how the file ends."""
    report = merger.report
    digest = hashlib.sha256()
    at, last, codes = 0, b"", {found.code for found in opened.found}
    while block := read_block(opened.fd, at):
        digest.update(block)
        report.lines += block.count(b"\n")
        last = block[-1:]
        at += len(block)
        if at > file_checks.WHOLE:
            break
    report.sha256 = digest.hexdigest() if at >= opened.size else ""
    if last not in (b"\n", b"") and codes & {"F021", "F022"}:
        report.lines += 1
        merger.note("F016", report.lines, "no newline at the end")


def _same(same: duplicates.Same, merger: Merger) -> None:
    code, line, earlier, count, answers = same
    if code == "Q001":
        merger.note(code, line, f"same as line {earlier:,}")
    elif code == "Q003":
        # answers: 1 when equal but for blanks, case and punctuation, which is as good as the same
        severity = "warning" if answers else ""
        merger.note(code, line, f"nearly the same as line {earlier:,}", severity)
    else:
        severity = "note" if answers > MANY_ANSWERS else ""
        text = f"the prompt of line {earlier:,} again on {plural(count, 'line')}, {answers:,} different answers"
        merger.note(code, line, text, severity, count)


def _same_answer(merger: Merger) -> None:
    """Leave with the facts which long answer is given again and again; short ones are counted there."""
    facts = merger.facts
    if facts.n["answers_long"] > COMMON * facts.n["answers"]:
        times, line = duplicates.same_answer(merger.digests, COMMON)
        if times:
            facts.n["same_answer"], facts.first["same_answer"] = times, line


def _long_ones(merger: Merger) -> None:
    """K006: examples four times as long as all but one in a hundred."""
    rows = merger.report.rows
    if len(rows) < 100:
        return
    bound = 4 * percentiles(rows.tokens, (99,))[99]
    for i, tokens in enumerate(rows.tokens):
        if tokens > bound > 0:
            merger.note(
                "K006",
                rows.line[i],
                f"{tokens:,} tokens, 99 of 100 examples have under {bound // 4:,}",
            )


def _changed(path: str, opened: file_checks.Opened) -> bool:
    try:
        info = os.stat(path)
    except OSError:
        return True
    return (info.st_size, info.st_mtime_ns, info.st_ino) != opened.stamp


def _finish(report: Report, merger: Merger, target: Target) -> None:
    from fttui.dataset.statistics import fill

    report.format = filewide.main_format(merger.facts)
    fill(report, merger)
    _conclude(report, target)


def _conclude(report: Report, target: Target) -> None:
    severities = dict(report.severities)
    if report.validation is not None:
        for name, n in report.validation.severities.items():
            severities[name] = severities.get(name, 0) + n
    unusable = bool(report.counts.keys() & file_checks.UNUSABLE)
    report.verdict, report.summary = verdict(severities, target.title, unusable)


__all__ = ["Cancelled", "Digests", "Path", "Progress", "scan"]
