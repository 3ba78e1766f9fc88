"""Before a file is open: what this is, the keys to start with, the files opened lately."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from fttui.text import plural
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

_NAME = ("█▀▀ ▀█▀ ▀█▀ █ █ █", "█▀   █   █  █▄█ █")
_LINKS = ("dataset", "check", "cost", "job", "checkpoint", "chat")
_KEYS = (
    ("d", "try it: a sample dataset, a small model, all on this machine"),
    ("o", "open your own dataset"),
    ("6", "chat with a model"),
    ("P", "train elsewhere: OpenAI, Azure, Nebius, any server like them"),
    ("?", "every key of the pane you are in"),
)


class Welcome(Vertical):
    """Posts `Opened(path)` when a recent file is chosen."""

    DEFAULT_CSS = """
    Welcome { align: center middle; height: 1fr; width: 1fr; }
    Welcome > #words { width: 68; max-width: 96%; height: auto; }
    Welcome > #recent-title { width: 68; max-width: 96%; height: auto; margin-top: 1; color: $muted; }
    Welcome > LineList { width: 68; max-width: 96%; height: auto; max-height: 6; }
    """

    class Opened(Message):
        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._recent: list[tuple[Path, dict[str, Any]]] = []

    def compose(self) -> ComposeResult:
        yield Static(say(*_words()), id="words")
        yield Static(say(("Lately", "bold")), id="recent-title")
        yield LineList(self._row, 0)

    def tell(self, recent: list[tuple[Path, dict[str, Any]]]) -> None:
        """The files opened lately, newest first."""
        self._recent = recent[:6]
        rows = self.query_one(LineList)
        rows.display = self.query_one("#recent-title").display = bool(self._recent)
        rows.styles.height = max(1, len(self._recent))
        rows.set_count(len(self._recent), cursor=0)
        rows.refresh()

    def _row(self, row: int, width: int) -> Sequence[Part]:
        path, facts = self._recent[row]
        folder = str(path.parent).replace(str(Path.home()), "~", 1)
        count = facts.get("examples")
        note = plural(count, "example") if isinstance(count, int) and count else ""
        return [
            " ",
            fit(path.name, 24),
            "  ",
            (fit(folder, max(8, width - 46)), "faint"),
            " ",
            (fit(note, 17, "right"), "dim"),
        ]

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        event.stop()
        self.post_message(self.Opened(self._recent[event.row][0]))


def _words() -> list[Part]:
    parts: list[Part] = []
    for line in _NAME:
        parts += [(line, "primary"), "\n"]
    parts += ["\n", "Fine-tune language models without leaving the terminal.\n"]
    for number, link in enumerate(_LINKS):
        parts += [(" ▸ ", "faint")] if number else []
        parts.append((link, "dim"))
    parts += ["\n\n"]
    for key, what in _KEYS:
        parts += [(f"  {key}  ", "key"), (what, ""), "\n"]
    return parts[:-1]
