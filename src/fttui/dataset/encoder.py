"""Exact token counts of many texts at a time: tiktoken's encoder with a pattern it works through faster.

The published patterns hold one branch that looks ahead, `\\s+(?!\\S)`: of several blanks before a word the
last one belongs to the word. Only a slow engine can do that, and it costs a third of the time. Here the
pattern has no such branch; instead a text is changed before it is encoded, so that there is nothing to look
ahead for, and what was taken out is added to the count:

* a run of spaces (or of tabs) before a word loses all but its last: those taken out are one token;
* any other such run is cut before its last blank by a special token, which is not counted.

Both are exact because the published patterns break at the same places; tests hold them against tiktoken.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

from fttui.dataset import encoder_fast, vocabulary
from fttui.dataset.encoder_fast import FastEncoder

JOIN = "<|endofprompt|>"  # in both vocabularies: texts on its two sides are encoded apart
_LOOK_AHEAD = r"|\s+(?!\S)"
# What Unicode calls White_Space and the patterns \s, without the line ends \n and \r.
_BLANK = " \t\x0b\x0c\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACES = re.compile("  +(?=[^ \n\r])")
_TABS = re.compile("\t\t+(?=[^\t\n\r])")
_RARE = re.compile("[\x0b\x0c\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
# Before the last blank of a run that a word follows, and behind the last line end of it.
_CUT = re.compile(
    f"(?<=[{_BLANK}])(?=[{_BLANK}][^{_BLANK}\n\r])|(?<=[\n\r])(?=[{_BLANK}]+[^{_BLANK}\n\r])"
)


_lock = threading.RLock()
_loaded: dict[str, Encoder] = {}
_chosen: dict[str, Encoder | FastEncoder] = {}


def encoder(name: str) -> Encoder | FastEncoder:
    """The fastest exact encoder there is for a vocabulary, loaded once a process."""
    with _lock:
        if name not in _chosen:
            _chosen[name] = encoder_fast.load(name, lambda: exact(name)) or exact(name)
        return _chosen[name]


def exact(name: str) -> Encoder:
    """tiktoken for a vocabulary, loaded once a process (0.3 s)."""
    with _lock:
        if name not in _loaded:
            _loaded[name] = Encoder(name)
        return _loaded[name]


class Encoder:
    """tiktoken for one vocabulary. What makes tiktoken panic is the caller's to keep away."""

    def __init__(self, name: str) -> None:
        import tiktoken._tiktoken as rust  # type: ignore[import-not-found]

        published = vocabulary.published(name)
        pattern, special = published["pat_str"], published["special_tokens"]
        fast = without_look_ahead(pattern)
        # Straight to the core: tiktoken's own Encoding would keep the table a second time.
        self.core: Any = rust.CoreBPE(published["mergeable_ranks"], special, fast or pattern)
        self._changes = bool(fast)
        self._mark = special[JOIN].to_bytes(4, "little")
        self._join = {JOIN}
        self._long_spaces = " " * (2 + self._longest(" "))
        self._long_tabs = "\t" * (2 + self._longest("\t"))

    def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text, encoded together."""
        joined = JOIN.join(texts)
        if joined.count(JOIN) != len(texts) - 1:  # one of them holds the special token's text
            return self.sizes_apart(texts)
        if not self._changes:
            return list(self._between(joined))
        ready = [self._prepared(text) for text in texts]
        found = self._between(JOIN.join([text for text, _, _ in ready]))
        return [
            next(found) + more + (sum(islice(found, cuts)) if cuts else 0)
            for _, more, cuts in ready
        ]

    def sizes_apart(self, texts: list[str]) -> list[int]:
        """Tokens of each text, encoded one by one: whatever is in them."""
        return [self.size(text) for text in texts]

    def size(self, text: str) -> int:
        """Tokens of one text, whatever is in it."""
        parts = _CUT.split(text) if self._changes else [text]
        try:
            return sum(map(self._plain, parts))
        except UnicodeEncodeError:  # half characters: as tiktoken does
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return sum(map(self._plain, _CUT.split(text) if self._changes else [text]))

    def _plain(self, text: str) -> int:
        return memoryview(self.core.encode_to_tiktoken_buffer(text, _NOTHING)).nbytes // 4

    def _between(self, joined: str) -> Iterator[int]:
        return _between(bytes(self.core.encode_to_tiktoken_buffer(joined, self._join)), self._mark)

    def _prepared(self, text: str) -> tuple[str, int, int]:
        """(text to encode, tokens to add, special tokens put in)."""
        tabs = "\t" in text
        if (tabs and (" \t" in text or "\t " in text or self._long_tabs in text)) or _rare(text):
            return _cut(text)
        more = n = 0
        if "  " in text:
            if self._long_spaces in text:
                return _cut(text)
            text, more = _SPACES.subn(" ", text)
        if tabs and "\t\t" in text:
            text, n = _TABS.subn("\t", text)
        return text, more + n, 0

    def _longest(self, blank: str) -> int:
        """The longest run of `blank` up to which all are one token."""
        n = 1
        while self._plain(blank * (n + 1)) == 1:
            n += 1
        return n


_NOTHING: frozenset[str] = frozenset()


def _rare(text: str) -> bool:
    """Whether there are blanks other than spaces, tabs and line ends."""
    if text.isascii():
        return "\x0c" in text or "\x0b" in text
    return _RARE.search(text) is not None


def _cut(text: str) -> tuple[str, int, int]:
    text, cuts = _CUT.subn(JOIN, text)
    return text, 0, cuts


def without_look_ahead(pattern: str) -> str:
    """The pattern for changed texts; "" when it is not one of the two known."""
    easy, found, rest = pattern.partition(_LOOK_AHEAD)
    if not found or rest not in (r"|\s+", r"|\s"):
        return ""
    # Possessive marks need the slow engine too. What follows each of them here never matches what it
    # gave back, so they change nothing. \G: matches follow one another, so none has to be searched for.
    easy = re.sub(r"(\?|\+|\*|\{\d,\d\})\+", r"\1", easy)
    return rf"\G(?:{easy}{rest})"


def _between(data: bytes, mark: bytes) -> Iterator[int]:
    """Numbers of 4-byte ids between marks."""
    start = position = 0
    while (position := data.find(mark, position)) >= 0:
        if position % 4:
            position += 1
            continue
        yield (position - start) // 4
        position += 4
        start = position
    yield (len(data) - start) // 4
