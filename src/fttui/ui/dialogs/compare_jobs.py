"""Several jobs side by side: what they differ in, how they did, the best of them, their curves in one chart."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Label, Static

from fttui.text import duration
from fttui.ui import plotting
from fttui.ui.dialogs.base import Dialog
from fttui.ui.jobs import overlay
from fttui.ui.jobs.compare import best, differences
from fttui.ui.jobs.money import Purse
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.job_table import badge, left
from fttui.ui.widgets.line_list import LineList
from fttui.ui.widgets.loss_chart import LossChart

NAME = 18
COLUMN = 12  # columns of a setting
HEADS = ("loss", "valid", "best", "cost", "took")
FIGURE = 8  # columns of each of them


class CompareJobs(Dialog[None]):
    """As long as it is open it shows the jobs as they were when it was opened; `r` brings it up to date."""

    DEFAULT_CSS = """
    CompareJobs > #box { width: 96%; max-width: 96%; height: 90%; }
    CompareJobs LossChart { height: 1fr; min-height: 6; }
    CompareJobs #head { color: $muted; text-style: bold; height: 1; }
    CompareJobs LineList { height: auto; max-height: 12; background: $surface; }
    CompareJobs #same { height: auto; max-height: 2; color: $muted; }
    """
    BINDINGS = [
        Binding("l", "log", "Logarithmic", show=False),
        Binding("a", "smooth", "Smooth", show=False),
        Binding("m", "view", "Loss, accuracy or reward", show=False),
        Binding("r", "again", "Up to date", show=False),
    ]

    def __init__(self, tracks: Sequence[Track], purse: Purse) -> None:
        super().__init__()
        self._tracks = list(tracks)
        self._purse = purse
        self._view = "loss"
        self._settings, self._same = differences(self._tracks)
        self._best = best(self._tracks)

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(f"{len(self._tracks)} jobs compared"), classes="title")
            yield LossChart()
            yield Static(id="head")
            yield LineList(self._row, len(self._tracks))
            yield Static(say(self._shared()), id="same")
            keys = "esc close   l log   a smooth   m loss, accuracy or reward   r up to date"
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        rows = self.query_one(LineList)
        rows.styles.height = max(1, min(12, len(self._tracks)))
        rows.focus()
        self.call_after_refresh(self.action_again)

    def _shared(self) -> str:
        return "the same for all: " + (
            ", ".join(f"{k} {v}" for k, v in self._same.items()) or "nothing"
        )

    def action_again(self) -> None:
        self._best = best(self._tracks)
        self._chart()
        self.query_one("#head", Static).update(say(self._head()))
        self.query_one(LineList).refresh()

    def _chart(self) -> None:
        drawn = overlay.overlay(self._tracks, view=self._view)
        self.query_one(LossChart).show(drawn, empty="no figures are read yet", at_once=True)

    # -- the table

    def _shown(self, width: int) -> list[str]:
        """The settings there is room for."""
        room = width - 6 - NAME - len(HEADS) * (FIGURE + 1)
        return list(self._settings)[: max(1, room // (COLUMN + 1))]

    def _head(self) -> str:
        width = self.query_one(LineList).size.width
        cells = [" " * 5 + fit("job", NAME)]
        cells += [fit(name, COLUMN) for name in self._shown(width)]
        cells += [fit(name, FIGURE, "right") for name in HEADS]
        return " ".join(cells)[:width]

    def _row(self, at: int, width: int) -> Sequence[Part]:
        track = self._tracks[at]
        plain = bool(getattr(self.app, "ascii_only", False))
        glyph, style = badge(track.job.status, plain)
        style_of = overlay.STYLES[at % len(overlay.STYLES)]
        top = track is self._best
        parts: list[Part] = [
            (("*" if plain else "★") if top else " ", "warning"),
            (overlay.mark(at), style_of),
            (f" {glyph} ", style),
            (fit(track.name, NAME) + " ", "bold" if top else ""),
        ]
        parts += [
            (fit(self._settings[name].get(track.id, "–"), COLUMN) + " ", "accent")
            for name in self._shown(width)
        ]
        return [
            *parts,
            *((fit(text, FIGURE, "right") + " ", tint) for text, tint in self._figures(track)),
        ]

    def _figures(self, track: Track) -> list[tuple[str, str]]:
        valid = track.curves.valid
        lowest = min(valid.values) if len(valid) else None
        taken, rest = track.seconds_taken(), track.seconds_left()
        last = f"{left(rest)} left" if rest is not None else duration(taken) if taken else ""

        def number(value: float | None) -> str:
            return "–" if value is None else plotting.number(value)

        return [
            (number(track.loss.last), ""),
            (number(valid.last), ""),
            (number(lowest), "bold" if track is self._best else ""),
            (self._purse.text(track) or "–", "dim"),
            (last or "–", "dim"),
        ]

    # -- keys

    def action_log(self) -> None:
        self.query_one(LossChart).toggle_log()

    def action_smooth(self) -> None:
        self.query_one(LossChart).toggle_smooth()

    def action_view(self) -> None:
        can = overlay.views(self._tracks) or ["loss"]
        self._view = can[(can.index(self._view) + 1) % len(can)] if self._view in can else can[0]
        self._chart()
