"""The Check area: will the service take this file, and is it any good?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from fttui.text import plural
from fttui.ui import marks
from fttui.ui.actions import bindings
from fttui.ui.screens.check_fix import NAMES, FixingScreen
from fttui.ui.text import SEVERITY_STYLE, STYLES, Part, say
from fttui.ui.widgets.conversation import conversation
from fttui.ui.widgets.filter_bar import FilterBar
from fttui.ui.widgets.findings import Group, explanation, group_row, groups, place_row
from fttui.ui.widgets.histogram import token_lines
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.text_view import Line, TextView
from fttui.ui.widgets.titled_pane import Pane
from fttui.ui.widgets.unusable import Unusable
from fttui.ui.widgets.verdict import verdict

if TYPE_CHECKING:
    from fttui.dataset.report import Finding, Report

EXCERPT = 256 * 1024  # bytes of an example that are read to show it beside its explanation
NOTHING = "No file is open.\n\no opens one · d in Data shows a sample"


class CheckScreen(FixingScreen):
    """Findings grouped by code, the places of the chosen one, what it means, and the numbers."""

    SCOPE = "check"
    BINDINGS = bindings(SCOPE)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
    DEFAULT_CSS = """
    CheckScreen #verdict { height: 3; padding: 0 2; margin-top: 1; }
    CheckScreen #found { height: 1fr; }
    CheckScreen #left, CheckScreen #right { width: 1fr; height: 1fr; }
    CheckScreen #groups-pane { height: 3fr; }
    CheckScreen #places-pane { height: 2fr; }
    CheckScreen #tokens-pane { height: 8; }
    CheckScreen.-tall #tokens-pane { height: 17; }
    CheckScreen.-narrow #found { layout: vertical; }
    CheckScreen.-narrow #verdict { margin-top: 0; height: 2; padding: 0 1; }
    CheckScreen.-narrow #right { height: auto; }
    CheckScreen.-narrow #tokens-pane { height: 7; }
    CheckScreen.-narrow #places-pane, CheckScreen.-narrow #explain-pane { display: none; }
    CheckScreen.-narrow.-places #places-pane { display: block; }
    CheckScreen.-clean #left { display: none; }
    CheckScreen.-clean #right { height: 1fr; }
    CheckScreen.-clean #explain-pane { display: block; height: 4; }
    CheckScreen.-clean #tokens-pane { height: 1fr; }
    CheckScreen.-narrow.-places #groups-pane { display: none; }
    CheckScreen.-narrow.-detail #left, CheckScreen.-narrow.-detail #tokens-pane { display: none; }
    CheckScreen.-narrow.-detail #right { height: 1fr; }
    CheckScreen.-narrow.-detail #explain-pane { display: block; }
    CheckScreen #nothing { padding: 2 4; color: $muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Group] = []
        self._shown: list[Group] = []
        self._filter: list[str] = []
        self._muted: frozenset[str] = frozenset()
        self._explained: object = None  # what the explanation is about

    def body(self) -> Iterable[Widget]:
        yield Static(say(NOTHING), id="nothing")
        yield Unusable(id="unusable")
        yield Static("", id="verdict")
        with Horizontal(id="found"):
            with Vertical(id="left"):
                with Pane(id="groups-pane"):
                    yield LineList(self._group_row, id="groups")
                    yield FilterBar()
                with Pane(id="places-pane"):
                    yield LineList(self._place_row, id="places")
            with Vertical(id="right"):
                with Pane(id="explain-pane"):
                    yield TextView(id="explain")
                with Pane(id="tokens-pane"):
                    yield TextView(id="tokens")

    @property
    def on_places(self) -> bool:
        return self.places.has_focus

    @property
    def groups(self) -> LineList:
        return self.query_one("#groups", LineList)

    @property
    def places(self) -> LineList:
        return self.query_one("#places", LineList)

    @property
    def group(self) -> Group | None:  # type: ignore[override]
        row = self.groups.cursor
        return self._shown[row] if row < len(self._shown) else None

    @property
    def finding(self) -> Finding | None:  # type: ignore[override]
        group, row = self.group, self.places.cursor
        return group.places[row] if group is not None and row < len(group.places) else None

    # -- the thread

    def thread_changed(self, fields: frozenset[str]) -> None:
        if fields & {"path", "index", "problem"}:
            self._arrange()
        if fields & {"path", "report", "progress"} and self.thread.index:
            self._say_verdict()
            self._take_findings()
        if fields & {"path", "report"}:
            self._say_tokens()
        if "marks" in fields:
            self.groups.refresh()
            self.places.refresh()

    def _arrange(self) -> None:
        thread = self.thread
        page = "found" if thread.index else "unusable" if thread.problem else "nothing"
        for name in ("nothing", "unusable", "found"):
            self.query_one(f"#{name}").display = name == page
        self.query_one("#verdict").display = page == "found"
        if page == "unusable" and thread.problem is not None:
            self.query_one(Unusable).tell(thread.problem)
        if page == "found" and self.focused is None:
            self.groups.focus()

    @property
    def _validation(self) -> Report | None:
        return self.thread.report.validation if self.thread.report is not None else None

    def _say_verdict(self) -> None:
        box = self.query_one("#verdict", Static)
        width = max(20, self.size.width - 6)
        box.update(say(*verdict(self.thread.report, self.thread.progress, width)))

    def _take_findings(self) -> None:
        """Group what is known now; the cursor stays on its code."""
        thread, before = self.thread, self.group
        if thread.path is None:
            return
        self._muted = self.fttui.state.muted(thread.path)
        counts = thread.progress.counts if thread.progress is not None else {}
        self._all = groups(thread.report, counts, self._validation, self._muted)
        self.set_class(thread.report is not None and not self._all, "-clean")
        self._narrow(before)

    def _narrow(self, before: Group | None) -> None:
        self._shown = [group for group in self._all if group.matches(self._filter)]
        row = 0
        for number, group in enumerate(self._shown):
            if before and (group.code, group.validation) == (before.code, before.validation):
                row = number
        self.groups.set_count(len(self._shown), cursor=row)
        self.groups.refresh()
        self._say_group()

    def _say_group(self) -> None:
        """Everything that follows the group under the cursor."""
        group = self.group
        self.places.set_count(len(group.places) if group else 0, cursor=0)
        self.places.refresh()
        chips: list[Part] = []
        for word in self._filter:
            chips += [" ", (f" {word} ", "chip")]
        total = f" · {len(self._shown)} of {len(self._all)}" if chips else f" · {len(self._all)}"
        self.query_one("#groups-pane", Pane).say_title(("Findings", "bold"), total, *chips)
        where = f" of {group.code} · {plural(group.count, 'place')}" if group else ""
        self.query_one("#places-pane", Pane).say_title(("Places", "bold"), where)
        self._say_finding()

    def _say_finding(self) -> None:
        group, finding = self.group, self.finding
        shown = (self.thread.report, group and (group.code, group.validation, group.muted), finding)
        if shown == self._explained:
            return  # the same again: where it was scrolled to stays
        self._explained = shown
        pane = self.query_one("#explain-pane", Pane)
        if group is None:
            pane.say_title(("Explanation", "bold"))
            done = self.thread.report is not None
            note = "Nothing was found. This file is fine." if done else "Nothing was found so far."
            self.query_one("#explain", TextView).show(lambda width: [[(note, "dim")]])
            return
        style = SEVERITY_STYLE.get(group.severity, "dim")
        pane.say_title((f"{group.code} {group.title}", f"bold {STYLES[style]}"))
        self.query_one("#explain", TextView).show(
            lambda width: [
                *explanation(group, finding, width),
                *self._excerpt(group, finding, width),
            ]
        )

    def _excerpt(self, group: Group, finding: Finding | None, width: int) -> list[Line]:
        """The example itself, as Data shows it, with this finding marked."""
        index = self.thread.index
        if (
            finding is None
            or index is None
            or group.validation
            or not 0 < finding.line <= len(index)
        ):
            return []
        from fttui.dataset import formats

        raw = index.line(finding.line - 1, EXCERPT)
        report = self.thread.report
        example = formats.read(raw, report.format if report is not None else "")
        rule = f"── line {finding.line:,} "
        lines: list[Line] = [[], [(rule + "─" * max(0, width - len(rule)), "faint")], []]
        return [*lines, *conversation(example, raw, width, [finding], finding)]

    def _say_tokens(self) -> None:
        report = self.thread.report
        pane = self.query_one("#tokens-pane", Pane)
        guessed = report.tokens.estimated if report is not None else 0
        about = [(f" · {plural(guessed, 'text')} estimated", "warning")] if guessed else []
        pane.say_title(("Tokens per example", "bold"), *about)
        view = self.query_one("#tokens", TextView)
        if report is None:
            view.show(lambda width: [[("counted while the file is checked", "faint")]])
        else:
            view.show(lambda width: token_lines(report, width, 2 if view.size.height < 8 else 4))

    def on_resize(self, event: events.Resize) -> None:
        if self.thread.index is not None:
            self._say_verdict()
            self._say_tokens()

    # -- rows

    def _group_row(self, row: int, width: int) -> Sequence[Part]:
        if row >= len(self._shown):
            return []
        group = self._shown[row]
        return group_row(group, width, self._are_marked(group, group.places))

    def _are_marked(self, group: Group, places: Sequence[Finding]) -> bool:
        marked = marks.of(self.thread)
        if not marked or group.validation or not places:
            return False
        return all(place.line - 1 in marked for place in places)

    def _place_row(self, row: int, width: int) -> Sequence[Part]:
        group = self.group
        if group is None or row >= len(group.places):
            return []
        place = group.places[row]
        return place_row(place, width, self._are_marked(group, [place]))

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        if event.list.id == "groups":
            self._say_group()
        else:
            self._say_finding()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.do_detail()

    # -- actions

    def why_not(self, action_id: str) -> str:
        thread, group = self.thread, self.group
        if thread.index is None:
            return "no file is open"
        needs_group = ("check.mute", "check.explain", "check.detail", "check.copy")
        if not self._all and action_id == "check.filter":
            return "nothing was found"
        if group is None and action_id in needs_group:
            return "nothing was found"
        if action_id in ("check.next_issue", "check.previous_issue") and not self._shown:
            return "nothing was found"
        name = action_id.partition(".")[2]
        return self.why_not_fix(name) if name in NAMES else ""

    def do_detail(self) -> None:
        """From a group to its places, from a place to the example."""
        group = self.group
        if group is None:
            return
        if self.groups.has_focus and len(group.places) > 1:
            self.add_class("-places")
            self.call_after_refresh(self.places.focus)
        else:
            self._go_to(group, self.finding)

    def _go_to(self, group: Group, finding: Finding | None) -> None:
        if finding is None or not finding.line:
            self.do_explain()
        elif group.validation:
            self._open_validation(finding)
        else:
            self.fttui.change(row=finding.line - 1, place=finding)
            self.fttui.go("data")

    def _open_validation(self, finding: Finding) -> None:
        """The finding is in the other file: ask before that one becomes the open one."""
        from fttui.ui.dialogs.confirm import Confirm

        training, validation = self.thread.path, self.thread.validation
        if training is None or validation is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.fttui.open(validation)
                self.fttui.change(row=finding.line - 1)

        lines: list[Part] = [
            f"line {finding.line:,}: {finding.message}\n\n",
            (f"{training.name} is then no longer open; o brings it back.", "dim"),
        ]
        self.app.push_screen(
            Confirm(f"Open {validation.name}?", lines, yes="Open", no="Stay", danger=False),
            answered,
        )

    def do_explain(self) -> None:
        self.add_class("-detail")
        self.call_after_refresh(self.query_one("#explain").focus)

    def back(self) -> bool:
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.close()
            self.groups.focus()
        elif self.has_class("-detail") or self.query_one("#explain").has_focus:
            self.remove_class("-detail")
            back_to = self.places if self.has_class("-places") else self.groups
            self.call_after_refresh(back_to.focus)
        elif self.has_class("-places") or self.places.has_focus:
            self.remove_class("-places")
            self.call_after_refresh(self.groups.focus)
        elif self._filter:
            self._filter = []
            self._narrow(self.group)
        else:
            return False
        return True

    def do_next_issue(self) -> None:
        self._step(1)

    def do_previous_issue(self) -> None:
        self._step(-1)

    def _step(self, delta: int) -> None:
        """The next place of this code, then the first of the next code."""
        group = self.group
        row = self.places.cursor + delta
        if group is not None and 0 <= row < len(group.places):
            self.places.cursor = row
            return
        self.groups.cursor = (self.groups.cursor + delta) % max(1, len(self._shown))
        self._say_group()
        if delta < 0 and self.group is not None:
            self.places.cursor = max(0, len(self.group.places) - 1)

    def do_mute(self) -> None:
        group, path = self.group, self.thread.path
        if group is None or path is None:
            return
        on = group.code not in self._muted
        self.fttui.state.mute(path, group.code, on=on)
        word = "muted" if on else "checked again"
        self.notify(f"{group.code} is {word} for {path.name}", timeout=3)
        self._take_findings()
        self.fttui.backend.start_scan()

    def do_filter(self) -> None:
        bar = self.query_one(FilterBar)
        bar.ask("/", " ".join(self._filter), "error  M010  empty …")

    def on_filter_bar_submitted(self, event: FilterBar.Submitted) -> None:
        self._filter = event.text.split()
        self.groups.focus()
        self._narrow(self.group)

    def do_rescan(self) -> None:
        thread = self.thread
        if thread.index is not None and thread.index.changed() and thread.path is not None:
            self.fttui.backend.open(thread.path, thread.validation)
        else:
            self.fttui.backend.start_scan()

    def do_copy(self) -> None:
        group, finding = self.group, self.finding
        if group is None:
            return
        text = f"{group.code} {group.title}"
        if finding is not None:
            where = f"line {finding.line}" if finding.line else "file"
            text = f"{where} {finding.path}: {group.code} {finding.message}"
        self.fttui.copy(text, group.code)
