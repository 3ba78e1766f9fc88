"""The checkpoints area."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from fttui.ui.actions import bindings
from fttui.ui.screens.base import AreaScreen
from fttui.ui.text import say


class CheckpointsScreen(AreaScreen):
    SCOPE = "checkpoints"
    BINDINGS = bindings(SCOPE)

    def body(self) -> Iterable[Widget]:
        yield Static(say(("nothing here yet", "dim")), classes="empty")
