"""Who won how often: the ratings of all conversations, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label

from fttui.text import plural
from fttui.ui.chat.blind import Score
from fttui.ui.chat.voices import Voice
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import fit, say
from fttui.ui.widgets.text_view import Line, TextView

BAR = 12


class Tally(Dialog[None]):
    """A line a model, then who beat whom."""

    DEFAULT_CSS = """
    Tally > #box { width: 96; }
    Tally TextView { height: auto; min-height: 4; max-height: 16; background: $surface; }
    """

    def __init__(
        self, scores: Sequence[tuple[str, Score]], pairs: Mapping[tuple[str, str], int]
    ) -> None:
        super().__init__()
        self._scores, self._pairs = scores, pairs

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Ratings"), classes="title")
            view = TextView(self._lines)
            view.styles.height = min(16, max(3, len(self._rows(60))))
            yield view
            yield Label(say(("esc leave", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(TextView).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self.dismiss(None)

    def _lines(self, width: int) -> list[Line]:
        return self._rows(width)

    def _rows(self, width: int) -> list[Line]:
        if not self._scores:
            return [[("nothing was rated yet: R rates the answers to a prompt", "dim")]]
        name = max(20, width - BAR - 34)
        rows: list[Line] = []
        for model, score in self._scores:
            full = round(BAR * (score.won + score.tied / 2) / score.total)
            blind = f"  {score.blind} blind" if score.blind else ""
            rows.append(
                [
                    fit(Voice.of(model).title, name),
                    (" " + "█" * full, "ok"),
                    ("░" * (BAR - full), "faint"),
                    f" {score.won:>3} won",
                    (f" {score.tied:>2} tied {score.lost:>3} lost{blind}", "dim"),
                ]
            )
        beaten = sorted(self._pairs.items(), key=lambda pair: -pair[1])[:8]
        if beaten and len(self._scores) > 2:
            rows.append([])
        for (winner, loser), count in beaten if len(self._scores) > 2 else ():
            said = f"{Voice.of(winner).title} beat {Voice.of(loser).title} {plural(count, 'time')}"
            rows.append([(fit(said, width), "dim")])
        return rows
