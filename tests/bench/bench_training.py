"""Training and decoding speed and memory of the local engine, beside what the processor can do.

    python tests/bench/bench_training.py [MODEL.gguf]

Tokens are counted as the examples have them; what all begin with is computed once, what is behind
the last learned token not at all (backprop.Pass).
Everything runs in one process on one thread; speeds are per second of processor time, so that other
programs disturb them little. The limit is what the plain matrix products of a step would take, timed
in the same run. One JSON object on stdout; exit code 1 where a figure misses its bound.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fttui.local.trainer import limit_threads

limit_threads(1)

import numpy as np  # noqa: E402 - threads first

from fttui import samples  # noqa: E402
from fttui.local import lora, models  # noqa: E402
from fttui.local.backprop import Pass, Room, Sequences, pack  # noqa: E402
from fttui.local.engine import Model, load_model  # noqa: E402

# Ratios to what is measured beside them, and memory in GB.
BATCH = 2  # examples of the shipped sample: what "auto" takes for its size
BOUNDS = {"train_of_limit": 0.78, "decode_of_limit": 0.5, "peak_gb": 0.89, "switch_ms": 50.0}


def cpu(work: Callable[[], object], times: int = 5) -> float:
    """Median processor seconds of `work`, after one unmeasured run."""
    work()
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return float(np.median(found))


def products(model: Model, tokens: int, learned: int) -> None:
    """The matrix products of one step and nothing else."""
    matrices = [
        matrix for layer in model.weights.layers
        for matrix in (layer.qkv, layer.o, layer.gate_up, layer.down)
    ]  # fmt: skip
    widths = {size for matrix in matrices for size in matrix.shape}
    inputs = {width: np.ones((tokens, width), np.float32) for width in widths}
    for matrix in matrices:
        inputs[matrix.shape[0]] @ matrix
        inputs[matrix.shape[1]] @ matrix.T
    head = model.weights.head
    logits = np.ones((learned, head.shape[1]), np.float32) @ head.T
    logits @ head


def main() -> int:
    path = models.locate(sys.argv[1] if len(sys.argv) > 1 else models.DEFAULT)
    if path is None:
        print("no base model: fttui fetch, or give a path", file=sys.stderr)
        return 2
    start = time.process_time()
    model = load_model(path)
    loaded = time.process_time() - start
    lines = samples.path("extraction").read_text("utf-8").splitlines()[:BATCH]
    batch = pack([model.template.example(json.loads(line)["messages"]) for line in lines])
    found = {"load_s": loaded} | training(model, batch) | decoding(model)
    found["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    missed = [
        name for name, bound in BOUNDS.items()
        if (found[name] < bound if name.endswith("limit") else found[name] > bound)
    ]  # fmt: skip
    rounded = {name: round(value, 3) for name, value in found.items()}
    print(json.dumps(rounded | {"bounds": BOUNDS, "missed": missed}, indent=1))
    return 1 if missed else 0


def training(model: Model, batch: Sequences) -> dict[str, float]:
    adapter = lora.fresh(model.config, 8, 16, 0)
    gradient = lora.empty(model.config, 8, 16)
    tokens = sum(len(ids) for ids in batch.ids)
    learned = int(sum(mask.sum() for mask in batch.learned))

    room = Room()

    def step() -> None:
        run = Pass(model, adapter, batch, learn=True, room=room)
        run.backward(np.full(learned, -1 / learned), gradient)

    seconds = cpu(step)
    limit = cpu(lambda: products(model, tokens, learned))
    forward = cpu(lambda: Pass(model, adapter, batch, learn=False))
    return {
        "tokens": tokens,
        "train_tokens_per_s": tokens / seconds,
        "train_of_limit": limit / seconds,
        "validate_tokens_per_s": tokens / forward,
    }


def decoding(model: Model) -> dict[str, float]:
    adapter = lora.fresh(model.config, 8, 16, 0)
    with tempfile.TemporaryDirectory() as folder:
        lora.save(adapter, Path(folder))
        start = time.perf_counter()
        adapter = model.load_adapter(folder)
        switch = 1000 * (time.perf_counter() - start)
    ask = [{"role": "user", "content": "Tell me a long story about a lighthouse."}]
    start = time.process_time()
    pieces = model.generate(ask, adapter=adapter, temperature=0, max_tokens=40)
    next(pieces)
    first = time.process_time() - start
    start = time.process_time()
    count = sum(piece.token_id is not None for piece in pieces)
    seconds = time.process_time() - start
    limit = cpu(lambda: products_of_one(model))
    return {
        "first_token_s": first,
        "decode_tokens_per_s": count / seconds,
        "decode_of_limit": limit * count / seconds,
        "switch_ms": switch,
    }


def products_of_one(model: Model) -> None:
    """The matrix products of one decoded token: reading every weight once."""
    for layer in model.weights.layers:
        for matrix in (layer.qkv, layer.o, layer.gate_up, layer.down):
            np.ones((1, matrix.shape[0]), np.float32) @ matrix
    np.ones((1, model.weights.head.shape[1]), np.float32) @ model.weights.head.T


if __name__ == "__main__":
    sys.exit(main())
