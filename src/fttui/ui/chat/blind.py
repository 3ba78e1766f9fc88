"""Comparing without knowing who is who: the order is shuffled, names come back with the rating."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Blind:
    """on: the mode; hidden: names are hidden now. order: the column shown at each place."""

    on: bool = False
    hidden: bool = False
    order: list[int] = field(default_factory=list)

    def fit(self, columns: int) -> None:
        """As many columns as there are now; a changed number ends the hiding."""
        if len(self.order) != columns:
            self.order, self.hidden = list(range(columns)), False

    def shuffle(self, columns: int) -> None:
        """Before a prompt is sent in blind mode."""
        if self.on and columns > 1:
            self.order = random.sample(range(columns), columns)
            self.hidden = True

    def reveal(self) -> None:
        self.hidden = False

    def leave(self) -> None:
        self.on = self.hidden = False
        self.order = sorted(self.order)

    def place(self, column: int) -> int:
        """Where a column is shown."""
        return self.order.index(column) if column in self.order else column

    def column(self, place: int) -> int:
        return self.order[place] if place < len(self.order) else place


@dataclass
class Score:
    """Of one model, over all ratings it took part in."""

    won: int = 0
    tied: int = 0
    lost: int = 0
    blind: int = 0  # of all these, rated without names

    @property
    def total(self) -> int:
        return self.won + self.tied + self.lost


def tally(ratings: Sequence[Mapping[str, Any]]) -> list[tuple[str, Score]]:
    """Each model's score, most wins (a tie counts half) for its comparisons first."""
    found: dict[str, Score] = {}
    for row in ratings:
        for model in dict.fromkeys(row["models"]):
            score = found.setdefault(model, Score())
            score.blind += bool(row["blind"])
            if row["winner"] == model:
                score.won += 1
            elif row["winner"] == "tie":
                score.tied += 1
            else:
                score.lost += 1
    return sorted(
        found.items(), key=lambda pair: (-(pair[1].won + pair[1].tied / 2) / pair[1].total, pair[0])
    )


def pairs(ratings: Sequence[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """(winner, loser) → how often, for ratings with one winner."""
    found: Counter[tuple[str, str]] = Counter()
    for row in ratings:
        if row["winner"] in row["models"]:
            found.update(
                (row["winner"], other) for other in row["models"] if other != row["winner"]
            )
    return found
