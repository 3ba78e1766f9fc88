"""What the bytes of a stretch say about its lines before any is parsed: a few passes over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]


class Marks(NamedTuple):
    """Lines count from 1."""

    keys: list[int]  # how many `":` each line has, from line 1 on
    spaced: set[int]  # the lines that may have a key with a blank between it and its colon
    separators: set[int]  # the lines with a line end of Unicode's in a string


def marks(data: bytes, lines: list[bytes]) -> Marks:
    """What is to know about the lines that `data` was split into."""
    import numpy as np

    raw = np.frombuffer(b"\n\n" + data + b"\n\n", np.uint8)
    ends = np.cumsum([len(line) + 1 for line in lines]) + 1
    colons = np.flatnonzero(raw == ord(":"))
    before = raw[colons - 1]
    keys = np.diff(np.searchsorted(colons[before == ord('"')], ends), prepend=0)
    blank = colons[before <= ord(" ")]
    further = raw[blank - 2]
    spaced = blank[(further == ord('"')) | (further <= ord(" "))]
    separators = set() if data.isascii() else _lines(_separators(raw), ends)
    return Marks(keys.tolist(), _lines(spaced, ends), separators)


def _separators(raw: NDArray[np.uint8]) -> Places:
    """Where U+2028, U+2029 and U+0085 are."""
    import numpy as np

    at = np.flatnonzero(raw == 0xE2)
    at = at[raw[at + 1] == 0x80]
    at = at[(raw[at + 2] | 1) == 0xA9]
    next_line = np.flatnonzero(raw == 0x85)
    return np.concatenate([at, next_line[raw[next_line - 1] == 0xC2]])


def _lines(places: Places, ends: Places) -> set[int]:
    """Numbers of the lines that places are in."""
    import numpy as np

    return set((np.searchsorted(ends, places) + 1).tolist())
