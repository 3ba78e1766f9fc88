"""A llama-architecture model's shape and weights, out of a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fttui.local.gguf import GGUF, broken

Array = NDArray[Any]


@dataclass(frozen=True)
class Config:
    """Sizes: `width` of the stream, `inner` of the feed-forward layer, `head` of one attention head."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    rope_base: float


@dataclass(frozen=True)
class Layer:
    """One block. Matrices are [in, out]; those on one input are one matrix.

    The file has them the other way, but for a single token x W is a fifth faster than x Wᵀ.
    """

    attention_norm: Array
    qkv: Array
    o: Array
    mlp_norm: Array
    gate_up: Array
    down: Array


@dataclass(frozen=True)
class Weights:
    embedding: Array  # [vocabulary, width]
    layers: tuple[Layer, ...]
    norm: Array
    head: Array  # the embedding itself where the file has no head of its own
    frequencies: Array  # of the rotary position encoding, [head / 2], float64


def read_config(file: GGUF) -> Config:
    """Problem where the file is not of the llama architecture or lacks a figure."""
    data = file.metadata
    kind = data.get("general.architecture")
    if kind != "llama":
        raise broken(file.path, f"its architecture is {kind}; only llama is supported")
    if data.get("llama.rope.scaling.type", "none") not in ("none", ""):
        raise broken(file.path, "it scales its positions in a way that is not supported")
    try:
        heads, width = int(data["llama.attention.head_count"]), int(data["llama.embedding_length"])
        config = Config(
            layers=int(data["llama.block_count"]),
            width=width,
            inner=int(data["llama.feed_forward_length"]),
            heads=heads,
            kv_heads=int(data.get("llama.attention.head_count_kv", heads)),
            head=int(data.get("llama.rope.dimension_count", width // heads)),
            vocabulary=len(data["tokenizer.ggml.tokens"]),
            context=int(data["llama.context_length"]),
            epsilon=float(data["llama.attention.layer_norm_rms_epsilon"]),
            rope_base=float(data.get("llama.rope.freq_base", 10000.0)),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise broken(file.path, f"its header lacks a figure ({error})") from error
    if config.kv_heads < 1 or heads % config.kv_heads or config.head % 2:
        raise broken(file.path, "its attention heads do not add up")
    return config


def read_weights(file: GGUF, config: Config, dtype: Any = np.float32) -> Weights:
    """All tensors, dequantised. Problem where one is missing, foreign or of the wrong shape."""
    wanted: set[str] = set()

    def get(*parts: tuple[str, int], width: int) -> Array:
        """Matrices below each other: (name, rows)…, all `width` wide."""
        out = np.empty((sum(rows for _, rows in parts), width), dtype)
        low = 0
        for name, rows in parts:
            wanted.add(name)
            file.read_into(name, out[low : low + rows])
            low += rows
        return out

    def gain(name: str, width: int) -> Array:
        wanted.add(name)
        out = np.empty(width, dtype)
        file.read_into(name, out)
        return out

    def layer(i: int) -> Layer:
        width, inner = config.width, config.inner
        queries, keys = config.heads * config.head, config.kv_heads * config.head
        at = f"blk.{i}."
        q, k, v = at + "attn_q.weight", at + "attn_k.weight", at + "attn_v.weight"
        qkv = get((q, queries), (k, keys), (v, keys), width=width)
        _unpermute(qkv[:queries], config.heads)
        _unpermute(qkv[queries : queries + keys], config.kv_heads)
        gate, up = at + "ffn_gate.weight", at + "ffn_up.weight"
        return Layer(
            attention_norm=gain(at + "attn_norm.weight", width),
            qkv=_turned(qkv),
            o=_turned(get((at + "attn_output.weight", width), width=queries)),
            mlp_norm=gain(at + "ffn_norm.weight", width),
            gate_up=_turned(get((gate, inner), (up, inner), width=width)),
            down=_turned(get((at + "ffn_down.weight", width), width=inner)),
        )

    steps = np.arange(0, config.head, 2) / config.head
    frequencies = config.rope_base**-steps
    if "rope_freqs.weight" in file.tensors:  # Llama 3.1 and later stretch the slow ones
        frequencies = frequencies / gain("rope_freqs.weight", config.head // 2)
    embedding = get(("token_embd.weight", config.vocabulary), width=config.width)
    head = embedding
    if "output.weight" in file.tensors:
        head = get(("output.weight", config.vocabulary), width=config.width)
    found = Weights(
        embedding=embedding,
        layers=tuple(layer(i) for i in range(config.layers)),
        norm=gain("output_norm.weight", config.width),
        head=head,
        frequencies=frequencies,
    )
    foreign = sorted(set(file.tensors) - wanted)
    if foreign:
        raise broken(file.path, f"it has tensors this engine does not know: {foreign[0]} …")
    return found


def _turned(matrix: Array) -> Array:
    return np.ascontiguousarray(matrix.T)


def _unpermute(rows: Array, heads: int) -> None:
    """Undo llama.cpp's reordering of q and k in place, so that a head turns as two halves."""
    out, width = rows.shape
    halves = rows.reshape(heads, out // heads // 2, 2, width).swapaxes(1, 2)
    rows[...] = halves.reshape(out, width)  # a copy first, as the order changes
