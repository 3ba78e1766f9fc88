"""Training's forward and backward pass over several conversations at once.

The tokens of a batch are laid end to end, [T, width], so nothing is padded; attention alone works
conversation by conversation. What all of them begin with (a system prompt, most often) is there
once: with causal attention its values are the same in each. Only positions whose next token is
learned reach the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fttui.local import layers as math
from fttui.local.lora import Adapter

if TYPE_CHECKING:
    from fttui.local.engine import Model

Array = NDArray[Any]

HEAD_ROWS = 128  # rows of logits at a time: 49,152 numbers each
KEEP_TOKENS = 768  # a larger batch keeps each layer's input only and computes the rest again
LEAST_SHARED = 8  # a shorter common beginning is not worth a part of its own


@dataclass(frozen=True)
class Sequences:
    """Conversations: ids, and which ids are learned, both of equal length per conversation."""

    ids: list[Array]
    learned: list[Array]


@dataclass(frozen=True)
class _Part:
    """Rows `low` to `high` of the batch, which continue the first `before` rows."""

    low: int
    high: int
    before: int

    @property
    def size(self) -> int:
        return self.high - self.low


@dataclass
class Scores:
    """Of every learned token: log-probability, whether it was the likeliest, whose conversation."""

    logp: Array
    hits: Array
    owner: Array


@dataclass
class _Kept:
    """What one layer's way back needs; None where it is computed again."""

    x: Array
    qkv: Array | None = None
    shares: list[Array] | None = None
    attended: Array | None = None
    middle: Array | None = None
    gate_up: Array | None = None


class Pass:
    """One batch through the model: `.scores` at once, `.backward(coefficients)` if it is to learn."""

    def __init__(
        self, model: Model, adapter: Adapter | None, batch: Sequences, *, learn: bool
    ) -> None:
        self._model = model
        self._adapter = adapter
        self._shared = shared(batch)
        self._lay_out(batch)
        self._keep = learn and self._count <= KEEP_TOKENS
        own = [ids[self._shared :] for ids in batch.ids]
        x = model.weights.embedding[np.concatenate([batch.ids[0][: self._shared], *own])]
        self._kept: list[_Kept] = []
        for i in range(model.config.layers):
            kept = _Kept(x)
            x = self._forward(i, kept)
            if learn:
                if not self._keep:
                    kept = _Kept(kept.x)
                self._kept.append(kept)
        self._last = x
        self._read(batch, learn)

    def _lay_out(self, batch: Sequences) -> None:
        """Where each conversation's own rows are, and the rotation of every row."""
        shared, low = self._shared, self._shared
        self._parts = [_Part(0, shared, 0)] if shared else []
        self._own = []
        for ids in batch.ids:
            self._own.append(_Part(low, low + len(ids) - shared, shared))
            low += len(ids) - shared
        self._parts += self._own
        self._count = low
        longest = max(len(ids) for ids in batch.ids)
        dtype = self._model.dtype
        cos, sin = math.angles(self._model.weights.frequencies, 0, longest, dtype)
        self._mask = math.causal(longest, longest, dtype)
        spans = [slice(part.before, part.before + part.size) for part in self._parts]
        self._cos = np.concatenate([cos[span] for span in spans])
        self._sin = np.concatenate([sin[span] for span in spans])

    # -- one layer

    def _pair(self, i: int, name: str) -> Any:
        return self._adapter.pairs[i][name] if self._adapter else None

    def _linear(self, i: int, name: str, x: Array) -> Array:
        weight = getattr(self._model.weights.layers[i], name)
        return math.linear(x, weight, self._adapter, self._pair(i, name))

    def _forward(self, i: int, kept: _Kept) -> Array:
        """Layer `i` on kept.x; fills `kept`."""
        config, layer = self._model.config, self._model.weights.layers[i]
        h, _ = math.norm(kept.x, layer.attention_norm, config.epsilon)
        kept.qkv = self._linear(i, "qkv", h)
        queries = config.heads * config.head
        split = kept.qkv.reshape(len(h), -1, config.head)
        math.rotate(split[:, : config.heads + config.kv_heads], self._cos, self._sin)
        kept.attended = np.empty((len(h), queries), h.dtype)
        kept.shares = []
        for part in self._parts:
            q, k, v = self._heads(kept.qkv, part)
            seen = part.before + part.size
            out, shares = math.attend(q, k, v, self._mask[part.before : seen, :seen])
            kept.attended[part.low : part.high] = out.transpose(2, 0, 1, 3).reshape(-1, queries)
            kept.shares.append(shares)
        kept.middle = kept.x + self._linear(i, "o", kept.attended)
        h, _ = math.norm(kept.middle, layer.mlp_norm, config.epsilon)
        kept.gate_up = self._linear(i, "gate_up", h)
        return kept.middle + self._linear(i, "down", math.silu_gate(kept.gate_up)[0])

    def _heads(self, qkv: Array, part: _Part) -> tuple[Array, Array, Array]:
        """q [kv, group, T, head] of a part; k, v [kv, before + T, head] of all it looks at."""
        config = self._model.config
        split = qkv.reshape(len(qkv), -1, config.head)
        own = split[part.low : part.high]
        seen = np.concatenate([split[: part.before], own]) if part.before else own
        group = config.heads // config.kv_heads
        keys = config.heads + config.kv_heads
        q = own[:, : config.heads].reshape(part.size, config.kv_heads, group, config.head)
        return (
            np.ascontiguousarray(q.transpose(1, 2, 0, 3)),
            np.ascontiguousarray(seen[:, config.heads : keys].transpose(1, 0, 2)),
            np.ascontiguousarray(seen[:, keys:].transpose(1, 0, 2)),
        )

    # -- the vocabulary

    def _read(self, batch: Sequences, learn: bool) -> None:
        """Score every learned token; for learning, also d logp / d hidden of each."""
        model = self._model
        rows, targets, owner = [], [], []
        for i, (ids, learned) in enumerate(zip(batch.ids, batch.learned, strict=True)):
            at = np.flatnonzero(learned[1:])
            rows.append(self._own[i].low + at - self._shared)
            targets.append(ids[1:][at])
            owner.append(np.full(len(at), i))
        self._rows, target = np.concatenate(rows), np.concatenate(targets)
        self._read_x = self._last[self._rows]
        h, self._inverse = math.norm(self._read_x, model.weights.norm, model.config.epsilon)
        logp = np.empty(len(h), model.dtype)
        hits = np.empty(len(h), bool)
        self._unit = np.empty_like(h) if learn else None
        for low in range(0, len(h), HEAD_ROWS):
            part = slice(low, min(len(h), low + HEAD_ROWS))
            here = np.arange(part.stop - low)
            logits = h[part] @ model.weights.head.T
            hits[part] = logits.argmax(1) == target[part]
            logits -= logits.max(1, keepdims=True)
            chosen = logits[here, target[part]]
            np.exp(logits, out=logits)
            total = logits.sum(1)
            logp[part] = chosen - np.log(total)
            if self._unit is not None:
                logits /= -total[:, None]
                logits[here, target[part]] += 1
                self._unit[part] = logits @ model.weights.head
        self.scores = Scores(logp, hits, np.concatenate(owner))
        del self._last

    # -- the way back

    def backward(self, coefficients: Array, grad: Adapter) -> None:
        """Add the gradient of Σ coefficient · logp to `grad`. Can be called once."""
        assert self._adapter is not None
        assert self._unit is not None
        model = self._model
        dh = self._unit * coefficients.astype(model.dtype)[:, None]
        dx = np.zeros((self._count, model.config.width), model.dtype)
        dx[self._rows] = math.norm_back(dh, self._read_x, self._inverse, model.weights.norm)
        for i in range(model.config.layers - 1, -1, -1):
            kept = self._kept.pop()
            if kept.qkv is None:
                self._forward(i, kept)
            dx = self._layer_back(i, kept, dx, grad)

    def _layer_back(self, i: int, kept: _Kept, dx: Array, grad: Adapter) -> Array:
        config, layer, adapter = self._model.config, self._model.weights.layers[i], self._adapter
        assert adapter is not None
        assert kept.middle is not None
        assert kept.gate_up is not None
        assert kept.attended is not None

        def back(name: str, dy: Array, x: Array) -> Array:
            weight = getattr(layer, name)
            pair = adapter.pairs[i][name]
            return math.linear_back(dy, x, weight, adapter, pair, grad.pairs[i][name])

        h, inverse = math.norm(kept.middle, layer.mlp_norm, config.epsilon)
        gated, share = math.silu_gate(kept.gate_up)
        dgated = back("down", dx, gated)
        dh = back("gate_up", math.silu_gate_back(dgated, kept.gate_up, share), h)
        dx += math.norm_back(dh, kept.middle, inverse, layer.mlp_norm)
        dattended = back("o", dx, kept.attended)
        dqkv = self._attention_back(kept, dattended)
        h, inverse = math.norm(kept.x, layer.attention_norm, config.epsilon)
        dh = back("qkv", dqkv, h)
        dx += math.norm_back(dh, kept.x, inverse, layer.attention_norm)
        return dx

    def _attention_back(self, kept: _Kept, dattended: Array) -> Array:
        config = self._model.config
        assert kept.qkv is not None
        assert kept.shares is not None
        group = config.heads // config.kv_heads
        dqkv = np.empty_like(kept.qkv)
        split = dqkv.reshape(len(dqkv), -1, config.head)
        keys = config.heads + config.kv_heads
        for part, shares in zip(self._parts, kept.shares, strict=True):
            q, k, v = self._heads(kept.qkv, part)
            rows = slice(part.low, part.high)
            dout = dattended[rows].reshape(-1, config.kv_heads, group, config.head)
            dq, dk, dv = math.attend_back(
                np.ascontiguousarray(dout.transpose(1, 2, 0, 3)), q, k, v, shares
            )
            split[rows, : config.heads] = dq.transpose(2, 0, 1, 3).reshape(
                part.size, -1, config.head
            )
            dk, dv = dk.transpose(1, 0, 2), dv.transpose(1, 0, 2)
            split[rows, config.heads : keys] = dk[part.before :]
            split[rows, keys:] = dv[part.before :]
            split[: part.before, config.heads : keys] += dk[: part.before]
            split[: part.before, keys:] += dv[: part.before]
        turned = split[:, : config.heads + config.kv_heads]
        math.rotate(turned, self._cos, self._sin, back=True)
        return dqkv


def shared(batch: Sequences) -> int:
    """How many tokens every conversation begins with alike, short of the first that is learned."""
    if len(batch.ids) < 2:
        return 0
    room = min(
        min(len(ids), *(np.flatnonzero(learned)[:1])) - 1
        for ids, learned in zip(batch.ids, batch.learned, strict=True)
    )
    first = batch.ids[0][: max(0, room)]
    for ids in batch.ids[1:]:
        differ = np.flatnonzero(first != ids[: len(first)])
        first = first[: differ[0]] if len(differ) else first
    return len(first) if len(first) >= LEAST_SHARED else 0


def rows(batch: Sequences) -> int:
    """How many rows a batch takes."""
    common = shared(batch)
    return common + sum(len(ids) - common for ids in batch.ids)


def pack(examples: Sequence[tuple[Sequence[int], Sequence[bool]]]) -> Sequences:
    return Sequences(
        [np.asarray(ids, np.int64) for ids, _ in examples],
        [np.asarray(learned, bool) for _, learned in examples],
    )
