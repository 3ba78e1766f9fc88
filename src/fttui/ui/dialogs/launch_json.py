"""A JSON text in several lines, checked at every keystroke, the place of what is wrong marked in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label, Static, TextArea

from fttui.problem import Problem
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Palette, Part, say

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp
    from fttui.ui.launch.grader import Fault

KEYS = "f2 start from a shape   f3 go to the mistake   ^e $EDITOR   esc take it and close"


class JsonArea(TextArea):
    """A text with one place marked."""

    fault: Fault | None = None

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        fault = self.fault
        if fault is not None and fault.line == line_index + 1:
            style = Palette(self.app)["error"]
            start = min(fault.column - 1, max(0, len(line) - 1))
            line.stylize(style + Palette(self.app)["mark"], start, start + fault.length)
        return line

    def mark(self, fault: Fault | None) -> None:
        if fault != self.fault:
            self.fault = fault
            self._line_cache.clear()
            self.refresh()


class JsonEditor(Dialog[str]):
    """Answers the text as it is when it is closed: what is not finished is kept as well.

    check: the first thing that is wrong. starts: name → (note, text) to begin with. optional: an
    empty text is fine.
    """

    DEFAULT_CSS = """
    JsonEditor > #box { width: 100; max-width: 98%; height: 90%; }
    JsonEditor TextArea, JsonEditor TextArea:focus { border: none; }
    JsonEditor TextArea { height: 1fr; padding: 0; background: $background; }
    JsonEditor #verdict { height: 2; margin-top: 1; }
    JsonEditor .keys { margin-top: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, priority=True),  # the text would keep it
        Binding("f2", "start", "Start from a shape", show=False),
        Binding("f3", "fault", "Go to the mistake", show=False),
        Binding("ctrl+e", "editor", "Open in $EDITOR", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        text: str,
        check: Callable[[str], Fault | None],
        starts: Mapping[str, tuple[str, str]],
        *,
        optional: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._text, self._check = title, text, check
        self._starts, self._optional = starts, optional

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield JsonArea(
                self._text,
                show_line_numbers=True,
                soft_wrap=False,
                tab_behavior="indent",
                highlight_cursor_line=False,
                id="json",
            )
            yield Static(id="verdict")
            yield Label(say((KEYS, "dim")), classes="keys")

    @property
    def area(self) -> JsonArea:
        return self.query_one(JsonArea)

    def on_mount(self) -> None:
        self.area.focus()
        self._sync()
        if not self._text.strip():
            self.call_after_refresh(self.action_start)

    @on(TextArea.Changed)
    def _sync(self) -> None:
        text = self.area.text
        fault = self._check(text) if text.strip() else None
        self.area.mark(fault)
        self.query_one("#verdict", Static).update(say(*self._verdict(text, fault)))

    def _verdict(self, text: str, fault: Fault | None) -> list[Part]:
        if not text.strip():
            return [("empty", "dim"), "" if self._optional else (": one is needed (f2)", "dim")]
        if fault is None:
            return [("✓ nothing wrong with it", "ok")]
        return [
            ("✗ ", "error"),
            (f"line {fault.line}, column {fault.column}: ", "bold"),
            fault.text,
        ]

    def action_start(self) -> None:
        from fttui.ui.dialogs.choose import Choice, Choose

        choices = [Choice(name, name, note) for name, (note, _) in self._starts.items()]

        def chosen(name: str | None) -> None:
            if name:
                self._write(self._starts[name][1])

        self.app.push_screen(Choose("Start from", choices), chosen)

    def action_fault(self) -> None:
        fault = self.area.fault
        if fault is not None:
            self.area.move_cursor((fault.line - 1, fault.column - 1), center=True)
            self.area.focus()

    def action_editor(self) -> None:
        from fttui.ui import editor

        app = cast("FttuiApp", self.app)
        try:
            self._write(editor.write(app, self.area.text, ".json"))
        except Problem as problem:
            app.show_problem(problem)

    def _write(self, text: str) -> None:
        """Replace the text; undo brings the old one back."""
        area = self.area
        area.replace(text, area.document.start, area.document.end)
        area.move_cursor((0, 0))
        self._sync()

    def action_close(self) -> None:
        self.dismiss(self.area.text)
