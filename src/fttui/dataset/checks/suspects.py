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
BEFORE, BEHIND = 12, 40  # bytes of END around all texts, so that every place has neighbours
_SIGNS = b"-_[<{@+xz\x7f\xc2\xc3\xe2\xef" + bytes(c for c in range(32) if c not in b"\t\n\r")
_IS_SIGN = bytes(c in _SIGNS for c in range(256))
_PLUS = re.compile(rb"\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}[ .-]\d\d")
_LOREM = re.compile(rb"orem ipsum")
_LOREM_PS = 6  # where `ps` stands in it, its rarest pair of letters
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


def suspects(examples: list[bytes]) -> dict[int, dict[Search, list[int]]]:
    """Which texts the patterns can find anything in: number of the example → searches worth making →
    numbers of its texts. Each of `examples` is texts (UTF-8) with END between them."""
    import numpy as np

    end = bytes([END])
    block = _Block(end.join([end * (BEFORE - 1), *examples, end * (BEHIND - 1)]))
    ends = np.flatnonzero(block.data[BEFORE:] == END) + BEFORE
    stops = np.cumsum([len(example) + 1 for example in examples]) + (BEFORE - 1)
    first = np.searchsorted(ends, np.append(BEFORE, stops[:-1] + 1))
    result: dict[int, dict[Search, list[int]]] = {}
    for look in (_signs, _keys, _odd, _groups, _dotted, _capitals):
        for search, places in look(block):
            example = np.searchsorted(stops, places)
            text = np.searchsorted(ends, places) - first[example]
            for i, number in set(zip(example.tolist(), text.tolist(), strict=True)):
                numbers = result.setdefault(i, {}).setdefault(search, [])
                if number not in numbers:
                    numbers.append(number)
    return result


class _Block:
    """All bytes as numbers, and where the signs are that some pattern begins with or holds."""

    def __init__(self, whole: bytes) -> None:
        import numpy as np

        self.whole = whole
        self.data = np.frombuffer(whole, np.uint8)
        self.size = len(whole) - BEHIND
        # To translate takes a third of the time that looking up in a table of NumPy does.
        self._places = np.flatnonzero(np.frombuffer(whole.translate(_IS_SIGN), bool))
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
    def fours(self) -> Places:
        """Where four digits begin."""
        import numpy as np

        return np.flatnonzero(self.four[: self.size])

    def behind(self, places: Places, digits: int) -> Places:
        """Those of the places that so many digits stand right before."""
        for step in range(1, digits + 1):
            places = places[self.digits[places - step]]
        return places


@functools.cache
def _table(chars: bytes) -> Mask:
    """Whether a byte is one of some."""
    import numpy as np

    table = np.zeros(256, bool)
    table[list(chars)] = True
    return table


_WORD = bytes(c for c in range(128) if chr(c).isalnum()) + b"_-"
_CAPITALS_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


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
    n = block.size
    at = np.flatnonzero((data[:n] == ord("p")) & (data[1 : n + 1] == ord("s")))
    at = at[block.at(at, -1, "i") & block.at(at, 2, "u")]
    yield _PLACEHOLDERS, _matching(_LOREM, block, at - _LOREM_PS)


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
    four, at = block.four, block.fours
    at = at[block.at(at, 0, "3456")]
    behind = at + 4
    for _ in range(2):
        behind += block.at(behind, 0, " -")
        more = four[behind]
        at, behind = at[more], behind[more] + 4
    behind += block.at(behind, 0, " -")
    yield _CARD, at[block.digits[behind]]


def _dotted(block: _Block) -> Hits:
    """Numbers in groups: addresses, social security and telephone numbers."""
    import numpy as np

    digits = block.digits
    at = np.flatnonzero(block.data[: block.size] == ord("."))
    dots = at[digits[at - 1] & digits[at + 1]]
    gaps = np.diff(dots)
    short = (gaps < 4) | ((gaps == 4) & digits[dots[:-1] + 2])
    yield _IP, dots[:-2][short[:-1] & short[1:]]

    # The others but the one with a + end with a sign and four digits.
    last = block.fours - 1
    dashes = block.behind(last[block.at(last, 0, "-")], 2) - 3
    yield _SSN, block.behind(dashes[block.at(dashes, 0, "-")], 3)

    first = block.behind(last[block.at(last, 0, " .-")], 3) - 4
    joined = block.at(first, 0, ".-") & block.at(first, 4, ".-")
    yield _PHONE, block.behind(first[joined], 3)
    first -= block.at(first, 0, " ")
    area = block.behind(first[block.at(first, 0, ")")], 3)
    yield _PHONE, area[block.at(area, -4, "(")]

    at = block.of("+")
    yield _PHONE, _matching(_PLUS, block, at[digits[at + 1]])


def _capitals(block: _Block) -> Hits:
    """Account numbers, and what begins with three capitals."""
    import numpy as np

    n, data = block.size, block.data
    capital = data - 65 < 26
    pairs = np.flatnonzero(capital[:n] & capital[1 : n + 1])
    at = pairs[block.two[pairs + 2]]
    plain, behind = _table(_CAPITALS_DIGITS), at + 4
    for _ in range(2):
        behind += block.at(behind, 0, " ")
        for _ in range(4):
            more = plain[data[behind]]
            at, behind = at[more], behind[more] + 1
    yield ("IBAN", IBAN), at

    at = pairs[capital[pairs + 2]]
    at = at[~capital[at - 1]]
    yield _AWS, at[block.at(at, 0, "A") & block.at(at, 1, "KS") & block.at(at, 2, "I")]
    at = at[block.at(at, 0, "T")]
    todo = block.at(at, 1, "O") & block.at(at, 2, "D") & block.at(at, 3, "O")
    yield _PLACEHOLDERS, at[todo | (block.at(at, 1, "B") & block.at(at, 2, "D"))]
