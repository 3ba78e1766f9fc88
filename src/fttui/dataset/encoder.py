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
from itertools import islice
from typing import TYPE_CHECKING, Any

from fttui.dataset import encoder_fast, vocabulary
from fttui.dataset.blanks import END, shorten
from fttui.dataset.encoder_fast import FastEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JOIN = "<|endofprompt|>"  # in both vocabularies: texts on its two sides are encoded apart
_LOOK_AHEAD = r"|\s+(?!\S)"
# What Unicode calls White_Space and the patterns \s, without the line ends \n and \r.
_BLANK = " \t\x0b\x0c\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
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
        self._mark = special[JOIN]
        self._join = {JOIN}
        self._longest = {ord(blank): self._one_token(blank) for blank in " \t"}

    def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text, encoded together. UnicodeEncodeError: one holds half a character."""
        if any(JOIN in text for text in texts):
            return self.sizes_apart(texts)
        if not self._changes:
            return self._between(JOIN.join(texts)).tolist()
        joined, runs, odd = shorten(texts, self._longest)
        if odd:
            return self._sorted_out(texts, odd)
        return (self._between(joined.replace(bytes([END]), JOIN.encode()).decode()) + runs).tolist()

    def _sorted_out(self, texts: list[str], odd: list[int]) -> list[int]:
        """`sizes` where some of the texts have other runs of blanks than most."""
        cut = [_CUT.subn(JOIN, texts[i]) for i in odd]
        found = iter(self._between(JOIN.join([text for text, _ in cut])).tolist())
        result = dict(zip(odd, [sum(islice(found, cuts + 1)) for _, cuts in cut], strict=True))
        rest = [i for i in range(len(texts)) if i not in result]
        if rest:
            result.update(zip(rest, self.sizes([texts[i] for i in rest]), strict=True))
        return [result[i] for i in range(len(texts))]

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

    def _between(self, joined: str) -> NDArray[np.int64]:
        """Tokens between the special tokens."""
        import numpy as np

        ids = np.frombuffer(self.core.encode_to_tiktoken_buffer(joined, self._join), np.uint32)
        return np.diff(np.flatnonzero(ids == self._mark), prepend=-1, append=len(ids)) - 1

    def _one_token(self, blank: str) -> int:
        """The longest run of `blank` up to which all are one token."""
        n = 1
        while self._plain(blank * (n + 1)) == 1:
            n += 1
        return n


_NOTHING: frozenset[str] = frozenset()


def without_look_ahead(pattern: str) -> str:
    """The pattern for changed texts; "" when it is not one of the two known."""
    easy, found, rest = pattern.partition(_LOOK_AHEAD)
    if not found or rest not in (r"|\s+", r"|\s"):
        return ""
    # Possessive marks need the slow engine too. What follows each of them here never matches what it
    # gave back, so they change nothing. \G: matches follow one another, so none has to be searched for.
    easy = re.sub(r"(\?|\+|\*|\{\d,\d\})\+", r"\1", easy)
    return rf"\G(?:{easy}{rest})"
