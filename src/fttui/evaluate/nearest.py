"""Which training examples are like a prompt, and which failures are like one another.

By words weighted with their rarity (tf-idf) and the cosine between them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fttui.evaluate.stem import stem
from fttui.evaluate.words import rouge_words

ALIKE = 0.3  # cosine from which on two failures are one cluster
WORDS = 400  # of a text that are looked at
# Words that tell nothing of what a text is about.
_COMMON = (
    "a an and are be but by can could do for from has have how i if in is it me my not of on or our "
    "please should that the their they this to want was we what when which will with would yes you "
    "your"
)
EMPTY = frozenset(_COMMON.split())

Vector = dict[str, float]


class Nearest:
    """An index of texts. Built once; `find` looks only at texts that share a word."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [_words(text) for text in texts]
        seen = Counter(word for row in counts for word in row)
        self._rarity = {word: math.log((1 + len(texts)) / (1 + n)) + 1 for word, n in seen.items()}
        self._holders: dict[str, list[tuple[int, float]]] = {}
        for at, row in enumerate(counts):
            for word, weight in self._vector(row).items():
                self._holders.setdefault(word, []).append((at, weight))

    def _vector(self, counts: Counter[str]) -> Vector:
        raw = {word: n * self._rarity.get(word, 0.0) for word, n in counts.items()}
        length = math.sqrt(math.fsum(value * value for value in raw.values()))
        return {word: value / length for word, value in raw.items() if value} if length else {}

    def find(self, text: str, count: int = 5) -> list[tuple[int, float]]:
        """(place of a text, cosine), the nearest first; texts without a common word are not there."""
        sums: dict[int, float] = {}
        for word, weight in self._vector(_words(text)).items():
            for at, other in self._holders.get(word, ()):
                sums[at] = sums.get(at, 0.0) + weight * other
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:count]


def _words(text: str) -> Counter[str]:
    return Counter(stem(word) for word in rouge_words(text)[:WORDS])


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures that are alike: their places, and the words they share that others lack."""

    members: tuple[int, ...]
    words: tuple[str, ...]


def clusters(texts: Sequence[str], least: float = ALIKE) -> list[Cluster]:
    """Groups of texts, largest first: each joins the group of an earlier one it is most like."""
    index = Nearest(texts)
    group_of: dict[int, int] = {}
    for at, text in enumerate(texts):
        near = [i for i, cosine in index.find(text, 20) if i < at and cosine >= least]
        group_of[at] = group_of[near[0]] if near else at
    groups: dict[int, list[int]] = {}
    for at, head in group_of.items():
        groups.setdefault(head, []).append(at)
    everywhere = Counter(word for text in texts for word in set(rouge_words(text)))
    ordered = sorted(groups.values(), key=lambda rows: (-len(rows), rows[0]))
    return [Cluster(tuple(rows), _telling(texts, rows, everywhere)) for rows in ordered]


def _telling(
    texts: Sequence[str], rows: Sequence[int], everywhere: Counter[str]
) -> tuple[str, ...]:
    words = (set(rouge_words(texts[at])) - EMPTY for at in rows)
    inside = Counter(word for found in words for word in found if len(word) > 2)
    weight = {w: n * n / everywhere[w] for w, n in inside.items() if n * 2 >= len(rows)}
    return tuple(sorted(weight, key=lambda word: (-weight[word], word))[:4])
