"""Every saved conversation, found by what was said in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Label

from fttui.text import one_line, plural
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.narrow import NarrowDialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.state import State

BEFORE = 20  # characters shown before what was found
TYPING = 0.12  # seconds without a letter before a search begins


@dataclass(frozen=True)
class Found:
    """message: the place that was found, 0 for the conversation as a whole."""

    chat: int
    profile: str
    message: int


class Saved(NarrowDialog[Found]):
    """Answers the conversation that was chosen, and where in it. Typing searches all of them."""

    DEFAULT_CSS = """
    Saved > #box { width: 104; }
    Saved LineList { height: 14; background: $surface; margin-top: 1; }
    Saved.-short LineList { height: 9; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS = [Binding("ctrl+x", "delete", "Delete", show=False, priority=True)]

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self._rows: list[dict[str, Any]] = []
        self._words = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say("Saved conversations"), classes="title")
            yield Input(placeholder="what was said in it", compact=True)
            yield LineList(self._row, 0)
            yield Label(say(("enter open   ^x delete   esc leave", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self._search("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._search(event.value.strip())

    def _search(self, words: str) -> None:
        self.run_worker(self._find(words), group="saved", exclusive=True, exit_on_error=False)

    async def _find(self, words: str) -> None:
        if words:
            await asyncio.sleep(TYPING)
        self._rows = await asyncio.to_thread(self._state.find_chats, words)
        self._words = words
        rows = self.rows
        rows.set_count(len(self._rows), cursor=0)
        rows.refresh()

    def _row(self, row: int, width: int) -> Sequence[Part]:
        found = self._rows[row]
        when = time.strftime("%d %b %H:%M", time.localtime(found["at"]))
        note = f"{found['profile']} · {plural(found['turns'], 'prompt')}"
        room = width - len(when) - 4
        if not self._words:
            title = fit(found["title"], max(12, room - len(note) - 2))
            return [" ", (when, "faint"), "  ", title, " ", (note, "dim")]
        title = fit(found["title"], max(12, min(30, room // 3)))
        before, hit, after = snippet(found["content"], self._words)
        gap = " " if after.startswith(" ") else ""
        rest = gap + fit(after, max(1, room - len(title) - len(before) - len(hit) - 3))
        return [" ", (when, "faint"), "  ", (title, "dim"), "  ", before, (hit, "match"), rest]

    def take(self, row: int) -> None:
        if row < len(self._rows):
            found = self._rows[row]
            self.dismiss(Found(found["id"], found["profile"], found["message"]))

    def action_delete(self) -> None:
        row = self.rows.cursor
        if row >= len(self._rows):
            return
        found = self._rows[row]

        def answered(yes: bool | None) -> None:
            if yes:
                self._state.delete_chat(found["id"])
                self._search(self._words)

        said = f"“{one_line(found['title'], 50)}” and its answers cannot be brought back."
        self.app.push_screen(
            Confirm("Delete this conversation?", [said], yes="Delete", no="Keep"), answered
        )


def snippet(text: str, words: str) -> tuple[str, str, str]:
    """(a little before, what was found, what follows), on one line."""
    at = text.casefold().find(words.casefold())
    if at < 0:
        return "", "", one_line(text, 200)
    start = max(0, at - BEFORE)
    before = ("…" if start else "") + one_line(text[start:at] + "|")[:-1]
    hit = one_line(text[at : at + len(words)]) or " "
    return before, hit, one_line("|" + text[at + len(words) : at + 400])[1:]
