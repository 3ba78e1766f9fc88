"""Values of the public implementations, recorded (golden_similarity.json names versions), and by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fttui.evaluate import similarity
from fttui.evaluate.stem import stem
from fttui.evaluate.words import mt_words, rouge_words

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("golden_similarity.json").read_text(encoding="utf-8")
)
CASES = [
    (name, row["text"], row["reference"], value)
    for row in GOLDEN["pairs"]
    for name, value in row["values"].items()
]


@pytest.mark.parametrize(("name", "text", "reference", "value"), CASES)
def test_the_values_of_public_implementations(
    name: str, text: str, reference: str, value: float
) -> None:
    assert similarity.MEASURES[name](text, reference) == pytest.approx(value, abs=1e-9)


def test_every_measure_has_recorded_values() -> None:
    assert {name for name, *_ in CASES} == set(similarity.MEASURES)


def test_stems_are_those_of_the_public_implementation() -> None:
    assert {word: stem(word) for word in GOLDEN["stems"]} == GOLDEN["stems"]


def test_by_hand() -> None:
    # "abcd" and "abxd": abd is common, 2 * 3 / (4 + 4)
    assert similarity.fuzzy_match("abcd", "abxd") == 0.75
    # words the cat sat | the cat lay: 2 of 3 and 2 of 3
    assert similarity.rouge_n(1)("the cat sat", "the cat lay") == pytest.approx(2 / 3)
    # one of two pairs of words in each
    assert similarity.rouge_n(2)("the cat sat", "the cat lay") == pytest.approx(1 / 2)
    # 3+2+1 n-grams in "a b c", 2+1 of them in "a b d": 3 of 6
    assert similarity.gleu("a b c", "a b d") == pytest.approx(3 / 6)
    # all words, one chunk of 3: 1 - 0.5 * (1/3)^3
    assert similarity.meteor("a b c", "a b c") == pytest.approx(1 - 0.5 / 27)


def test_other_scripts_count_where_the_public_one_drops_them() -> None:
    assert rouge_words("Größe 東京 x_1") == ["größe", "東", "京", "x", "1"]
    assert similarity.rouge_n(1)("東京です", "東京") == pytest.approx(2 * 2 / 6)
    assert mt_words("東京。") == ["東", "京", "。"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_score_is_from_0_to_1_and_the_same_text_is_alike(text: str, other: str) -> None:
    for name, measure in similarity.MEASURES.items():
        assert 0 <= measure(text, other) <= 1 + 1e-12, name
    assert similarity.fuzzy_match(text, text) == 1


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_common_length_is_the_textbook_one(a: str, b: str) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else best
    assert similarity.common_length(a, b) == table[-1][-1]


def test_long_answers_take_no_minutes() -> None:
    text, other = "the quick brown fox jumps " * 800, "a lazy dog sleeps all day long " * 700
    started = time.process_time()
    for measure in similarity.MEASURES.values():
        measure(text, other)
    assert time.process_time() - started < 10
