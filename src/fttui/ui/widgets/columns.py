"""One to four transcripts side by side; where they would be too narrow, one at a time under tabs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from fttui.text import clean
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.transcript import Transcript
from fttui.ui.widgets.wrapping import Block

NARROWEST = 28  # cells of a column; below this they become tabs

# state of a column → glyph and style
STATES = {
    "": ("", ""),
    "waiting": ("◌", "accent"),
    "answering": ("●", "primary"),
    "done": ("✓", "ok"),
    "stopped": ("■", "warning"),
    "failed": ("✗", "error"),
}


class Columns(Vertical):
    """`active` is the column that keys act on. Text for a running answer is collected by `add` and
    drawn by `flush`."""

    DEFAULT_CSS = """
    Columns { height: 1fr; }
    Columns #side { height: 1fr; }
    Columns #tabs { height: 1; padding: 0 1; display: none; }
    Columns Transcript {
        border: round $border-blurred; border-title-color: $muted; border-subtitle-color: $faint;
    }
    Columns Transcript.-active { border-title-color: $text-primary; border-title-style: bold; }
    Columns Transcript:focus { border: round $primary; }
    Columns.-tabs #tabs { display: block; }
    Columns.-tabs Transcript { display: none; }
    Columns.-tabs Transcript.-active { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []  # what is written at the head of each
        self.active = 0
        self._states: list[str] = []
        self._pending: dict[int, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="tabs")
        yield Horizontal(id="side")

    @property
    def transcripts(self) -> list[Transcript]:
        return list(self.query_one("#side").query_children(Transcript).results())

    @property
    def current(self) -> Transcript | None:
        rows = self.transcripts
        return rows[self.active] if self.active < len(rows) else None

    # -- columns

    def set_names(self, names: Sequence[str]) -> None:
        """Show columns of these names, keeping the widgets there are."""
        if list(names) == self.names and self.transcripts:
            return
        side = self.query_one("#side")
        rows = self.transcripts
        for extra in rows[max(1, len(names)) :]:
            extra.remove()
        if not rows:
            rows = [Transcript()]
            side.mount(rows[0])
        for _ in range(len(rows), len(names)):
            side.mount(Transcript())
        self.names = list(names)
        self._states = (self._states + [""] * len(names))[: len(names)]
        self._pending.clear()
        self._fit()
        self.activate(min(self.active, max(0, len(names) - 1)))

    def activate(self, column: int) -> None:
        self.active = column
        for place, row in enumerate(self.transcripts):
            row.set_class(place == column, "-active")
        self._retitle()

    def _retitle(self) -> None:
        many = len(self.names) > 1
        for place, row in enumerate(self.transcripts):
            if place < len(self.names):
                glyph, style = STATES[self._states[place]]
                width = max(12, (row.size.width or 40) - 10)
                name = fit(self.names[place], width).rstrip()
                number = f"{place + 1} " if many else ""
                row.border_title = say(number + name, (f" {glyph}" if glyph else "", style))
        self._tabs()

    def _tabs(self) -> None:
        parts: list[Part] = []
        room = max(10, (self.size.width or 80) // max(1, len(self.names)) - 8)
        for place, wanted in enumerate(self.names):
            glyph, style = STATES[self._states[place]]
            name = f" {place + 1} {fit(wanted, room).rstrip()} "
            parts += [
                (name, "bold $foreground on $panel" if place == self.active else "dim"),
                (f"{glyph} ", style),
                " ",
            ]
        self.query_one("#tabs", Static).update(say(*parts, ("  tab next", "faint")))

    def _fit(self) -> None:
        count = len(self.names)
        width = self.size.width or self.app.size.width
        self.set_class(count > 1 and width // count < NARROWEST, "-tabs")

    def on_resize(self) -> None:
        self._fit()
        self.call_after_refresh(self._retitle)

    def state(self, column: int, state: str, words: str = "") -> None:
        """What a column is doing, and the words at its lower edge."""
        rows = self.transcripts
        if column < len(rows) and column < len(self._states):
            self._states[column] = state
            rows[column].border_subtitle = say(words) if words else ""
            self._retitle()

    # -- text

    def show(self, column: int, blocks: Sequence[Block]) -> None:
        rows = self.transcripts
        self._pending.pop(column, None)
        if column < len(rows):
            rows[column].show_blocks(blocks)

    def add(self, column: int, text: str) -> None:
        self._pending[column] = self._pending.get(column, "") + text

    def flush(self) -> None:
        """Draw what has been added since the last time."""
        rows = self.transcripts
        for column, text in list(self._pending.items()):
            rest = "\r" if text.endswith("\r") else ""  # the other half of a line end may follow
            self._pending[column] = rest
            if column < len(rows):
                rows[column].grow(clean(text.removesuffix("\r") if rest else text))

    def settle(self, column: int) -> None:
        rows = self.transcripts
        if column < len(rows):
            rows[column].settle()

    def on_transcript_picked(self, event: Transcript.Picked) -> None:
        rows = self.transcripts
        if event.transcript in rows and rows.index(event.transcript) != self.active:
            self.activate(rows.index(event.transcript))
