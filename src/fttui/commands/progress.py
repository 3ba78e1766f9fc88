"""A progress line: rewritten in place on a terminal, a line now and then elsewhere, nothing for JSON."""

from __future__ import annotations

import shutil
import sys
from time import monotonic
from types import TracebackType

from fttui.text import duration

EVERY = 0.1  # seconds between two frames on a terminal
PLAIN_EVERY = 15.0  # seconds between two lines in a log
BAR = 24


class Meter:
    """`with Meter("training") as meter: meter.show(step, total, "loss 0.41")`. Writes to stderr."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._first: tuple[float, int] | None = None  # when the first figure came, and which
        self._last = 0.0 if self._live else monotonic()
        self._drawn = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clear()

    def show(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` (0: unknown)."""
        now = monotonic()
        self._first = self._first or (now, done)
        if self._quiet or now - self._last < (EVERY if self._live else PLAIN_EVERY):
            return
        self._last = now
        line = self._line(done, total, note)
        if self._live:
            columns = shutil.get_terminal_size().columns
            print("\r\x1b[2K" + line[: columns - 1], end="", file=sys.stderr, flush=True)
            self._drawn = True
        else:
            print(line, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A line that stays, above the progress."""
        if self._quiet:
            return
        self._clear()
        print(text, flush=True)

    def _line(self, done: int, total: int, note: str) -> str:
        if not total:
            return f"{self._title} {done:,} {note}".rstrip()
        part = min(1.0, done / total)
        filled = round(part * BAR)
        bar = "█" * filled + "░" * (BAR - filled) if self._live else ""
        since, first = self._first or (monotonic(), done)
        spent = monotonic() - since
        rest = spent * (total - done) / (done - first) if done > first else 0.0
        left = f"{duration(rest)} left" if rest and part < 1 and spent > 2 else ""
        parts = (self._title, bar, f"{100 * part:3.0f}%", note, left)
        return "  ".join(word for word in parts if word)

    def _clear(self) -> None:
        if self._drawn:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
            self._drawn = False
