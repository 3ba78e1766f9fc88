"""An adapter as Hugging Face PEFT loads it: adapter_config.json and adapter_model.safetensors.

The engine keeps its matrices in the order of the Hugging Face models (a GGUF file's q and k are put
back when they are read), so they are written as they are. Layouts: github.com/huggingface/peft
(LoraConfig, `base_model.model.` names) and github.com/huggingface/safetensors (the format).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fttui.local import lora
from fttui.local.gguf import GGUF
from fttui.local.weights import read_config

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
FILES = (CONFIG, WEIGHTS)
HUB = {"smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct"}  # base → its public name
PLACES = {
    "q_proj": "self_attn",
    "k_proj": "self_attn",
    "v_proj": "self_attn",
    "o_proj": "self_attn",
}


def file(name: str, adapter_dir: Path, base: str, base_path: Path) -> bytes:
    """The content of one of FILES. Problem where the adapter is damaged or does not fit its base."""
    opened = GGUF(base_path)
    config = read_config(opened)
    adapter = lora.load(adapter_dir, config)
    if name == CONFIG:
        return _config(adapter, base, [n for g in lora.groups(config) for n in g.names])
    return _safetensors(_tensors(adapter, config), {"format": "pt"})


def _config(adapter: lora.Adapter, base: str, modules: list[str]) -> bytes:
    about = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": HUB.get(base, base),
        "r": adapter.rank,
        "lora_alpha": round(adapter.scale * adapter.rank, 6),
        "lora_dropout": 0.0,
        "target_modules": modules,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    return (json.dumps(about, indent=2) + "\n").encode()


def _tensors(adapter: lora.Adapter, config: Any) -> dict[str, lora.Array]:
    """lora_A [rank, in] and lora_B [out, rank] of every linear layer, in half precision."""
    found = {}
    for layer, pairs in enumerate(adapter.pairs):
        for group in lora.groups(config):
            pair = pairs[group.name]
            for name, (low, high, first) in zip(group.names, pair.cuts, strict=True):
                at = f"base_model.model.model.layers.{layer}.{PLACES.get(name, 'mlp')}.{name}"
                found[f"{at}.lora_A.weight"] = pair.a[first : first + adapter.rank]
                found[f"{at}.lora_B.weight"] = pair.b[low:high]
    return found


def _safetensors(tensors: dict[str, lora.Array], about: dict[str, str]) -> bytes:
    """Eight bytes with the length of the header, the header as JSON, the numbers one after another."""
    header: dict[str, Any] = {"__metadata__": about}
    pieces, at = [], 0
    for name in sorted(tensors):
        raw = np.ascontiguousarray(tensors[name], np.float16).tobytes()
        shape = list(tensors[name].shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + len(raw)]}
        pieces.append(raw)
        at += len(raw)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + b"".join(pieces)
