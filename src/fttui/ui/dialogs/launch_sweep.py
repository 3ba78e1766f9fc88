"""The jobs of a sweep in one table and one chart, the best marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, Static

from fttui.text import plural
from fttui.ui.dialogs.base import Dialog
from fttui.ui.jobs import overlay
from fttui.ui.jobs.feed import News
from fttui.ui.jobs.track import Track
from fttui.ui.launch import compare
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.job_table import badge, progress, word
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.loss_chart import LossChart

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp

KEYS = "↑↓  enter open  s sort  v curve  l log  a smooth  y copy model  esc close"
EDGE = 4  # columns of the mark and the star


class SweepDialog(Dialog[Track]):
    """Answers the job to go to, or None. find: the jobs to compare, asked again at every news."""

    DEFAULT_CSS = """
    SweepDialog > #box { width: 100%; max-width: 100%; height: 100%; max-height: 100%; padding: 0 1; }
    SweepDialog .title { margin-bottom: 0; }
    SweepDialog #why { height: auto; max-height: 2; margin-bottom: 1; }
    SweepDialog #head { height: 1; color: $muted; text-style: bold; }
    SweepDialog LineList { background: $surface; }
    SweepDialog LossChart { background: $surface; margin-top: 1; }
    SweepDialog .keys { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False),
        Binding("v", "curve", "Which curve", show=False),
        Binding("l", "log", "Logarithmic", show=False),
        Binding("a", "smooth", "Smooth", show=False),
        Binding("y", "copy", "Copy the model", show=False),
    ]

    def __init__(
        self, app: FttuiApp, name: str, find: Callable[[], Sequence[Track]], selected: str = ""
    ) -> None:
        super().__init__()
        self.fttui = app
        self._called, self._find = name, find
        self._selected = selected
        self._best_first = True
        self._curve = ""  # the judge's, until another is asked for
        self.results: list[compare.Result] = []
        self._rows: list[compare.Result] = []
        self._table: tuple[list[compare.Column], list[list[str]]] = ([], [])
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(id="what", classes="title")
            yield Static(id="why")
            yield Static(id="head")
            yield LineList(self._row, id="rows")
            yield LossChart()
            yield Label(say((KEYS, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.fttui.backend.feeds.changed.subscribe(self, self._news)
        self.query_one(LineList).focus()
        self._read()
        self.sync(at_once=True)

    def on_resize(self, event: events.Resize) -> None:
        self._drawn = None
        self.call_after_refresh(self.sync)

    def _read(self) -> None:
        """Ask for the figures of all of them."""
        ids = {track.id for track in self._find()}
        for feed in self.fttui.backend.feeds:
            feed.watch(ids & feed.tracks.keys())

    def _news(self, news: News) -> None:
        if self.is_attached and news.ids & {track.id for track in self._find()}:
            self._read()
            self.sync()

    # -- in step

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)

    @property
    def judge(self) -> compare.Judge:
        return compare.judge_of([row.track for row in self.results])

    def sync(self, *, at_once: bool = False) -> None:
        """Show the jobs as they are now."""
        self.results = compare.results(self._find(), self.fttui.backend.catalog)
        self._rows = compare.ranked(self.results) if self._best_first else list(self.results)
        judge = self.judge
        status = {row.track.id: self._status(row.track) for row in self.results}
        table = compare.table(self._rows, judge, status)
        self.query_one("#what", Label).update(say(*self._title()))
        top = compare.best(self.results)
        why: list[Part] = (
            [(self._star, "ok"), " ", (top.label or top.track.name, "bold")] if top else []
        )
        reason = compare.reason(self.results, judge)
        self.query_one("#why", Static).update(
            say(*why, f": {reason}") if top else say(("no figures yet", "dim"))
        )
        self._show(table)
        self._draw(at_once=at_once)

    @property
    def _star(self) -> str:
        return "*" if self.fttui.ascii_only else "★"

    def _title(self) -> list[Part]:
        jobs = [row.track.job for row in self.results]
        states = dict.fromkeys(sorted({job.status for job in jobs}), 0)
        for job in jobs:
            states[job.status] += 1
        parts: list[Part] = [f"{self._called} · {plural(len(jobs), 'job')}"]
        parts += [(f" · {many} {word(status)}", "dim") for status, many in states.items()]
        cost = compare.total(self.results)
        order = "best first" if self._best_first else "as launched"
        spent = f" · {cost}{'' if cost == 'free' else ' in all'}" if cost else ""
        return [*parts, (spent, "dim"), (f" · {order}", "dim")]

    def _status(self, track: Track) -> str:
        glyph, _ = badge(track.job.status, self.fttui.ascii_only)
        doing = progress(track) if track.live else ""
        return f"{glyph} {word(track.job.status)} {doing}".rstrip()

    def _show(self, table: tuple[list[compare.Column], list[list[str]]]) -> None:
        rows = self.query_one(LineList)
        ids = [row.track.id for row in self._rows]
        if self._selected not in ids:
            top = compare.best(self.results)
            self._selected = top.track.id if top else next(iter(ids), "")
        state = (table, ids, rows.size.width)
        if state == self._drawn:
            return
        self._table, self._drawn = table, state
        rows.styles.height = min(len(ids), max(3, self.size.height // 2 - 5))
        cursor = ids.index(self._selected) if self._selected in ids else 0
        with rows.prevent(LineList.Moved):
            rows.set_count(len(ids), cursor=cursor)
        rows.refresh()
        head: list[Part] = [" " * EDGE]
        columns = self._table[0]
        for at, width in self._widths(rows.size.width or self.size.width - 4):
            head.append(fit(columns[at].name, width - 2, self._align(at)) + "  ")
        self.query_one("#head", Static).update(say(*head))

    def _widths(self, width: int) -> list[tuple[int, int]]:
        """(place, columns) of what has room."""
        columns, cells = self._table
        shown = compare.fitting(columns, cells, width - EDGE)
        return [
            (at, max([len(columns[at].name), *(len(row[at]) for row in cells)]) + 2) for at in shown
        ]

    def _align(self, at: int) -> str:
        return "right" if self._table[0][at].right else "left"

    def _row(self, row: int, width: int) -> Sequence[Part]:
        if row >= len(self._rows):
            return []
        result, cells = self._rows[row], self._table[1][row]
        top = compare.best(self.results)
        best = top is not None and top.track is result.track
        style = overlay.STYLES[result.place % len(overlay.STYLES)]
        parts: list[Part] = [
            (overlay.mark(result.place), style), " ", (self._star if best else " ", "ok"), " ",
        ]  # fmt: skip
        for at, room in self._widths(width):
            name = self._table[0][at].name
            kind = "ok" if best and name.startswith("best") else (
                badge(result.track.job.status)[1] if name == "status" else
                ("dim" if name in ("took", "job", "at step") else "")
            )  # fmt: skip
            parts += [(fit(cells[at], room - 2, self._align(at)), kind), "  "]
        return parts

    def _draw(self, *, at_once: bool) -> None:
        """The chosen curve of every job, each with its mark."""
        tracks = [row.track for row in self.results]
        curve = self._curve or ("valid" if self.judge.valid else "train")
        names = {row.track.id: row.short or row.track.name for row in self.results}
        traces = overlay.overlay(tracks, curve=curve, names=names)
        lack = f"no {'validation' if curve == 'valid' else 'training'} loss yet"
        self.chart.show(traces, empty=lack, at_once=at_once)

    # -- keys

    @on(LineList.Moved)
    def _moved(self, event: LineList.Moved) -> None:
        if event.row < len(self._rows):
            self._selected = self._rows[event.row].track.id

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        if event.row < len(self._rows):
            self.dismiss(self._rows[event.row].track)

    def action_sort(self) -> None:
        self._best_first = not self._best_first
        self.sync()

    def action_curve(self) -> None:
        now = self._curve or ("valid" if self.judge.valid else "train")
        self._curve = "train" if now == "valid" else "valid"
        self.sync(at_once=True)

    def action_log(self) -> None:
        self.chart.toggle_log()

    def action_smooth(self) -> None:
        self.chart.toggle_smooth()

    def action_copy(self) -> None:
        """Copy the name of what the selected job made."""
        track = next((row.track for row in self.results if row.track.id == self._selected), None)
        made = track.job.fine_tuned_model if track else ""
        if made:
            self.fttui.copy(made, made)
        else:
            self.fttui.notify("this job has made no model yet", severity="warning", timeout=3)


def show(app: FttuiApp, tracks: Sequence[Track], selected: Track) -> None:
    """Compare the jobs of the sweep `selected` is of; of none, just these `tracks`."""
    name = selected.sweep
    ids = {track.id for track in tracks}

    def find() -> list[Track]:
        known = app.backend.feeds.tracks()
        if name:
            return compare.members(known, selected)
        return [track for track in known if track.id in ids]

    def chosen(track: Track | None) -> None:
        if track is not None:
            app.change(job=track.job, checkpoint=None)

    title = f"Sweep {name}" if name else "Compared"
    app.push_screen(SweepDialog(app, title, find, selected.id), chosen)


def why_not(tracks: Sequence[Track], selected: Track | None) -> str:
    """Why there is nothing to compare, "" where there is."""
    if selected is None:
        return "no job is selected"
    if selected.sweep or len(tracks) > 1:
        return ""
    return "this job is part of no sweep; mark several to compare those (space)"
