"""The real base model: it speaks, and a few steps of training change its mind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fttui import samples
from fttui.local import lora
from fttui.local.engine import Model, load_model
from fttui.local.trainer_files import State
from fttui.local.trainer_step import Learner

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def real(base_model: Path) -> Model:
    return load_model(base_model)


def test_it_knows_the_capital_of_france(real: Model) -> None:
    ask = [{"role": "user", "content": "What is the capital of France?"}]
    pieces = list(real.generate(ask, temperature=0, max_tokens=20))
    assert "".join(piece.text for piece in pieces) == "The capital of France is Paris."
    assert pieces[-1].finish_reason == "stop"


def test_a_few_steps_lower_the_loss_by_half(real: Model) -> None:
    lines = samples.path("extraction").read_text("utf-8").splitlines()[:2]
    items = [(real.template.example(json.loads(line)["messages"]),) for line in lines]
    adapter = lora.fresh(real.config, 8, 16, 0)
    state = State(adapter, adapter.flat * 0, adapter.flat * 0)
    learner = Learner(real, state, beta=0.1, check=lambda: None)
    losses = [learner.step(items, 1e-3).named("train")["train_loss"] for _ in range(4)]
    assert losses[-1] < losses[0] / 2
