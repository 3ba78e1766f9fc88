"""Before a copy is written: what will be in it, and its name. Nothing is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, say
from fttui.ui.widgets.text_view import Line, TextView


def copy_name(path: Path, word: str = "fixed") -> Path:
    """A name beside `path` that is free: `train.fixed.jsonl`, `train.fixed-2.jsonl` …"""
    stem = path.name.removesuffix(".jsonl")
    names = (f"{stem}.{word}{f'-{n}' if n > 1 else ''}.jsonl" for n in range(1, 10_000))
    return next(path.with_name(name) for name in names if not path.with_name(name).exists())


class CopyDialog(Dialog[str]):
    """Answers the path to write the copy to, or None. Subclasses say what will be in it."""

    DEFAULT_CSS = """
    CopyDialog > #box { width: 100; }
    CopyDialog #counts { height: auto; max-height: 8; }
    CopyDialog TextView { height: 10; margin: 1 0; background: $background; }
    CopyDialog.-short TextView { height: 4; }
    CopyDialog.-tiny TextView { height: 2; margin: 0; }
    CopyDialog.-tiny .title, CopyDialog.-tiny .keys { margin: 0; }
    CopyDialog.-tiny #counts { max-height: 2; }
    CopyDialog #complaint { color: $text-error; height: auto; display: none; }
    CopyDialog #complaint.-on { display: block; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-short"), (30, "-tall")]
    LOOK = "look through the changes"
    NOTE = "The file itself stays as it is. A copy is written to"

    def __init__(self, title: str, name: Path) -> None:
        super().__init__()
        self._title, self._suggested = title, name

    # -- what subclasses bring

    def fields(self) -> Iterable[Widget]:
        """What is asked for beside the name."""
        return ()

    def counts(self) -> list[Part]:
        """What will be in the copy, in a few lines."""
        return []

    def preview(self, width: int) -> list[Line]:
        """Lines to look through."""
        return []

    def complaint(self) -> str:
        """What is wrong with the fields, "" for nothing."""
        return ""

    def written(self, name: Path) -> tuple[Path, ...]:
        """The files that are written under that name."""
        return (name,)

    # -- the dialog

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(self._title), classes="title")
            yield from self.fields()
            yield Static(say(*self.counts()), id="counts")
            yield TextView(self.preview)
            yield Label(say((self.NOTE, "dim")))
            yield Input(value=str(self._suggested), compact=True, id="name")
            yield Static("", id="complaint")
            keys = f"enter write the copy   ↑ ↓ {self.LOOK}   esc leave"
            yield Label(say((keys, "dim")), classes="keys")

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = False
        self.query(Input).first().focus()

    def on_key(self, event: events.Key) -> None:
        view = self.query_one(TextView)
        steps = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}
        if event.key in steps and not view.has_focus:
            view.action_go(steps[event.key])
            event.stop()

    def complain(self, complaint: str) -> None:
        box = self.query_one("#complaint", Static)
        box.set_class(bool(complaint), "-on")
        box.update(say(f"✗ {complaint}"))

    def on_input_submitted(self) -> None:
        path = Path(self.query_one("#name", Input).value.strip()).expanduser()
        taken = [one.name for one in self.written(path) if one.exists() or one.is_symlink()]
        complaint = self.complaint()
        if not complaint and taken:
            complaint = f"{taken[0]} exists already; nothing is overwritten"
        elif not complaint and not path.parent.is_dir():
            complaint = f"there is no folder {path.parent}"
        self.complain(complaint)
        if not complaint:
            self.dismiss(str(path))
