"""One job: what it does, its curve, its log."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from fttui.ui.jobs import example as job_example
from fttui.ui.jobs import facts as job_facts
from fttui.ui.jobs import overlay, page
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part, say
from fttui.ui.widgets.event_log import EventLog
from fttui.ui.widgets.filter_bar import FilterBar
from fttui.ui.widgets.loss_chart import LossChart
from fttui.ui.widgets.pane import entitle


class JobDetail(Vertical):
    """`show` it a job as often as there is news: what did not change is not drawn.

    `view` (a key of overlay.CURVES) is what the chart draws; `others` lie beside it in the chart.
    """

    DEFAULT_CSS = """
    JobDetail { width: 1fr; height: 1fr; }
    JobDetail #job { height: 3fr; }
    JobDetail #facts { height: auto; max-height: 9; padding: 0 1; }
    JobDetail #log { height: 2fr; min-height: 4; }
    JobDetail #log EventLog { height: 1fr; }
    JobDetail.-failed LossChart { display: none; }
    JobDetail.-failed #facts { max-height: 100%; height: 1fr; }
    JobDetail.-failed.-curve LossChart { display: block; }
    JobDetail.-failed.-curve #facts { height: auto; max-height: 12; }
    """
    BINDINGS = [Binding("escape", "leave", "Leave the search", show=False, id="events.leave")]

    def __init__(self) -> None:
        super().__init__()
        self.view = "loss"
        self.others: Sequence[Track] = ()
        self._track: Track | None = None
        self._id = ""
        self._said = ""
        self._versions: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="job", classes="pane"):
            yield Static(id="facts")
            yield LossChart()
        with Vertical(id="log", classes="pane"):
            yield EventLog(id="events")
            yield FilterBar()

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)

    @property
    def events(self) -> EventLog:
        return self.query_one(EventLog)

    def show(self, track: Track | None, price: str, events_lack: str) -> None:
        """Show a job (None: none is selected). events_lack: why there is no log, "" when there is."""
        self._track = track
        if track is None:
            self._id, self._versions = "", ()
            self._say([[("no job is selected", "dim")]])
            self.chart.show([], at_once=True)
            self.events.show("", [])
            self._title("Job", "Events")
            return
        ascii_only = bool(getattr(self.app, "ascii_only", False))
        failure = job_facts.failure(track, ascii_only=ascii_only)
        if failure and not job_example.why_not(track.job):
            failure.append([("i", "key"), (" goes to the example it names", "dim")])
        traces = self._traces(track)
        self.set_class(bool(failure), "-failed")
        self.set_class(bool(traces), "-curve")
        lines = [
            job_facts.state(track, ascii_only=ascii_only, price=price),
            *failure,
            job_facts.settings(track),
            job_facts.result(track),
            *([] if self.screen.has_class("-narrow") and traces else [job_facts.files(track)]),
            job_facts.accuracy(track),
        ]
        self._say([line for line in lines if line])
        key = "+".join([track.id, self.view, *(other.id for other in self.others)])
        new, self._id = key != self._id, key
        marks = [] if self.others else [row.step for row in track.checkpoints or []]
        total = track.curves.total_steps if track.job.live else None
        empty = job_facts.nothing_to_draw(track, events_lack)
        versions = (
            tuple((t.name, id(t.series), t.series.version) for t in traces), total, tuple(marks), empty
        )  # fmt: skip
        if new or versions != self._versions:
            self._versions = versions
            self.chart.show(traces, total=total, marks=marks, empty=empty, at_once=new)
        self.events.show(track.id, track.events)
        self._titles()

    def _traces(self, track: Track) -> list[overlay.Trace]:
        every = [track, *(other for other in self.others if other.id != track.id)]
        if self.view not in overlay.views(every):
            self.view = next(iter(overlay.views(every)), "loss")
        if len(every) > 1:
            return overlay.overlay(every, view=self.view)
        return overlay.of_job(track, self.view)

    def next_view(self) -> str:
        """Loss, accuracy, reward: the next one that has values. "" where there is no other."""
        track = self._track
        can = overlay.views([track, *self.others]) if track else []
        if len(can) < 2:
            return ""
        self.view = can[(can.index(self.view) + 1) % len(can)] if self.view in can else can[0]
        return self.view

    def _titles(self) -> None:
        track, log = self._track, self.events
        if track is None:
            return
        title = f"{track.name} · {track.id}"
        others = [other.name for other in self.others if other.id != track.id]
        if others:
            title = f"{track.name} and {', '.join(others)}"
        if self.view != "loss":
            title += f" · {self.view}"
        found = f" · {log.found}" if log.found else ""
        self._title(title, f"Events {len(track.events)}{found}")

    def _say(self, lines: list[list[Part]]) -> None:
        content = Content("\n").join([say(*line) for line in lines])
        if content.markup != self._said:
            self._said = content.markup
            self.query_one("#facts", Static).update(content)

    def _title(self, job: str, log: str) -> None:
        entitle(self.query_one("#job"), say(job))
        entitle(self.query_one("#log"), say(log))

    def take_focus(self) -> None:
        (self.chart if self.chart.display else self.events).focus()

    def back(self) -> bool:
        """Escape: put the value cursor away first, then the zoom."""
        return self.chart.has_focus and (self.chart.clear_cursor() or self.chart.zoom(0))

    # -- searching the log

    @property
    def bar(self) -> FilterBar:
        return self.query_one(FilterBar)

    @on(EventLog.Search)
    def _search(self) -> None:
        self.bar.ask("search the log", self.events.wanted, "words of an event")

    @on(FilterBar.Submitted)
    def _searched(self, event: FilterBar.Submitted) -> None:
        event.stop()
        self.events.focus()
        self.events.find(event.text)

    @on(EventLog.Chosen)
    def _opened(self, event: EventLog.Chosen) -> None:
        """All of an event: it may be longer than its line, and hold data."""
        event.stop()
        row = self._track.events[event.row] if self._track else None
        if row is not None:
            from fttui.ui.dialogs.text_page import TextPage

            self.app.push_screen(TextPage(f"Event {event.row + 1:,}", page.event_lines(row)))

    @on(EventLog.Found)
    def _found(self) -> None:
        self._titles()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is ours only while there is a search."""
        if action == "leave":
            searching = self.bar.is_open or (self.events.has_focus and bool(self.events.wanted))
            return self.is_mounted and searching
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        if self.bar.is_open:
            self.bar.close()
            self.events.focus()
        else:
            self.events.find("")

    @on(EventLog.Following)
    def _following(self, event: EventLog.Following) -> None:
        pane = self.query_one("#log")
        arrow = "v" if getattr(self.app, "ascii_only", False) else "▼"
        if event.on:
            pane.border_subtitle = say("")
        else:
            pane.border_subtitle = say((f"{arrow} {event.below:,} more · G follows", "accent"))
