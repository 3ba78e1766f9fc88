"""A pty to measure on: bytes a key costs, bytes sent while nothing happens, time to the first frame."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from collections.abc import Sequence
from time import perf_counter

KEYS = {"down": b"\x1b[B", "up": b"\x1b[A", "pgdn": b"\x1b[6~", "enter": b"\r", "esc": b"\x1b"}


class Terminal:
    """A program on a pty of its own, its terminal queries answered as a modern terminal would."""

    def __init__(self, command: Sequence[str], columns: int = 120, rows: int = 40) -> None:
        self.started = perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execvp(command[0], list(command))
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def read(self, seconds: float, *, quiet: float = 0.0, until: str = "") -> bytes:
        """What arrives within `seconds`, stopping early after `quiet` s of silence or at a match."""
        deadline = perf_counter() + seconds
        data, last = b"", perf_counter()
        while perf_counter() < deadline:
            if select.select([self.fd], [], [], 0.005)[0]:
                try:
                    piece = os.read(self.fd, 65536)
                except OSError:
                    break
                data, last = data + piece, perf_counter()
                self._answer(piece)
                if until and re.search(until.encode(), data):
                    break
            elif quiet and data and perf_counter() - last > quiet:
                break
        return data

    def _answer(self, data: bytes) -> None:
        if b"\x1b[c" in data:
            os.write(self.fd, b"\x1b[?62;22c")
        for mode in re.findall(rb"\x1b\[\?(\d+)\$p", data):
            os.write(self.fd, b"\x1b[?" + mode + b";2$y")

    def press(self, key: str) -> bytes:
        """Press a key and return all that it draws."""
        os.write(self.fd, KEYS.get(key, key.encode()))
        return self.read(1.5, quiet=0.25)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
