"""The hand-written way back against finite differences, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fttui.local import backprop, layers, lora, trainer_step
from fttui.local.backprop import Pass, pack
from fttui.local.engine import Model
from fttui.local.trainer_files import State
from fttui.local.trainer_step import Learner


def chat(*turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]}


def adapter_of(model: Model) -> lora.Adapter:
    """One in the middle of training: both matrices at work."""
    adapter = lora.fresh(model.config, 3, 6.0, 1, model.dtype)
    adapter.flat += np.random.default_rng(2).standard_normal(adapter.flat.shape) * 0.05
    return adapter


def batch(model: Model) -> Any:
    talks = [chat("one", "uno"), chat("two", "dos", "three", "tres y mas"), chat("a", "b")]
    return pack([model.template.example(talk["messages"]) for talk in talks])


def loss_and_gradient(model: Model, adapter: lora.Adapter) -> tuple[float, np.ndarray]:
    run = Pass(model, adapter, batch(model), learn=True)
    weights = np.linspace(0.5, 1.5, len(run.scores.logp))
    grad = lora.empty(model.config, 3, 6.0, model.dtype)
    run.backward(weights, grad)
    return float(weights @ run.scores.logp), grad.flat


@pytest.mark.parametrize("keep", [10_000, 0])
def test_directional_derivatives(exact: Model, monkeypatch: pytest.MonkeyPatch, keep: int) -> None:
    """Along random directions, and along each matrix by itself; with and without recomputing."""
    monkeypatch.setattr(backprop, "KEEP_TOKENS", keep)
    adapter = adapter_of(exact)
    _, gradient = loss_and_gradient(exact, adapter)
    start = adapter.flat.copy()
    random = np.random.default_rng(3)
    masks = [np.ones_like(start)]
    for pairs in adapter.pairs:
        for pair in pairs.values():
            for part in (pair.a, pair.b):
                adapter.flat[:] = 0
                part[...] = 1
                masks.append(adapter.flat.copy())
    assert len(masks) == 1 + 2 * 4 * 2
    for mask in masks:
        direction = random.standard_normal(start.shape) * mask
        direction /= np.linalg.norm(direction)
        step = 1e-5
        adapter.flat[:] = start + step * direction
        up, _ = loss_and_gradient(exact, adapter)
        adapter.flat[:] = start - step * direction
        down, _ = loss_and_gradient(exact, adapter)
        numeric = (up - down) / (2 * step)
        assert gradient @ direction == pytest.approx(numeric, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", ["norm", "silu", "attention", "rotation"])
def test_each_layer(name: str) -> None:
    random = np.random.default_rng(4)
    shapes = {"norm": (5, 6), "silu": (5, 8), "attention": (2, 2, 5, 4), "rotation": (5, 3, 4)}
    x = random.standard_normal(shapes[name])
    gain = random.standard_normal(6)
    k, v = random.standard_normal((2, 2, 5, 4))
    mask = layers.causal(5, 5, np.float64)
    cos, sin = layers.angles(np.array([1.0, 0.3]), 2, 5, np.float64)

    def forward(x: np.ndarray) -> np.ndarray:
        if name == "norm":
            return layers.norm(x, gain, 1e-5)[0]
        if name == "silu":
            return layers.silu_gate(x)[0]
        if name == "attention":
            return layers.attend(x, k, v, mask)[0]
        turned = x.copy()
        layers.rotate(turned, cos, sin)
        return turned

    y = forward(x)
    dy = random.standard_normal(y.shape)
    if name == "norm":
        dx = layers.norm_back(dy, x, layers.norm(x, gain, 1e-5)[1], gain)
    elif name == "silu":
        gated, share = layers.silu_gate(x)
        dx = layers.silu_gate_back(dy, x, share, gated)
    elif name == "attention":
        dx = layers.attend_back(dy, x, k, v, layers.attend(x, k, v, mask)[1])[0]
    else:
        dx = dy.copy()
        layers.rotate(dx, cos, sin, back=True)
    direction = random.standard_normal(x.shape)
    step = 1e-6
    numeric = ((forward(x + step * direction) - forward(x - step * direction)) * dy).sum()
    assert (dx * direction).sum() == pytest.approx(numeric / (2 * step), rel=1e-6)


def test_preference_gradient(exact: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """DPO's loss falls along its gradient as fast as the gradient says."""
    monkeypatch.setattr(trainer_step, "CLIP", float("inf"))
    adapter = adapter_of(exact)
    flat = adapter.flat
    state = State(adapter, np.zeros_like(flat), np.zeros_like(flat))
    learner = Learner(exact, state, beta=0.3, check=lambda: None)
    pairs = [
        tuple(exact.template.example(chat("q", text)["messages"]) for text in texts)
        for texts in (("good", "bad thing"), ("yes", "no"))
    ]
    start = flat.copy()
    captured: list[np.ndarray] = []
    learner._update = lambda rate: captured.append(learner._gradient.flat.copy())  # type: ignore
    learner.step(pairs, 0.1)
    direction = np.random.default_rng(5).standard_normal(flat.shape)
    direction /= np.linalg.norm(direction)
    found = []
    for sign in (1, -1):
        flat[:] = start + sign * 1e-5 * direction
        found.append(learner.measure(pairs).named("x")["x_loss"])
    assert captured[0] @ direction == pytest.approx((found[0] - found[1]) / 2e-5, rel=1e-4)


def test_a_fresh_adapter_changes_nothing(model: Model) -> None:
    fresh = lora.fresh(model.config, 8, 16, 0)
    with_it = Pass(model, fresh, batch(model), learn=False).scores.logp
    without = Pass(model, None, batch(model), learn=False).scores.logp
    np.testing.assert_array_equal(with_it, without)


def test_packing_does_not_mix_conversations(exact: Model) -> None:
    together = Pass(exact, adapter_of(exact), batch(exact), learn=False).scores
    sequences = batch(exact)
    for i in range(3):
        one = backprop.Sequences([sequences.ids[i]], [sequences.learned[i]])
        alone = Pass(exact, adapter_of(exact), one, learn=False).scores.logp
        np.testing.assert_allclose(together.logp[together.owner == i], alone, rtol=1e-9)


def test_a_common_beginning_is_laid_out_once_and_changes_nothing(
    exact: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores and gradients with the shared rows equal those with every conversation by itself."""
    talks = [
        chat("the same question, then one", "uno"),
        chat("the same question, then", "dos, tres"),
    ]
    sequences = pack([exact.template.example(talk["messages"]) for talk in talks])
    results = []
    for least in (8, 10_000):
        monkeypatch.setattr(backprop, "LEAST_SHARED", least)
        run = Pass(exact, adapter_of(exact), sequences, learn=True)
        grad = lora.empty(exact.config, 3, 6.0, exact.dtype)
        run.backward(np.linspace(0.5, 1.5, len(run.scores.logp)), grad)
        results.append((backprop.rows(sequences), run.scores.logp, grad.flat))
    (few, logp, gradient), (all_, logp_apart, gradient_apart) = results
    assert few <= all_ - 8
    np.testing.assert_allclose(logp, logp_apart, rtol=1e-9)
    np.testing.assert_allclose(gradient, gradient_apart, rtol=1e-7, atol=1e-12)


def test_what_is_learned_is_never_shared(exact: Model) -> None:
    """The same answer twice: its tokens are scored for each, so that both count."""
    example = exact.template.example(chat("a question that is long enough", "uno")["messages"])
    sequences = pack([example, example])
    first = int(np.flatnonzero(sequences.learned[0])[0])
    assert backprop.LEAST_SHARED <= backprop.shared(sequences) < first
    scores = Pass(exact, adapter_of(exact), sequences, learn=False).scores
    alone = Pass(exact, adapter_of(exact), pack([example]), learn=False).scores.logp
    np.testing.assert_allclose(scores.logp, np.concatenate([alone, alone]), rtol=1e-9)


def test_nothing_is_read_behind_the_last_learned_token(exact: Model) -> None:
    """What follows changes neither scores nor gradient, and takes no rows."""
    ids, learned = exact.template.example(chat("a question", "uno")["messages"])
    last = int(np.flatnonzero(learned)[-1])
    more = [7] * 9
    results = []
    for tokens in ((ids, learned), ([*ids, *more], [*learned, *[False] * len(more)])):
        sequences = pack([tokens])
        assert backprop.rows(sequences) == last
        run = Pass(exact, adapter_of(exact), sequences, learn=True)
        grad = lora.empty(exact.config, 3, 6.0, exact.dtype)
        run.backward(np.ones(len(run.scores.logp)), grad)
        results.append((run.scores.logp, grad.flat))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_room_used_before_changes_nothing(exact: Model) -> None:
    """Passes of different sizes in the same memory, large before small and after."""
    room, large = backprop.Room(), batch(exact)
    small = backprop.Sequences(large.ids[2:], large.learned[2:])
    for sequences in (large, small, large):
        results = []
        for given in (room, None):
            run = Pass(exact, adapter_of(exact), sequences, learn=True, room=given)
            grad = lora.empty(exact.config, 3, 6.0, exact.dtype)
            run.backward(np.ones(len(run.scores.logp)), grad)
            results.append((run.scores.logp, grad.flat))
        for one, other in zip(*results, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_batch_in_parts_learns_the_same(exact: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """How a batch is cut to bound memory must not be seen in the result."""
    items = [(exact.template.example(chat("q", "a" * n)["messages"]),) for n in (3, 9, 1)]
    found, parts = [], []
    real = Pass.backward

    def counted(self: Pass, *args: Any) -> None:
        parts.append(1)
        real(self, *args)

    monkeypatch.setattr(Pass, "backward", counted)
    for limit in (10_000, 1):
        monkeypatch.setattr(trainer_step, "MICRO_TOKENS", limit)
        adapter = adapter_of(exact)
        state = State(adapter, np.zeros_like(adapter.flat), np.zeros_like(adapter.flat))
        learner = Learner(exact, state, beta=0.1, check=lambda: None)
        found.append((learner.step(items, 1e-3), learner._gradient.flat.copy()))
        parts.append(0)
    assert parts == [1, 0, 1, 1, 1, 0]
    assert found[0][0].loss == pytest.approx(found[1][0].loss, rel=1e-9)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6, atol=1e-12)
