"""Training's forward and backward pass over several conversations at once.

The tokens of a batch are laid end to end, [T, width], so nothing is padded; attention alone works
conversation by conversation. What all of them begin with (a system prompt, most often) is there
once: with causal attention its values are the same in each. Nothing is read behind the last token
that is learned, and only positions whose next token is learned go on behind the last attention.
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

FILL = 4  # rows come in fours: a matrix product takes as long for one more as for four
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


class Room:
    """Memory that passes work in, one after the other.

    What a pass keeps is a hundred megabytes. Taken anew each time, the system clears every page of
    it first: a twentieth of the whole step.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, str], Array] = {}

    def take(self, layer: int, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """An array with anything in it: the same memory each time for the same layer and name."""
        size = int(np.prod(shape))
        held = self._held.get((layer, name))
        if held is None or held.size < size or held.dtype != dtype:
            held = self._held[layer, name] = np.empty(size, dtype)
        return held[:size].reshape(shape)


@dataclass
class _Kept:
    """What one layer's way back needs of the way there."""

    x: Array
    inverse: Array  # 1/rms of x
    qkv: Array
    shares: list[Array]
    attended: Array
    middle: Array  # between the layer's halves
    inverse_mlp: Array  # 1/rms of middle
    gate_up: Array
    sigmoid: Array
    hidden: dict[str, Array | None]  # of each adapter pair


class Pass:
    """One batch through the model: `.scores` at once, `.backward(coefficients)` if it is to learn.

    With a `room` that others use, a pass must be done with before the next begins.
    """

    @math.arithmetic()
    def __init__(
        self,
        model: Model,
        adapter: Adapter | None,
        batch: Sequences,
        *,
        learn: bool,
        room: Room | None = None,
    ) -> None:
        self._model = model
        self._adapter = adapter
        self._room = room or Room()
        x = model.weights.embedding[self._lay_out(batch)]
        self._keep = learn and len(x) <= KEEP_TOKENS
        self._kept: list[_Kept | Array] = []
        for i in range(model.config.layers):
            gated, kept = self._inside(i, x)
            if learn:
                self._kept.append(kept if self._keep else x)
            x, kept.hidden["down"] = self._linear(i, "down", gated)
            x += kept.middle
        self._read(x, learn)

    def _lay_out(self, batch: Sequences) -> Array:
        """Which rows there are, where they stand, which are learned from; returns their ids."""
        common = shared(batch)
        ends = _ends(batch, common)
        own = [ids[common:end] for ids, end in zip(batch.ids, ends, strict=True)]
        fill = -(common + sum(map(len, own))) % FILL
        own[-1] = np.append(own[-1], np.zeros(fill, np.int64))  # the last: nothing looks at them
        self._parts = [_Part(0, common, 0)] if common else []
        low, rows, targets, owner = common, [], [], []
        for i, (ids, learned) in enumerate(zip(batch.ids, batch.learned, strict=True)):
            at = np.flatnonzero(learned[1:])
            rows.append(low + at - common)
            targets.append(ids[1:][at])
            owner.append(np.full(len(at), i))
            self._parts.append(_Part(low, low + len(own[i]), common))
            low += len(own[i])
        self._rows, self._target = np.concatenate(rows), np.concatenate(targets)
        self._owner = np.concatenate(owner)
        self._turn()
        return np.concatenate([batch.ids[0][:common], *own])

    def _turn(self) -> None:
        """The rotation of every row, and what each may look at."""
        longest = max(part.before + part.size for part in self._parts)
        dtype = self._model.dtype
        cos, sin = math.angles(self._model.weights.frequencies, 0, longest, dtype)
        self._mask = math.causal(longest, longest, dtype)
        spans = [slice(part.before, part.before + part.size) for part in self._parts]
        self._cos = np.concatenate([cos[span] for span in spans])
        self._sin = np.concatenate([sin[span] for span in spans])

    def _take(self, i: int, name: str, *shape: int) -> Array:
        if self._keep:
            return self._room.take(i, name, shape, self._model.dtype)
        return np.empty(shape, self._model.dtype)

    # -- one layer

    def _linear(self, i: int, name: str, x: Array) -> tuple[Array, Array | None]:
        weight = getattr(self._model.weights.layers[i], name)
        pair = self._adapter.pairs[i][name] if self._adapter else None
        out = self._take(i, name, len(x), weight.shape[1])
        return math.linear(x, weight, self._adapter, pair, out)

    def _inside(self, i: int, x: Array) -> tuple[Array, _Kept]:
        """Layer `i` on x: what its last matrix reads, and what the way back needs."""
        config, layer = self._model.config, self._model.weights.layers[i]
        hidden: dict[str, Array | None] = {}
        h, inverse = math.norm(x, layer.attention_norm, config.epsilon)
        qkv, hidden["qkv"] = self._linear(i, "qkv", h)
        attended, shares = self._attention(i, qkv)
        on: Any = self._rows if self._is_last(i) else slice(None)
        attended = attended[on]
        middle, hidden["o"] = self._linear(i, "o", attended)
        middle += x[on]
        h, inverse_mlp = math.norm(middle, layer.mlp_norm, config.epsilon)
        gate_up, hidden["gate_up"] = self._linear(i, "gate_up", h)
        sigmoid = self._take(i, "sigmoid", len(h), config.inner)
        gated, _ = math.silu_gate(gate_up, sigmoid)
        return gated, _Kept(
            x, inverse, qkv, shares, attended, middle, inverse_mlp, gate_up, sigmoid, hidden
        )

    def _is_last(self, i: int) -> bool:
        """Behind the last attention, only the rows that are learned from go on."""
        return i == self._model.config.layers - 1

    def _attention(self, i: int, qkv: Array) -> tuple[Array, list[Array]]:
        """The result [T, width] and each part's probabilities; turns the q and k of `qkv` in place."""
        config = self._model.config
        split = qkv.reshape(len(qkv), -1, config.head)
        math.rotate(split[:, : config.heads + config.kv_heads], self._cos, self._sin)
        group, queries = config.heads // config.kv_heads, config.heads * config.head
        attended = self._take(i, "attended", len(qkv), queries)
        shares = []
        for n, part in enumerate(self._parts):
            q, k, v = self._heads(qkv, part)
            seen = part.before + part.size
            room = self._take(i, f"shares {n}", config.kv_heads, group, part.size, seen)
            out, _ = math.attend(q, k, v, self._mask[part.before : seen, :seen], room)
            rows = attended[part.low : part.high].reshape(-1, config.kv_heads, group, config.head)
            rows[...] = out.transpose(2, 0, 1, 3)
            shares.append(room)
        return attended, shares

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

    def _read(self, x: Array, learn: bool) -> None:
        """Score every learned token; for learning, also d logp / d hidden of each."""
        model, target = self._model, self._target
        self._last = x
        h, self._inverse = math.norm(x, model.weights.norm, model.config.epsilon)
        logp = np.empty(len(h), model.dtype)
        hits = np.empty(len(h), bool)
        self._unit = np.empty_like(h) if learn else None
        for low in range(0, len(h), HEAD_ROWS):
            part = slice(low, min(len(h), low + HEAD_ROWS))
            here = np.arange(part.stop - low)
            logits = h[part] @ model.weights.head.T
            likeliest = logits.argmax(1)
            hits[part] = likeliest == target[part]
            logits -= logits[here, likeliest][:, None]
            chosen = logits[here, target[part]]
            np.exp(logits, out=logits)
            total = logits.sum(1)
            logp[part] = chosen - np.log(total)
            if self._unit is not None:
                expected = logits @ model.weights.head / total[:, None]
                self._unit[part] = model.weights.head[target[part]] - expected
        self.scores = Scores(logp, hits, self._owner)

    # -- the way back

    @math.arithmetic()
    def backward(self, coefficients: Array, grad: Adapter) -> None:
        """Add the gradient of Σ coefficient · logp to `grad`. Can be called once."""
        assert self._unit is not None
        model = self._model
        dh = self._unit * coefficients.astype(model.dtype)[:, None]
        dx = math.norm_back(dh, self._last, self._inverse, model.weights.norm)
        for i in range(model.config.layers - 1, -1, -1):
            kept = self._kept.pop()
            if not isinstance(kept, _Kept):
                kept = self._again(i, kept)
            dx = self._layer_back(i, kept, dx, grad)

    def _again(self, i: int, x: Array) -> _Kept:
        """What layer `i` would have kept."""
        assert self._adapter is not None
        gated, kept = self._inside(i, x)
        kept.hidden["down"] = math.squeezed(gated, self._adapter, self._adapter.pairs[i]["down"])
        return kept

    def _layer_back(self, i: int, kept: _Kept, dx: Array, grad: Adapter) -> Array:
        layer, adapter = self._model.weights.layers[i], self._adapter
        assert adapter is not None

        def back(name: str, dy: Array, x: Array) -> Array:
            weight, hidden = getattr(layer, name), kept.hidden[name]
            assert hidden is not None
            pair, into = adapter.pairs[i][name], grad.pairs[i][name]
            return math.linear_back(dy, x, hidden, weight, adapter, pair, into)

        gated = math.gated(kept.gate_up, kept.sigmoid)
        dgated = back("down", dx, gated)
        dgate_up = math.silu_gate_back(dgated, kept.gate_up, kept.sigmoid, gated)
        dh = back("gate_up", dgate_up, math.normed(kept.middle, kept.inverse_mlp, layer.mlp_norm))
        dx += math.norm_back(dh, kept.middle, kept.inverse_mlp, layer.mlp_norm)
        dattended = back("o", dx, kept.attended)
        if self._is_last(i):
            dx, dattended = self._spread(dx), self._spread(dattended)
        dqkv = self._attention_back(kept, dattended)
        dh = back("qkv", dqkv, math.normed(kept.x, kept.inverse, layer.attention_norm))
        dx += math.norm_back(dh, kept.x, kept.inverse, layer.attention_norm)
        return dx

    def _spread(self, few: Array) -> Array:
        """The gradient of all rows from that of those learned from."""
        out = np.zeros((len(self._cos), few.shape[1]), few.dtype)
        out[self._rows] = few
        return out

    def _attention_back(self, kept: _Kept, dattended: Array) -> Array:
        config = self._model.config
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
            queries = split[rows, : config.heads].reshape(dout.shape)
            queries[...] = dq.transpose(2, 0, 1, 3)
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
    return common + sum(end - common for end in _ends(batch, common))


def _ends(batch: Sequences, common: int) -> list[int]:
    """How many tokens of each conversation are read: none behind the last whose next is learned."""
    return [max((common + 1, *np.flatnonzero(learned)[-1:])) for learned in batch.learned]


def pack(examples: Sequence[tuple[Sequence[int], Sequence[bool]]]) -> Sequences:
    return Sequences(
        [np.asarray(ids, np.int64) for ids, _ in examples],
        [np.asarray(learned, bool) for _, learned in examples],
    )
