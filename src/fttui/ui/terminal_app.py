"""What any program of ours owes the terminal: its theme at once, ASCII where asked, and to leave in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

from textual.app import App

from fttui.ui.theme import THEMES

if TYPE_CHECKING:
    from textual.driver import Driver

LEAVE_SECONDS = 2.0  # after a kill or a hang-up


class TerminalApp(App[None]):
    """Subclasses call `begin_theme` when they know its name and `obey_signals` when mounted."""

    def __init__(self, *, ascii_only: bool) -> None:
        self.ascii_only = ascii_only  # asked for while Textual begins
        super().__init__()
        for ours in THEMES:
            self.register_theme(ours)

    def begin_theme(self, name: str) -> None:
        """The theme of the first frame; an unknown name is our usual one, which is put in place at once:
        setting it would parse every style twice."""
        if name in self.available_themes and name != THEMES[0].name:
            self.theme = name
            return
        self.set_reactive(App.theme, THEMES[0].name)
        self.stylesheet.set_variables(self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our two extra greys, for themes that are not ours."""
        return {"muted": "ansi_bright_black" if self.ansi_color else "#8C8C8C", "faint": "#6C6C6C"}

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        if not self.ascii_only:
            return usual
        from fttui.ui.ascii import plain

        return plain(usual)

    def obey_signals(self) -> None:
        """A kill or a dropped connection ends the app in order, so that the terminal is as found."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, ValueError):
                loop.add_signal_handler(number, self._leave, number)

    def _leave(self, number: int) -> None:
        """In order if the terminal is still there; by force when writing to it blocks for ever."""
        force = threading.Timer(LEAVE_SECONDS, os._exit, (128 + number,))
        force.daemon = True
        force.start()
        self.exit(return_code=128 + number)

    def _fatal_error(self) -> None:
        """Textual's own shows every local variable: a dataset, perhaps a key. Ours shows neither."""
        if self.is_headless:  # tests want the traceback
            super()._fatal_error()
        else:
            from rich.text import Text

            from fttui.ui.crash import epitaph

            self.panic(Text(epitaph()))
