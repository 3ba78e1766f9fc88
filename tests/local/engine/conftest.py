"""The tiny model, loaded; and a job folder with a trainer to run in it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fttui.local.engine import Model, load_model


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The builder of the tiny model, as a module."""
    path = Path(__file__).resolve().parent.parent / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def model(tiny_model: Path) -> Model:
    return load_model(tiny_model)


@pytest.fixture(scope="session")
def exact(tiny_model: Path) -> Model:
    """The same in double precision."""
    return load_model(tiny_model, np.float64)


def chat(*turns: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)]}


@dataclass
class JobDir:
    """A trainer's folder: `write(...)`, `run()`, then look at its events."""

    path: Path
    base: Path

    def write(self, rows: list[Any] | bytes, **more: Any) -> None:
        raw = rows if isinstance(rows, bytes) else "\n".join(map(json.dumps, rows)).encode()
        (self.path / "train.jsonl").write_bytes(raw)
        job = {
            "base_model": str(self.base),
            "training_file": str(self.path / "train.jsonl"),
            "validation_file": None,
            "method": "supervised",
            "hyperparameters": {"n_epochs": 4, "batch_size": 2},
            "seed": 7,
        }
        (self.path / "job.json").write_text(json.dumps(job | more))

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fttui.local.trainer", str(self.path)]
        with (self.path / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def run(self) -> int:
        return self.start().wait(60)

    def events(self, type: str = "") -> list[dict[str, Any]]:
        path = self.path / "events.jsonl"
        raw = path.read_bytes() if path.exists() else b""
        lines = [json.loads(line) for line in raw[: raw.rfind(b"\n") + 1].splitlines()]
        return [line for line in lines if not type or line["type"] == type]

    def metrics(self) -> list[dict[str, Any]]:
        return [line["data"] for line in self.events("metrics")]

    def checkpoints(self) -> list[int]:
        return sorted(int(p.name[5:]) for p in (self.path / "checkpoints").glob("step-*"))


@pytest.fixture
def job(tmp_path: Path, tiny_model: Path) -> JobDir:
    folder = tmp_path / "job"
    folder.mkdir()
    return JobDir(folder, tiny_model)


@pytest.fixture
def make_job(tmp_path: Path, tiny_model: Path) -> Callable[[str], JobDir]:
    def make(name: str) -> JobDir:
        folder = tmp_path / name
        folder.mkdir()
        return JobDir(folder, tiny_model)

    return make


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [chat(f"question {i}", f"yes {i}") for i in range(12)]
