"""Values of scipy 1.17.1 and statsmodels 0.15.0, recorded 2026-11-21, and some by hand."""

from __future__ import annotations

import itertools
import random

import pytest

from fttui.evaluate import stats


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [  # statsmodels proportion_confint(method="wilson")
        (0, 16, 0.0, 0.19360768053443655),
        (11, 16, 0.4440435583474066, 0.8583535614521797),
        (16, 16, 0.8063923194655633, 1.0),
        (1, 2, 0.09453120573423068, 0.9054687942657693),
        (450, 500, 0.8705780903680599, 0.9233224372626984),
    ],
)
def test_wilson(right: int, total: int, low: float, high: float) -> None:
    assert stats.wilson(right, total) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [  # statsmodels mcnemar(exact=True)
        (0, 11, 0.0009765625),
        (1, 10, 0.01171875),
        (5, 5, 1.0),
        (3, 9, 0.14599609375),
        (0, 1, 1.0),
        (40, 70, 0.005447429511444476),
        (0, 0, 1.0),
    ],
)
def test_mcnemar(one: int, other: int, p: float) -> None:
    assert stats.mcnemar(one, other) == pytest.approx(p, rel=1e-9)
    assert stats.mcnemar(other, one) == pytest.approx(p, rel=1e-9)


def test_mcnemar_of_thousands_is_quick_and_a_number() -> None:
    assert stats.mcnemar(2900, 3100) == pytest.approx(0.0101, abs=0.0005)


SIXTY = [0.147, 0.725, -0.366, 0.596, -0.03, -0.031, 1.05, 0.179, 0.079, 0.465, 0.663, 0.085, 0.394,
         -0.387, -0.083, -0.119, -0.566, -0.654, -0.713, -0.019, 0.014, -0.06, 0.135, -0.568, 0.06,
         0.219, 0.476, -0.323, -0.1, -0.908, -0.152, -0.998, -0.61, 0.651, -1.001, 0.499, 0.264,
         -0.056, 0.33, 0.364, 0.623, -0.015, -0.196, -0.202, -0.393, 0.078, -0.293, 0.634, -0.835,
         -0.447, -0.377, -0.946, 1.051, -1.104, -0.042, -0.163, 0.928, -0.893, 0.636, -0.266]  # fmt: skip
# 80 differences with ties: value, how often.
EIGHTY = [-0.5] * 16 + [-0.25] * 8 + [0.25] * 19 + [0.5] * 17 + [0.75] * 20


@pytest.mark.parametrize(
    ("differences", "p"),
    [  # scipy wilcoxon: exact; method="approx", correction=False
        ([0.3, -0.1, 0.25, 0.4, -0.05, 0.6, 0.12, 0.33], 0.0390625),
        (SIXTY, 0.5485244451820726),
        ([], 1.0),
        ([0.0, 0.0], 1.0),
        ([1.0], 1.0),
    ],
)
def test_wilcoxon(differences: list[float], p: float) -> None:
    assert stats.wilcoxon(differences) == pytest.approx(p, rel=1e-9)


def test_wilcoxon_with_ties_is_exact_over_all_signs() -> None:
    differences = [0.5, 0.5, -0.5, 0.25, 0.25, -0.75, 1.0, 0.5]
    ranks = stats._doubled_ranks(sorted(map(abs, differences)))
    ordered = sorted(differences, key=abs)
    middle = sum(ranks) / 2
    seen = abs(sum(r for r, d in zip(ranks, ordered, strict=True) if d > 0) - middle)
    far = sum(
        abs(sum(r for r, up in zip(ranks, signs, strict=True) if up) - middle) >= seen
        for signs in itertools.product((0, 1), repeat=len(ranks))
    )
    assert stats.wilcoxon(differences) == pytest.approx(far / 2 ** len(ranks))


def test_wilcoxon_with_many_ties() -> None:
    # scipy wilcoxon(EIGHTY, method="approx", correction=False)
    assert stats.wilcoxon(EIGHTY) == pytest.approx(8.99162381377073e-05, rel=1e-9)


def test_holm() -> None:
    assert stats.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert stats.holm([]) == []


def test_the_interval_of_a_mean_covers_it_about_95_times_of_100() -> None:
    rng = random.Random(5)
    inside = 0
    for number in range(200):
        values = [min(1.0, max(0.0, rng.gauss(0.6, 0.2))) for _ in range(40)]
        low, high = stats.mean_interval(values, number)
        inside += low <= 0.597 <= high  # the mean of that cut bell
    assert 176 <= inside <= 200
    assert stats.mean_interval([0.5] * 9) == (0.5, 0.5)
    assert stats.mean_interval([0.1, 0.9, 0.4], 7) == stats.mean_interval([0.1, 0.9, 0.4], 7)


def test_percentiles_and_words() -> None:
    assert stats.percentile([3, 1, 2, 4], 0.5) == 2
    assert stats.percentile([3, 1, 2, 4], 0.95) == 4
    assert stats.percentile([], 0.5) is None
    assert [stats.p_text(p) for p in (0.0001, 0.0052, 0.049, 1.0)] == [
        "p < 0.001", "p = 0.005", "p = 0.05", "p = 1.00",
    ]  # fmt: skip
