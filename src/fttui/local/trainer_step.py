"""One optimizer step, and how a loss is measured: supervised learning and preferences (DPO)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fttui.local import lora
from fttui.local.backprop import Pass, Room, pack, rows
from fttui.local.engine import Model
from fttui.local.trainer_data import Tokens
from fttui.local.trainer_files import State

Item = tuple[Tokens, ...]

MICRO_TOKENS = 320  # rows in memory at once; the gradient of a batch is summed over such parts
WARMUP = 5  # steps
CLIP = 1.0  # of the gradient's norm
BETA1, BETA2, EPSILON = (
    0.9,
    0.999,
    1e-8,
)  # AdamW, arXiv:1711.05101; no decay, adapters start near zero


@dataclass
class Measured:
    """`loss` summed over `count` tokens (supervised) or pairs (dpo); `right` of them were right."""

    loss: float = 0.0
    right: int = 0
    count: int = 0

    def add(self, other: Measured) -> None:
        self.loss += other.loss
        self.right += other.right
        self.count += other.count

    def named(self, prefix: str) -> dict[str, float]:
        """As the API names them: `train_loss`, `train_mean_token_accuracy`."""
        return {
            f"{prefix}_loss": self.loss / self.count,
            f"{prefix}_mean_token_accuracy": self.right / self.count,
        }


class Learner:
    """Computes losses and gradients of one adapter. `check` is called between parts and may raise.

    `reference`: the adapter that preferences are measured against; None is the base model alone.
    """

    def __init__(
        self,
        model: Model,
        state: State,
        *,
        beta: float,
        check: Callable[[], None],
        reference: lora.Adapter | None = None,
    ) -> None:
        self._model = model
        self._state = state
        self._beta = beta
        self._before = reference
        self._check = check
        self._gradient = _like(model, state.adapter)
        self._room = Room()
        self._reference: dict[int, float] = {}

    def measure(self, items: Sequence[Item]) -> Measured:
        """Loss and accuracy, nothing learned."""
        total = Measured()
        for part in _parts(items):
            self._check()
            total.add(self._part(part, items, learn=False))
        return total

    def step(self, items: Sequence[Item], learning_rate: float) -> Measured:
        """One step on a batch; the loss returned is the one before it. FloatingPointError on NaN."""
        total = Measured()
        self._gradient.flat[:] = 0
        for part in _parts(items):
            self._check()
            total.add(self._part(part, items, learn=True))
        norm = float(np.sqrt(np.dot(self._gradient.flat, self._gradient.flat)))
        if not math.isfinite(total.loss) or not math.isfinite(norm):
            raise FloatingPointError
        if norm > CLIP:
            self._gradient.flat *= CLIP / norm
        self._update(learning_rate)
        return total

    def _update(self, learning_rate: float) -> None:
        state, gradient = self._state, self._gradient.flat
        state.step += 1
        state.mean *= BETA1
        state.mean += (1 - BETA1) * gradient
        state.square *= BETA2
        state.square += (1 - BETA2) * gradient * gradient
        step = learning_rate / (1 - BETA1**state.step)
        root = np.sqrt(state.square) / math.sqrt(1 - BETA2**state.step)
        state.adapter.flat -= step * state.mean / (root + EPSILON)

    def _part(self, part: Sequence[Item], batch: Sequence[Item], *, learn: bool) -> Measured:
        sequences = pack([tokens for item in part for tokens in item])
        run = Pass(self._model, self._state.adapter, sequences, learn=learn, room=self._room)
        if len(part[0]) == 2:
            measured, coefficients = self._preferences(run, part, len(batch))
        else:
            learned = sum(sum(tokens[1][1:]) for item in batch for tokens in item)
            logp = run.scores.logp
            measured = Measured(
                -float(logp.sum(dtype=np.float64)), int(run.scores.hits.sum()), len(logp)
            )
            coefficients = np.full(len(logp), -1 / learned)
        if learn:
            run.backward(coefficients, self._gradient)
        return measured

    def _preferences(
        self, run: Pass, part: Sequence[Item], pairs: int
    ) -> tuple[Measured, np.ndarray]:
        """DPO (arXiv:2305.18290): -log σ(β · how much more than before the better one is favoured)."""
        sums = np.bincount(run.scores.owner, run.scores.logp, minlength=2 * len(part))
        base = np.array([self._base(item) for item in part])
        margin = self._beta * (sums[0::2] - sums[1::2] - base)
        loss = np.logaddexp(0, -margin)
        slope = self._beta / (1 + np.exp(np.clip(margin, -80, 80))) / pairs
        each = np.empty(2 * len(part))
        each[0::2], each[1::2] = -slope, slope
        measured = Measured(float(loss.sum()), int((margin > 0).sum()), len(part))
        return measured, each[run.scores.owner]

    def _base(self, item: Item) -> float:
        """How much the model favoured the better answer before; each pair alone: always the same."""
        if id(item) not in self._reference:
            run = Pass(self._model, self._before, pack(item), learn=False)
            better, other = np.bincount(run.scores.owner, run.scores.logp, minlength=2)
            self._reference[id(item)] = float(better - other)
        return self._reference[id(item)]


def rate(step: int, total: int, peak: float) -> float:
    """Learning rate of step 0 … total - 1: a linear rise, then a linear fall to nearly zero."""
    warmup = min(WARMUP, max(1, total // 10))
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (total - step) / (total - warmup)


def order(seed: int, epoch: int, count: int) -> list[int]:
    """The examples of an epoch in their shuffled order: a function of the seed alone."""
    shuffled: list[int] = np.random.default_rng([seed, 1, epoch]).permutation(count).tolist()
    return shuffled


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Runs of `items` that lay out at most MICRO_TOKENS rows each (a longer item goes alone)."""
    part: list[Item] = []
    for item in items:
        if (
            part
            and rows(pack([tokens for each in (*part, item) for tokens in each])) > MICRO_TOKENS
        ):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _like(model: Model, adapter: lora.Adapter) -> lora.Adapter:
    return lora.empty(model.config, adapter.rank, adapter.scale * adapter.rank, adapter.flat.dtype)
