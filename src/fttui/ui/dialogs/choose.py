"""Pick one of many by typing a few letters of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.fuzzy import Matcher
from textual.widgets import Input, Label

from fttui.ui.dialogs.narrow import NarrowDialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList


@dataclass(frozen=True)
class Choice:
    """value: what is answered. off: the reason it cannot be chosen (shown dim), "" when it can.
    key: a short word before the title, in a column of its own."""

    value: str
    title: str
    note: str = ""
    off: str = ""
    key: str = ""


class Choose(NarrowDialog[str]):
    """Answers the value of the chosen row, or None. Typing filters; arrows move; enter takes."""

    DEFAULT_CSS = """
    Choose LineList { height: auto; background: $surface; margin-top: 1; }
    """

    def __init__(self, title: str, choices: Sequence[Choice], *, value: str = "") -> None:
        super().__init__()
        self._title = title
        self._all = list(choices)
        self._shown = list(choices)
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield Input(placeholder="type to narrow", compact=True)
            yield LineList(self._row, len(self._shown))
            yield Label(say(("enter choose   esc leave", "dim")), classes="keys")

    def on_mount(self) -> None:
        self._fit()
        for row, choice in enumerate(self._shown):
            if choice.value == self._value:
                self.rows.cursor = row

    def _fit(self) -> None:
        room = self.app.size.height - 12 - self._title.count("\n")
        self.rows.styles.height = max(1, min(room, 24, len(self._shown)))

    def _row(self, row: int, width: int) -> Sequence[Part]:
        choice = self._shown[row]
        note = choice.off or choice.note
        room = max(12, width - min(len(note), width // 2) - 3)
        style = "faint" if choice.off else ""
        key = max(len(choice.key) for choice in self._all)
        parts: list[Part] = [" "]
        if key:
            parts.append((f"{choice.key:<{key + 2}}", "faint" if choice.off else "key"))
            room -= key + 2
        return [*parts, (fit(choice.title, room), style), " ", (note, "dim")]

    def on_input_changed(self, event: Input.Changed) -> None:
        words = event.value.strip()
        if words:
            matcher = Matcher(words)
            scored = [(matcher.match(f"{c.title} {c.note}"), c) for c in self._all]
            begins = words.casefold()
            order = sorted(
                scored, key=lambda p: (not p[1].title.casefold().startswith(begins), -p[0])
            )
            self._shown = [c for score, c in order if score > 0]
        else:
            self._shown = list(self._all)
        rows = self.rows
        self._fit()
        rows.set_count(len(self._shown), cursor=0)
        rows.refresh()

    def take(self, row: int) -> None:
        if row < len(self._shown):
            choice = self._shown[row]
            if choice.off:
                self.app.bell()
            else:
                self.dismiss(choice.value)
