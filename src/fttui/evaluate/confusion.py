"""For classification: which label was expected, which was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fttui.evaluate.match import normal
from fttui.evaluate.records import Case

MOST, LONGEST = 20, 60  # labels, characters of one: more is no classification
OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class Confusion:
    """cells: (expected, said) → how many. labels: the expected ones, most frequent first."""

    labels: tuple[str, ...]
    cells: dict[tuple[str, str], int]

    def count(self, expected: str, said: str) -> int:
        return self.cells.get((expected, said), 0)

    def recall(self, label: str) -> float | None:
        return _share(
            self.count(label, label), sum(v for (e, _), v in self.cells.items() if e == label)
        )

    def precision(self, label: str) -> float | None:
        return _share(
            self.count(label, label), sum(v for (_, s), v in self.cells.items() if s == label)
        )

    def f1(self, label: str) -> float:
        precision, recall = self.precision(label) or 0.0, self.recall(label) or 0.0
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    @property
    def macro_f1(self) -> float:
        """The mean F1 over labels: rare ones count as much as frequent ones."""
        return sum(map(self.f1, self.labels)) / len(self.labels)

    def as_dict(self) -> dict[str, Any]:
        columns = [*self.labels, OTHER]
        return {
            "labels": list(self.labels),
            "columns": columns,
            "rows": [[self.count(e, s) for s in columns] for e in self.labels],
            "precision": [self.precision(label) for label in self.labels],
            "recall": [self.recall(label) for label in self.labels],
            "macro_f1": self.macro_f1,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def labels_of(cases: Sequence[Case]) -> tuple[str, ...]:
    """The labels of a classification file, most frequent first; () where it is none.

    It is one where few short answers come again and again: at most MOST, each twice on average.
    """
    counts = Counter(case.expected.strip() for case in cases)
    short = all(0 < len(label) <= LONGEST and "\n" not in label for label in counts)
    if not short or not 2 <= len(counts) <= MOST or len(cases) < 2 * len(counts):
        return ()
    return tuple(label for label, _ in counts.most_common())


def table(labels: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Confusion:
    """pairs: (expected, answer). An answer that is no label, whatever its case, is OTHER."""
    known = {normal(label): label for label in labels}
    cells: Counter[tuple[str, str]] = Counter()
    for expected, said in pairs:
        cells[expected.strip(), known.get(normal(said.strip().rstrip(".")), OTHER)] += 1
    return Confusion(tuple(labels), dict(cells))
