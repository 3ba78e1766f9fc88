"""The examples that are marked: a byte a line, so that a million of them cost a megabyte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.ui.thread import Thread


class Marks:
    """Lines (0-based) of one file."""

    def __init__(self, index: LineIndex) -> None:
        self.index = index
        self._on = bytearray()
        self._count = 0
        self.version = 0  # another one after every change

    def __len__(self) -> int:
        return self._count

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and 0 <= line < len(self._on) and bool(self._on[line])

    def __iter__(self) -> Iterator[int]:
        """Ascending."""
        at = self._on.find(1)
        while at >= 0:
            yield at
            at = self._on.find(1, at + 1)

    def __bytes__(self) -> bytes:
        """A byte a line, 1 where it is marked; the lines beyond are not."""
        return bytes(self._on)

    def toggle(self, lines: Sequence[int]) -> bool:
        """Mark these lines, or unmark them where all are; whether they are marked now."""
        on = not all(line in self for line in lines)
        self.set(lines, on)
        return on

    def set(self, lines: Sequence[int], on: bool) -> None:
        short = max(lines, default=-1) + 1 - len(self._on)
        if short > 0:
            self._on.extend(bytes(short))
        if isinstance(lines, range) and lines.step == 1:
            self._on[lines.start : lines.stop] = bytes([on]) * len(lines)
        else:
            for line in lines:
                self._on[line] = on
        self._changed()

    def clear(self) -> None:
        self._on.clear()
        self._changed()

    def _changed(self) -> None:
        self._count = self._on.count(1)
        self.version += 1


def of(thread: Thread) -> Marks | None:
    """The marks in the open file, None where there are none."""
    marks = thread.marks
    return marks if marks and marks.index is thread.index else None


def in_reach(thread: Thread) -> Marks:
    """The same, to mark more."""
    assert thread.index is not None
    return of(thread) or Marks(thread.index)
