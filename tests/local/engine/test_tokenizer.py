"""Token ids: the shipped base model's against pinned references, the tiny one's by hand."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fttui.local.engine import Model
from fttui.local.gguf import GGUF
from fttui.local.tokenizer import StreamDecoder, Tokenizer, byte_letters


def test_bytes_have_256_letters() -> None:
    assert sorted(byte_letters().values()) == list(range(256))


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_round_trip(model: Model, text: str) -> None:
    assert model.tokenizer.decode(model.tokenizer.encode(text)) == text


def test_merges_happen_in_their_order(model: Model) -> None:
    tokens = GGUF(model.path).metadata["tokenizer.ggml.tokens"]
    said = [tokens[i] for i in model.tokenizer.encode("in the system a user")]
    assert said == ["in", "Ġthe", "Ġ", "s", "y", "st", "e", "m", "Ġa", "Ġ", "user"]


def test_digits_stand_alone_and_blanks_before_them_are_one_piece(model: Model) -> None:
    decode = model.tokenizer.decode
    assert [decode([i]) for i in model.tokenizer.encode("12 3")] == ["1", "2", " ", "3"]


def test_special_tokens_in_text_are_text(model: Model) -> None:
    tokenizer = model.tokenizer
    ids = tokenizer.encode("<|im_end|>")
    assert tokenizer.special["<|im_end|>"] not in ids
    assert tokenizer.decode(ids) == "<|im_end|>"


def test_lone_surrogates_do_not_break_it(model: Model) -> None:
    assert "a" in model.tokenizer.decode(model.tokenizer.encode("a\ud800b"))


def test_streaming_waits_for_whole_characters(model: Model) -> None:
    decoder = StreamDecoder(model.tokenizer)
    pieces = [decoder.push(token) for token in model.tokenizer.encode("é🙂")]
    assert pieces == ["", "é", "", "", "", "🙂"]
    assert decoder.push(model.tokenizer.encode("é")[0]) == ""
    assert decoder.finish() == "\ufffd"


# Ids of the vocabulary in the file itself; `ĠHello` and `Hello` and so on are entries one can look up.
PINNED = {
    "Hello world": ["Hello", "Ġworld"],
    "it's 1234 apples  5": ["it", "'s", "Ġ", "1", "2", "3", "4", "Ġapples", "ĠĠ", "5"],
    "\n\n  x": ["ĊĊĠ", "Ġx"],
    "a   9b": ["a", "ĠĠĠ", "9", "b"],
    '{"city": "Turin"}': ['{"', "city", '":', 'Ġ"', "Tur", "in", '"}'],
    "naïve café": ["na", "Ã¯ve", "ĠcafÃ©"],
}


@pytest.mark.real_model
@pytest.mark.parametrize("text", PINNED)
def test_the_base_model_cuts_text_as_the_original(base_model: Path, text: str) -> None:
    file = GGUF(base_model)
    tokens = file.metadata["tokenizer.ggml.tokens"]
    assert [tokens[i] for i in Tokenizer.of(file).encode(text)] == PINNED[text]


@pytest.mark.real_model
def test_the_base_model_agrees_with_plain_byte_pair_encoding(
    base_model: Path, shared: Path
) -> None:
    """Merge by merge, as GPT-2's encoder does it, without tiktoken's shortcuts."""
    file = GGUF(base_model)
    tokenizer = Tokenizer.of(file)
    ranks = {tuple(m.split(" ")): i for i, m in enumerate(file.metadata["tokenizer.ggml.merges"])}
    ids = {text: i for i, text in enumerate(file.metadata["tokenizer.ggml.tokens"])}
    letter = {byte: char for char, byte in byte_letters().items()}

    def plain(word: str) -> list[int]:
        parts = [letter[byte] for byte in word.encode()]
        while True:
            pairs = list(itertools.pairwise(parts))
            best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)), default=None)
            if best not in ranks:
                return [ids[part] for part in parts if part in ids]
            merged: list[str] = []
            while parts:
                two = tuple(parts[:2]) == best
                merged.append("".join(parts[: 1 + two]))
                parts = parts[1 + two :]
            parts = merged

    text = (shared / "reference" / "tui.md").read_text("utf-8")
    words = sorted({word for line in text.splitlines() for word in line.split() if word.isalpha()})
    assert len(words) > 500
    for word in words:
        assert tokenizer.encode(word) == plain(word), word
