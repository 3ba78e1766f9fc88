"""A tiny random model as a GGUF file: everything a real one has, in a few hundred kilobytes.

`build(path)` takes a few milliseconds. The model says nothing sensible, but it loads, speaks, and
learns: its loss falls within a few steps.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a tiny assistant.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = [
    "Ġ t", "Ġ a", "i n", "h e", "r e", "o n", "Ġt he", "e r", "s t", "a n", "e n", "o r", "u s",
    "us er", "a s", "as s", "i st",
]  # fmt: skip
LAYERS, WIDTH, INNER, HEADS, KV_HEADS, CONTEXT = 2, 64, 128, 4, 2, 512
_STRING, _ARRAY, _U32, _F32, _I32 = 8, 9, 4, 6, 5


def letters() -> list[str]:
    """GPT-2's letter for each of the 256 bytes, in the order of the bytes."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    found, extra = [], 256
    for byte in range(256):
        found.append(chr(byte if byte in plain else extra))
        extra += byte not in plain
    return found


def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and the merges that can happen."""
    tokens = [*SPECIAL, *letters()]
    merges = []
    for merge in MERGES:
        left, right = merge.split(" ")
        if left in tokens and right in tokens:
            merges.append(merge)
            tokens.append(left + right)
    return tokens, merges


def metadata() -> dict[str, Any]:
    tokens, merges = vocabulary()
    return {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "llama.block_count": LAYERS,
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": INNER,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 10000.0,
        "llama.rope.dimension_count": WIDTH // HEADS,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)),
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": TEMPLATE,
    }


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights by name, [out, in]."""
    random = np.random.default_rng(seed)
    keys = WIDTH // HEADS * KV_HEADS

    def matrix(out: int, fan_in: int) -> np.ndarray:
        return (random.standard_normal((out, fan_in)) * fan_in**-0.5).astype(np.float32)

    found = {"token_embd.weight": matrix(len(vocabulary()[0]), WIDTH)}
    for i in range(LAYERS):
        at = f"blk.{i}."
        found |= {
            at + "attn_norm.weight": np.ones(WIDTH, np.float32),
            at + "attn_q.weight": matrix(WIDTH, WIDTH),
            at + "attn_k.weight": matrix(keys, WIDTH),
            at + "attn_v.weight": matrix(keys, WIDTH),
            at + "attn_output.weight": matrix(WIDTH, WIDTH),
            at + "ffn_norm.weight": np.ones(WIDTH, np.float32),
            at + "ffn_gate.weight": matrix(INNER, WIDTH),
            at + "ffn_up.weight": matrix(INNER, WIDTH),
            at + "ffn_down.weight": matrix(WIDTH, INNER),
        }
    return found | {"output_norm.weight": np.ones(WIDTH, np.float32)}


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, float):
        return struct.pack("<If", _F32, value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    if isinstance(value[0], str):
        head = struct.pack("<IIQ", _ARRAY, _STRING, len(value))
        return head + b"".join(map(_string, value))
    return struct.pack(f"<IIQ{len(value)}i", _ARRAY, _I32, len(value), *value)


def write(
    path: Path, data: dict[str, Any], arrays: dict[str, tuple[int, tuple[int, ...], bytes]]
) -> Path:
    """A GGUF file. `arrays`: name → (type number, shape with rows first, its bytes)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(data))
    head += b"".join(_string(key) + _value(value) for key, value in data.items())
    body = b""
    for name, (kind, shape, raw) in arrays.items():
        head += _string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        head += struct.pack("<IQ", kind, len(body))
        body += raw + bytes(-len(raw) % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + body)
    return path


def build(path: Path, seed: int = 0) -> Path:
    """Write the tiny model to `path` and return it."""
    arrays = {name: (0, array.shape, array.tobytes()) for name, array in tensors(seed).items()}
    return write(path, metadata(), arrays)
