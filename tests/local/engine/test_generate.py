"""Answers: the cache agrees with training's pass, choices follow the seed, stops stop."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fttui.local import generate, lora
from fttui.local.backprop import Pass, Sequences
from fttui.local.engine import Model, Piece
from fttui.local.generate import Cache, Choice, Stops, choose
from fttui.problem import Problem

ASK = [{"role": "user", "content": "tell me the story"}]


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def busy(model: Model) -> lora.Adapter:
    adapter = lora.fresh(model.config, 4, 8, 1, model.dtype)
    adapter.flat += np.random.default_rng(0).standard_normal(adapter.flat.shape) * 0.1
    return adapter


@pytest.mark.parametrize("adapted", [False, True])
def test_cache_and_training_compute_the_same(exact: Model, adapted: bool) -> None:
    adapter = busy(exact) if adapted else None
    ids = exact.template.prompt(ASK)
    cache = Cache(exact, 4)  # grows on the way
    split = [ids[:7], ids[7:8], ids[8:]]
    logits = [generate.read(exact, part, cache, adapter) for part in split][-1]
    best = int(logits.argmax())
    learned = np.array([False] * len(ids) + [True])
    scores = Pass(
        exact, adapter, Sequences([np.array([*ids, best])], [learned]), learn=False
    ).scores
    shares = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    assert scores.logp[0] == pytest.approx(shares[best], rel=1e-9)
    assert scores.hits[0]


def test_long_prompts_are_read_in_parts(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(model.generate(ASK, temperature=0, max_tokens=8))
    monkeypatch.setattr(generate, "PROMPT_CHUNK", 10)
    parts = list(model.generate(ASK, temperature=0, max_tokens=8))
    assert text(parts) == text(whole)
    assert parts[0] == Piece("")  # a moment to be stopped


def test_the_seed_decides(model: Model) -> None:
    def say(seed: int | None, temperature: float = 1.0) -> str:
        settings = {"temperature": temperature, "seed": seed, "max_tokens": 24}
        return text(list(model.generate(ASK, **settings)))

    assert say(3) == say(3)
    assert len({say(seed) for seed in range(6)}) > 1
    assert say(1, 0) == say(2, 0)


def test_length_and_tokens(model: Model) -> None:
    pieces = list(model.generate(ASK, temperature=0, max_tokens=5))
    assert sum(piece.token_id is not None for piece in pieces) <= 5
    assert [piece.finish_reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1].finish_reason in ("length", "stop")


def test_the_context_ends_an_answer_and_refuses_a_prompt(model: Model) -> None:
    long = [{"role": "user", "content": "z" * (model.context - 60)}]
    room = model.context - model.count_tokens(long)
    assert 0 < room < 60
    pieces = list(model.generate(long, seed=1, max_tokens=10_000))
    assert sum(piece.token_id is not None for piece in pieces) <= room
    with pytest.raises(Problem) as caught:
        model.generate([{"role": "user", "content": "z" * model.context}])
    assert caught.value.code == "context_length_exceeded"


def test_a_stop_text_ends_the_answer_and_is_not_shown(model: Model) -> None:
    whole = text(list(model.generate(ASK, seed=5, max_tokens=40)))
    stop = whole[10:13]
    pieces = list(model.generate(ASK, seed=5, max_tokens=40, stop=[stop]))
    assert text(pieces) == whole[: whole.find(stop)]
    assert pieces[-1].finish_reason == "stop"


def test_stops_hold_back_what_may_be_a_beginning() -> None:
    stops = Stops(["END", "ENOUGH"])
    assert stops.push("the E") == ("the ", False)
    assert stops.push("N") == ("", False)
    assert stops.push("T") == ("ENT", False)
    assert stops.push("so EN") == ("so ", False)
    assert stops.push("D more") == ("", True)


def test_an_end_token_ends_it(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([70, 71, next(iter(model.ends)), 72])
    monkeypatch.setattr(generate, "choose", lambda *_: next(said))
    pieces = list(model.generate(ASK, max_tokens=9))
    assert [piece.token_id for piece in pieces] == [70, 71, None]
    assert pieces[-1].finish_reason == "stop"


def test_top_p_keeps_the_likeliest() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05]))
    random = np.random.default_rng(0)
    some = {choose(logits, Choice(1, 0.6), Counter(), random) for _ in range(300)}
    every = Counter(choose(logits, Choice(1, 1), Counter(), random) for _ in range(4000))
    assert some == {0, 1}
    assert every[0] / 4000 == pytest.approx(0.5, abs=0.03)
    assert set(every) == {0, 1, 2, 3}
    assert choose(logits, Choice(1, 0), Counter(), random) == 0


def test_penalties() -> None:
    logits = np.array([2.0, 1.9])
    random = np.random.default_rng(0)
    once = Counter({0: 1})
    assert choose(logits, Choice(0), once, random) == 0
    assert choose(logits, Choice(0, presence_penalty=0.2), once, random) == 1
    assert choose(logits, Choice(0, frequency_penalty=0.06), Counter({0: 1}), random) == 0
    assert choose(logits, Choice(0, frequency_penalty=0.06), Counter({0: 2}), random) == 1


def test_adapters_share_one_model(model: Model, tmp_path: Path) -> None:
    adapter = busy(model)
    lora.save(adapter, tmp_path)
    loaded = model.load_adapter(tmp_path)
    np.testing.assert_allclose(loaded.flat, adapter.flat, atol=1e-3)
    weights = model.weights.layers[0].qkv.copy()
    base = text(list(model.generate(ASK, temperature=0, max_tokens=12)))
    tuned = text(list(model.generate(ASK, temperature=0, max_tokens=12, adapter=loaded)))
    again = text(list(model.generate(ASK, temperature=0, max_tokens=12)))
    assert base == again != tuned
    np.testing.assert_array_equal(model.weights.layers[0].qkv, weights)


def test_adapters_that_cannot_be_used(model: Model, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no adapter"):
        model.load_adapter(tmp_path)
    (tmp_path / lora.FILE).write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(Problem, match="cannot be read"):
        model.load_adapter(tmp_path)
    foreign = lora.empty(model.config, 2, 4)
    foreign.flat = foreign.flat[:-1]
    lora.save(foreign, tmp_path)
    with pytest.raises(Problem, match="does not fit"):
        model.load_adapter(tmp_path)


def test_closing_stops_the_work(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = itertools.count()
    real = generate.read
    monkeypatch.setattr(generate, "read", lambda *a: (next(reads), real(*a))[1])
    answer = model.generate(ASK, seed=1, max_tokens=100)
    next(answer)
    answer.close()
    assert next(reads) <= 3
