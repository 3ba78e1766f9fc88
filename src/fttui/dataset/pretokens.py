"""Where the patterns of the vocabularies cut texts, found for many texts at once in a few passes over their
bytes, instead of by a pattern engine that goes through them a character at a time.

Every byte gets the class of its character. For most pairs of neighbours their two classes say whether a
piece begins between them; what else there is (the third digit, `'s`, line ends after a full stop) is
looked into where it occurs. A place that would need more is ODD: around it the text is left in one, from
the last to the next place where it is cut for certain, and tiktoken cuts that itself.

The texts stand one after the other with END before and behind each: a byte that UTF-8 never has.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

END = 0xFF
# Classes of characters. LOWER to MARK are what words are made of; UNSURE is what is left to tiktoken.
LOWER, UPPER, OTHER, MARK, DIGIT, LINE, SPACE, BLANK, PUNCT, QUOTE, SLASH, UNSURE, EDGE = range(13)
_UNKNOWN = 255  # class of a character that was not met yet
LETTERS = (LOWER, UPPER, OTHER)
SIGNS = (PUNCT, QUOTE, SLASH)

# What is known of a character and the one before it, from their classes.
CUT = 1  # a piece begins here
BEFORE = 2  # a piece begins at the one before, the last of a run of blanks
SIGN = 4  # a letter after a sign: they are one piece if the sign begins one
DIGITS = 8  # a digit after a digit: three are a piece
QUOTED = 16  # perhaps `'s`, `'ll` …
TRAILING = 32  # the end of blanks that may be one piece with line ends before them
SLASHED = 64  # `/` after a line end: one piece with signs before that
ODD = 128  # needs more than a look

# Letters, marks and numbers that came with Unicode 15 and later, or changed: what they are known as depends on
# the tables a program was built with. (What else came, emoji for instance, is for the patterns a sign either way.)
YOUNG = """
295 558 58b-58c 5c8-5c9 88f 897 b53-b54 c5c cdc cf3 ece 1acf-1af0 1c89-1c8a 208f 209d-209f
a7cb-a7cf a7d2 a7d4 a7da-a7dd a7e2 a7f1 ab6c-ab6d 105c0-105f3 107bb-107bf 10940-10959
10d40-10d65 10d69-10d6d 10d6f-10d85 10ec2-10ec7 10ecb-10ecf 10ed9-10eee 10ef0-10eff 1123f-11241
11380-11389 1138b 1138e 11390-113b5 113b7-113c0 113c2 113c5 113c7-113ca 113cc-113d3 113e1-113e2
116d0-116e3 11b0a 11b60-11b67 11bc0-11be0 11bf0-11bf9 11db0-11ddb 11de0-11de9 11df0-11df1
11f00-11f10 11f12-11f3a 11f3e-11f42 11f50-11f5a 1246f 12475-1247f 12550-12686 1342f 13440-13455
13460-143fa 16100-16139 16d40-16d6c 16d70-16d79 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6 187f8-187ff
18cd6-18cda 18cff 18d09-18d20 18d80-18df2 18e00-19191 191a0-191d2 1b123-1b128 1b132 1b155 1b168
1ccf0-1ccf9 1d127-1d128 1d250-1d252 1d25b-1d25c 1d25f 1d280-1d281 1d2c0-1d2d3 1d6a6 1df1f-1df81
1df90-1df96 1dfcd-1dfff 1e030-1e06d 1e08f 1e4d0-1e4f9 1e5d0-1e5fa 1e6c0-1e6de 1e6e0-1e6f5
1e6fe-1e6ff 2b739-2b73f 2b81e 2cea2-2cead 2ebf0-2ee5d 31350-33479 3d000-3fc3f
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one vocabulary's pattern cuts.

    pairs: what two classes say, at 16 · the first + the second. signs: the classes that make up runs of
    signs. own_piece: `'s` is a piece of its own, not a part of the word."""

    pairs: bytes
    signs: NDArray[np.bool_]
    own_piece: bool


# The patterns there are rules for. Any other, of a later tiktoken perhaps, is left to tiktoken.
_PATTERNS = {
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+": "o200k",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s": "cl100k",
}


def rules(pattern: str) -> Rules | None:
    """The rules of a published pattern; None when it is not one of the two known."""
    import numpy as np

    kind = _PATTERNS.get(pattern)
    if kind is None:
        return None
    old = kind == "cl100k"
    pairs = bytearray(256)
    for before in range(EDGE + 1):
        for here in range(EDGE + 1):
            pairs[before << 4 | here] = _pair_old(before, here) if old else _pair(before, here)
    signs = np.zeros(EDGE + 1, bool)
    signs[[*SIGNS, MARK] if old else [*SIGNS]] = True
    return Rules(bytes(pairs), signs, old)


def _pair(before: int, here: int) -> int:
    """o200k_base: words begin with a capital, `'s` belongs to them, marks are letters."""
    words = (*LETTERS, MARK)
    if before == EDGE and here in (MARK, UNSURE):
        return CUT | ODD
    if EDGE in (before, here):
        return CUT
    if UNSURE in (before, here) or (here == MARK and before not in words):
        return ODD
    if here in words and before in words:
        if here == UPPER:
            return {LOWER: CUT, UPPER: 0}.get(before, ODD)
        return 0
    if before in words and here == QUOTE:
        return QUOTED
    if before == LINE and here == SLASH:
        return SLASHED
    return _pair_any(before, here)


def _pair_old(before: int, here: int) -> int:
    """cl100k_base: words are letters only, `'s` is a piece wherever one may begin, marks are signs."""
    alike = {UPPER: LOWER, OTHER: LOWER, MARK: PUNCT, SLASH: PUNCT}
    before, here = alike.get(before, before), alike.get(here, here)
    if before == EDGE and here == UNSURE:
        return CUT | ODD
    if EDGE not in (before, here) and UNSURE in (before, here):
        return ODD
    if before == here == LOWER:
        return 0
    if here == EDGE and before in (SPACE, BLANK):
        return CUT | TRAILING  # the end of a text
    found = CUT if EDGE in (before, here) else _pair_any(before, here)
    return found | QUOTED if here == QUOTE and found & CUT else found


def _pair_any(before: int, here: int) -> int:
    """What holds for both vocabularies."""
    blank = before in (SPACE, BLANK)
    if here in LETTERS:
        return BEFORE if blank else SIGN if before in SIGNS else CUT
    if here == DIGIT:
        return DIGITS if before == DIGIT else CUT | BEFORE if blank else CUT
    if here in SIGNS:
        if before in SIGNS:
            return 0
        return BEFORE if before == SPACE else CUT | BEFORE if blank else CUT
    if here == LINE:
        return TRAILING if blank else 0 if before in (*SIGNS, LINE) else CUT
    return 0 if blank else CUT  # a blank


def _safe(before: int, here: int) -> bool:
    """Whether a text may be cut here whatever stands around: before a space that follows no blank."""
    return EDGE in (before, here) or (here == SPACE and before in (*LETTERS, MARK, DIGIT, *SIGNS))


_SAFE = bytes([_safe(pair >> 4, pair & 15) for pair in range(256)])


def _class_of(code: int) -> int:
    """The class of a character."""
    char = chr(code)
    if char in "\r\n":
        return LINE
    if char in "\t\x0b\x0c":
        return BLANK
    if char in " '/":
        return {" ": SPACE, "'": QUOTE, "/": SLASH}[char]
    kind = unicodedata.category(char)
    if kind == "Nd" and code < 128:
        return DIGIT
    # NUL fills what is not there; ſ is an s in `'s`; other blanks and numbers are too rare to bother with.
    if code in (0, 0x17F, 0x85) or kind[0] in "NZ" or kind == "Cs":
        return UNSURE
    known = {"Lu": UPPER, "Lt": UPPER, "Ll": LOWER, "Lm": OTHER, "Lo": OTHER}
    return known.get(kind, MARK if kind[0] == "M" else PUNCT)


_ASCII = bytes([*map(_class_of, range(128)), *[UNSURE] * 127, EDGE])


@functools.cache
def _classes() -> NDArray[np.uint8]:
    """For every code point its class, or _UNKNOWN until it is met."""
    import numpy as np

    table = np.full(0x110000, _UNKNOWN, np.uint8)
    table[young()] = UNSURE
    return table


def young() -> list[int]:
    """The code points of YOUNG."""
    found: list[int] = []
    for item in YOUNG.split():
        first, _, last = item.partition("-")
        found += range(int(first, 16), int(last or first, 16) + 1)
    return found


def join(texts: list[str]) -> bytes:
    """The texts with END around each. UnicodeEncodeError: one holds half a character."""
    edge = bytes([END])
    return edge.join([b"", *[text.encode() for text in texts], b""])


def cut(data: bytes, rules: Rules) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(where the pieces of joined texts begin, which of these are left in one for tiktoken to cut).

    Each END is a piece of its own."""
    import numpy as np

    raw = np.frombuffer(data, np.uint8)
    kinds, more = _kinds(data, raw)
    pairs = np.empty_like(kinds)
    pairs[0] = EDGE << 4 | EDGE
    np.left_shift(kinds[:-1], 4, out=pairs[1:])
    pairs[1:] |= kinds[1:]
    known = np.frombuffer(pairs.tobytes().translate(rules.pairs), np.uint8)
    begins: NDArray[np.uint8] = known & np.uint8(CUT)
    begins[:-1] |= known[1:] >> 1 & 1

    special = np.flatnonzero(known >= DIGITS)
    what = known[special]
    _third_digits(special[what & DIGITS > 0], begins)
    odd = [special[what & ODD > 0], _slashes(special[what & SLASHED > 0], kinds, rules, begins)]
    quotes = special[what & QUOTED > 0]
    said, ends = _contractions(quotes, raw)
    if not rules.own_piece:
        begins[quotes] = 1
        begins[said] = 0
    for first, following in more:  # a letter looks at the byte before it
        begins[following] = begins[first]
    begins[1:] |= known[1:] >> 2 & 1 & ~begins[:-1]
    if not rules.own_piece:
        begins[said + 1] = 0
        begins[ends - 1] = 0
        odd.append(said[1:][ends[:-1] == said[1:]])  # `'s't`: the second is no part of a word
    begins[ends[kinds[ends] <= MARK]] = 1
    for _, following in more:
        begins[following] = 0
    whole = _leave_whole(np.concatenate(odd), pairs, begins)
    places = np.flatnonzero(begins.view(bool))
    return _without(special[what & TRAILING > 0], places, kinds, rules), whole


def _kinds(
    data: bytes, raw: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    """(the class of every byte's character, characters of several bytes: (their first bytes, their second),
    (the same, their third) …)."""
    import numpy as np

    kinds = np.frombuffer(bytearray(data.translate(_ASCII)), np.uint8)
    first = np.flatnonzero(raw >= 0xC2)
    first = first[raw[first] < END]
    if not len(first):
        return kinds, []
    lead = raw[first]
    size = 1 + (lead >= 0xE0).astype(np.int64) + (lead >= 0xF0)
    code = lead & np.array([0, 0x1F, 0x0F, 0x07], np.uint32)[size]
    more = []
    for step in (1, 2, 3):
        longer = size >= step
        at = first[longer] + step
        code[longer] = code[longer] << 6 | raw[at] & 0x3F
        more.append((first[longer], at))
    classes = _classes()
    found = classes[code]
    unknown = np.unique(code[found == _UNKNOWN])
    if len(unknown):
        classes[unknown] = [_class_of(one) for one in unknown.tolist()]
        found = classes[code]
    kinds[first] = found
    for begin, at in more:
        kinds[at] = kinds[begin]
    return kinds, more


def _third_digits(at: NDArray[np.int64], begins: NDArray[np.uint8]) -> None:
    """Digits after digits: a piece begins at every third of a run."""
    import numpy as np

    number = np.arange(len(at))
    second = np.diff(at, prepend=-1) != 1
    place = number - np.maximum.accumulate(np.where(second, number, 0)) + 1
    begins[at[place % 3 == 0]] = 1


def _slashes(
    at: NDArray[np.int64], kinds: NDArray[np.uint8], rules: Rules, begins: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """`/` after a line end begins a piece, unless that belongs to signs: these are returned."""
    if not len(at):
        return at
    after = _after_signs(at, kinds, rules)
    begins[at[~after]] = 1
    return at[after]


def _after_signs(
    at: NDArray[np.int64], kinds: NDArray[np.uint8], rules: Rules
) -> NDArray[np.bool_]:
    """Whether the run of line ends before each place follows a sign directly."""
    import numpy as np

    line = kinds == LINE
    first = np.flatnonzero(line[1:] & ~line[:-1]) + 1
    return rules.signs[kinds[first[np.searchsorted(first, at) - 1] - 1]]


def _contractions(
    quotes: NDArray[np.int64], raw: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(the quotes that `'s 't 'm 'd 'll 're 've` begin with, in any case, where what follows begins)."""
    one, two = (raw.take(quotes + step, mode="clip") | 0x20 for step in (1, 2))
    short = (one == ord("s")) | (one == ord("t")) | (one == ord("m")) | (one == ord("d"))
    long = ((one == ord("r")) | (one == ord("v"))) & (two == ord("e"))
    long |= (one == ord("l")) & (two == ord("l"))
    said = quotes[short | long]
    return said, said + 2 + long[short | long]


def _leave_whole(
    odd: NDArray[np.int64], pairs: NDArray[np.uint8], begins: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Take out the cuts around odd places; where what is left in one begins."""
    import numpy as np

    if not len(odd):
        return odd
    safe = np.flatnonzero(np.frombuffer(pairs.tobytes().translate(_SAFE), bool))
    last = np.unique(np.searchsorted(safe, odd, "right"))
    first, end = safe[last - 1], safe[last]
    sizes = end - first
    inside = np.arange(sizes.sum()) + np.repeat(first - (sizes.cumsum() - sizes), sizes)
    begins[inside] = 0
    begins[first] = 1
    return first


def _without(
    trailing: NDArray[np.int64], places: NDArray[np.int64], kinds: NDArray[np.uint8], rules: Rules
) -> NDArray[np.int64]:
    """The places without those of blanks behind line ends that are one piece with these: unless the line ends
    belong to signs. trailing: where such blanks end."""
    import numpy as np

    number = np.searchsorted(places, trailing) - 1  # of the blanks
    number = number[kinds[places[number] - 1] == LINE]
    before = places[number - 1]
    after_signs = rules.signs[np.where(kinds[before] == SPACE, kinds[before + 1], kinds[before])]
    return np.delete(places, number[~after_signs])
