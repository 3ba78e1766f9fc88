"""Results of stretches added up to one report: counts exact, findings bounded, lines made global."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from fttui.dataset.block import Result
from fttui.dataset.checks.catalogue import CATALOGUE
from fttui.dataset.checks.context import Entry, Facts
from fttui.dataset.duplicates import Digests
from fttui.dataset.report import KEEP, Finding, Report

SYSTEMS = 2_000  # different system prompts whose tokens are remembered


class Merger:
    """Grows a report, stretch after stretch in file order."""

    def __init__(self, report: Report, muted: frozenset[str]) -> None:
        self.report = report
        self.muted = muted
        self.facts = Facts()
        self.digests = Digests()
        self.blanks: list[tuple[int, int]] = []
        self.blank_lines = 0
        self.systems: dict[str, int] = {}
        self.estimated = 0
        self.last_newline = True
        self._kept: dict[str, int] = {}

    def add(self, result: Result) -> list[Finding]:
        """Take a stretch in; the findings that are new."""
        report, base = self.report, self.report.lines
        new = [finding for entry in result.kept if (finding := self._keep(entry, base)) is not None]
        for code, n in result.counts.items():
            report.counts[code] = report.counts.get(code, 0) + n
        for severity, n in result.severities.items():
            report.severities[severity] = report.severities.get(severity, 0) + n
        rows = report.rows
        rows.line.extend(line + base for line in result.rows.line)
        rows.tokens.extend(result.rows.tokens)
        rows.trained.extend(result.rows.trained)
        rows.messages.extend(result.rows.messages)
        rows.severity.extend(result.rows.severity)
        self.digests.add(result, base)
        self.facts.merge(result.facts, base)
        for first, last in result.blanks:
            self._blank(first + base, last + base)
        if len(self.systems) < SYSTEMS:
            self.systems.update(result.systems)
        self.estimated += result.estimated
        if result.lines:
            self.last_newline = result.last_newline
        report.lines += result.lines
        report.examples += result.examples
        return new

    def _keep(self, entry: Entry, base: int) -> Finding | None:
        code, severity, line, path, message, count, offset, fixable = entry
        kept = self._kept.get(code, 0)
        if kept >= KEEP:
            return None
        self._kept[code] = kept + 1
        fix = CATALOGUE[code].fix if fixable else ""
        finding = Finding(code, severity, line + base, path, message, fix, count, offset)
        self.report.findings.append(finding)
        return finding

    def _blank(self, first: int, last: int) -> None:
        self.blank_lines += last - first + 1
        if self.blanks and self.blanks[-1][1] == first - 1:
            self.blanks[-1] = (self.blanks[-1][0], last)
        elif len(self.blanks) < KEEP:
            self.blanks.append((first, last))

    def note(
        self, code: str, line: int, message: str, severity: str = "", count: int = 1, path: str = ""
    ) -> None:
        """Add a finding about the whole file, or one that only shows when lines are compared."""
        if code in self.muted:
            return
        report = self.report
        severity = severity or CATALOGUE[code].severity
        report.counts[code] = report.counts.get(code, 0) + count
        report.severities[severity] = report.severities.get(severity, 0) + count
        kept = self._kept.get(code, 0)
        if kept < KEEP:
            self._kept[code] = kept + 1
            fix = CATALOGUE[code].fix
            report.findings.append(Finding(code, severity, line, path, message, fix, count))
        if line:
            report.rows.mark(line, severity)

    def blank_ranges(self) -> str:
        shown = [f"{a:,}" if a == b else f"{a:,}-{b:,}" for a, b in self.blanks[:5]]
        return ", ".join(chain(shown, ["…"] if len(self.blanks) > 5 else []))

    def sort(self) -> None:
        """Findings in the order of the file; those about the whole file first."""
        self.report.findings.sort(key=lambda finding: (finding.line, finding.code))

    def ordered_lines(self) -> Iterator[int]:
        return iter(self.report.rows.line)
