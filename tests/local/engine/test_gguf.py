"""Model files: every number format against a plain scalar reading, and every way to be broken."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fttui.local.engine import load_model
from fttui.local.gguf import GGUF
from fttui.problem import Problem


def half(value: float) -> bytes:
    return struct.pack("<e", value)


def scalar(kind: str, raw: bytes) -> list[float]:
    """One block by the definition in ggml's headers, a weight at a time."""
    scale = struct.unpack_from("<e", raw)[0]
    if kind == "Q8_0":
        return [scale * q for q in struct.unpack_from("<32b", raw, 2)]
    low = 4 if kind == "Q4_1" else 2
    offset = struct.unpack_from("<e", raw, 2)[0] if kind == "Q4_1" else -8 * scale
    nibbles = [raw[low + j] & 15 for j in range(16)] + [raw[low + j] >> 4 for j in range(16)]
    return [scale * nibble + offset for nibble in nibbles]


@pytest.mark.parametrize(("kind", "number"), [("Q4_0", 2), ("Q4_1", 3), ("Q8_0", 8)])
def test_quantised_blocks(tiny: ModuleType, tmp_path: Path, kind: str, number: int) -> None:
    random = np.random.default_rng(5)
    size = {"Q4_0": 16, "Q4_1": 16, "Q8_0": 32}[kind]
    blocks = []
    for i in range(6):
        head = half(0.01 * (i + 1)) + (half(-0.3 + i / 7) if kind == "Q4_1" else b"")
        blocks.append(head + random.bytes(size))
    path = tiny.write(tmp_path / "q.gguf", {"a": 1}, {"t": (number, (3, 64), b"".join(blocks))})
    found = GGUF(path).array("t")
    expected = np.array([scalar(kind, block) for block in blocks]).reshape(3, 64)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("number", "code"), [(0, "f"), (1, "e")])
def test_plain_numbers(tiny: ModuleType, tmp_path: Path, number: int, code: str) -> None:
    values = [0.5, -2.0, 0.125, 3.0]
    raw = struct.pack(f"<4{code}", *values)
    path = tiny.write(tmp_path / "p.gguf", {}, {"t": (number, (2, 2), raw)})
    assert GGUF(path).array("t").tolist() == [[0.5, -2.0], [0.125, 3.0]]


def test_bfloat16_is_the_upper_half_of_a_float(tiny: ModuleType, tmp_path: Path) -> None:
    raw = b"".join(struct.pack("<f", value)[2:] for value in (1.0, -0.75, 96.0))
    path = tiny.write(tmp_path / "b.gguf", {}, {"t": (30, (3,), raw)})
    assert GGUF(path).array("t").tolist() == [1.0, -0.75, 96.0]


def test_metadata_comes_back(tiny: ModuleType, tiny_model: Path) -> None:
    found = GGUF(tiny_model).metadata
    expected = tiny.metadata()
    assert found["tokenizer.ggml.tokens"] == expected["tokenizer.ggml.tokens"]
    assert found["llama.block_count"] == tiny.LAYERS
    assert found["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda raw: b"PK" + raw[2:], "does not begin with"),
        (lambda raw: raw[:4] + b"\x09" + raw[5:], "version 9"),
        (lambda raw: raw[:200], "header is damaged"),
        (lambda raw: raw[:-5000], "cut short"),
        (lambda raw: raw[:24] + b"\xff" * 8 + raw[32:], "header is damaged"),
        (lambda raw: b"", "header is damaged"),
    ],
)
def test_broken_files_are_refused(
    tiny_model: Path, tmp_path: Path, damage: Any, reason: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(damage(tiny_model.read_bytes()))
    with pytest.raises(Problem) as caught:
        GGUF(path)
    assert caught.value.code == "model_unreadable"
    assert reason in caught.value.why
    assert caught.value.remedy


def test_missing_file_and_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(Problem, match="cannot be read"):
            GGUF(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"general.architecture": "gemma"}, "architecture is gemma"),
        ({"tokenizer.ggml.model": "llama"}, "tokenizer is llama"),
        ({"llama.attention.head_count": 3}, "do not add up"),
        ({"llama.rope.scaling.type": "yarn"}, "positions"),
        ({"tokenizer.ggml.eos_token_id": 99999}, "ends an answer"),
    ],
)
def test_foreign_models_are_refused(
    tiny: ModuleType, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    arrays = {k: (0, v.shape, v.tobytes()) for k, v in tiny.tensors().items()}
    path = tiny.write(tmp_path / "foreign.gguf", tiny.metadata() | change, arrays)
    with pytest.raises(Problem) as caught:
        load_model(path)
    assert reason in caught.value.why


@pytest.mark.parametrize("change", ["missing", "foreign", "shape"])
def test_tensors_must_be_those_of_the_architecture(
    tiny: ModuleType, tmp_path: Path, change: str
) -> None:
    arrays = {k: (0, v.shape, v.tobytes()) for k, v in tiny.tensors().items()}
    name = "blk.1.attn_q.weight"
    if change == "missing":
        del arrays[name]
    elif change == "foreign":
        arrays["blk.1.attn_q.bias"] = arrays["output_norm.weight"]
    else:
        arrays[name] = (0, (32, 64), arrays[name][2][: 32 * 64 * 4])
    with pytest.raises(Problem) as caught:
        load_model(tiny.write(tmp_path / "m.gguf", tiny.metadata(), arrays))
    assert "attn_q" in caught.value.why
