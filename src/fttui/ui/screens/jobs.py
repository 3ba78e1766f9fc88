"""The jobs area: the jobs of all open profiles, one of them in detail with its curve and its log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from fttui.ui.actions import bindings
from fttui.ui.jobs import filter as job_filter
from fttui.ui.jobs import listing
from fttui.ui.jobs import words as jobs_words
from fttui.ui.jobs.feed import News
from fttui.ui.jobs.keys import JobKeysScreen
from fttui.ui.jobs.listing import SORTS, Group, Row
from fttui.ui.text import Part, say
from fttui.ui.widgets import job_table
from fttui.ui.widgets.job_detail import JobDetail
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.pane import entitle

if TYPE_CHECKING:
    from fttui.ui.jobs.track import Track

NEAR_END = 30  # rows before the last at which older jobs are asked for
REST = 0.08  # seconds after which the job under the cursor is shown
TAG = 8  # columns of the profile's name, where several are open


class JobsScreen(JobKeysScreen):
    SCOPE = "jobs"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    JobsScreen #jobs-pane { width: 13fr; }
    JobsScreen JobDetail { width: 12fr; }
    JobsScreen.-several #jobs-pane { width: 15fr; }
    JobsScreen.-several JobDetail { width: 10fr; }
    JobsScreen #empty { display: none; }
    JobsScreen.-none #empty { display: block; }
    JobsScreen.-none #jobs, JobsScreen.-none JobDetail { display: none; }
    JobsScreen #filter { display: none; }
    JobsScreen.-filtering #filter { display: block; }
    JobsScreen.-narrow JobDetail { display: none; }
    JobsScreen.-narrow.-detail JobDetail { display: block; width: 1fr; }
    JobsScreen.-narrow JobDetail #job { height: 5fr; }
    JobsScreen.-narrow JobDetail #log { height: 2fr; }
    JobsScreen.-narrow.-detail #jobs-pane { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []
        self._selected = ""  # id of the row, which is followed wherever it goes
        self._marked: frozenset[str] = frozenset()
        self._drawn: dict[str, Sequence[Part]] = {}
        self._sort = "newest"
        self._grouped = False
        self._folded: frozenset[str] = frozenset()
        self._look = job_table.Look()
        self._width = 0  # the rows were drawn in
        self._resting: Timer | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="jobs-pane", classes="pane"):
                yield Input(placeholder=job_filter.HINT, compact=True, id="filter")
                yield LineList(self._row, id="jobs")
                yield Static(id="empty", classes="empty")
            yield JobDetail()

    def on_mount(self) -> None:
        super().on_mount()
        recall = self.fttui.state.recall
        self.query_one("#filter", Input).value = recall("jobs.filter", "")
        self._sort = recall("jobs.sort", "newest")
        if self._sort not in SORTS:
            self._sort = "newest"
        self._grouped = recall("jobs.grouped", False)
        self.feeds.changed.subscribe(self, self._news)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.focused is None:
            self.rows.focus()
        self.call_after_refresh(self._watch)

    def on_screen_suspend(self) -> None:
        if (
            self.fttui.current_mode != self.SCOPE
        ):  # not for a dialog: what is behind it is still seen
            job = self.thread.job
            for feed in self.feeds:
                feed.watch({job.id} if job is not None and job.id in feed.tracks else ())

    # -- in step with the feeds and the thread

    @property
    def rows(self) -> LineList:
        return self.query_one("#jobs", LineList)

    @property
    def detail(self) -> JobDetail:
        return self.query_one(JobDetail)

    def thread_changed(self, fields: frozenset[str]) -> None:
        job = self.thread.job
        if job is not None and job.id not in (self._selected, *self._of_heading()):
            self._select(job.id)
        elif "path" in fields or not fields:  # what is new about the job itself, the feed tells
            self._sync_all()

    def _of_heading(self) -> list[str]:
        """The jobs under the heading the cursor is on, if it is on one."""
        row = self._row_of(self._selected)
        return [track.id for track in row.tracks] if isinstance(row, Group) else []

    def _news(self, news: News) -> None:
        self._selected = news.replaced.get(self._selected, self._selected)
        for job_id in news.ids:
            self.purse.forget(job_id)
        if not (self.is_mounted and self.is_active):
            return
        self._sync_list(news.ids)
        if news.state or news.ids & {self._selected, *self._of_heading()}:
            self._sync_detail()
        self._sync_titles()
        self.sync()
        self._watch()

    def _sync_all(self) -> None:
        self._drawn.clear()
        self.purse.forget()
        self._sync_list(frozenset())
        self._sync_detail()
        self._sync_titles()

    def _sync_list(self, changed: frozenset[str]) -> None:
        """Bring the rows in step; only those that say something new are drawn."""
        tracks = self.feeds.tracks()
        self._sync_look()
        terms = job_filter.parse(self.query_one("#filter", Input).value, self._facts())
        found = job_filter.matching(tracks, terms)
        before = [row.id for row in self._rows]
        self._rows = listing.arrange(found, self._sort, grouped=self._grouped, folded=self._folded)
        ids = [row.id for row in self._rows]
        self.set_class(not tracks, "-none")
        if not tracks:
            nothing = jobs_words.nothing(list(self.feeds), self.thread.path)
            self.query_one("#empty", Static).update(say(*nothing))
        if self._selected not in ids:
            job = self.thread.job
            self._selected = listing.neighbour(before, ids, self._selected, job.id if job else "")
        self._shown()
        rows = self.rows
        cursor = ids.index(self._selected) if self._selected in ids else 0
        if len(ids) != rows.count or cursor != rows.cursor:
            with rows.prevent(LineList.Moved):
                rows.set_count(len(ids), cursor=cursor)
        top = int(rows.scroll_offset.y)
        for at in range(top, min(len(ids), top + rows.size.height)):
            row = self._rows[at]
            moved = at >= len(before) or before[at] != ids[at]
            if moved or ((isinstance(row, Group) or row.id in changed) and self._differs(row)):
                rows.refresh_row(at)

    def _facts(self) -> job_filter.Facts:
        return job_filter.Facts(self.purse.amount, lambda track: track.id in self._look.watched)

    def _sync_look(self) -> None:
        feeds = list(self.feeds)
        tag = min(TAG, max((len(feed.profile) for feed in feeds), default=0))
        watched = frozenset[str]().union(*(feed.watched for feed in feeds))
        tag = tag if len(feeds) > 1 else 0
        self.set_class(bool(tag), "-several")
        plain = self.fttui.ascii_only
        look = job_table.Look(plain, self.purse.text, tag, self._marked, watched, self._grouped)
        if (tag, self._grouped) != (self._look.tag, self._look.grouped):
            self._drawn.clear()
            self.rows.refresh()
        self._look = look

    def _differs(self, row: Row) -> bool:
        drawn = self._drawn.get(row.id)
        return drawn is None or drawn != self._parts(row, self._width)

    def _row(self, at: int, width: int) -> Sequence[Part]:
        self._width = width
        row = self._rows[at]
        parts = self._drawn[row.id] = self._parts(row, width)
        return parts

    def _parts(self, row: Row, width: int) -> Sequence[Part]:
        make = job_table.group_row if isinstance(row, Group) else job_table.row
        return make(row, width, self._look)  # type: ignore[arg-type]

    def _sync_detail(self) -> None:
        track, feed = self.track, self.feed
        price = self.purse.text(track) if track else ""
        self.detail.show(track, price, feed.provider.lacks("events") if feed else "")
        self.results_if_needed()

    def _sync_titles(self) -> None:
        text = self.query_one("#filter", Input).value.strip()
        shown = sum(not isinstance(row, Group) or row.folded for row in self._rows)
        title = jobs_words.title(
            list(self.feeds), shown, text, self._sort, len(self._marked), grouped=self._grouped
        )
        entitle(
            self.query_one("#jobs-pane"), say(title), say(*jobs_words.reading(list(self.feeds)))
        )

    def _watch(self) -> None:
        """Ask for the events of what is on the screen: the selected job, and those that move."""
        if not self.is_active:
            return
        top = int(self.rows.scroll_offset.y)
        visible = self._rows[top : top + max(1, self.rows.size.height)]
        wanted = {row.id for row in visible if not isinstance(row, Group) and row.live}
        if self.track is not None:
            wanted.add(self.track.id)
        wanted |= self.compared
        for feed in self.feeds:
            feed.watch(wanted & feed.tracks.keys())

    # -- selection

    def _row_of(self, row_id: str) -> Row | None:
        return next((row for row in self._rows if row.id == row_id), None)

    @property
    def track(self) -> Track | None:
        """The job under the cursor; the first one of a sweep on its heading."""
        at = self.rows.cursor
        row = self._rows[at] if at < len(self._rows) else None
        if row is None or row.id != self._selected:
            row = self._row_of(self._selected)
        return row.tracks[0] if isinstance(row, Group) else row

    def picked(self) -> list[Track]:
        """What an action for many is for: the marked jobs; else those of the heading; else the job."""
        if self._marked:
            return [track for track in self.feeds.tracks() if track.id in self._marked]
        row = self._row_of(self._selected)
        if isinstance(row, Group):
            return list(row.tracks)
        return [row] if row is not None else []

    def _select(self, job_id: str) -> None:
        self._selected = job_id
        self._sync_list(frozenset())
        self._sync_detail()
        self._sync_titles()
        self._watch()

    @on(LineList.Moved, "#jobs")
    def _moved(self, event: LineList.Moved) -> None:
        if event.row >= len(self._rows):
            return
        row = self._rows[event.row]
        if row.id != self._selected:
            self._selected = row.id
            self._shown()
            self._detail_soon()
        if event.row >= len(self._rows) - NEAR_END:
            for feed in self.feeds:
                feed.more()
        self.to_thread()
        self.sync()

    def _shown(self) -> None:
        """Tell which job the top line is about."""
        row = self._row_of(self._selected)
        track = row.tracks[0] if isinstance(row, Group) else row
        self.fttui.backend.shown = track.job if track is not None else None

    def _detail_soon(self) -> None:
        """Show the job once the cursor rests on it: a key that is held down draws it once."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._sync_detail()
        self._watch()

    def to_thread(self) -> None:
        track = self.track
        if track is not None and (self.thread.job is None or self.thread.job.id != track.id):
            self.fttui.change(job=track.job, checkpoint=None)

    @on(LineList.Chosen, "#jobs")
    def _chosen(self) -> None:
        row = self._row_of(self._selected)
        if isinstance(row, Group):
            self._folded ^= {row.name}
            self._drawn.pop(row.id, None)
            self._sync_list(frozenset())
        else:
            self.action_do("jobs.detail")

    def on_resize(self, event: events.Resize) -> None:
        self._drawn.clear()

    def back(self) -> bool:
        if self.has_class("-filtering") or isinstance(self.focused, Input):
            self._leave_filter(clear=True)
        elif self.detail.back():
            pass
        elif self.focused is not self.rows:
            self.remove_class("-detail")
            self.rows.focus()
        elif self._marked:
            self._mark(frozenset())
        elif self.query_one("#filter", Input).value:
            self._leave_filter(clear=True)
        else:
            return False
        return True

    # -- filter, sort, group, mark

    def do_filter(self) -> None:
        self.remove_class("-detail")
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def _filtered(self) -> None:
        self._sync_list(frozenset())
        self._sync_detail()
        self._sync_titles()

    @on(Input.Submitted, "#filter")
    def _filter_taken(self) -> None:
        self._leave_filter(clear=False)

    def _leave_filter(self, *, clear: bool) -> None:
        field = self.query_one("#filter", Input)
        if clear:
            field.value = ""
        self.fttui.state.remember("jobs.filter", field.value)
        self.remove_class("-filtering")
        self.rows.focus()
        self._watch()

    def do_sort(self) -> None:
        names = list(SORTS)
        self._sort = names[(names.index(self._sort) + 1) % len(names)]
        self.fttui.state.remember("jobs.sort", self._sort)
        self._sync_list(frozenset())
        self._sync_titles()

    def do_group(self) -> None:
        self._grouped = not self._grouped
        self.fttui.state.remember("jobs.grouped", self._grouped)
        self._sync_list(frozenset())
        self._sync_titles()
        if self._grouped and not any(isinstance(row, Group) for row in self._rows):
            self.fttui.notify("none of these jobs is part of a sweep", timeout=3)

    def _mark(self, ids: frozenset[str]) -> None:
        changed, self._marked = self._marked ^ ids, ids
        self._sync_list(changed)
        self._sync_detail()
        self._sync_titles()
        self.sync()

    def do_mark(self) -> None:
        row = self._row_of(self._selected)
        if row is None:
            return
        ids = {track.id for track in row.tracks} if isinstance(row, Group) else {row.id}
        self._mark(self._marked - ids if ids <= self._marked else self._marked | ids)
        self.rows.action_move(1)

    def do_mark_all(self) -> None:
        shown = {
            track.id
            for row in self._rows
            for track in (row.tracks if isinstance(row, Group) else (row,))
        }
        self._mark(frozenset() if shown <= self._marked else self._marked | shown)

    # -- what the actions on one job need

    def show_job(self) -> None:
        self._sync_detail()
        self._watch()

    def marked_jobs(self) -> list[Track]:
        return [track for track in self.feeds.tracks() if track.id in self._marked]

    def all_jobs(self) -> list[Track]:
        return self.feeds.tracks()
