"""Low-rank adapters (LoRA, arXiv:2106.09685): their layout, their start, their files.

The base weights never change: each linear layer adds `scale · B (A x)`. Layers that read the same
input (q, k, v; gate, up) are one matrix in the engine, so their A matrices are stacked as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.local.weights import Config

Array = NDArray[Any]
FILE = "adapter.npz"


@dataclass(frozen=True)
class Group:
    """Linear layers on one input. `names` and `outs` go together; `fan_in` is the input's width."""

    name: str
    fan_in: int
    names: tuple[str, ...]
    outs: tuple[int, ...]


def groups(config: Config) -> tuple[Group, ...]:
    width, inner = config.width, config.inner
    queries, keys = config.heads * config.head, config.kv_heads * config.head
    return (
        Group("qkv", width, ("q_proj", "k_proj", "v_proj"), (queries, keys, keys)),
        Group("o", queries, ("o_proj",), (width,)),
        Group("gate_up", width, ("gate_proj", "up_proj"), (inner, inner)),
        Group("down", inner, ("down_proj",), (width,)),
    )


@dataclass
class Pair:
    """The adapter of one group: a [k·r, in] stacks the k A matrices, b [out, r] the B matrices."""

    a: Array
    b: Array
    cuts: tuple[tuple[int, int, int], ...]  # for each layer: first output, last output, first rank


@dataclass
class Adapter:
    """All pairs, as views into one flat vector (what the optimizer sees).

    pairs[layer][group name]; `scale` = alpha / rank.
    """

    flat: Array
    rank: int
    scale: float
    pairs: list[dict[str, Pair]]
    names: list[str] = field(default_factory=list)


def _shapes(
    config: Config, rank: int
) -> Iterator[tuple[int, Group, tuple[int, int], tuple[int, int]]]:
    for layer in range(config.layers):
        for group in groups(config):
            a = (rank * len(group.names), group.fan_in)
            yield layer, group, a, (sum(group.outs), rank)


def size(config: Config, rank: int) -> int:
    """Trained parameters."""
    return sum(a[0] * a[1] + b[0] * b[1] for _, _, a, b in _shapes(config, rank))


def empty(config: Config, rank: int, alpha: float, dtype: Any = np.float32) -> Adapter:
    """An adapter of zeros (also the shape of its gradient)."""
    flat = np.zeros(size(config, rank), dtype)
    pairs: list[dict[str, Pair]] = [{} for _ in range(config.layers)]
    at = 0
    for layer, group, a, b in _shapes(config, rank):
        middle = at + a[0] * a[1]
        end = middle + b[0] * b[1]
        cuts, low = [], 0
        for i, out in enumerate(group.outs):
            cuts.append((low, low + out, i * rank))
            low += out
        pairs[layer][group.name] = Pair(
            flat[at:middle].reshape(a), flat[middle:end].reshape(b), tuple(cuts)
        )
        at = end
    return Adapter(flat, rank, alpha / rank, pairs)


def fresh(config: Config, rank: int, alpha: float, seed: int, dtype: Any = np.float32) -> Adapter:
    """A new adapter: A uniform as PEFT starts it (Kaiming, a = √5 → ±1/√in), B zero: no effect yet."""
    adapter = empty(config, rank, alpha, dtype)
    random = np.random.default_rng([seed, 0])
    for pairs in adapter.pairs:
        for pair in pairs.values():
            bound = pair.a.shape[1] ** -0.5
            pair.a[...] = random.uniform(-bound, bound, pair.a.shape)
    return adapter


def save(adapter: Adapter, folder: Path) -> None:
    """Write FILE into `folder`: the flat vector in half precision and what it takes to unfold it."""
    about = json.dumps({"rank": adapter.rank, "alpha": adapter.scale * adapter.rank})
    with (folder / FILE).open("wb") as file:
        np.savez(file, weights=adapter.flat.astype(np.float16), about=np.array(about))
        file.flush()
        os.fsync(file.fileno())


def load(folder: Path, config: Config, dtype: Any = np.float32) -> Adapter:
    """The adapter in `folder`; Problem where it is missing, damaged or made for another base."""
    path = Path(folder) / FILE
    remedy = "choose another checkpoint, or train again"
    try:
        with np.load(path, allow_pickle=False) as data:
            weights = data["weights"]
            about = json.loads(str(data["about"]))
        adapter = empty(config, int(about["rank"]), float(about["alpha"]), dtype)
    except FileNotFoundError as error:
        why = "the file is not there"
        raise Problem(f"no adapter at {path}", why, remedy, code="adapter_missing") from error
    except Exception as error:  # a torn zip raises half a dozen kinds
        raise Problem(
            f"the adapter {path} cannot be read", str(error), remedy, code="adapter_unreadable"
        ) from error
    if weights.shape != adapter.flat.shape:
        why = f"it holds {weights.size:,} numbers; this base model takes {adapter.flat.size:,}"
        raise Problem(
            f"the adapter {path} does not fit", why, "use the base model it was trained on",
            code="adapter_mismatch",
        )  # fmt: skip
    adapter.flat[:] = weights
    return adapter
