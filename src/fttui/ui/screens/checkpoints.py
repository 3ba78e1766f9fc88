"""The checkpoints area: what jobs kept on their way, ranked, with the reason to take one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from fttui.ui.actions import bindings
from fttui.ui.checkpoints import acts, table, words
from fttui.ui.checkpoints.keys import CheckpointKeys
from fttui.ui.jobs import overlay, ranking
from fttui.ui.jobs.feed import SUBMITTING, Feed, News
from fttui.ui.jobs.ranking import Kept, Metric
from fttui.ui.text import Part, say
from fttui.ui.widgets.filter_bar import FilterBar
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.loss_chart import LossChart
from fttui.ui.widgets.pane import entitle

if TYPE_CHECKING:
    from fttui.ui.jobs.track import Track

RECENT = 20  # jobs whose checkpoints are shown together, and so many more each time
DRAWN = 6  # jobs in the chart of all of them


class CheckpointsScreen(CheckpointKeys):
    SCOPE = "checkpoints"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    CheckpointsScreen #table { height: 1fr; }
    CheckpointsScreen #head { height: 1; color: $muted; text-style: bold; }
    CheckpointsScreen #advice { height: auto; max-height: 5; padding: 0 1; }
    CheckpointsScreen #curve { height: 2fr; }
    CheckpointsScreen.-narrow #curve { height: 1fr; }
    CheckpointsScreen.-many #curve { height: 1fr; }
    CheckpointsScreen.-narrow.-many #curve { display: none; }
    CheckpointsScreen.-none #curve, CheckpointsScreen.-none #head { display: none; }
    CheckpointsScreen.-none #rows, CheckpointsScreen.-none #advice { display: none; }
    CheckpointsScreen #nothing { display: none; }
    CheckpointsScreen.-none #nothing { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Kept] = []
        self._look = table.Look(ranking.METRICS[0])
        self._metric = ""
        self._all = False  # all jobs, although one is worked on
        self._jobs = RECENT  # of them
        self._words = ""  # the filter
        self._marked: frozenset[str] = frozenset()
        self._drawn: list[Sequence[Part]] = []
        self._shown = ""  # the job, or "" for all, that was shown last
        self._said: dict[str, str] = {}
        self._width = 0  # the rows were drawn in
        self._progress = ""  # of a download

    def body(self) -> Iterable[Widget]:
        with Vertical(id="table", classes="pane"):
            yield Static(id="head")
            yield LineList(self._row, id="rows")
            yield FilterBar()
            yield Static(id="advice")
            yield Static(id="nothing", classes="empty")
        with Vertical(id="curve", classes="pane"):
            yield LossChart()

    def on_mount(self) -> None:
        super().on_mount()
        self._metric = self.fttui.state.recall("checkpoints.metric", "valid_loss")
        self.fttui.backend.feeds.changed.subscribe(self, self._news)

    def on_screen_suspend(self) -> None:
        if (
            self.fttui.current_mode == "jobs"
        ):  # who comes back from there wants the job chosen there
            self._all = False

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.focused is None:
            self.rows.focus()

    # -- in step

    @property
    def rows(self) -> LineList:
        return self.query_one("#rows", LineList)

    @property
    def chart(self) -> LossChart:
        return self.query_one(LossChart)

    @property
    def feed(self) -> Feed | None:
        """The feed of the job in hand, else of the profile in hand."""
        return self.fttui.backend.feed_of(self.thread.job)

    @property
    def track(self) -> Track | None:
        """The job whose checkpoints are shown; None while those of all are."""
        job, feed = self.thread.job, self.feed
        return feed.get(job.id) if feed and job and not self.many else None

    @property
    def many(self) -> bool:
        return self._all or self.thread.job is None

    @property
    def row(self) -> Kept | None:
        at = self.rows.cursor
        return self._rows[at] if at < len(self._rows) else None

    @property
    def metric(self) -> Metric:
        """The chosen metric, or the first that is known here."""
        can = ranking.usable(self._rows) or list(ranking.METRICS)
        return next((metric for metric in can if metric.name == self._metric), can[0])

    def thread_changed(self, fields: frozenset[str]) -> None:
        if fields & {"job"} or not fields:
            self._ask()
            self.show()

    def _news(self, news: News) -> None:
        if self.is_mounted and self.is_active:
            self._ask()
            self.show()
            self.sync()

    def _ask(self) -> None:
        """Have the checkpoints of what is shown read, once, and the curves of what is drawn."""
        for track in self._tracks():
            feed = self.fttui.backend.feed_of(track.job)
            if feed and track.checkpoints is None and not feed.provider.lacks("checkpoints"):
                feed.read_checkpoints(track.id)
        drawn = {track.id for track in self._curves()}
        for feed in self.fttui.backend.feeds:
            feed.watch(drawn & feed.tracks.keys())

    def _known(self) -> list[Track]:
        """The jobs that can have checkpoints, newest first."""
        every = self.fttui.backend.feeds.tracks()
        return [t for t in every if not t.id.startswith(SUBMITTING) and t.job.status != "failed"]

    def _tracks(self) -> list[Track]:
        if not self.many:
            return [self.track] if self.track else []
        return self._known()[: self._jobs]

    def show(self) -> None:
        """Bring everything in step; only what changed is drawn."""
        selected = self._wanted()
        rows = [row for track in self._tracks() for row in ranking.of_job(track)]
        rows = [row for row in rows if self._fits(row)]
        self._rows = rows
        if self.many:
            self._rows = rows = ranking.ordered(rows, self.metric)
        self._look = self._looks(rows)
        self.set_class(not rows, "-none")
        self.set_class(self.many, "-many")
        keys = [row.key for row in rows]
        place = next((keys.index(key) for key in (selected, self._look.best) if key in keys), 0)
        list_ = self.rows
        if list_.count != len(rows) or list_.cursor != place:
            with list_.prevent(LineList.Moved):
                list_.set_count(len(rows), cursor=place)
        self._redraw()
        self._titles()
        self._chart()

    def _fits(self, row: Kept) -> bool:
        text = f"{row.track.name} {row.model} {row.track.job.model} {row.track.id}".lower()
        return all(word in text for word in self._words.lower().split())

    def _looks(self, rows: Sequence[Kept]) -> table.Look:
        best = ranking.best(rows, self.metric)
        marks = {track.id: overlay.mark(n) for n, track in enumerate(self._curves())}
        return table.Look(
            self.metric,
            best.key if best else "",
            ranking.past_turning(rows),
            self._marked,
            acts.deleted(self.fttui, {row.track.profile for row in rows}),
            self.many,
            table.rewarded(rows),
            self.fttui.ascii_only,
            marks if self.many else {},
        )

    def _wanted(self) -> str:
        """The key of the row that should stay selected."""
        job = self.thread.job
        now = "" if self.many or job is None else job.id
        same, self._shown = self._shown == now, now
        if same and self.row is not None:
            return self.row.key
        chosen = self.thread.checkpoint
        return (chosen.id or chosen.model) if chosen else ""

    def _redraw(self) -> None:
        width = self._width or self.rows.size.width
        now: list[Sequence[Part]] = [table.row(row, width, self._look) for row in self._rows]
        for at, parts in enumerate(now):
            if at >= len(self._drawn) or self._drawn[at] != parts:
                self.rows.refresh_row(at)
        self._drawn = now

    def _titles(self) -> None:
        track, job = self.track, self.thread.job
        name = track.name if track else ""
        if not self.many and job is not None:
            name = name or job.suffix or job.id
        known = self._known() if self.many else []
        title = words.title(
            len(self._rows), name, self.metric, min(self._jobs, len(known)), len(known), self._words
        )
        entitle(self.query_one("#table"), say(title), say(self._progress))
        curve = "Loss · ◆ checkpoints" if not self.many else "Loss of these jobs"
        entitle(self.query_one("#curve"), say(curve))
        self._update("head", say(table.head(self.rows.size.width, self._look)))
        self._update("nothing", say(*self._nothing()))
        lines = words.advice(self._rows, self.metric, self._rules())
        self._update("advice", Content("\n").join([say(*line) for line in lines]))

    def _update(self, name: str, content: Content) -> None:
        """Change a text only when it says something else."""
        if self._said.get(name) != content.markup:
            self._said[name] = content.markup
            self.query_one(f"#{name}", Static).update(content)

    def _rules(self) -> list[str]:
        """What each provider of these keeps."""
        feeds = self.fttui.backend.feeds
        kinds = {row.track.kind for row in self._rows if row.track.kind} or {
            feed.provider.profile.provider for feed in feeds
        }
        homes = self.fttui.backend.catalog.providers
        job = None if self.many else self.thread.job
        return [words.rule(homes.get(kind), job) for kind in sorted(kinds)]

    def _nothing(self) -> list[Part]:
        if self.feed is None:
            return [("the provider is not asked yet", "dim")]
        if self._words:
            return [f"no checkpoint fits {self._words}\n\n", ("esc", "key"), (" shows all", "dim")]
        lack = self.feed.provider.lacks("checkpoints")
        return words.nothing(None if self.many else self.thread.job, self.track, lack)

    def _curves(self) -> list[Track]:
        """The jobs whose curves are drawn: the one shown, or those of the first rows."""
        if not self.many:
            return [self.track] if self.track else []
        return list({row.track.id: row.track for row in self._rows}.values())[:DRAWN]

    def _chart(self) -> None:
        tracks, row, chart = self._curves(), self.row, self.chart
        if self.many:
            chart.show(overlay.overlay(tracks), empty="the curves are not read yet")
            return
        for track in tracks:
            chart.show(
                overlay.of_job(track),
                total=track.curves.total_steps if track.job.live else None,
                marks=[kept.step for kept in self._rows],
                empty="the curve is not read yet",
            )
        if row is not None and chart.cursor != row.step:
            chart.cursor = float(row.step)
            chart.redraw()

    def _row(self, at: int, width: int) -> Sequence[Part]:
        self._width = width
        return table.row(self._rows[at], width, self._look)

    # -- choosing

    @on(LineList.Moved, "#rows")
    def _moved(self) -> None:
        row = self.row
        if row is None:
            return
        if self.many:
            self._all = True  # the job in hand changes with the row; the table stays
            self.fttui.change(job=row.track.job, checkpoint=row.checkpoint)
        else:
            self._chart()
            self.fttui.change(checkpoint=row.checkpoint)

    @on(LineList.Chosen, "#rows")
    def _chosen(self) -> None:
        self.action_do("checkpoints.chat")

    @on(FilterBar.Submitted)
    def _filtered(self, event: FilterBar.Submitted) -> None:
        self._words = event.text
        self.rows.focus()
        self.show()

    def back(self) -> bool:
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.close()
            self.rows.focus()
        elif self._marked:
            self._marked = frozenset()
            self.show()
        elif self._words:
            self._words = ""
            self.show()
        else:
            return False
        return True

    # -- actions on the table

    def marked_rows(self) -> list[Kept]:
        return [row for row in self._rows if row.key in self._marked]

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name == "refresh":
            return "" if self.feed else "the provider is not asked yet"
        if name == "all":
            return "" if self.thread.job else "no job is chosen: these are all"
        if name == "more":
            more = self.many and self._jobs < len(self._known())
            return "" if more else "all of them are read"
        if name == "filter":
            return ""
        if self.row is None:
            return "there is no checkpoint"
        return acts.why_not(self.fttui, name, self.row, self._look.deleted)

    def do_mark(self) -> None:
        if self.row is not None:
            self._marked ^= {self.row.key}
            self.show()
            self.rows.action_move(1)

    def do_all(self) -> None:
        self._all = not self._all
        self._ask()
        self.show()

    def do_more(self) -> None:
        self._jobs += RECENT
        self._ask()
        self.show()

    def do_filter(self) -> None:
        self.query_one(FilterBar).ask("filter", self._words, "words of the job or the model")

    def do_rank(self) -> None:
        names = [metric.name for metric in ranking.usable(self._rows)]
        at = names.index(self.metric.name) if self.metric.name in names else -1
        self._metric = names[(at + 1) % len(names)]
        self.fttui.state.remember("checkpoints.metric", self._metric)
        self.show()

    def say_progress(self, text: str) -> None:
        if text != self._progress and self.is_mounted:
            self._progress = text
            self._titles()

    def do_refresh(self) -> None:
        for feed in self.fttui.backend.feeds:
            feed.refresh()
            for track in self._tracks():
                if track.id in feed.tracks:
                    feed.read_checkpoints(track.id)
        self.show()
