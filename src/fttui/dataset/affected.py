"""Which examples have a finding: from the report where it names them all, else from the file once more."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from fttui.dataset import duplicates
from fttui.dataset.block import BLOCK, Result, Scanner, Task
from fttui.dataset.checks import file as file_checks
from fttui.dataset.checks.catalogue import CATALOGUE
from fttui.dataset.report import KEEP, Report
from fttui.dataset.subset import RESHAPED
from fttui.dataset.target import OPENAI, Target

STEP = BLOCK // 4  # bytes looked at together
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
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[array[int], bool]:
    """The same as `named`, having looked through the file where the report does not name them all.

    on_progress gets the lines looked at so far. Raises `scan.Cancelled`.
    """
    lines, complete = named(report, code)
    if complete or code in ONLY_REPORT or code in WIDE:
        return lines, complete
    found: set[int] = set()
    digests = duplicates.Digests()
    before = 0
    try:
        for result in _results(path, code, target, cancelled):
            found.update(entry[2] + before for entry in result.kept)
            if code in COMPARED:
                digests.add(result.digests, (line + before for line in result.digest_lines))
            before += result.lines
            if on_progress is not None:
                on_progress(before)
        if code in COMPARED:
            found.update(same[1] for same in duplicates.repeated(digests) if same[0] == code)
    finally:
        digests.close()
    return array("I", sorted(found)), True


def _results(
    path: Path, code: str, target: Target, cancelled: Callable[[], bool] | None
) -> Iterator[Result]:
    """What a scan for this code alone finds, stretch after stretch, every place of it named."""
    from fttui.dataset.scan import Cancelled

    opened = file_checks.open_file(os.fspath(path), target)
    if opened.fd < 0:
        raise OSError(2, "it cannot be read any more", os.fspath(path))
    hint = file_checks.hint(opened.head[opened.start :])
    if target.method == "reinforcement":
        hint = "reinforcement"
    scanner = Scanner(target, hint, frozenset(CATALOGUE) - {code}, cancelled)
    try:
        tasks = [
            Task(start, min(start + STEP, opened.end), opened.start, opened.end)
            for start in range(opened.start, opened.end, STEP)
        ]
        tasks.reverse()
        while tasks:
            if cancelled is not None and cancelled():
                raise Cancelled
            task = tasks.pop()
            result = scanner.scan(opened.fd, task)
            size = task.stop - task.start
            if len(result.kept) >= KEEP and size > 1:  # there may be more: in smaller stretches
                middle = task.start + size // 2
                tasks += [
                    Task(middle, task.stop, task.first, task.end),
                    Task(task.start, middle, task.first, task.end),
                ]
            else:
                yield result
    finally:
        os.close(opened.fd)
