"""Exact token counts of many texts at a time: tiktoken's, with its pattern engine left out.

Most of tiktoken's time goes into cutting a text by its pattern, and nearly all pieces are cut from it again
and again. So here the texts are cut all at once (`pretokens`), pieces are looked up in tables (`piece_table`):
those that are a token, and those that were met before; and only what is left is given to tiktoken, piece by
piece. Tests hold the counts against tiktoken's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fttui.dataset import encoder_fast, pretokens, vocabulary
from fttui.dataset.encoder_fast import FastEncoder
from fttui.dataset.piece_table import PieceTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORD = 8  # bytes
KEEP_LONG = 20_000  # longer pieces that are remembered, each up to …
LONG = 200  # bytes
# Bits of the tables' sizes, for pieces of one word and of two: four times the tokens there are; new pieces.
TOKENS, MET = (19, 18), (18, 18)
EDGE = bytes([pretokens.END])

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
        import numpy as np
        import tiktoken._tiktoken as rust  # type: ignore[import-not-found]

        published = vocabulary.published(name)
        ranks, pattern = published["mergeable_ranks"], published["pat_str"]
        # Straight to the core: tiktoken's own Encoding would keep the table a second time.
        self.core: Any = rust.CoreBPE(ranks, published["special_tokens"], pattern)
        self._rules = pretokens.rules(pattern)
        self._masks = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], np.uint64)
        # For pieces of one word and of two: those that are a token, those that were met.
        self._tokens = [_table_of(words, ranks) for words in (1, 2)]
        self._met = [PieceTable(MET[words - 1], words) for words in (1, 2)]
        self._long: dict[bytes, int] = {}

    def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text, counted together. UnicodeEncodeError: one holds half a character."""
        import numpy as np

        if self._rules is None or not texts:
            return [self.size(text) for text in texts]
        data = pretokens.join(texts)
        begins, whole = pretokens.cut(data, self._rules)
        counts = self._counts(data, begins, whole)
        edges = np.flatnonzero(np.frombuffer(data, np.uint8)[begins] == pretokens.END)
        # An END counts 1, as it is in the table.
        return (np.add.reduceat(counts, edges)[:-1] - 1).tolist()

    def size(self, text: str) -> int:
        """Tokens of one text, whatever is in it: with tiktoken's own pattern."""
        try:
            return len(self.core.encode_ordinary(text))
        except UnicodeEncodeError:  # half characters: as tiktoken does
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return len(self.core.encode_ordinary(text))

    def _counts(
        self, data: bytes, begins: NDArray[np.int64], whole: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Tokens of each piece."""
        import numpy as np

        ends = np.append(begins[1:], len(data))
        lengths = ends - begins
        apart = np.searchsorted(begins, whole)
        lengths[apart] = 0
        words: NDArray[np.uint64] = np.ndarray(
            len(data) + WORD, np.uint64, data + bytes(2 * WORD), strides=1
        )
        first = words[begins] & self._masks.take(lengths, mode="clip")
        counts = self._tokens[0].get(first).astype(np.int64)
        longer = np.flatnonzero(lengths > WORD)
        counts[apart] = counts[longer] = 1  # for now
        new = np.flatnonzero(counts == 0)
        counts[new] = self._others(first[new])
        two, long = _parted(longer, lengths[longer] <= 2 * WORD)
        second = words[begins[two] + WORD] & self._masks[lengths[two] - WORD]
        found = self._tokens[1].get(first[two], second)
        new = np.flatnonzero(found == 0)
        found[new] = self._others(first[two[new]], second[new])
        counts[two] = found
        for some, count in (
            (long, self.core.encode_single_piece),
            (apart, lambda text: self.core.encode_ordinary(text.decode())),
        ):
            spans = zip(begins[some].tolist(), ends[some].tolist(), strict=True)
            counts[some] = [self._known(data[begin:end], count) for begin, end in spans]
        return counts

    def _others(self, *words: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Tokens of pieces that are no token."""
        import numpy as np

        table = self._met[len(words) - 1]
        counts = table.get(*words)
        new = np.flatnonzero(counts == 0)
        if not len(new):
            return counts
        kind = _kind(len(words))
        pieces = np.stack([word[new] for word in words], 1).view(kind)[:, 0].tolist()
        known = {piece: len(self.core.encode_single_piece(piece)) for piece in set(pieces)}
        counts[new] = [known[piece] for piece in pieces]
        if table.room < len(known):
            table = self._met[len(words) - 1] = PieceTable(MET[len(words) - 1], len(words))
        if table.room >= len(known):
            table.put(np.fromiter(known.values(), np.uint8), *_columns(known, len(words)))
        return counts

    def _known(self, text: bytes, encode: Callable[[bytes], list[int]]) -> int:
        """Tokens of a long piece or of a text that is left in one."""
        count = self._long.get(text)
        if count is None:
            count = len(encode(text))
            if len(self._long) == KEEP_LONG:
                self._long.clear()
            if len(text) <= LONG:
                self._long[text] = count
        return count


def _parted(
    numbers: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return numbers[chosen], numbers[~chosen]


def _table_of(words: int, ranks: dict[bytes, int]) -> PieceTable:
    """The tokens of so many words, and END among them, each counting 1."""
    import numpy as np

    sizes = range(WORD * (words - 1) + 1, WORD * words + 1)
    tokens = [token for token in (*ranks, EDGE) if len(token) in sizes and 0 not in token]
    table = PieceTable(TOKENS[words - 1], words)
    table.put(np.ones(len(tokens), np.uint8), *_columns(tokens, words))
    return table


def _columns(pieces: Iterable[bytes], words: int) -> NDArray[np.uint64]:
    """Pieces → their first words, their second."""
    import numpy as np

    return np.array(list(pieces), _kind(words)).view(np.uint64).reshape(-1, words).T.copy()


def _kind(words: int) -> str:
    """NumPy's type for bytes of so many words; it fills with NUL, and leaves that out again."""
    return f"S{WORD * words}"
