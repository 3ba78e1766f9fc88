"""Which examples have a finding: from the report where it names them all, else from the file once more."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from fttui.dataset import duplicates
from fttui.dataset.block import BLOCK, Scanner, Task
from fttui.dataset.checks import file as file_checks
from fttui.dataset.checks.catalogue import CATALOGUE
from fttui.dataset.lines import LineIndex
from fttui.dataset.merge import Merger
from fttui.dataset.report import KEEP, Report
from fttui.dataset.subset import RESHAPED
from fttui.dataset.target import OPENAI, Target

STEP = BLOCK // 4  # bytes looked at together, at most
GAP = 2_000  # bytes between two lines that cost less to look at than to begin anew
_FOUND = re.compile(b"[^\0]")  # a severity
OnProgress = Callable[[int], None] | None
Cancelled = Callable[[], bool] | None
TOLD_AS_FIRST = (
    "F010 F013 F014 F016 F019 F020 F024 J003 L006 L007 Q002 Q004 Q006 Q012 Q016 R004 R005 S002 V012"
)
# About the file or about several lines, even where it names a line: that one is only the first.
WIDE = frozenset(TOLD_AS_FIRST.split()) | RESHAPED
COMPARED = frozenset({"Q001", "Q003"})  # found by comparing the lines
# Found by comparing examples with all others or with another file: only the report knows them.
ONLY_REPORT = frozenset({"K006", "Q011", "Q013", "Q014", "X001", "X002", "X003"})


def why_not(report: Report, code: str) -> str:
    """Why a finding has no examples of its own, "" when it has."""
    if not any(finding.line for finding in report.of(code)):
        return "it is about the whole file, not about examples"
    return "it is about lines together: mark the ones you mean in Data" if code in WIDE else ""


def named(report: Report, code: str) -> tuple[array[int], bool]:
    """(lines, all): the lines (1-based, ascending) that the report names, and whether there are no more
    than those."""
    found = report.of(code)
    lines = array("I", sorted({finding.line for finding in found if finding.line}))
    return lines, sum(finding.count for finding in found) >= report.counts.get(code, 0)


def lines_with(
    path: Path,
    report: Report,
    code: str,
    *,
    target: Target = OPENAI,
    on_progress: OnProgress = None,
    cancelled: Cancelled = None,
) -> tuple[array[int], bool]:
    """The same as `named`, having looked through the file where the report does not name them all.

    on_progress gets the lines looked at so far. Raises `scan.Cancelled`.
    """
    lines, complete = named(report, code)
    if complete or code in ONLY_REPORT or code in WIDE:
        return lines, complete
    found = _compared if code in COMPARED else _checked
    return array("I", sorted(found(path, report, code, target, on_progress, cancelled))), True


def _checked(
    path: Path, report: Report, code: str, target: Target, told: OnProgress, stop: Cancelled
) -> Iterator[int]:
    """Lines a check of theirs alone finds: those with a finding of some kind are checked once more."""
    with LineIndex.open(path) as index:
        opened = _opened(path, target)
        try:
            scanner = _scanner(opened, target, code, stop)
            while not index.extend():
                _ask(stop)
            runs = list(_runs(report, index))
            runs.reverse()
            while runs:
                _ask(stop)
                first, last = runs.pop()
                start = max(index.offset(first), opened.start)
                task = Task(
                    start, min(index.span(last)[1] + 1, opened.end), opened.start, opened.end
                )
                kept = scanner.scan(opened.fd, task).kept
                if len(kept) >= KEEP and last > first:  # there may be more: in smaller stretches
                    middle = (first + last) // 2
                    runs += [(middle + 1, last), (first, middle)]
                    continue
                yield from {entry[2] + first for entry in kept}
                if told is not None:
                    told(last + 1)
        finally:
            os.close(opened.fd)


def _runs(report: Report, index: LineIndex) -> Iterator[tuple[int, int]]:
    """(first, last) lines (0-based) to look at together: those with findings, and what lies between
    where that is little."""
    first = last = -1
    rows = report.rows
    for found in _FOUND.finditer(rows.severity):
        line = rows.line[found.start()] - 1
        if line >= len(index):
            break
        if first >= 0 and (
            index.offset(line) - index.span(last)[1] > GAP
            or index.span(line)[1] - index.offset(first) > STEP
        ):
            yield first, last
            first = -1
        first, last = (line if first < 0 else first), line
    if first >= 0:
        yield first, last


def _compared(
    path: Path, report: Report, code: str, target: Target, told: OnProgress, stop: Cancelled
) -> Iterator[int]:
    """Lines that repeat an earlier one."""
    opened = _opened(path, target)
    merger = Merger(Report(str(path)), frozenset(CATALOGUE))
    try:
        scanner = _scanner(opened, target, code, stop)
        for start in range(opened.start, opened.end, STEP):
            _ask(stop)
            task = Task(start, min(start + STEP, opened.end), opened.start, opened.end)
            merger.add(scanner.scan(opened.fd, task))
            if told is not None:
                told(merger.report.lines)
        yield from (same[1] for same in duplicates.repeated(merger.digests) if same[0] == code)
    finally:
        merger.digests.close()
        os.close(opened.fd)


def _opened(path: Path, target: Target) -> file_checks.Opened:
    opened = file_checks.open_file(os.fspath(path), target)
    if opened.fd < 0:
        raise OSError(2, "it cannot be read any more", os.fspath(path))
    return opened


def _scanner(opened: file_checks.Opened, target: Target, code: str, stop: Cancelled) -> Scanner:
    """Looks for this code alone, as a scan of the file would."""
    hint = file_checks.hint(opened.head[opened.start :])
    if target.method == "reinforcement":
        hint = "reinforcement"
    return Scanner(target, hint, frozenset(CATALOGUE) - {code}, stop)


def _ask(stop: Cancelled) -> None:
    from fttui.dataset.scan import Cancelled as Stopped

    if stop is not None and stop():
        raise Stopped
