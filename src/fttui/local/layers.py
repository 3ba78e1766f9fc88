"""The model's arithmetic and its derivatives, one function each. Rows are tokens: x is [T, width].

RMSNorm: arXiv:1910.07467. Rotary positions, rotate-half form: arXiv:2104.09864. Gated SiLU:
arXiv:2002.05202. Grouped queries: arXiv:2305.13245. Every `…_back` is checked against finite
differences in the tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fttui.local.lora import Adapter, Pair

Array = NDArray[Any]


def norm(x: Array, gain: Array, epsilon: float) -> tuple[Array, Array]:
    """RMSNorm; returns the result and 1/rms [T, 1] for the way back."""
    inverse = 1 / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + epsilon)
    inverse = inverse.astype(x.dtype, copy=False)
    return x * inverse * gain, inverse


def norm_back(dy: Array, x: Array, inverse: Array, gain: Array) -> Array:
    dn = dy * gain
    along = np.einsum("ij,ij->i", dn, x)[:, None] / x.shape[1]
    dn -= x * (along * inverse * inverse)
    dn *= inverse
    return dn


def linear(x: Array, weight: Array, adapter: Adapter | None, pair: Pair | None) -> Array:
    """x Wᵀ, plus the adapter's low-rank part."""
    y = x @ weight.T
    if adapter is not None and pair is not None:
        hidden = x @ pair.a.T
        hidden *= adapter.scale
        for low, high, at in pair.cuts:
            y[:, low:high] += hidden[:, at : at + adapter.rank] @ pair.b[low:high].T
    return y


def linear_back(
    dy: Array, x: Array, weight: Array, adapter: Adapter, pair: Pair, grad: Pair
) -> Array:
    """Gradient of the input; the adapter's own is added to `grad`. The weight itself is frozen."""
    rank = adapter.rank
    hidden = x @ pair.a.T
    dhidden = np.empty_like(hidden)
    for low, high, at in pair.cuts:
        part = dy[:, low:high]
        dhidden[:, at : at + rank] = part @ pair.b[low:high]
        grad.b[low:high] += (part.T @ hidden[:, at : at + rank]) * adapter.scale
    dhidden *= adapter.scale
    grad.a += dhidden.T @ x
    dx = dy @ weight
    dx += dhidden @ pair.a
    return dx


def angles(frequencies: Array, start: int, count: int, dtype: Any) -> tuple[Array, Array]:
    """cos and sin [count, 1, head / 2] of positions start … start + count - 1."""
    turns = np.arange(start, start + count)[:, None] * frequencies
    return np.cos(turns)[:, None].astype(dtype), np.sin(turns)[:, None].astype(dtype)


def rotate(x: Array, cos: Array, sin: Array, *, back: bool = False) -> None:
    """Rotate x [T, heads, head] in place; `back` turns the other way, which is the derivative."""
    half = x.shape[-1] // 2
    low, high = x[..., :half], x[..., half:]
    if back:
        sin = -sin
    turned = low * cos
    turned -= high * sin
    high *= cos
    high += low * sin
    low[...] = turned


def silu_gate(gate_up: Array) -> tuple[Array, Array]:
    """silu(gate) · up of [T, 2·inner], and sigmoid(gate) for the way back."""
    inner = gate_up.shape[1] // 2
    share = _sigmoid(gate_up[:, :inner])
    out = share * gate_up[:, :inner]
    out *= gate_up[:, inner:]
    return out, share


def silu_gate_back(dy: Array, gate_up: Array, share: Array) -> Array:
    """Gradient of `gate_up`; `share` is used up."""
    inner = gate_up.shape[1] // 2
    gate, up = gate_up[:, :inner], gate_up[:, inner:]
    silu = gate * share
    out = np.empty_like(gate_up)
    np.multiply(dy, silu, out=out[:, inner:])
    slope = 1 - silu  # silu' = s + silu (1 - s) = s (1 - silu) + silu
    slope *= share
    slope += silu
    slope *= up
    np.multiply(slope, dy, out=out[:, :inner])
    return out


def _sigmoid(x: Array) -> Array:
    out = np.negative(x)
    np.clip(out, -80, 80, out=out)  # exp must not overflow float32
    np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)
    return out


def causal(queries: int, keys: int, dtype: Any) -> Array:
    """0 where a query may look, -inf behind it; the last query sees every key. [queries, keys]."""
    rows = np.arange(keys - queries, keys)[:, None]
    return np.where(np.arange(keys) <= rows, 0, -np.inf).astype(dtype)


def softmax(scores: Array) -> None:
    """In place, over the last axis."""
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)


def attend(q: Array, k: Array, v: Array, mask: Array | None) -> tuple[Array, Array]:
    """Attention of grouped queries.

    q [kv heads, group, T, head]; k, v [kv heads, S, head]. Returns the result in q's shape and the
    probabilities [kv heads, group, T, S].
    """
    heads, group, count, head = q.shape
    scores = q.reshape(heads, group * count, head) @ k.transpose(0, 2, 1)
    scores *= head**-0.5
    scores = scores.reshape(heads, group, count, -1)
    if mask is not None:
        scores += mask
    softmax(scores)
    out = scores.reshape(heads, group * count, -1) @ v
    return out.reshape(q.shape), scores


def attend_back(
    dout: Array, q: Array, k: Array, v: Array, shares: Array
) -> tuple[Array, Array, Array]:
    """Gradients of q, k, v from that of the result; `shares` are the probabilities."""
    heads, group, count, head = q.shape
    rows = (heads, group * count, -1)
    dout, flat = dout.reshape(rows), shares.reshape(rows)
    dv = flat.transpose(0, 2, 1) @ dout
    dscores = dout @ v.transpose(0, 2, 1)
    dscores -= np.einsum("hij,hij->hi", dscores, flat)[..., None]
    dscores *= flat
    dscores *= head**-0.5
    dq = dscores @ k
    dk = dscores.transpose(0, 2, 1) @ q.reshape(rows)
    return dq.reshape(q.shape), dk, dv
