"""A dialog: a box in the middle, closed by escape, its answer typed."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.binding import Binding
from textual.screen import ModalScreen
from textual.worker import Worker

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """Centred box `#box`; escape answers None."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > #box {
        width: 76; max-width: 94%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 2;
    }
    Dialog .title { text-style: bold; margin-bottom: 1; }
    Dialog .keys { color: $muted; margin-top: 1; }
    """
    BINDINGS = [Binding("escape", "close", "Close", show=False)]

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        self.app.worker_failed(event)  # type: ignore[attr-defined]

    def action_close(self) -> None:
        self.dismiss(None)
