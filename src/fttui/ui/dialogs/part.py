"""A part of the examples into a copy: which go, which stay, what that leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.text import plural
from fttui.ui.dialogs.copy import CopyDialog
from fttui.ui.text import SEVERITY_GLYPH, SEVERITY_STYLE, Part, fit
from fttui.ui.widgets.text_view import Line

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Report

SHOWN = 200  # examples to look through
CODES = 12  # columns of what was found


@dataclass(frozen=True)
class Tally:
    """Examples in numbers; tokens and findings are those of the check."""

    examples: int = 0
    tokens: int = 0
    errors: int = 0  # examples with one
    warnings: int = 0

    def without(self, other: Tally) -> Tally:
        return Tally(
            self.examples - other.examples,
            self.tokens - other.tokens,
            self.errors - other.errors,
            self.warnings - other.warnings,
        )


@dataclass(frozen=True)
class Shown:
    """One example to look through. line is 1-based."""

    line: int
    severity: str
    codes: str
    words: str


def tally_all(report: Report) -> Tally:
    rows = report.rows
    severity = rows.severity
    return Tally(len(rows), sum(rows.tokens), severity.count(3), severity.count(2))


def tally(report: Report, lines: Iterable[int]) -> Tally:
    """Of these lines (1-based)."""
    rows = report.rows
    found = [i for line in lines if (i := rows.at_line(line)) is not None]
    severities = bytes(rows.severity[i] for i in found)
    tokens = sum(rows.tokens[i] for i in found)
    return Tally(len(found), tokens, severities.count(3), severities.count(2))


def look(index: LineIndex, report: Report | None, lines: Iterable[int]) -> list[Shown]:
    """The first of these lines (1-based), to be looked through. Reads them: call it in a thread."""
    from itertools import islice

    from fttui.ui.widgets.example_list import glance

    first = list(islice(lines, SHOWN))
    while first and not index.complete and len(index) <= max(first):
        index.extend()
    codes: dict[int, list[str]] = {line: [] for line in first}
    for finding in report.findings if report is not None else ():
        if finding.line in codes and finding.code not in codes[finding.line]:
            codes[finding.line].append(finding.code)
    kind = report.format if report is not None else ""
    shown = []
    for line in first:
        i = report.rows.at_line(line) if report is not None else None
        severity = report.rows[i].severity if report is not None and i is not None else ""
        words = glance(index, line - 1, kind)[1]
        shown.append(Shown(line, severity, " ".join(codes[line]), words))
    return shown


def examples(shown: Sequence[Shown], total: int, width: int, sign: Part = "") -> list[Line]:
    """`- 1,204  ✗ M010  what the example says`, and how many more there are."""
    digits = max((len(f"{one.line:,}") for one in shown), default=1)
    room = min(CODES, max((len(one.codes) for one in shown), default=0))
    lines: list[Line] = []
    for one in shown:
        parts: Line = [sign] if sign else []
        glyph = SEVERITY_GLYPH.get(one.severity, " ")
        parts += [
            (f"{one.line:>{digits},}  ", "dim"),
            (f"{glyph} {fit(one.codes, room)}  ", SEVERITY_STYLE.get(one.severity, "faint")),
            fit(one.words, width - digits - room - 6 - len(sign[0] if sign else "")),
        ]
        lines.append(parts)
    if total > len(shown):
        lines.append([(f"and {total - len(shown):,} more", "faint")])
    return lines


def told(what: str, part: Tally, whole: Tally, least: int) -> list[Part]:
    """`988 examples stay, 45,120 of 46,000 tokens · 3 have errors`; least: what training needs."""
    if not part.examples:
        return [("⚠ no example would be in the copy", "warning")]
    parts: list[Part] = [(f"{plural(part.examples, 'example')} {what}", "bold")]
    parts.append((f", {part.tokens:,} of {whole.tokens:,} tokens", "dim"))
    if part.errors:
        parts += [" · ", (f"✗ {plural(part.errors, 'example')} with errors", "error")]
    if part.warnings:
        parts += [" · ", (f"⚠ {part.warnings:,} with warnings", "warning")]
    if not part.errors and not part.warnings:
        parts += [" · ", ("✓ nothing found in them", "ok")]
    if part.examples < least:
        parts.append((f"\n⚠ at least {least} are needed to train", "warning"))
    return parts


class PartDialog(CopyDialog):
    """The examples that are left out, or, `keep`, the only ones that are kept."""

    LOOK = "look through them"

    def __init__(
        self, title: str, name: Path, facts: Sequence[Part], shown: Sequence[Shown], total: int,
        *, keep: bool,
    ) -> None:  # fmt: skip
        super().__init__(title, name)
        self._facts, self._shown, self._total, self._keep = list(facts), shown, total, keep

    def counts(self) -> list[Part]:
        return self._facts

    def preview(self, width: int) -> list[Line]:
        sign: Part = ("+ ", "ok") if self._keep else ("- ", "error")
        return examples(self._shown, self._total, width, sign)
