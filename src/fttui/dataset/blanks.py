"""Many texts side by side as bytes, and the runs of blanks in them, found in a few passes over all at once.

The texts stand one after the other with END before and behind each: a byte that UTF-8 never has, so that
the first and the last character of a text have neighbours too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

END = 0xFF
_END = bytes([END])
_SPACE, _TAB = 32, 9
# UTF-8 of the blanks other than spaces, tabs and line ends, as numbers of three bytes.
_RARE = [
    int.from_bytes(char.encode(), "big")
    for char in "\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(map(chr, range(0x2000, 0x200B)))
]


def shorten(
    texts: list[str], longest: dict[int, int]
) -> tuple[bytes, NDArray[np.int64], list[int]]:
    """Texts in which each run of spaces or of tabs before a word has lost all but its last.

    longest: how many spaces (32) and tabs (9) may be taken out at a place. Returns (the texts with END
    between them, runs that were shortened in each, numbers of the texts that are not that simple: they
    have to be counted in another way). UnicodeEncodeError: a text holds half a character."""
    import numpy as np

    joined = _END.join([b"", *[text.encode() for text in texts], b""])
    data = np.frombuffer(joined, np.uint8)
    ends = np.flatnonzero(data == END)[1:]
    space, keep = data == _SPACE, np.ones(len(data), bool)
    odd = set(np.searchsorted(ends, _rare(data)).tolist())
    runs = _drop(data, space, longest[_SPACE], keep, ends, odd)
    if b"\t" in joined:
        tab = data == _TAB
        mixed = (space[:-1] & tab[1:]) | (tab[:-1] & space[1:])
        odd.update(np.searchsorted(ends, np.flatnonzero(mixed)).tolist())
        runs += _drop(data, tab, longest[_TAB], keep, ends, odd)
    return data[keep][1:-1].tobytes(), runs, sorted(odd)


def _rare(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where blanks other than spaces, tabs and line ends are."""
    import numpy as np

    low = (data == 0x0B) | (data == 0x0C)
    lead = (data == 0xC2) | ((data & 0xFC) == 0xE0)
    at = np.flatnonzero(low | lead)
    code = data[at].astype(np.uint32)
    more = code > 0x7F
    for step in (1, 2):
        following = data.take(at + step, mode="clip")
        more &= following & 0xC0 == 0x80
        code[more] = code[more] << 8 | following[more]
    return at[np.isin(code, _RARE)]


def _drop(
    data: NDArray[np.uint8],
    blank: NDArray[np.bool_],
    longest: int,
    keep: NDArray[np.bool_],
    ends: NDArray[np.int64],
    odd: set[int],
) -> NDArray[np.int64]:
    """Take all blanks but the last of each run before a word out of `keep`; how many runs, text by text.
    `odd` gets the texts with a run that is too long."""
    import numpy as np

    twice = blank[:-1] & blank[1:]
    keep[:-1] &= ~twice
    edges = np.flatnonzero(twice[1:] != twice[:-1])
    first, last = edges[::2] + 1, edges[1::2]  # the last but one of the run
    odd.update(np.searchsorted(ends, first[last - first >= longest]).tolist())
    after = data[last + 2]
    word = (after != 10) & (after != 13) & (after != END)
    keep[_inside(first[~word], last[~word])] = True  # before a line end, or at the end of a text
    return np.diff(np.searchsorted(last[word], ends), prepend=0)


def _inside(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """All places from `first` to `last`, range after range."""
    import numpy as np

    sizes = last - first + 1
    begins = sizes.cumsum() - sizes
    return np.arange(sizes.sum()) + np.repeat(first - begins, sizes)
