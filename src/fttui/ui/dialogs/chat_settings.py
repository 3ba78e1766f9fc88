"""How a model is talked to: system prompt, sampling, stops, response format, tools; kept per model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Checkbox, Input, Label, Static, TextArea

from fttui.problem import Problem
from fttui.ui import editor
from fttui.ui.chat import talk as talks
from fttui.ui.chat.talk import Talk
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import say

T = TypeVar("T")


@dataclass(frozen=True)
class Chosen:
    """everyone: for all columns, not this one alone."""

    talk: Talk
    everyone: bool


class ChatSettingsDialog(Dialog[Chosen]):
    """Answers the settings, or None. An empty field leaves the value to the provider."""

    DEFAULT_CSS = """
    ChatSettingsDialog > #box { width: 84; overflow-y: auto; }
    ChatSettingsDialog TextArea { height: 6; border: tall $border; background: $surface; padding: 0; }
    ChatSettingsDialog.-short TextArea { height: 5; }
    ChatSettingsDialog .line { height: 1; margin-top: 1; }
    ChatSettingsDialog.-short .line { margin-top: 0; }
    ChatSettingsDialog .line Label { width: 18; }
    ChatSettingsDialog .line Input { width: 1fr; }
    ChatSettingsDialog TextArea:focus { border: tall $primary; }
    ChatSettingsDialog #numbers { height: auto; margin-top: 1; }
    ChatSettingsDialog #numbers Vertical { height: auto; width: 1fr; margin-right: 1; }
    ChatSettingsDialog Label { color: $muted; }
    ChatSettingsDialog Checkbox { border: none; margin-top: 1; background: $surface; padding: 0; }
    ChatSettingsDialog #hint { color: $error; height: auto; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS = [
        Binding("f4", "save", "Save", show=False, priority=True),
        Binding("ctrl+e", "editor", "Write this field in $EDITOR", show=False, priority=True),
        Binding("ctrl+t", "dataset", "The dataset's system prompt", show=False, priority=True),
    ]

    def __init__(self, model: str, talk: Talk, *, dataset: str = "", columns: int = 1) -> None:
        """dataset: the open dataset's usual system prompt, "" for none."""
        super().__init__()
        self._model, self._talk, self._dataset, self._columns = model, talk, dataset, columns

    def compose(self) -> ComposeResult:
        talk = self._talk
        system = self._dataset if talk.system is None else talk.system
        with Vertical(id="box"):
            yield Label(say("Settings of ", (self._model, "bold")), classes="title")
            origin = "  (the dataset's)" if talk.system is None and self._dataset else ""
            yield Label(say("System prompt", (origin, "accent")))
            area = TextArea(system, id="system", highlight_cursor_line=False)
            area.cursor_blink = False
            yield area
            with Horizontal(id="numbers"):
                for name, title, value, hint in (
                    ("temperature", "Temperature 0–2", talk.temperature, "provider's"),
                    ("max_tokens", "Max tokens", talk.max_tokens, "provider's"),
                    ("seed", "Seed", talk.seed, "none"),
                    ("top_p", "Top-p 0–1", talk.top_p, "provider's"),
                ):
                    with Vertical():
                        yield Label(say(title))
                        text = "" if value is None else str(value)
                        yield Input(text, placeholder=hint, id=name, compact=True)
            for name, title, text, hint in (
                ("stop", "Stop at", talks.stops_text(talk.stop), "texts separated by |"),
                ("format", "Response format", talks.format_text(talk.response_format),
                 "text, json, or a JSON schema {…}"),
                ("tools", "Tools", talks.tools_text(talk.tools), "a JSON list [{…}]"),
            ):  # fmt: skip
                with Horizontal(classes="line"):
                    yield Label(say(title))
                    yield Input(text, placeholder=hint, id=name, compact=True)
            if self._columns > 1:
                yield Checkbox(
                    f"for all {self._columns} columns", True, id="everyone", compact=True
                )
            yield Static("", id="hint")
            keys = "f4 save   tab next   ^e editor   esc leave"
            keys += "   ^t dataset's prompt" if self._dataset else ""
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#system", TextArea).focus()

    def action_dataset(self) -> None:
        if self._dataset:
            self.query_one("#system", TextArea).text = self._dataset

    def on_input_submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        try:
            talk = Talk(
                self._system(),
                self._number("temperature", 0, 2),
                self._whole("max_tokens", 1),
                self._whole("seed", 0),
                self._number("top_p", 0, 1),
                self._parsed("stop", talks.stops_of),
                self._parsed("format", talks.format_of),
                self._parsed("tools", talks.tools_of),
            )
        except ValueError as error:
            self.query_one("#hint", Static).update(say(str(error)))
            return
        boxes = self.query("#everyone").results(Checkbox)
        self.dismiss(Chosen(talk, all(box.value for box in boxes)))

    def _system(self) -> str | None:
        text = self.query_one("#system", TextArea).text
        return None if self._dataset and text == self._dataset else text

    def action_editor(self) -> None:
        """Long fields are better written elsewhere."""
        field = self.focused
        try:
            if isinstance(field, TextArea):
                field.text = editor.write(self.app, field.text)  # type: ignore[arg-type]
            elif isinstance(field, Input):
                field.value = " ".join(editor.write(self.app, field.value, ".json").split())  # type: ignore[arg-type]
        except Problem as problem:
            self.query_one("#hint", Static).update(say(str(problem)))

    def _parsed(self, name: str, read: Callable[[str], T]) -> T:
        field = self.query_one(f"#{name}", Input)
        try:
            return read(field.value.strip() if name != "stop" else field.value)
        except ValueError:
            field.focus()
            raise

    def _field(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _number(self, name: str, low: float, high: float) -> float | None:
        text = self._field(name)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not low <= value <= high:
            self.query_one(f"#{name}", Input).focus()
            raise ValueError(f"{name}: a number from {low:g} to {high:g}, or nothing")
        return value

    def _whole(self, name: str, least: int) -> int | None:
        text = self._field(name)
        if not text:
            return None
        if not text.isdigit() or int(text) < least or len(text) > 12:
            self.query_one(f"#{name}", Input).focus()
            raise ValueError(f"{name.replace('_', ' ')}: a whole number of {least} or more")
        return int(text)
