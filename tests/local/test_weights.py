"""A checkpoint's adapter, handed out as Hugging Face PEFT loads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fttui.local import lora
from fttui.local.gguf import GGUF
from fttui.local.weights import read_config, read_weights


def unpack(raw: bytes) -> dict[str, np.ndarray]:
    """A safetensors file, read by its specification."""
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    body = raw[8 + length :]
    assert sum(b - a for a, b in (row["data_offsets"] for row in header.values())) == len(body)
    return {
        name: np.frombuffer(body[slice(*row["data_offsets"])], np.float16).reshape(row["shape"])
        for name, row in header.items()
    }


def test_the_files_say_what_the_engine_adds(server: Any, done_job: Any, tiny_model: Path) -> None:
    with server.http() as http:
        job = f"/fine_tuning/jobs/{done_job.id}/checkpoints"
        row = http.get(job).json()["data"][0]
        place = f"{job}/{row['id']}/weights"
        config = http.get(f"{place}/adapter_config.json").json()
        tensors = unpack(http.get(f"{place}/adapter_model.safetensors").content)
        for wrong in (f"{place}/other.bin", f"{job}/ftckpt_none/weights/adapter_config.json"):
            assert http.get(wrong).status_code == 404
    sizes = read_config(GGUF(tiny_model))
    step = server.data / "jobs" / done_job.id / "checkpoints" / f"step-{row['step_number']}"
    adapter = lora.load(step, sizes)
    assert (config["peft_type"], config["r"]) == ("LORA", adapter.rank)
    assert config["lora_alpha"] / config["r"] == adapter.scale
    assert len(tensors) == sizes.layers * len(config["target_modules"]) * 2
    # What PEFT adds to a layer, B·A·alpha/r, is what the engine adds to those rows of its matrix.
    weights = read_weights(GGUF(tiny_model), sizes)
    at = "base_model.model.model.layers.1.self_attn.k_proj"
    a, b = tensors[f"{at}.lora_A.weight"], tensors[f"{at}.lora_B.weight"]
    delta = config["lora_alpha"] / config["r"] * (b.astype(np.float32) @ a.astype(np.float32))
    queries = sizes.heads * sizes.head
    keys = slice(queries, queries + sizes.kv_heads * sizes.head)
    assert delta.shape == weights.layers[1].qkv[:, keys].T.shape
    x = np.random.default_rng(0).standard_normal(sizes.width).astype(np.float32)
    pair = adapter.pairs[1]["qkv"]
    low, high, first = pair.cuts[1]
    inner = pair.a[first : first + adapter.rank] @ x
    np.testing.assert_allclose(
        delta @ x, adapter.scale * (pair.b[low:high] @ inner), rtol=1e-3, atol=1e-6
    )
    assert np.abs(delta).max() > 0  # it has learnt something
