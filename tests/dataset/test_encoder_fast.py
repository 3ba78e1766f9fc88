"""The extra `fast`: what it leaves to tiktoken, word by word, adds up to tiktoken's own counts."""

from __future__ import annotations

import functools

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from fttui.dataset import encoder_fast, vocabulary
from fttui.dataset.encoder import exact
from fttui.dataset.encoder_fast import FastEncoder, few_sizes

NAMES = ("o200k_base", "cl100k_base")
YOUNG = "\u0897\u1c8a\ua7cb\u20c1\U00010d70\U00016ebb\U0001df41\U00031350"
PARTS = [
    *YOUNG,
    *"aAb é中. ,!/-'\"(_\n\r\t\u00a0\u2028\u0301\x1c\x851²٣🎉",
    "  ",
    "\n    ",
    " \n",
    ",\n",
    "\n/",
    "\r\n",
    "'s",
    "hello",
    " there",
    '    "',
]
TEXTS = st.lists(st.lists(st.sampled_from(PARTS), max_size=24).map("".join), max_size=4)


@functools.cache
def published(name: str) -> tiktoken.Encoding:
    return tiktoken.Encoding(**vocabulary.published(name))


@functools.cache
def fast(name: str) -> FastEncoder:
    pytest.importorskip("toktok")
    found = encoder_fast.load(name, lambda: exact(name))
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=300)
@given(texts=TEXTS)
def test_words_with_young_characters_count_as_published(name: str, texts: list[str]) -> None:
    assert fast(name).sizes(texts) == [len(published(name).encode_ordinary(t)) for t in texts]


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=20)
@given(texts=TEXTS)
def test_the_tokens_within_a_text_are_enough_to_count_it(name: str, texts: list[str]) -> None:
    assert few_sizes(name, texts) == [len(published(name).encode_ordinary(t)) for t in texts]


def _watched() -> tuple[FastEncoder, list[str]]:
    """(an encoder of its own, one entry for each time it asks for all tokens)."""
    pytest.importorskip("toktok")
    asked: list[str] = []

    def whole() -> object:
        asked.append("whole")
        return exact("o200k_base")

    encoder = encoder_fast.load("o200k_base", whole)
    assert encoder is not None
    return encoder, asked


def test_words_that_keep_coming_are_counted_with_all_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder_fast, "OFTEN", 2)
    monkeypatch.setattr(encoder_fast, "KEEP", 3)
    encoder, asked = _watched()
    for turn, number in enumerate((0, 1, 1, 2, 3, 4, 5, 0)):
        texts = [f"hello {YOUNG[number]} there {YOUNG[:2]}", f"ok {YOUNG[number]}"]
        assert encoder.sizes(texts) == [
            len(published("o200k_base").encode_ordinary(text)) for text in texts
        ]
        assert bool(asked) == (turn > 2)  # at the third time that brings a new word


def test_texts_full_of_young_characters_are_counted_with_all_tokens() -> None:
    encoder, asked = _watched()
    texts = [YOUNG, f"hello {YOUNG} there", "hello"]
    expected = [len(published("o200k_base").encode_ordinary(text)) for text in texts]
    assert encoder.sizes(texts) == expected
    assert not asked
    long = " ".join(f"{YOUNG}{i} ok" for i in range(encoder_fast.FEW))
    assert encoder.sizes([*texts, long])[:3] == expected
    assert asked == ["whole"]
    assert encoder.size(long) == len(published("o200k_base").encode_ordinary(long))


def test_halves_of_characters_are_replaced_as_tiktoken_does() -> None:
    texts = ["a \ud83d\ude00 b", "a \ud83d b", "\udc00", f"\ud800{YOUNG}"]
    expected = [len(published("o200k_base").encode_ordinary(text)) for text in texts]
    assert fast("o200k_base").sizes(texts) == expected
