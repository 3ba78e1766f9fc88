"""What the Check area does about a finding: fix it, drop or mark its examples; always in a copy."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from fttui.text import plural
from fttui.ui.screens.base import AreaScreen

if TYPE_CHECKING:
    from fttui.dataset.report import Finding, Report
    from fttui.ui.widgets.findings import Group

NAMES = ("fix", "fix_one", "drop", "mark")
CHECKING = "the file is still being checked"


class FixingScreen(AreaScreen):
    """What F, f, x and space do. The Check screen is one."""

    group: Group | None
    finding: Finding | None

    @property
    def on_places(self) -> bool:
        """The cursor is among the places of a finding, not among the findings."""
        raise NotImplementedError

    def why_not_fix(self, name: str) -> str:
        report = self._report_of(self.group)
        if report is None:
            return CHECKING
        if name == "fix":
            return _why_nothing_safe(report)
        group = self.group
        if group is None:
            return "nothing was found"
        if group.muted:
            return "this check is muted: m checks it again"
        if name == "fix_one":
            return _why_no_fix(group.code)
        if name == "mark" and group.validation:
            return "it is in the validation file: open that one to mark in it"
        from fttui.dataset import affected

        return affected.why_not(report, group.code)

    def _report_of(self, group: Group | None) -> Report | None:
        report = self.thread.report
        if report is not None and group is not None and group.validation:
            return report.validation
        return report

    def do_fix(self) -> None:
        from fttui.ui import copies

        source = copies.source_of(self.fttui)
        if source is not None:
            copies.start(self, copies.fix(self.fttui, source), source)

    def do_fix_one(self) -> None:
        from fttui.dataset.rewrite import CONVERTED
        from fttui.ui import copies

        group = self.group
        source = copies.source_of(self.fttui, validation=group is not None and group.validation)
        if group is not None and source is not None:
            if group.code in CONVERTED:
                from fttui.ui import reshape

                work = reshape.convert(self.fttui, source)
            else:
                work = copies.fix(self.fttui, source, code=group.code)
            copies.start(self, work, source)

    def do_drop(self) -> None:
        from fttui.ui import copies

        group = self.group
        source = copies.source_of(self.fttui, validation=group is not None and group.validation)
        if group is not None and source is not None:
            copies.start(self, self._drop(group, source), source)

    async def _drop(self, group: Group, source: object) -> None:
        from fttui.ui import copies

        assert isinstance(source, copies.Source)
        lines = await self._lines_of(group)
        if lines:
            what = f"{plural(len(lines), 'example')} with {group.code}"
            await copies.part(self.fttui, source, lines, what=what)

    def do_mark(self) -> None:
        """Mark what is under the cursor: all examples of a finding, or that of one place."""
        from fttui.ui import copies

        group, finding, source = self.group, self.finding, copies.source_of(self.fttui)
        if group is None or source is None:
            return
        if self.on_places and finding is not None and finding.line:
            self._mark(array("I", [finding.line]))
        else:
            copies.start(self, self._mark_all(group), source)

    async def _mark_all(self, group: Group) -> None:
        self._mark(await self._lines_of(group))

    def _mark(self, lines: array[int] | None) -> None:
        from fttui.ui import marks

        if not lines or self.thread.index is None:
            return
        marked = marks.in_reach(self.thread)
        on = marked.toggle([line - 1 for line in lines])
        self.fttui.change(marks=marked)
        word = "marked" if on else "no longer marked"
        total = f"; {len(marked):,} in all. In Data, x drops and F fixes them" if marked else ""
        self.notify(f"{plural(len(lines), 'example')} {word}{total}", timeout=4)

    async def _lines_of(self, group: Group) -> array[int] | None:
        """The lines (1-based) of a finding, all of them; None when looking for them was stopped."""
        from fttui.dataset import affected
        from fttui.ui import copies
        from fttui.ui.dialogs.working import working

        report, target = self._report_of(group), self.fttui.backend.target()
        source = copies.source_of(self.fttui, validation=group.validation)
        if report is None or source is None:
            return None
        found = await working(
            self.app, f"Looking for all of {group.code}", source.lines,
            lambda told, cancelled: affected.lines_with(
                source.path, report, group.code, target=target,
                on_progress=told, cancelled=cancelled,
            ),
        )  # fmt: skip
        if found is None:
            return None
        lines, complete = found
        if not complete:
            self.notify(
                f"only {len(lines):,} of its {group.count:,} places are known by line",
                severity="warning",
                timeout=6,
            )
        return lines


def _why_nothing_safe(report: Report) -> str:
    from fttui.dataset.checks import CATALOGUE

    kinds = {CATALOGUE[code].fix_kind for code in report.counts if code in CATALOGUE}
    return "" if "safe" in kinds else "nothing here can be fixed without a decision of yours"


def _why_no_fix(code: str) -> str:
    from fttui.dataset.checks import CATALOGUE
    from fttui.dataset.rewrite import CONVERTED, ON_REQUEST

    check = CATALOGUE.get(code)
    if check is not None and (check.fix_kind == "safe" or code in ON_REQUEST | CONVERTED):
        return ""
    return "nothing mends it by itself: x drops its examples, E in Data opens the line"
