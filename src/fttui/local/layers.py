"""The model's arithmetic and its derivatives, one function each. Rows are tokens: x is [T, width].

RMSNorm: arXiv:1910.07467. Rotary positions, rotate-half form: arXiv:2104.09864. Gated SiLU:
arXiv:2002.05202. Grouped queries: arXiv:2305.13245. Every `…_back` is checked against finite
differences in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fttui.local.lora import Adapter, Pair

Array = NDArray[Any]

BUFFER = 512  # numbers, below any row's width


@contextmanager
def arithmetic() -> Iterator[None]:
    """NumPy's settings for everything here; to be put around a whole pass.

    Before it works on rows that do not touch, as halves of a matrix, NumPy gathers them in a buffer
    if they fit: with these rows that takes as long as the work. The sigmoid of a large negative
    number overflows on its way to 0.
    """
    with np.errstate(over="ignore"):  # leaving it puts the buffer back as well
        np.setbufsize(BUFFER)
        yield


def norm(x: Array, gain: Array, epsilon: float) -> tuple[Array, Array]:
    """RMSNorm; returns the result and 1/rms [T, 1] for the way back."""
    inverse = 1 / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + epsilon)
    inverse = inverse.astype(x.dtype, copy=False)
    return normed(x, inverse, gain), inverse


def normed(x: Array, inverse: Array, gain: Array) -> Array:
    """The result of `norm` once more, from the 1/rms it gave."""
    out = x * inverse
    out *= gain
    return out


def norm_back(dy: Array, x: Array, inverse: Array, gain: Array) -> Array:
    dn = dy * gain
    along = np.einsum("ij,ij->i", dn, x)[:, None] / x.shape[1]
    dn -= x * (along * inverse * inverse)
    dn *= inverse
    return dn


def linear(
    x: Array, weight: Array, adapter: Adapter | None, pair: Pair | None, out: Array | None = None
) -> tuple[Array, Array | None]:
    """x W plus the adapter's low-rank part; and scale · A x [T, k·r] for the way back."""
    y = np.matmul(x, weight, out=out)
    if adapter is None or pair is None:
        return y, None
    hidden = squeezed(x, adapter, pair)
    wide = _wide(pair.b, len(x))
    for low, high, at in pair.cuts:
        y[:, low:high] += hidden[:, at : at + adapter.rank] @ wide[:, low:high]
    return y, hidden


def squeezed(x: Array, adapter: Adapter, pair: Pair) -> Array:
    """scale · A x [T, k·r]: all the adapter knows of its input."""
    hidden = x @ pair.a.T
    hidden *= adapter.scale
    return hidden


def _wide(b: Array, rows: int) -> Array:
    """Bᵀ, copied where it is multiplied with many rows: products with long rows are faster."""
    return np.ascontiguousarray(b.T) if rows > 1 else b.T


def linear_back(
    dy: Array, x: Array, hidden: Array, weight: Array, adapter: Adapter, pair: Pair, grad: Pair
) -> Array:
    """Gradient of the input; the adapter's own is added to `grad`. The weight itself is frozen."""
    rank = adapter.rank
    wide = np.ascontiguousarray(pair.b.T)
    dhidden = np.empty_like(hidden)
    for low, high, at in pair.cuts:
        part = dy[:, low:high]
        np.matmul(part, wide[:, low:high].T, out=dhidden[:, at : at + rank])
        grad.b[low:high] += (hidden[:, at : at + rank].T @ part).T
    dhidden *= adapter.scale
    grad.a += dhidden.T @ x
    dx = dy @ weight.T
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


def silu_gate(gate_up: Array, share: Array | None = None) -> tuple[Array, Array]:
    """silu(gate) · up of [T, 2·inner], and sigmoid(gate) for the way back (in `share` if given)."""
    share = np.negative(gate_up[:, : gate_up.shape[1] // 2], out=share)
    np.exp(share, out=share)
    share += 1
    np.reciprocal(share, out=share)
    return gated(gate_up, share), share


def gated(gate_up: Array, share: Array) -> Array:
    """The result of `silu_gate` once more, from the sigmoid it gave."""
    inner = gate_up.shape[1] // 2
    out = share * gate_up[:, :inner]
    out *= gate_up[:, inner:]
    return out


def silu_gate_back(dy: Array, gate_up: Array, share: Array, gated: Array) -> Array:
    """Gradient of `gate_up`, from what `silu_gate` gave."""
    inner = gate_up.shape[1] // 2
    gate, up = gate_up[:, :inner], gate_up[:, inner:]
    out = np.empty_like(gate_up)
    dgate, dup = out[:, :inner], out[:, inner:]
    np.multiply(gate, share, out=dup)
    dup *= dy
    np.subtract(up, gated, out=dgate)  # silu' up = (s + silu (1 - s)) up = s (up - gated) + gated
    dgate *= share
    dgate += gated
    dgate *= dy
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


def attend(
    q: Array, k: Array, v: Array, mask: Array | None, shares: Array | None = None
) -> tuple[Array, Array]:
    """Attention of grouped queries.

    q [kv heads, group, T, head]; k, v [kv heads, S, head]. Returns the result in q's shape and the
    probabilities [kv heads, group, T, S] (in `shares` if given).
    """
    heads, group, count, head = q.shape
    into = None if shares is None else shares.reshape(heads, group * count, -1)
    scores = np.matmul(q.reshape(heads, group * count, head), k.transpose(0, 2, 1), out=into)
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
