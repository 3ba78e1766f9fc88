"""A reply on its way into a dataset: the answer to be edited, and the file it goes into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Label, Static, TextArea

from fttui.problem import Problem
from fttui.text import one_line, plural
from fttui.ui import editor
from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say

if TYPE_CHECKING:
    from fttui.dataset.append import Appended
    from fttui.dataset.target import Target

WHOLE = 20_000_000  # bytes of a file that is checked as a whole; of a larger one the new line alone


@dataclass(frozen=True)
class Addition:
    """answer: as it was edited."""

    answer: str
    path: Path


class AddDialog(Dialog[Addition]):
    """Answers what to add and where. rejected: the other half of a preference pair, "" for none."""

    DEFAULT_CSS = """
    AddDialog > #box { width: 92; overflow-y: auto; }
    AddDialog TextArea { height: 12; border: tall $border; background: $surface; padding: 0; }
    AddDialog.-short TextArea { height: 7; }
    AddDialog TextArea:focus { border: tall $primary; }
    AddDialog Label { color: $muted; }
    AddDialog #rejected { height: auto; max-height: 3; }
    AddDialog #complaint { color: $text-error; height: auto; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS = [
        Binding("f4", "save", "Add", show=False, priority=True),
        Binding("ctrl+e", "editor", "Write it in $EDITOR", show=False, priority=True),
    ]

    def __init__(self, title: str, answer: str, path: Path, *, rejected: str = "") -> None:
        super().__init__()
        self._title, self._answer, self._path, self._rejected = title, answer, path, rejected

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say((self._title, "bold")), classes="title")
            yield Label(say("The answer" if not self._rejected else "The better answer"))
            area = TextArea(self._answer, highlight_cursor_line=False)
            area.cursor_blink = False
            yield area
            if self._rejected:
                said: list[Part] = [("rejected  ", "error"), one_line(self._rejected, 240)]
                yield Static(say(*said), id="rejected")
            yield Label(say("Added as the last line of"))
            yield Input(str(self._path), compact=True)
            yield Static("", id="complaint")
            keys = "f4 add   tab next field   ^e editor   esc leave"
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(TextArea).focus()

    def on_input_submitted(self) -> None:
        self.action_save()

    def action_editor(self) -> None:
        area = self.query_one(TextArea)
        try:
            area.text = editor.write(self.app, area.text)  # type: ignore[arg-type]
        except Problem as problem:
            self._complain(str(problem))

    def action_save(self) -> None:
        path = Path(self.query_one(Input).value.strip()).expanduser()
        answer = self.query_one(TextArea).text
        if not answer.strip():
            self._complain("the answer is empty")
        elif path.is_dir() or not path.parent.is_dir():
            self._complain(
                f"there is no folder {path.parent}" if not path.is_dir() else "it is a folder"
            )
        elif self._rejected and answer.strip() == self._rejected.strip():
            self._complain("both answers are the same: edit the better one")
        else:
            self.dismiss(Addition(answer, path))

    def _complain(self, why: str) -> None:
        self.query_one("#complaint", Static).update(say(f"✗ {why}"))


def verdict(done: Appended, target: Target) -> tuple[str, str]:
    """(what the check says now, severity for a toast). Blocks: call it in a thread."""
    import tempfile

    from fttui.dataset import scan

    whole = done.path.stat().st_size <= WHOLE
    if whole:
        report = scan.scan(done.path, target=target)
    else:
        with tempfile.TemporaryDirectory() as folder:
            alone = Path(folder) / "line.jsonl"
            alone.write_bytes(done.written.strip() + b"\n")
            report = scan.scan(alone, target=target)
    line = done.line if whole else 1
    mine = [found for found in report.findings if found.line == line and found.severity != "note"]
    said = f"line {done.line:,} of {done.path.name} is written"
    if mine:
        found = mine[0]
        return f"{said}, but: {found.code} {found.message}", "warning"
    if not whole:
        return f"{said} and has no issue; the rest of the file was not checked again", "information"
    said += f" · {plural(report.examples, 'example')} · {report.summary or report.verdict}"
    return said, "information" if report.verdict in ("ok", "warnings") else "warning"
