"""A real terminal to drive the program in: tmux with a server of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence


class Tmux:
    """One window of its own tmux server; `with` it so that nothing is left behind."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.name = f"fttui-{uuid.uuid4().hex[:10]}"
        self.columns, self.rows = columns, rows

    def __enter__(self) -> Tmux:
        self("-f", os.devnull, "new-session", "-d", "-x", str(self.columns), "-y", str(self.rows),
             "env", "PS1=shell> ", "sh")  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self("kill-server")

    def __call__(self, *args: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.name, *args],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout

    def run(self, command: Sequence[str]) -> None:
        """Type a command into the shell."""
        self("send-keys", "-l", shlex.join(command))
        self("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """tmux key names: `Down`, `Enter`, `C-p`, `q`."""
        for key in keys:
            self("send-keys", key)

    def screen(self) -> str:
        return self("capture-pane", "-p")

    def wait(self, condition: Callable[[str], object] | str, seconds: float = 20) -> str:
        """Until the screen shows a text (or meets a condition); fails with the screen."""
        deadline = time.monotonic() + seconds
        while True:
            shown = self.screen()
            if condition in shown if isinstance(condition, str) else condition(shown):
                return shown
            if time.monotonic() > deadline:
                raise AssertionError(f"never shown: {condition!r}\n{shown}")
            time.sleep(0.03)  # between two looks, not a wait for a result

    def state(self) -> tuple[str, ...]:
        """What a program may leave changed: alternate screen, mouse, cursor, paste mode."""
        flags = "#{alternate_on},#{mouse_any_flag},#{cursor_flag},#{mouse_all_flag}"
        return tuple(self("display-message", "-p", flags).strip().split(","))
