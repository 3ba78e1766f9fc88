"""Which texts are worth searching: what every pattern of `text` cannot do without is looked for first, in
the texts of many lines side by side and a few passes over all of them.

What is found here is never less than what the patterns find, and seldom more.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fttui.dataset.checks.text import (
    IBAN,
    MAIL,
    NUMBERS,
    ODD_MARK,
    ODD_ONE,
    PLACEHOLDER,
    SECRETS,
    SPECIAL,
    Search,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Places = NDArray[np.int64]

END = 0xFF  # between texts: never in UTF-8
BEFORE, BEHIND = 4, 40  # bytes of END around all texts, so that every place has neighbours
_SIGNS = b"-_[<{@+xz\x7f\xc2\xc3\xe2\xef" + bytes(c for c in range(32) if c not in b"\t\n\r")
_PLUS = re.compile(rb"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}[ .-]\d\d")
_LOREM = b"orem ipsum"
# Garbled, hidden and control characters beyond ASCII.
_ODD = re.compile(
    rb"\xef\xbf\xbd|\xef\xbb\xbf|\xc3\xa2\xe2\x82\xac|\xc3\x83[\xc2\xc5\xc6\xe2]|\xc3\x82\xc2"
    rb"|\xc3\xaf\xc2|\xc3\xb0\xc5|\xe2\x80[\x8b\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xc2[\x80-\x9f]"
)
_PLACEHOLDERS: Search = ("Q010", PLACEHOLDER)
_ODD_ONES: Search = (ODD_MARK, ODD_ONE)
_CARD, _PHONE, _SSN, _IP = NUMBERS
_KEY, _AWS, _GITHUB, _SLACK, _GOOGLE, _PRIVATE = SECRETS
Hits = Iterator[tuple[Search, "Places"]]  # a search and where it is worth making


def suspects(texts: list[bytes]) -> dict[int, list[Search]]:
    """Which of `texts` (UTF-8) the patterns can find anything in: number → searches worth making."""
    import numpy as np

    end = bytes([END])
    block = _Block(end * BEFORE + end.join(texts) + end * BEHIND)
    ends = None
    result: dict[int, list[Search]] = {}
    for look in (_signs, _keys, _odd, _groups, _dotted, _capitals):
        for search, places in look(block):
            if not len(places):
                continue
            if ends is None:
                ends = np.flatnonzero(block.data[BEFORE:] == END) + BEFORE
            for number in set(np.searchsorted(ends, places).tolist()):
                known = result.setdefault(number, [])
                if search not in known:
                    known.append(search)
    return result


class _Block:
    """All bytes as numbers, and where the signs are that some pattern begins with or holds."""

    def __init__(self, whole: bytes) -> None:
        import numpy as np

        self.whole = whole
        self.data = np.frombuffer(whole, np.uint8)
        self.size = len(whole) - BEHIND
        self._places = np.flatnonzero(_table(_SIGNS)[self.data])
        self._signs = self.data[self._places]

    def of(self, sign: str) -> Places:
        """Where a sign is."""
        return self._places[self._signs == ord(sign)]

    def beyond(self) -> tuple[Places, Places]:
        """Where control characters are, and where characters beyond ASCII begin that may be odd."""
        low = (self._signs < 32) | (self._signs == 127)
        return self._places[low], self._places[self._signs > 127]

    def at(self, places: Places, step: int, chars: str) -> Mask:
        """Whether one of `chars` stands `step` bytes behind each place."""
        near = self.data[places + step]
        found = near == ord(chars[0])
        for char in chars[1:]:
            found |= near == ord(char)
        return found

    @functools.cached_property
    def digits(self) -> Mask:
        return self.data - 48 < 10

    @functools.cached_property
    def two(self) -> Mask:
        """Where two digits stand."""
        return self.digits[:-1] & self.digits[1:]

    @functools.cached_property
    def four(self) -> Mask:
        """Where four digits stand."""
        return self.two[:-2] & self.two[2:]

    @functools.cached_property
    def between(self) -> Places:
        """Where something stands alone between digits."""
        import numpy as np

        digits = self.digits
        return np.flatnonzero(digits[:-2] & digits[2:] & ~digits[1:-1]) + 1


@functools.cache
def _table(chars: bytes) -> Mask:
    """Whether a byte is one of some."""
    import numpy as np

    table = np.zeros(256, bool)
    table[list(chars)] = True
    return table


_WORD = bytes(c for c in range(128) if chr(c).isalnum()) + b"_-"


def _signs(block: _Block) -> Hits:
    """Mail addresses, special tokens, placeholders."""
    import numpy as np

    data, word = block.data, _table(_WORD)
    at = block.of("@")
    named = (data[at - 1] > 32) & (data[at - 1] != END)
    yield ("mail address", MAIL), at[named & (word[data[at + 1]] | (data[at + 1] > 127))]
    at = block.of("<")
    yield ("M025", SPECIAL), at[block.at(at, 1, "|")]
    at = np.concatenate([at, block.of("[")])
    yield _PLACEHOLDERS, at[block.at(at, 1, "IY") & block.at(at, 2, "NnOo")]
    at = block.of("{")
    yield _PLACEHOLDERS, at[block.at(at, 1, "{")]
    first = block.whole.find(_LOREM)
    if first >= 0:
        lorem = [match.start() for match in re.finditer(_LOREM, block.whole[first:])]
        yield _PLACEHOLDERS, np.array(lorem) + first


def _keys(block: _Block) -> Hits:
    """Keys and tokens by what they begin with."""
    data, word = block.data, _table(_WORD)
    at = block.of("-")
    yield _PRIVATE, at[block.at(at, 1, "B")]
    at = at[block.at(at, -1, "k") & block.at(at, -2, "s")]
    for step in range(1, 21):
        at = at[word[data[at + step]]]
    yield _KEY, at
    at = block.of("_")
    at = at[
        (block.at(at, -3, "g") & block.at(at, -2, "h"))
        | (block.at(at, -1, "t") & block.at(at, -2, "a") & block.at(at, -3, "p"))
    ]
    for step in (10, 20, 30):
        at = at[word[data[at + step]]]
    yield _GITHUB, at
    at = block.of("x")
    yield _SLACK, at[block.at(at, 1, "o") & block.at(at, 2, "x")]
    at = block.of("z")
    yield _GOOGLE, at[block.at(at, -1, "I") & block.at(at, 1, "a")]


def _odd(block: _Block) -> Hits:
    """Garbled, hidden and control characters."""
    low, at = block.beyond()
    yield _ODD_ONES, low
    # Of the four first bytes the most frequent by far is that of accented letters.
    data = block.data
    at = at[(data[at] != 0xC3) | _table(b"\xa2\x83\x82\xaf\xb0")[data[at + 1]]]
    at = at[(data[at] != 0xC2) | (data[at + 1] < 0xA0)]
    at = at[(data[at] != 0xE2) | _table(b"\x80\x81")[data[at + 1]] & (data[at + 2] != 0x99)]
    yield _ODD_ONES, _matching(_ODD, block, at)


def _matching(pattern: re.Pattern[bytes], block: _Block, at: Places) -> Places:
    import numpy as np

    return np.array([i for i in at.tolist() if pattern.match(block.whole, i)], np.int64)


def _groups(block: _Block) -> Hits:
    """Numbers of cards: four digits three times and more, with or without a blank or - between them."""
    import numpy as np

    n, data, four = block.size, block.data, block.four
    gap = (data == ord(" ")) | (data == ord("-"))
    at = np.flatnonzero(four[:n] & (four[4 : n + 4] | (gap[4 : n + 4] & four[5 : n + 5])))
    at = at[block.at(at, 0, "3456")]
    third = at + 4 + gap[at + 4] + 4
    third += gap[third]
    at, third = at[four[third]], third[four[third]]
    rest = third + 4
    yield _CARD, at[block.digits[rest + gap[rest]]]


def _dotted(block: _Block) -> Hits:
    """Numbers in groups: addresses, social security and telephone numbers."""
    import numpy as np

    data, digits, four = block.data, block.digits, block.four
    at = block.between
    dots, dashes = at[block.at(at, 0, ".")], at[block.at(at, 0, "-")]
    gaps = np.diff(dots)
    short = (gaps < 4) | ((gaps == 4) & digits[dots[:-1] + 2])
    yield _IP, dots[:-2][short[:-1] & short[1:]]

    at = dashes[digits[dashes - 2] & digits[dashes - 3] & digits[dashes + 2]]
    yield _SSN, at[block.at(at, 3, "-") & four[at + 4]]

    at = np.concatenate([dots, dashes])
    at = at[digits[at - 2] & digits[at - 3] & digits[at + 2] & digits[at + 3]]
    yield _PHONE, at[block.at(at, 4, ".-") & four[at + 5]]

    n = block.size
    at = np.flatnonzero((data == ord(")"))[1:n] & digits[: n - 1]) + 1
    at = at[digits[at - 2] & digits[at - 3] & block.at(at, -4, "(")] + 1
    at = at + block.at(at, 0, " ")
    at = at[block.two[at] & digits[at + 2] & block.at(at, 3, " .-")]
    yield _PHONE, at[four[at + 4]]

    at = block.of("+")
    yield _PHONE, _matching(_PLUS, block, at[digits[at + 1]])


def _capitals(block: _Block) -> Hits:
    """Account numbers, and what begins with three capitals."""
    import numpy as np

    n, data = block.size, block.data
    capital = data - 65 < 26
    pair = capital[:-1] & capital[1:]
    at = np.flatnonzero(pair[:n] & block.two[2 : n + 2])
    plain = capital | block.digits
    behind = at + 4
    good = np.ones(len(at), bool)
    for _ in range(2):
        behind += block.at(behind, 0, " ")
        good &= plain[behind] & plain[behind + 1] & plain[behind + 2] & plain[behind + 3]
        behind += 4
    yield ("IBAN", IBAN), at[good]

    at = np.flatnonzero(pair[:n] & capital[2 : n + 2])
    at = at[~capital[at - 1]]
    yield _AWS, at[block.at(at, 0, "A") & block.at(at, 1, "KS") & block.at(at, 2, "I")]
    at = at[block.at(at, 0, "T")]
    todo = block.at(at, 1, "O") & block.at(at, 2, "D") & block.at(at, 3, "O")
    yield _PLACEHOLDERS, at[todo | (block.at(at, 1, "B") & block.at(at, 2, "D"))]
