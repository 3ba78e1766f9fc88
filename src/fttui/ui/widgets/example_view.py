"""One example in full: as a conversation, as JSON, or byte by byte."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fttui.text import one_line, plural, size
from fttui.ui.text import Part
from fttui.ui.widgets.conversation import PLACE, conversation, finding_lines, same
from fttui.ui.widgets.json_view import LIMIT, json_lines, raw_lines
from fttui.ui.widgets.text_view import Line, TextView

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Finding, Report

VIEWS = ("conversation", "JSON", "raw")
READ = 4 << 20  # bytes of a line that are parsed; a longer one is shown as JSON text, and cut


class ExampleView(TextView):
    """Shows one line of a file; the findings stand where they belong, the one jumped to is marked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = VIEWS[0]
        self._raw = b""
        self._total = 0
        self._line = -1
        self._findings: Sequence[Finding] = ()
        self._place: Finding | None = None
        self._hint = ""
        self.title: list[Part] = []

    def show_line(
        self,
        index: LineIndex,
        line: int,
        report: Report | None,
        findings: Sequence[Finding],
        place: Finding | None,
        mark: re.Pattern[str] | None,
    ) -> None:
        """Show line `line` (0-based)."""
        self._line, self._total = line, index.length(line)
        self._raw = index.line(line, READ + 1 if self._total > READ else None)
        self._findings, self._place = findings, place
        self._hint = report.format if report is not None else ""
        self._say_title(report)
        self.show(self._view_lines, mark=mark)
        here = self.find(PLACE)
        if here >= 0:
            self.jump(here)

    def next_view(self) -> None:
        """Conversation → JSON → raw → conversation."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        if self._line >= 0:
            self.show(self._view_lines, mark=self._marked)

    def _say_title(self, report: Report | None) -> None:
        parts: list[Part] = [(f"line {self._line + 1:,}", "bold")]
        i = report.rows.at_line(self._line + 1) if report is not None else None
        if report is not None and i is not None:
            row = report.rows[i]
            parts.append(f" · {row.tokens:,} tokens")
            if 0 < row.trained < row.tokens:
                parts.append(f", {row.trained:,} trained")
        elif self._total > 10_000:
            parts.append(f" · {size(self._total)}")
        if self._findings:
            worst = self._findings[0].severity
            style = {"error": "error", "warning": "warning"}.get(worst, "dim")
            parts.append((f" · {plural(len(self._findings), 'issue')}", style))
        self.title = parts

    def _view_lines(self, width: int) -> list[Line]:
        if self.view == "raw":
            return raw_lines(self._raw, self._total, width)
        if self.view == "JSON" or self._total > READ:
            return self._json(width)
        from fttui.dataset import formats

        example = formats.read(self._raw, self._hint)
        return conversation(example, self._raw, width, self._findings, self._place)

    def _json(self, width: int) -> list[Line]:
        notes: dict[str, list[Line]] = {}
        top: list[Line] = []
        for finding in self._findings:
            lines = finding_lines(finding, width - 12, 2, here=same(finding, self._place))
            if finding.path:
                notes.setdefault(finding.path, []).extend(lines)
            else:
                top += lines
        if self._total > READ:
            note = f"{size(self._total)} on one line: its first {size(LIMIT)}"
            top = [[(one_line(note), "dim")], [], *top]
        return [*top, *json_lines(self._raw, self._total, width, notes)]


def view_names(view: str) -> list[Part]:
    """The names of the views, the one in use standing out."""
    parts: list[Part] = [("v ", "key")]
    for name in VIEWS:
        parts += [(name, "bold" if name == view else "faint"), (" · ", "faint")]
    return parts[:-1]
