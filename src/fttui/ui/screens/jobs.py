"""The jobs area: all jobs of the profile, one of them in detail with its curve and its log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from fttui.text import plural
from fttui.ui.actions import bindings
from fttui.ui.jobs import actions as job_actions
from fttui.ui.jobs import filter as job_filter
from fttui.ui.jobs import words as jobs_words
from fttui.ui.jobs.feed import Feed, News
from fttui.ui.jobs.track import Track
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import Part, say
from fttui.ui.widgets import job_table
from fttui.ui.widgets.job_detail import JobDetail
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.pane import entitle

if TYPE_CHECKING:
    from fttui.service.types import Job

SORTS: dict[str, Callable[[Track], Any]] = {
    "newest": lambda track: 0,  # the feed's own order
    "status": lambda track: (track.job.ended, track.job.status),
    "name": lambda track: track.name.lower(),
    "loss": lambda track: track.loss.last if track.loss.last is not None else float("inf"),
}


class JobsScreen(AreaScreen):
    SCOPE = "jobs"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    JobsScreen #jobs-pane { width: 13fr; }
    JobsScreen JobDetail { width: 12fr; }
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
        self._feed: Feed | None = None
        self._shown: list[Track] = []
        self._selected = ""
        self._drawn: dict[str, Sequence[Part]] = {}
        self._prices: dict[str, str] = {}
        self._sort = "newest"
        self._width = 0  # the rows were drawn in

    def body(self) -> Iterable[Widget]:
        with Horizontal():
            with Vertical(id="jobs-pane", classes="pane"):
                yield Input(placeholder="words  status:running  model:mini  loss<0.5  -not",
                            compact=True, id="filter")  # fmt: skip
                yield LineList(self._row, id="jobs")
                yield Static(id="empty", classes="empty")
            yield JobDetail()

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#filter", Input).value = self.fttui.state.recall("jobs.filter", "")
        self._sort = self.fttui.state.recall("jobs.sort", "newest")
        if self._sort not in SORTS:
            self._sort = "newest"

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.focused is None:
            self.rows.focus()
        self.call_after_refresh(self._watch)

    # -- in step with the feed and the thread

    @property
    def rows(self) -> LineList:
        return self.query_one("#jobs", LineList)

    @property
    def detail(self) -> JobDetail:
        return self.query_one(JobDetail)

    def thread_changed(self, fields: frozenset[str]) -> None:
        self._listen()
        job = self.thread.job
        if job is not None and job.id != self._selected:
            self._select(job.id)
        elif "job" in fields or "path" in fields:
            self._sync_all()

    def _listen(self) -> None:
        """Listen to the active profile's feed."""
        feed: Feed | None = getattr(self.fttui.backend, "feed", None)
        if feed is self._feed:
            return
        self._feed, self._drawn, self._prices = feed, {}, {}
        if feed is not None:
            feed.changed.subscribe(self, self._news)
        self._sync_all()

    def _news(self, news: News) -> None:
        if not (self.is_mounted and self.is_active) or self._feed is None:
            return
        self._selected = news.replaced.get(self._selected, self._selected)
        for job_id in news.ids:
            self._prices.pop(job_id, None)
        self._sync_list(news.ids)
        if self._selected in news.ids or news.state:
            self._sync_detail()
        self._sync_titles()
        self.sync()
        self._watch()

    def _sync_all(self) -> None:
        self._drawn.clear()
        self._sync_list(frozenset())
        self._sync_detail()
        self._sync_titles()

    def _sync_list(self, changed: frozenset[str]) -> None:
        """Bring the rows in step; only those that say something new are drawn."""
        feed = self._feed
        tracks = feed.jobs() if feed else []
        terms = job_filter.parse(self.query_one("#filter", Input).value)
        found = job_filter.matching(tracks, terms)
        if self._sort != "newest":
            found.sort(key=SORTS[self._sort])  # stable: newest first among equals
        before = [track.id for track in self._shown]
        self._shown = found
        ids = [track.id for track in found]
        self.set_class(not tracks, "-none")
        if not tracks:
            self.query_one("#empty", Static).update(
                say(*jobs_words.nothing(feed, self.thread.path))
            )
        if self._selected not in ids:
            self._selected = self._neighbour(before, ids)
        rows = self.rows
        cursor = ids.index(self._selected) if self._selected in ids else 0
        if len(ids) != rows.count or cursor != rows.cursor:
            with rows.prevent(LineList.Moved):
                rows.set_count(len(ids), cursor=cursor)
        top = int(rows.scroll_offset.y)
        for row in range(top, min(len(ids), top + rows.size.height)):
            job_id = ids[row]
            moved = row >= len(before) or before[row] != job_id
            if moved or (job_id in changed and self._differs(row)):
                rows.refresh_row(row)

    def _neighbour(self, before: list[str], ids: list[str]) -> str:
        """Who is selected when the selected one is not shown: the thread's, else the nearest row's."""
        job = self.thread.job
        if job is not None and job.id in ids:
            return job.id
        if not ids:
            return ""
        row = before.index(self._selected) if self._selected in before else 0
        return ids[min(row, len(ids) - 1)]

    def _differs(self, row: int) -> bool:
        track = self._shown[row]
        drawn = self._drawn.get(track.id)
        return drawn is None or drawn != self._parts(track, self._width)

    def _row(self, row: int, width: int) -> Sequence[Part]:
        track = self._shown[row]
        self._width = width
        parts = self._drawn[track.id] = self._parts(track, width)
        return parts

    def _parts(self, track: Track, width: int) -> Sequence[Part]:
        self._price(track)
        look = job_table.Look(self.fttui.ascii_only, self._prices)
        return job_table.row(track, width, look)

    def _price(self, track: Track) -> str:
        """What the job cost so far, as text; "" where it is free or unknown."""
        if track.id not in self._prices:
            self._prices[track.id] = ""
            kind = self._feed.provider.profile.provider if self._feed else "local"
            if track.job.trained_tokens and kind != "local":
                amount = track.cost(self.fttui.backend.catalog, kind)
                if amount is not None:
                    sign = "$" if amount[1] == "USD" else f"{amount[1]} "
                    self._prices[track.id] = f"{sign}{amount[0]:,.2f}"
        return self._prices[track.id]

    def _sync_detail(self) -> None:
        track = self.track
        price = self._price(track) if track else ""
        lack = self._feed.provider.lacks("events") if self._feed else ""
        self.detail.show(track, price, lack)

    def _sync_titles(self) -> None:
        feed = self._feed
        everything, shown = len(feed.tracks) if feed else 0, len(self._shown)
        text = self.query_one("#filter", Input).value.strip()
        title = f"Jobs {shown} of {everything}" if text else f"Jobs {everything}"
        chips = [text] if text else []
        if self._sort != "newest":
            chips.append(f"by {self._sort}")
        pane = self.query_one("#jobs-pane")
        entitle(pane, say(" · ".join([title, *chips])), say(*jobs_words.reading(feed)))

    def _watch(self) -> None:
        """Ask for the events of what is on the screen: the selected job, and those that move."""
        if self._feed is None or not self.is_active:
            return
        top = int(self.rows.scroll_offset.y)
        visible = self._shown[top : top + max(1, self.rows.size.height)]
        live = {track.id for track in visible if track.job.live}
        self._feed.watch(live | ({self._selected} if self._selected else set()))

    # -- selection

    @property
    def track(self) -> Track | None:
        return self._feed.get(self._selected) if self._feed and self._selected else None

    def _select(self, job_id: str) -> None:
        self._selected = job_id
        self._sync_list(frozenset())
        self._sync_detail()
        self._sync_titles()
        self._watch()

    @on(LineList.Moved, "#jobs")
    def _moved(self, event: LineList.Moved) -> None:
        if event.row < len(self._shown):
            track = self._shown[event.row]
            if track.id != self._selected:
                self._selected = track.id
                self._sync_detail()
                self._watch()
            if self.thread.job is None or self.thread.job.id != track.id:
                self.fttui.change(job=track.job, checkpoint=None)

    @on(LineList.Chosen, "#jobs")
    def _chosen(self) -> None:
        self.action_do("jobs.detail")

    def on_resize(self, event: events.Resize) -> None:
        self._drawn.clear()

    def back(self) -> bool:
        if self.has_class("-filtering") or isinstance(self.focused, Input):
            self._leave_filter(clear=True)
            return True
        if self.detail.back():
            return True
        if self.focused is not self.rows:
            self.remove_class("-detail")
            self.rows.focus()
            return True
        if self.query_one("#filter", Input).value:
            self._leave_filter(clear=True)
            return True
        return False

    # -- filter and sort

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

    # -- actions

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name == "new":
            return job_actions.why_not_new(self.fttui, self._feed)
        if name in ("filter", "sort", "refresh"):
            return "" if self._feed else "the provider is not asked yet"
        track = self.track
        if track is None:
            return "no job is selected"
        if name in ("copy", "log", "smooth", "detail", "export"):
            return ""
        return job_actions.why_not(name, track, self._feed)

    def do_detail(self) -> None:
        self.add_class("-detail")
        self.call_after_refresh(self.detail.take_focus)

    def do_new(self) -> None:
        from fttui.ui.launch.launcher import launch

        launch(self.fttui)

    def do_cancel(self) -> None:
        track = self.track
        if track is None:
            return
        from fttui.ui.dialogs.confirm import Confirm

        job = track.job

        def answered(yes: bool | None) -> None:
            if yes:
                self._act("cancel", job)

        body = job_actions.consequence(track)
        self.app.push_screen(
            Confirm(f"Cancel {track.name}?", body, yes="Cancel the job", no="Keep running"),
            answered,
        )

    def do_pause(self) -> None:
        if self.track is not None:
            self._act("resume" if self.track.job.paused else "pause", self.track.job)

    def _act(self, verb: str, job: Job) -> None:
        if self._feed is not None:
            work = job_actions.act(self.fttui, self._feed, verb, job)
            self.run_worker(work, group=f"job-{verb}", exit_on_error=False)

    def do_checkpoints(self) -> None:
        self._to_thread()
        self.fttui.go("checkpoints")

    def do_chat(self) -> None:
        track = self.track
        if track is not None:
            self.fttui.change(
                job=track.job, chat_models=[track.job.model, track.job.fine_tuned_model]
            )
            self.fttui.go("chat")

    def _to_thread(self) -> None:
        track = self.track
        if track is not None and (self.thread.job is None or self.thread.job.id != track.id):
            self.fttui.change(job=track.job, checkpoint=None)

    def do_copy(self) -> None:
        if self.track is not None:
            self.fttui.copy(self.track.id, self.track.id)

    def do_export(self) -> None:
        if self.track is not None:
            job_actions.export(self.fttui, self.track, self.detail.chart.text())

    def do_log(self) -> None:
        self.detail.chart.toggle_log()

    def do_smooth(self) -> None:
        self.detail.chart.toggle_smooth()

    def do_refresh(self) -> None:
        if self._feed is not None:
            self._feed.refresh()
            if self._selected:
                self._feed.read_checkpoints(self._selected)
            self.fttui.notify(f"asking for {plural(len(self._shown), 'job')} again", timeout=2)
