from __future__ import annotations

import pytest

from fttui.evaluate import summary
from fttui.evaluate.records import Answer, Case, Grade
from fttui.evaluate.summary import Row

CASES = [Case(line, (), {}, "") for line in range(1, 17)]


def rows(model: str, *passed: int | None) -> list[Row]:
    """1 right, 0 wrong, None no answer, for the first cases."""
    return [
        Row(case, model, None)
        if right is None
        else Row(case, model, Answer("x", seconds=0.5), {"g": Grade(float(right), bool(right))})
        for case, right in zip(CASES, passed, strict=False)
    ]


def scored(model: str, *scores: float) -> list[Row]:
    return [
        Row(case, model, Answer("x"), {"g": Grade(score)})
        for case, score in zip(CASES, scores, strict=False)
    ]


def test_the_sentence_says_how_many_and_how_sure() -> None:
    base, tuned = rows("base", *[0] * 16), rows("tuned", *[1] * 11, *[0] * 5)
    made = summary.build([*base, *tuned], ["base", "tuned"], ["g"])
    pair = made.comparisons[0]
    assert (len(pair.wins), len(pair.losses), pair.ties) == (11, 0, 5)
    assert pair.p == 0.0009765625
    assert pair.sentence() == "tuned is better than base on 11 of 16, worse on 0, p < 0.001"
    assert made.of("tuned").scores["g"].right == 11
    assert made.of("tuned").scores["g"].interval == pytest.approx((0.444, 0.858), abs=1e-3)


def test_the_better_one_is_named_first_whatever_the_order() -> None:
    made = summary.build(
        [*rows("a", *[1] * 12, *[0] * 4), *rows("b", *[0] * 16)], ["a", "b"], ["g"]
    )
    assert made.comparisons[0].sentence() == "a is better than b on 12 of 16, worse on 0, p < 0.001"


def test_a_difference_that_may_be_chance_is_not_called_one() -> None:
    made = summary.build([*rows("a", 1, 0, 0, 0), *rows("b", 0, 1, 1, 0)], ["a", "b"], ["g"])
    assert made.comparisons[0].sentence() == (
        "no difference is shown between b and a: better on 2 of 4, worse on 1, p = 1.00"
    )
    same = summary.build([*rows("a", 1, 0), *rows("b", 1, 0)], ["a", "b"], ["g"]).comparisons[0]
    assert same.sentence() == "b and a do equally well on all 2"


def test_prompts_without_an_answer_are_not_counted() -> None:
    made = summary.build([*rows("a", 0, 0, None), *rows("b", 1, None, 1)], ["a", "b"], ["g"])
    assert made.comparisons[0].count == 1
    assert (made.of("a").missing, made.of("a").scores["g"].count) == (1, 2)
    nothing = summary.build([*rows("a", None), *rows("b", 1)], ["a", "b"], ["g"])
    assert "no prompt in common" in nothing.comparisons[0].sentence()


def test_scores_are_compared_by_their_ranks() -> None:
    low = [0.1, 0.2, 0.15, 0.3, 0.2, 0.4, 0.35, 0.1]
    high = [0.4, 0.1, 0.4, 0.7, 0.15, 1.0, 0.47, 0.43]
    made = summary.build([*scored("a", *low), *scored("b", *high)], ["a", "b"], ["g"])
    pair = made.comparisons[0]
    assert pair.method == "Wilcoxon signed-rank"
    assert pair.p == pytest.approx(0.0390625)
    assert (len(pair.wins), len(pair.losses)) == (6, 2)
    assert pair.losses == (2, 5)
    assert pair.low <= pair.difference <= pair.high
    assert made.of("a").scores["g"].right is None


def test_several_comparisons_are_corrected() -> None:
    made = summary.build(
        [*rows("a", *[0] * 8), *rows("b", *[1] * 6, 0, 0), *rows("c", *[1] * 8)],
        ["a", "b", "c"], ["g"],
    )  # fmt: skip
    first = made.comparisons[0]
    assert (first.p_raw, first.p) == (0.03125, 0.0625)
    assert "corrected for 3 comparisons" in first.sentence()
    assert "no difference is shown" in first.sentence()
    assert made.comparisons[1].p == pytest.approx(3 * 2 / 256)


def test_a_row_that_could_not_be_graded_counts_as_failed() -> None:
    broken = [Row(CASES[0], "a", Answer("x"), {"g": Grade(0.0, False, {}, "boom")})]
    made = summary.build([*broken, *rows("a", 1, 1)[1:]], ["a"], ["g"]).of("a").scores["g"]
    assert (made.right, made.count, made.errors) == (1, 2, 1)


def test_a_judges_verdicts_make_wins_and_ties() -> None:
    grades = {line: Grade(1.0) for line in range(1, 9)} | {9: Grade(0.5), 10: Grade(0.0)}
    grades[11] = Grade(0.0, False, {}, "the judge gave no label")
    made = summary.build(
        [*rows("a", 1), *rows("b", 1)], ["a", "b"], ["g"], judged={("a", "b"): grades}
    )
    judged = made.judged[0]
    assert (len(judged.wins), len(judged.losses), judged.ties) == (8, 1, 1)
    assert judged.p == pytest.approx(0.0390625)
