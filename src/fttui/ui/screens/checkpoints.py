"""The checkpoints area: what a job kept on its way, ranked, with the reason to take one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from fttui.ui import plotting
from fttui.ui.actions import bindings
from fttui.ui.jobs import facts as job_facts
from fttui.ui.jobs import ranking
from fttui.ui.jobs.feed import Feed, News
from fttui.ui.jobs.ranking import Kept, Metric
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.loss_chart import LossChart
from fttui.ui.widgets.pane import entitle

if TYPE_CHECKING:
    from fttui.ui.jobs.track import Track

RECENT = 20  # jobs whose checkpoints are shown together


class CheckpointsScreen(AreaScreen):
    SCOPE = "checkpoints"
    BINDINGS = bindings(SCOPE)
    DEFAULT_CSS = """
    CheckpointsScreen #table { height: 1fr; }
    CheckpointsScreen #head { height: 1; color: $muted; text-style: bold; }
    CheckpointsScreen #advice { height: auto; max-height: 4; padding: 0 1; }
    CheckpointsScreen #curve { height: 2fr; }
    CheckpointsScreen.-narrow #curve { height: 1fr; }
    CheckpointsScreen.-none #curve, CheckpointsScreen.-none #head { display: none; }
    CheckpointsScreen.-none #rows, CheckpointsScreen.-none #advice { display: none; }
    CheckpointsScreen #nothing { display: none; }
    CheckpointsScreen.-none #nothing { display: block; }
    CheckpointsScreen.-many #curve { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._feed: Feed | None = None
        self._rows: list[Kept] = []
        self._best = ""
        self._metric = ""
        self._drawn: list[Sequence[Part]] = []
        self._job = ""
        self._said: dict[str, str] = {}
        self._width = 0  # the rows were drawn in

    def body(self) -> Iterable[Widget]:
        with Vertical(id="table", classes="pane"):
            yield Static(id="head")
            yield LineList(self._row, id="rows")
            yield Static(id="advice")
            yield Static(id="nothing", classes="empty")
        with Vertical(id="curve", classes="pane"):
            yield LossChart()

    def on_mount(self) -> None:
        super().on_mount()
        self._metric = self.fttui.state.recall("checkpoints.metric", "valid_loss")

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
    def track(self) -> Track | None:
        job = self.thread.job
        return self._feed.get(job.id) if self._feed and job else None

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
        feed = self.fttui.backend.feed_of(self.thread.job)
        if feed is not self._feed:
            self._feed = feed
            if feed is not None:
                feed.changed.subscribe(self, self._news)
        if fields & {"job"} or not fields:
            self._ask()
            self.show()

    def _news(self, news: News) -> None:
        if self.is_mounted and self.is_active:
            self._ask()
            self.show()
            self.sync()

    def _ask(self) -> None:
        """Have the checkpoints of what is shown read, once."""
        if self._feed is None or self._feed.provider.lacks("checkpoints"):
            return
        for track in self._tracks():
            if track.checkpoints is None:
                self._feed.read_checkpoints(track.id)
        job = self.thread.job
        if job is not None:
            self._feed.watch({job.id})

    def _tracks(self) -> list[Track]:
        if self._feed is None:
            return []
        if self.thread.job is not None:
            return [self.track] if self.track else []
        return [t for t in self._feed.jobs() if t.job.status != "submitting"][:RECENT]

    def show(self) -> None:
        """Bring everything in step; only what changed is drawn."""
        selected = self._wanted()
        tracks = self._tracks()
        rows = [row for track in tracks for row in ranking.of_job(track)]
        if self.thread.job is None:
            rows.sort(key=lambda row: row.checkpoint.created_at, reverse=True)
        self._rows = rows
        top = ranking.best(rows, self.metric) if self.thread.job is not None else None
        self._best = top.key if top else ""
        self.set_class(not rows, "-none")
        self.set_class(self.thread.job is None, "-many")
        keys = [row.key for row in rows]
        place = keys.index(selected) if selected in keys else (
            keys.index(self._best) if self._best in keys else 0
        )  # fmt: skip
        list_ = self.rows
        if list_.count != len(rows) or list_.cursor != place:
            with list_.prevent(LineList.Moved):
                list_.set_count(len(rows), cursor=place)
        self._redraw()
        self._titles(tracks)
        self._chart()

    def _wanted(self) -> str:
        """The key of the row that should stay selected."""
        job = self.thread.job
        same, self._job = self._job == (job.id if job else ""), job.id if job else ""
        if same and self.row is not None:
            return self.row.key
        chosen = self.thread.checkpoint
        return (chosen.id or chosen.model) if chosen else ""

    def _redraw(self) -> None:
        width = self._width or self.rows.size.width
        now = [self._parts(row, width) for row in self._rows]
        for at, parts in enumerate(now):
            if at >= len(self._drawn) or self._drawn[at] != parts:
                self.rows.refresh_row(at)
        self._drawn = now

    def _titles(self, tracks: list[Track]) -> None:
        job = self.thread.job
        if job is None:
            title = f"Checkpoints {len(self._rows)} · all jobs, newest first"
        else:
            name = tracks[0].name if tracks else job.suffix or job.id
            title = f"Checkpoints {len(self._rows)} · {name} · by {self.metric.title}"
        entitle(self.query_one("#table"), say(title))
        entitle(self.query_one("#curve"), say("Loss · ◆ checkpoints"))
        self._update("head", say(*self._head(self.rows.size.width)))
        self._update("nothing", say(*self._nothing()))
        self._update("advice", self._advice())

    def _update(self, name: str, content: Content) -> None:
        """Change a text only when it says something else."""
        if self._said.get(name) != content.markup:
            self._said[name] = content.markup
            self.query_one(f"#{name}", Static).update(content)

    def _advice(self) -> Content:
        lines: list[list[Part]] = []
        if self._best and self.thread.job is not None:
            why = ranking.reason(self._rows, self.metric)
            lines.append([("★ ", "warning"), (why, "bold")])
            turn = ranking.turned(self._rows)
            if turn:
                lines.append([("⚠ ", "warning"), (turn, "warning")])
        lines.append([(self._rule(), "dim")])
        return Content("\n").join([say(*line) for line in lines])

    def _rule(self) -> str:
        """How many checkpoints the provider keeps, where it is known."""
        if self._feed is None:
            return ""
        kind = self._feed.provider.profile.provider
        home = self.fttui.backend.catalog.providers.get(kind)
        if home is None or home.checkpoints_kept is None:
            return "how many checkpoints this provider keeps is not documented"
        many = home.checkpoints_kept
        return f"{home.title} keeps the checkpoints of the last {many} epochs, one an epoch"

    def _nothing(self) -> list[Part]:
        feed, job = self._feed, self.thread.job
        if feed is None:
            return [("the provider is not asked yet", "dim")]
        lack = feed.provider.lacks("checkpoints")
        if lack:
            return [lack]
        if job is None:
            return ["no checkpoints yet\n\n", ("4", "key"), (" goes to the jobs", "dim")]
        track = self.track
        if track is not None and track.checkpoints is None and not job.ended:
            return [(f"asking for the checkpoints of {track.name} …", "dim")]
        if job.status == "failed":
            return ["the job failed before its first checkpoint\n\n", ("4", "key"),
                    (" shows why", "dim")]  # fmt: skip
        if job.ended:
            return [f"the job {job.status} and kept no checkpoint"]
        return ["no checkpoint yet: the first comes at the end of an epoch\n\n", ("4", "key"),
                (" shows how far it is", "dim")]  # fmt: skip

    def _chart(self) -> None:
        track, row = self.track, self.row
        if track is None:
            return
        chart = self.chart
        chart.show(
            job_facts.traces(track),
            total=track.curves.total_steps if track.job.live else None,
            marks=[kept.step for kept in self._rows],
            empty="the curve is not read yet",
        )
        if row is not None and chart.cursor != row.step:
            chart.cursor = float(row.step)
            chart.redraw()

    # -- drawing

    def _layout(self, width: int) -> tuple[int, bool]:
        """(columns of the model's name, whether accuracies and the clock fit)."""
        full = width >= 90
        return max(8, width - (63 if full else 38)), full

    def _head(self, width: int) -> list[Part]:
        room, full = self._layout(width)
        text = f"   {'step':>7}{'epoch':>7}{'train':>9}{'valid':>9}"
        if full:
            text += f"{'acc':>8}{'valid acc':>10}  made "
        first = "  job and model" if self.thread.job is None else "  model"
        return [(text + first)[:width] if room else text]

    def _row(self, at: int, width: int) -> Sequence[Part]:
        self._width = width
        return self._parts(self._rows[at], width)

    def _parts(self, row: Kept, width: int) -> Sequence[Part]:
        room, full = self._layout(width)
        star = "*" if self.fttui.ascii_only else "★"
        top = row.key == self._best
        epoch = "" if row.epoch is None else f"{row.epoch:.2f}".rstrip("0").rstrip(".")
        metric = self.metric.name

        def figure(name: str, value: float | None, columns: int) -> Part:
            text = "–" if value is None else plotting.number(value)
            style = "dim" if value is None else ("bold" if top and name == metric else "")
            return (fit(text, columns, "right"), style)

        parts: list[Part] = [
            (f" {star if top else ' '} ", "warning"),
            (fit(f"{row.step:,}", 7, "right"), "bold" if top else ""),
            (fit(epoch, 7, "right"), "dim"),
            figure("train_loss", row.train_loss, 9),
            figure("valid_loss", row.valid_loss, 9),
        ]
        if full:
            at = row.checkpoint.created_at
            clock = time.strftime("%H:%M", time.localtime(at)) if at else ""
            parts += [
                figure("train_accuracy", row.train_accuracy, 8),
                figure("valid_accuracy", row.valid_accuracy, 10),
                (f"  {clock:<5}", "dim"),
            ]
        name = row.model or "no name yet"
        if self.thread.job is None:
            name = f"{row.track.name} · {name}"
        tag = "final " if row.final else ""
        return [*parts, (f"  {tag}", "ok"), (_middle(name, room - len(tag)), "")]

    # -- choosing

    @on(LineList.Moved, "#rows")
    def _moved(self) -> None:
        row = self.row
        if row is not None:
            self._chart()
            self.fttui.change(checkpoint=row.checkpoint)

    @on(LineList.Chosen, "#rows")
    def _chosen(self) -> None:
        self.action_do("checkpoints.chat")

    def why_not(self, action_id: str) -> str:
        name = action_id.partition(".")[2]
        if name == "refresh":
            return "" if self._feed else "the provider is not asked yet"
        if self.row is None:
            return "there is no checkpoint"
        if name in ("chat", "compare", "copy") and not self.row.model:
            return "this checkpoint has no model name yet"
        return ""

    def do_chat(self) -> None:
        row = self.row
        if row is not None:
            self.fttui.backend.follow(row.track.job)
            self.fttui.change(job=row.track.job, checkpoint=row.checkpoint, chat_models=[row.model])
            self.fttui.go("chat")

    def do_compare(self) -> None:
        row = self.row
        if row is not None:
            job = row.track.job
            names = [job.model, row.model, job.fine_tuned_model]
            models = list(dict.fromkeys(name for name in names if name))
            self.fttui.backend.follow(job)
            self.fttui.change(job=job, checkpoint=row.checkpoint, chat_models=models)
            self.fttui.go("chat")

    def do_rank(self) -> None:
        can = ranking.usable(self._rows)
        names = [metric.name for metric in can]
        at = names.index(self.metric.name) if self.metric.name in names else -1
        self._metric = names[(at + 1) % len(names)]
        self.fttui.state.remember("checkpoints.metric", self._metric)
        self.show()

    def do_copy(self) -> None:
        if self.row is not None:
            self.fttui.copy(self.row.model, self.row.model)

    def do_refresh(self) -> None:
        if self._feed is not None:
            self._feed.refresh()
            for track in self._tracks():
                self._feed.read_checkpoints(track.id)


def _middle(name: str, width: int) -> str:
    """A model's name cut in its middle: both the base and the step are what tells them apart."""
    if len(name) <= width or width < 8:
        return fit(name, width)
    tail = min(len(name), (width - 1) * 2 // 3)
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"
