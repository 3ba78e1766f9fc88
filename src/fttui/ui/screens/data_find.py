"""Finding examples in the Data area: search, filter, next issue, go to a line."""

from __future__ import annotations

import asyncio
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui import finder
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import Part
from fttui.ui.widgets.example_list import ExampleList
from fttui.ui.widgets.filter_bar import Check, FilterBar

if TYPE_CHECKING:
    from fttui.dataset.report import Report


class FindingScreen(AreaScreen):
    """What was searched and filtered, and moving between what was found. The Data screen is one."""

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.search_text = ""
        self.searching = ""  # the progress of a search that runs
        self.hits: array[int] = array("I")  # 0-based lines, ascending
        self.issues: list[int] = []  # 1-based lines that i and I stop at

    @property
    def rows(self) -> ExampleList:
        return self.query_one(ExampleList)

    @property
    def bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    # -- what the screen brings

    def say_titles(self) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        """Bring the detail in step with the cursor now."""
        raise NotImplementedError

    def show_example(self) -> None:
        raise NotImplementedError

    # -- what was found

    def forget_finds(self) -> None:
        """Another file is open."""
        self.workers.cancel_group(self, "find")
        self.filter_text = self.search_text = self.searching = ""
        self.hits, self.issues = array("I"), []
        self.bar.close()

    def take_issues(self, report: Report | None) -> None:
        """Errors and warnings are what one steps through; notes only when there is nothing else."""
        self.issues = []
        if report is not None:
            self.issues = finder.issue_lines(report, {2, 3}) or finder.issue_lines(report, {1})

    def hit_count(self) -> list[Part]:
        """` 3 of 1,204`, from where the cursor is."""
        if not self.hits:
            return [(" not found", "warning")]
        at = max(1, bisect_right(self.hits, self.rows.line or 0))
        return [(f" {at:,} of {len(self.hits):,} lines", "dim")]

    def marked_words(self) -> re.Pattern[str] | None:
        return finder.words(finder.phrase(self.search_text) + _terms(self.filter_text))

    def stop_finding(self) -> bool:
        """Escape: close the line being typed, or stop the search that runs."""
        if self.bar.is_open:
            self.bar.close()
            self.rows.focus()
        elif self.searching:
            self.workers.cancel_group(self, "find")
            self.searching = ""
            self.say_titles()
        else:
            return False
        return True

    def clear_finds(self) -> bool:
        """Escape: forget the search, then the filter."""
        if self.search_text:
            self._take_hits("", array("I"))
        elif self.filter_text:
            self._take_filter("", None)
        else:
            return False
        return True

    # -- moving

    def _go(self, line: int | None) -> None:
        if line is not None:
            self.rows.go_to(line)
            self.settle()
            self.say_titles()

    def do_next_hit(self) -> None:
        self._go(_next_of(self.hits, self.rows.line or 0, 1))

    def do_previous_hit(self) -> None:
        self._go(_next_of(self.hits, self.rows.line or 0, -1))

    def do_next_issue(self) -> None:
        self._issue(1)

    def do_previous_issue(self) -> None:
        self._issue(-1)

    def _issue(self, delta: int) -> None:
        line = _next_of(self.issues, (self.rows.line or 0) + 1, delta)
        if line is not None:
            if self.filter_text:
                self._take_filter("", None)
            self._go(line - 1)

    # -- asking

    def _ask(self, kind: str, text: str, hint: str, check: Check) -> None:
        self.remove_class("-detail")
        self.bar.ask(kind, text, hint, check)

    def do_search(self) -> None:
        self._ask("/", self.search_text, "what to look for", lambda text: "")

    def do_filter(self) -> None:
        self._ask("filter", self.filter_text, finder.HELP, _complaint)

    def do_goto(self) -> None:
        count = len(self.rows.index) if self.rows.index is not None else 0

        def check(text: str) -> str:
            number = text.replace(",", "")
            fits = number.isdecimal() and 1 <= int(number) <= count
            return "" if fits else f"a line from 1 to {count:,}"

        self._ask("line", "", f"1 … {count:,}", check)

    def on_filter_bar_submitted(self, event: FilterBar.Submitted) -> None:
        self.rows.focus()
        if event.kind == "line":
            if event.text:
                self._go(int(event.text.replace(",", "")) - 1)
        elif event.text:
            self.run_worker(
                self._find(event.kind, event.text),
                group="find",
                exclusive=True,
                exit_on_error=False,
            )
        elif event.kind == "/":
            self._take_hits("", array("I"))
        else:
            self._take_filter("", None)

    # -- looking through the file

    async def _find(self, kind: str, text: str) -> None:
        """Look through the file in a thread; escape and the next search cancel it."""
        index, report = self.thread.index, self.thread.report
        if index is None:
            return
        cancelled = False
        shown = monotonic()
        marked = bytes(self.rows.marks or b"")

        def progress(done: int, total: int) -> None:
            nonlocal shown
            if monotonic() - shown > 0.3 and not cancelled:
                shown = monotonic()
                self.app.call_from_thread(self._say_progress, 100 * done // max(1, total))

        def look() -> array[int]:
            terms = finder.phrase(text) if kind == "/" else finder.parse(text)
            return finder.find(terms, index, report, lambda: cancelled, progress, marked)

        try:
            found = await asyncio.to_thread(look)
            self.searching = ""
            self._take_hits(text, found) if kind == "/" else self._take_filter(text, found)
        except finder.QueryError as error:
            self.notify(str(error), severity="warning")
        except OSError as error:
            why = error.strerror or str(error)
            what = f"{index.path.name} cannot be read any more"
            self.fttui.show_problem(Problem(what, why, "press r to look again"))
        finally:
            cancelled = True

    def _say_progress(self, percent: int) -> None:
        self.searching = f"searching {percent}%, esc stops"
        self.say_titles()

    def _take_hits(self, text: str, hits: array[int]) -> None:
        self.search_text, self.hits = text, hits
        here = self.rows.line or 0
        at = bisect_left(hits, here)
        if hits and hits[at : at + 1] != array("I", [here]):
            self._go(_next_of(hits, here, 1))
        self.show_example()
        self.say_titles()
        self.sync()

    def _take_filter(self, text: str, lines: array[int] | None) -> None:
        if lines is not None and not lines:
            self.notify(f"no line matches {text}", severity="warning", timeout=4)
            self.say_titles()
            return
        self.filter_text = text
        self.rows.only(lines)
        self.settle()
        self.show_example()
        self.say_titles()


def _next_of(lines: Sequence[int], here: int, delta: int) -> int | None:
    """The neighbour of `here` in ascending `lines`; from the end it goes on at the start."""
    if not lines:
        return None
    at = bisect_right(lines, here) if delta > 0 else bisect_left(lines, here) - 1
    return lines[at % len(lines)]


def _terms(text: str) -> list[finder.Term]:
    try:
        return finder.parse(text)
    except finder.QueryError:
        return []


def _complaint(text: str) -> str:
    try:
        finder.parse(text)
    except finder.QueryError as error:
        return str(error)
    return ""
