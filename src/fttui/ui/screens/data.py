"""The Data area: what is in this file? A list of its examples, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.binding import Binding
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from fttui.problem import Problem
from fttui.text import one_line, plural, size
from fttui.ui import edit_file, finder
from fttui.ui.actions import bindings
from fttui.ui.screens.data_marks import MarkingScreen
from fttui.ui.text import Part, say
from fttui.ui.widgets.example_list import ExampleList
from fttui.ui.widgets.example_view import ExampleView, view_names
from fttui.ui.widgets.filter_bar import FilterBar
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.titled_pane import Pane
from fttui.ui.widgets.unusable import Unusable, problem_of
from fttui.ui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Finding, Report

STEP_SECONDS = 0.03  # the detail follows a single step at once …
REST_SECONDS = 0.18  # … and waits for the end of a run of steps: a held key stays cheap
DISK_SECONDS = 3.0  # how often the file is looked at for changes
GROW_SECONDS = 0.3  # how often the list grows while a large file is indexed
COPY_BYTES = 8 << 20
NEEDS_FILE = "no file is open"


class DataScreen(MarkingScreen):
    """Decides which page is shown and which example; the widgets only draw."""

    SCOPE = "data"
    BINDINGS = [
        *bindings(SCOPE),
        Binding("left", "step(-1)", "Previous example", show=False, id="data.left"),
        Binding("right", "step(1)", "Next example", show=False, id="data.right"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    DEFAULT_CSS = """
    DataScreen #file { height: 1fr; }
    DataScreen #titles { height: 1; width: 1fr; text-wrap: nowrap; }
    DataScreen.-narrow #view-pane { display: none; }
    DataScreen.-narrow.-detail #view-pane { display: block; }
    DataScreen.-narrow.-detail #list-pane { display: none; }
    DataScreen.-narrow.-tall #file { layout: vertical; }
    DataScreen.-narrow.-tall #list-pane, DataScreen.-narrow.-tall #view-pane { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._index: LineIndex | None = None  # what the list shows
        self._report: Report | None = None
        self._findings: dict[int, list[Finding]] = {}  # by 1-based line
        self._place: Finding | None = None  # the one that was jumped to
        self._changed_on_disk = False
        self._look_anyway = False  # the file is unusable, its lines are wanted all the same
        self._timer: Timer | None = None
        self._last_move = 0.0
        self._grown = 0.0

    def body(self) -> Iterable[Widget]:
        yield Welcome(id="welcome")
        yield Unusable(id="unusable")
        with Horizontal(id="file"):
            with Pane(id="list-pane"):
                yield Static("", id="titles")
                yield ExampleList(id="examples")
                yield FilterBar()
            with Pane(id="view-pane"):
                yield ExampleView(id="example")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(DISK_SECONDS, self._look_at_disk)

    @property
    def view(self) -> ExampleView:
        return self.query_one(ExampleView)

    # -- the thread

    def thread_changed(self, fields: frozenset[str]) -> None:
        thread = self.thread
        if thread.index is not self._index or fields & {"path", "problem", "report"}:
            self._arrange()
        if thread.index is None:
            return
        if "index" in fields:
            self._grow(thread.index)
        if thread.report is not self._report:
            self._take_report()
        self.show_marks()
        if "row" in fields and self.rows.line != thread.row:
            self.rows.go_to(thread.row)
        if thread.place is not None and thread.place is not self._place:
            self.add_class("-detail")  # matters where list and example share one place
            self.call_after_refresh(self._focus_what_shows)
        self._place = thread.place
        if fields & {"path", "row", "place", "report"} or not self.view.title:
            self.show_example()

    def _grow(self, index: LineIndex) -> None:
        """More lines are known; while they come in the list is told now and then, not each time."""
        now = monotonic()
        if index.complete or now - self._grown > GROW_SECONDS:
            self._grown = now
            self.rows.grow()
            self.say_titles()

    def _arrange(self) -> None:
        """Show the page that fits: the welcome, what is wrong with the file, or the file."""
        thread = self.thread
        problem = thread.problem or (None if self._look_anyway else problem_of(thread.report))
        page = "unusable" if problem else "file" if thread.index else "welcome"
        for name in ("welcome", "unusable", "file"):
            self.query_one(f"#{name}").display = name == page
        if thread.index is not self._index:
            self._index, self._report = thread.index, None
            self._findings, self._changed_on_disk, self._look_anyway = {}, False, False
            self.forget_finds()
            self.remove_class("-detail")
            self.rows.open(thread.index, thread.row)
        if page == "welcome":
            self.query_one(Welcome).tell(self.fttui.state.recent(6))
            self.query_one("#welcome LineList").focus()
        elif problem is not None:
            self.query_one(Unusable).tell(problem, can_look=thread.index is not None)
            self.set_focus(None)
        elif not self.view.has_focus and not self.bar.is_open:
            self.rows.focus()
        self.say_titles()

    def _take_report(self) -> None:
        self._report = report = self.thread.report
        self._findings = {}
        for finding in report.findings if report is not None else ():
            self._findings.setdefault(finding.line, []).append(finding)
        for found in self._findings.values():
            found.sort(key=lambda finding: -finder.SEVERITIES.get(finding.severity, 0))
        self.take_issues(report)
        self.rows.tell(report)
        self.say_titles()

    # -- titles

    def say_titles(self) -> None:
        thread, rows = self.thread, self.rows
        index, report = thread.index, thread.report
        if index is None or thread.path is None:
            return
        parts: list[Part] = [(one_line(thread.path.name, 40), "bold")]
        more = "" if index.complete else "+"
        if rows.marks:
            parts.append((f" · {len(rows.marks):,} marked", "accent"))
        if self.filter_text:
            parts.append(f" · {rows.count:,} of {len(index):,}{more}")
            for chip in self.filter_text.split():
                parts += [" ", (f" {chip} ", "chip")]
        elif report is not None and report.examples:
            kind = f" · {report.format}" if report.format else ""
            parts.append(f" · {plural(report.examples, 'example')} · {size(index.size)}{kind}")
        else:
            parts.append(f" · {plural(len(index), 'line')}{more} · {size(index.size)}")
        pane = self.query_one("#list-pane", Pane)
        pane.say_title(*parts)
        pane.say_subtitle(*self._subtitle())
        self.query_one("#titles", Static).update(say(rows.header()))

    def _subtitle(self) -> list[Part]:
        if self.searching:
            return [(self.searching, "accent")]
        if self._changed_on_disk:
            return [("changed on disk ", "warning"), ("r", "key"), (" reads it again", "dim")]
        if not self.search_text:
            return []
        parts: list[Part] = [(f"/{one_line(self.search_text, 24)}", "accent")]
        return [*parts, *self.hit_count()]

    # -- the example in full

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        if event.list is not self.rows:
            return
        now = monotonic()
        wait = REST_SECONDS if now - self._last_move < 2 * REST_SECONDS else STEP_SECONDS
        self._last_move = now
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(wait, self.settle)

    def settle(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        line, place = self.rows.line, self.thread.place
        if line is not None and line != self.thread.row:
            keep = place if place is not None and place.line == line + 1 else None
            self.fttui.change(row=line, place=keep)

    def show_example(self) -> None:
        index, line = self.thread.index, self.rows.line
        if index is None or line is None or line >= len(index):
            return
        place = self.thread.place
        self.view.show_line(
            index, line, self._report, self._findings.get(line + 1, []), place, self.marked_words()
        )
        self._say_view()

    def _say_view(self) -> None:
        pane = self.query_one("#view-pane", Pane)
        pane.say_title(*self.view.title)
        pane.say_subtitle(*view_names(self.view.view))

    # -- actions

    def why_not(self, action_id: str) -> str:
        if action_id == "data.demo" or (action_id == "data.reload" and self.thread.path):
            return ""
        if self.thread.index is None:
            return NEEDS_FILE
        if action_id in ("data.next_hit", "data.previous_hit") and not self.hits:
            return "search first with /"
        if action_id in ("data.next_issue", "data.previous_issue") and not self.issues:
            return "no issue was found" if self._report else "the file is still being checked"
        return self.why_not_marked(action_id.partition(".")[2])

    @property
    def unfit(self) -> str:
        if self.query_one(Unusable).display or problem_of(self._report) is not None:
            return "the file must be put right first: F in Check does what can be done"
        return "the file changed on disk: r reads it again" if self._changed_on_disk else ""

    def do_detail(self) -> None:
        if self.query_one(Unusable).display:
            self._look_anyway = True
            self._arrange()
            return
        self.settle()
        self.add_class("-detail")
        self.call_after_refresh(self.view.focus)
        self.call_after_refresh(self.show_example)

    def _focus_what_shows(self) -> None:
        (self.view if self.has_class("-narrow", "-detail") else self.rows).focus()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.do_detail()

    def back(self) -> bool:
        if self.stop_finding():
            return True
        if self.view.has_focus or self.has_class("-narrow", "-detail"):
            self.remove_class("-detail")
            self.call_after_refresh(self.rows.focus)
            return True
        return self.clear_finds() or self.clear_marks()

    def action_step(self, delta: int) -> None:
        """The next or previous example, also while its detail has the focus."""
        self.rows.action_move(delta)

    def do_view(self) -> None:
        self.view.next_view()
        self._say_view()

    def do_edit(self) -> None:
        path, line = self.thread.path, (self.rows.line or 0) + 1
        if path is None:
            return
        try:
            edit_file.at_line(self.app, path, line)
        except Problem as problem:
            self.fttui.show_problem(problem)
            return
        if self._index is not None and self._index.changed():
            self.do_reload()

    def do_reload(self) -> None:
        """Read the file again, staying on the line."""
        thread = self.thread
        if thread.path is None:
            return
        line = self.rows.line or 0
        self.fttui.backend.open(thread.path, thread.validation)
        if thread.index is not None:
            self.fttui.change(row=max(0, min(line, len(thread.index) - 1)))
            self.keep_marks(thread.index)
            self.notify(f"{thread.path.name} was read again", timeout=3)

    def do_copy(self) -> None:
        index, line = self.thread.index, self.rows.line
        if index is not None and line is not None:
            raw = index.line(line, COPY_BYTES)
            self.fttui.copy(raw.decode("utf-8", "replace"), f"line {line + 1:,}")

    def do_chat(self) -> None:
        self.settle()
        self.fttui.change(ask_row=self.rows.line)
        self.fttui.go("chat")

    def do_demo(self) -> None:
        self.fttui.do_demo()

    def on_welcome_opened(self, event: Welcome.Opened) -> None:
        self.fttui.open(event.path)

    # -- the file on disk

    def _look_at_disk(self) -> None:
        if self._index is None or self._changed_on_disk or not self.is_active:
            return
        if self._index.changed():
            self._changed_on_disk = True
            self.say_titles()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._look_at_disk()

    def on_app_focus(self) -> None:
        self._look_at_disk()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.say_titles)
