"""How sure a number is: intervals, and whether two models differ on the same prompts.

wilson        score interval for a share (Wilson 1927)
mean_interval percentile bootstrap of a mean (Efron 1979), by seed
mcnemar       exact two-sided test for pass/fail pairs (McNemar 1947, binomial form)
wilcoxon      signed-rank test for paired scores (Wilcoxon 1945): exact up to EXACT pairs, ties
              included, else the normal approximation with the correction for ties
holm          p-values of several comparisons, corrected (Holm 1979)
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

Z = 1.959963984540054  # two-sided 95 %
ROUNDS = 2_000
MANY = 2_000  # values from which on the mean is taken to be normal
EXACT = 50


def wilson(right: int, total: int, z: float = Z) -> tuple[float, float]:
    """The 95 % interval of a share. (0, 1) where nothing was counted."""
    if not total:
        return 0.0, 1.0
    share = right / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = 0.0 if right == 0 else max(0.0, middle - half)
    return low, 1.0 if right == total else min(1.0, middle + half)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def mean_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of a mean; the value twice where there is only one kind of value."""
    n = len(values)
    if n == 0:
        return 0.0, 0.0
    if min(values) == max(values):
        return values[0], values[0]
    if n >= MANY:
        middle = mean(values)
        spread = math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (n - 1) / n)
        return middle - Z * spread, middle + Z * spread
    rng = random.Random(seed)
    means = sorted(sum(rng.choices(values, k=n)) / n for _ in range(ROUNDS))
    return means[round(0.025 * (ROUNDS - 1))], means[round(0.975 * (ROUNDS - 1))]


def mcnemar(only_first: int, only_second: int) -> float:
    """p for the pairs in which one passed and the other did not; 1 where there are none."""
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail, term = 0, 1
    for k in range(fewer + 1):
        tail += term
        term = term * (n - k) // (k + 1)
    return min(1.0, float(2 * tail / (1 << n))) if n else 1.0


def wilcoxon(differences: Sequence[float]) -> float:
    """p for paired differences; zeros do not count. 1 where nothing is left."""
    kept = sorted((d for d in differences if d), key=abs)
    if not kept:
        return 1.0
    ranks = _doubled_ranks([abs(d) for d in kept])
    up = sum(rank for rank, d in zip(ranks, kept, strict=True) if d > 0)
    return _exact(ranks, up) if len(kept) <= EXACT else _normal(ranks, up)


def _doubled_ranks(sizes: Sequence[float]) -> list[int]:
    """Twice the rank of each of the sorted sizes, ties sharing their mean: whole numbers."""
    ranks = [0] * len(sizes)
    start = 0
    for end in range(1, len(sizes) + 1):
        if end == len(sizes) or sizes[end] - sizes[start] > 1e-12:
            ranks[start:end] = [start + end + 1] * (end - start)
            start = end
    return ranks


def _exact(ranks: Sequence[int], up: int) -> float:
    """Over all 2^n ways to choose signs: how many are as far from the middle, both sides."""
    ways = [1]
    for rank in ranks:
        wider = ways + [0] * rank
        for at, count in enumerate(ways):
            wider[at + rank] += count
        ways = wider
    total = sum(ranks)
    far = min(up, total - up)
    return min(1.0, float(2 * sum(ways[: far + 1]) / (1 << len(ranks))))


def _normal(ranks: Sequence[int], up: int) -> float:
    n = len(ranks)
    ties = sum(count**3 - count for count in Counter(ranks).values())
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - ties / 48)
    if not spread:
        return 1.0
    distance = (up / 2 - n * (n + 1) / 4) / spread
    return math.erfc(abs(distance) / math.sqrt(2))


def holm(values: Sequence[float]) -> list[float]:
    """Each p-value for being one of so many, in the order given."""
    made = [0.0] * len(values)
    highest = 0.0
    for place, at in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, values[at] * (len(values) - place)))
        made[at] = highest
    return made


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie, nearest rank; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def p_text(p: float) -> str:
    """`p = 0.03`, `p < 0.001`."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"
