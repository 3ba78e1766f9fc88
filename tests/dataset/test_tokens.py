"""Counts equal tiktoken's, for every text; nothing is downloaded; names resolve."""
# ruff: noqa: E501 - tables read better on one line

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fttui.dataset import encoder_fast, pretokens, tokens, vocabulary
from fttui.dataset.encoder import Encoder, exact
from fttui.dataset.piece_table import PieceTable
from fttui.dataset.scan import scan

from .cases import chat
from .conftest import Check


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_vocabularies_are_the_published_ones(name: str) -> None:
    table = vocabulary.ranks(name)
    assert hashlib.sha256(vocabulary.standard_file(table)).hexdigest() == vocabulary.SHA256[name]
    import tiktoken_ext.openai_public as public

    source = Path(public.__file__).read_text()
    assert vocabulary.SHA256[name] in source
    for text in (b"", b"a", b"a\x00 the \xf0\x9f\x8e\x89 parser" + b" " * 200 + b"\x00"):
        inside = {token: rank for token, rank in table.items() if token in text}
        assert vocabulary.some_ranks(name, text) == inside


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("ft:gpt-4.1-mini-2025-04-14:acme::abc", "o200k_base"),
        ("ft:o4-mini-2025-04-16:acme::abc", "o200k_base"),
        ("gpt-4.1-2025-04-14.ft-0123-name", "o200k_base"),
        ("ft:gpt-3.5-turbo-0125:acme::abc:ckpt-step-9", "cl100k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4o", "o200k_base"),
        ("babbage-002", "cl100k_base"),
        ("gpt-6-luna", "o200k_base"),
    ],
)
def test_names(model: str, encoding: str) -> None:
    assert tokens.encoding_for(model) == encoding


TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.text(alphabet=" \n\taA'1.<|>endofprompt🎉é你"),
        st.sampled_from(["<|endofprompt|>", "<|endoftext|>", "\ud83d", "a  b"]),
    )
)


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
@settings(deadline=None, max_examples=150)
@given(texts=TEXTS)
def test_counts_equal_tiktoken(name: str, texts: list[str]) -> None:
    counter = tokens.TokenCounter(name)
    plain = [len(published(name).encode_ordinary(text)) for text in texts]
    assert counter.count_all(texts) == plain
    assert [counter.count(text) for text in texts] == plain


def test_long_texts_are_cut_where_it_does_no_harm() -> None:
    counter = tokens.counter()
    for text in (
        "The quick  brown fox's 12 jumps.\n" * 20_000,
        "é " * 250_000,
        "a" * 210_000 + " b" * 200_000,
    ):
        assert counter.count(text) == len(published("o200k_base").encode_ordinary(text))
    assert counter.estimated == 0


def test_what_makes_tiktoken_panic_is_estimated() -> None:
    counter = tokens.TokenCounter("o200k_base")
    assert counter.count("x" + " " * 2_000_000 + "y") > 15_000
    assert counter.estimated == 1


def test_the_formula_of_an_example(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"messages": [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Hi", "weight": 1}, {"role": "user", "name": "bob", "content": "Bye"}, {"role": "assistant", "content": "Bye", "weight": 0}]}\n'
    )
    report = scan(path, cached=False)
    n = tokens.count
    assert report.tokens.total == 4 * 4 + n("Hello there") + n("Hi") + n("Bye") * 2 + n("bob") + 1
    assert report.tokens.trained == n("Hi") + 1
    assert list(report.tokens.per_example) == [report.tokens.total]
    assert sum(count for _, _, count in report.tokens.histogram()) == 1


TRICKY = [
    *"abcXYZ 's\t\n\r\r\n129.,!/-_()\u00a0\u2028\u0301é中ſʼǅ🎉\u200d٣½Ⅷ\x00\x1c\x85",
    "  ",
    "   ",
    " " * 90,
    "\t\t",
    "\t" * 30,
    "\x0b\x0c\xa0\u3000",
    "\n\n",
    "'LL",
    "can't",
]


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
@settings(deadline=None, max_examples=200)
@given(parts=st.lists(st.lists(st.sampled_from(TRICKY) | st.text(max_size=6), max_size=30)))
def test_texts_cut_here_count_as_published(name: str, parts: list[list[str]]) -> None:
    texts = ["".join(some) for some in parts]
    expected = [len(published(name).encode_ordinary(text)) for text in texts]
    assert [exact(name).size(text) for text in texts] == expected
    if not any("\ud800" <= char <= "\udfff" for text in texts for char in text):
        assert exact(name).sizes(texts) == expected


SEQUENCES = [
    *(
        "it's",
        "'S't",
        "x'll",
        "'Ve",
        "'r",
        "we're'd",
        "';",
        "12",
        "1234567",
        "Ab",
        "ABc",
        "中A",
        "ñÉ",
    ),
    *(
        ";\n",
        ";\n/",
        "\n/",
        "/\r\n",
        " \n",
        "\n \n",
        "!\n \n \n",
        "\n  \t\n",
        " (",
        "\t(",
        "((",
        "“a",
    ),
    *(
        "e\u0301",
        "\u0301e",
        "!\u0301",
        "❤\ufe0f",
        "ʰA",
        "\u3000",
        "\x00",
        "ſ",
        "'ſ",
        "½",
        "é",
        "中",
        "ไทย",
    ),
]


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
@settings(deadline=None, max_examples=150)
@given(parts=st.lists(st.lists(st.sampled_from(TRICKY + SEQUENCES), max_size=15), max_size=6))
@example(parts=[["x \n "], ["it'lL"], ["!\n \n \n"], [";\n \t"], ["1234567"], ["a's't"]])
def test_cuts_are_the_patterns_own(name: str, parts: list[list[str]]) -> None:
    import regex  # tiktoken brings it

    pattern = vocabulary.published(name)["pat_str"]
    texts = ["".join(some) for some in parts]
    data = pretokens.join(texts)
    rules = pretokens.rules(pattern)
    assert rules is not None
    begins, whole = (found.tolist() for found in pretokens.cut(data, rules))
    expected, at = [0], 1
    for text in texts:
        for piece in regex.findall(pattern, text):
            expected.append(at)
            at += len(piece.encode())
        expected.append(at)
        at += 1
    for begin in whole:  # up to the next cut tiktoken cuts
        end = begins[begins.index(begin) + 1]
        expected = [place for place in expected if not begin < place < end]
    assert begins == expected[: len(begins)] or texts == []


AROUND = "a{}B {}'s {}{}1\n{}/ \t{} '{}'t ({})"


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_every_character_is_cut_as_published(name: str) -> None:
    """All code points of the planes that have characters in several places, 32 of them a text."""
    codes = [*range(0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE0200), 0x10FFFF]
    said = [AROUND.replace("{}", chr(code)) for code in codes]
    texts = [" x ".join(said[at : at + 32]) for at in range(0, len(said), 32)]
    for at in range(0, len(texts), 2_000):
        some = texts[at : at + 2_000]
        expected = [len(published(name).encode_ordinary(text)) for text in some]
        assert exact(name).sizes(some) == expected


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_what_is_remembered_has_an_end(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of new pieces that are full begin again."""
    monkeypatch.setattr("fttui.dataset.encoder.MET", (7, 7))
    monkeypatch.setattr("fttui.dataset.encoder.KEEP_LONG", 3)
    small = Encoder(name)
    for part in range(20):
        texts = [f"zq{part}{i}xv {'qz' * i} \u0345{i} {'x' * 40}{i}" for i in range(20)]
        expected = [len(published(name).encode_ordinary(text)) for text in texts]
        assert small.sizes(texts) == expected
        assert small.sizes(texts[::-1]) == expected[::-1]


@pytest.mark.parametrize("words", [1, 2])
def test_a_table_gives_back_what_was_put_in(words: int) -> None:
    import numpy as np

    random = np.random.default_rng(words)
    table = PieceTable(10, words)
    pieces = random.choice(1 << 16, (900, words), replace=False).astype(np.uint64) + np.uint64(1)
    inside, outside = pieces[:500].T.copy(), pieces[500:].T.copy()
    numbers = random.integers(1, 255, 500).astype(np.uint8)
    for part in range(0, 500, 100):
        table.put(numbers[part : part + 100], *inside[:, part : part + 100])
    assert table.room == 12
    assert table.get(*inside).tolist() == numbers.tolist()
    assert not table.get(*outside).any()


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
def test_the_published_pattern_is_the_one_there_are_rules_for(name: str) -> None:
    assert pretokens.rules(vocabulary.published(name)["pat_str"])
    assert pretokens.rules(r"\s+|\S+") is None


def test_a_pattern_of_tomorrow_is_left_to_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fttui.dataset.pretokens._PATTERNS", {})
    slow = Encoder("cl100k_base")
    for text in ("a   b\n\t x", "\u3000  y", "x<|endofprompt|>  z"):
        expected = len(published("cl100k_base").encode_ordinary(text))
        assert [slow.size(text), *slow.sizes([text, text])] == [expected] * 3


@pytest.mark.parametrize("name", ["o200k_base", "cl100k_base"])
@settings(deadline=None, max_examples=200)
@given(texts=TEXTS, part=st.text(alphabet="a \u20c1\u0897\U0001faea\ud800é👍"))
def test_the_fast_extra_counts_the_same(name: str, texts: list[str], part: str) -> None:
    pytest.importorskip("toktok")
    fast = encoder_fast.load(name, lambda: exact(name))
    assert fast is not None
    texts = [*texts, part]
    assert fast.sizes(texts) == [len(published(name).encode_ordinary(text)) for text in texts]
    assert [fast.size(text) for text in texts] == fast.sizes(texts)


def test_the_known_texts_are_counted_as_published() -> None:
    for text, *counts in encoder_fast.PROBES:
        names = ("o200k_base", "cl100k_base")
        assert counts == [len(published(name).encode_ordinary(text)) for name in names]


def test_a_fast_encoder_that_counts_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    toktok = pytest.importorskip("toktok")
    right = toktok.batch_count

    def wrong(texts: list[str], name: str, threads: int) -> list[int]:
        return [n + (i == 3) for i, n in enumerate(right(texts, name, threads=threads))]

    monkeypatch.setattr(toktok, "batch_count", wrong)
    assert encoder_fast.load("o200k_base", lambda: exact("o200k_base")) is None
    monkeypatch.setattr(toktok, "batch_count", right)
    assert encoder_fast.load("o200k_base", lambda: exact("o200k_base")) is not None
    monkeypatch.setenv(encoder_fast.OFF, "0")
    assert encoder_fast.load("o200k_base", lambda: exact("o200k_base")) is None


@functools.cache
def published(name: str) -> tiktoken.Encoding:
    return tiktoken.Encoding(**vocabulary.published(name))


def test_an_estimated_count_is_said(check: Check) -> None:
    report = check([chat(0, "a" + " " * 600_000 + "b"), *(chat(i) for i in range(1, 10))])
    assert report.tokens.estimated == report.as_dict()["token_stats"]["estimated"] == 1
    assert check([chat(i) for i in range(10)]).tokens.estimated == 0
