"""The trainer's files: the event log, the control word, the checkpoints."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fttui.local import lora

KEPT = 3  # checkpoints of epochs, as in the cloud


class Events:
    """events.jsonl, opened for appending; knows which steps were told before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last_step = 0
        self.checkpoints: set[int] = set()
        self.types: set[str] = set()
        self._read()
        self._file = path.open("a", encoding="utf-8")

    def _read(self) -> None:
        if not self._path.exists():
            return
        raw = self._path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):  # half a line of a trainer that was killed
            os.truncate(self._path, len(whole))
        for line in whole.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            self.types.add(event.get("type", ""))
            step = (event.get("data") or {}).get("step", 0)
            if event.get("type") == "metrics":
                self.last_step = max(self.last_step, step)
            elif event.get("type") == "checkpoint":
                self.checkpoints.add(step)

    def write(self, type: str, message: str, /, *, level: str = "info", **data: Any) -> None:
        line = {"time": int(time.time()), "level": level, "type": type, "message": message}
        self._file.write(json.dumps(line | {"data": data}, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def control(job_dir: Path) -> str:
    """The order given to this trainer: "", "cancel" or "pause"."""
    try:
        return (job_dir / "control").read_text("utf-8").strip()
    except OSError:
        return ""


@dataclass
class State:
    """All that changes while training: what a checkpoint holds and a resumed trainer begins with."""

    adapter: lora.Adapter
    mean: NDArray[Any]  # AdamW's two moments
    square: NDArray[Any]
    step: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    finished: bool = True  # False: learned, but not yet validated and told


class Checkpoints:
    """`checkpoints/step-N`: of kind "epoch" (kept for chat, told as events) or "resume"."""

    def __init__(self, job_dir: Path) -> None:
        self.dir = job_dir / "checkpoints"

    def found(self) -> list[Path]:
        """Complete checkpoints, oldest first."""
        if not self.dir.is_dir():
            return []
        folders = [path for path in self.dir.glob("step-*") if path.name[5:].isdigit()]
        return sorted(folders, key=lambda path: int(path.name[5:]))

    def save(self, state: State, kind: str, about: dict[str, Any]) -> Path:
        """Write all of it beside its place, then rename: half a checkpoint never has the name."""
        target = self.dir / f"step-{state.step}"
        meta = about | {
            "step": state.step,
            "kind": kind,
            "finished": state.finished,
            "metrics": state.metrics,
        }
        if target.exists():  # saved in the middle of this step by a pause: only the meta changes
            _write_meta(target, meta)
            self._prune(target)
            return target
        fresh = self.dir / f".step-{state.step}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        lora.save(state.adapter, fresh)
        with (fresh / "optimizer.npz").open("wb") as file:
            np.savez(file, weights=state.adapter.flat, mean=state.mean, square=state.square)
            file.flush()
            os.fsync(file.fileno())
        _write_meta(fresh, meta)
        os.replace(fresh, target)
        self._prune(target)
        return target

    def _prune(self, newest: Path) -> None:
        """Keep the last epochs; only the newest checkpoint is ever trained on from."""
        older = [path for path in self.found() if path != newest]
        epochs = [path for path in older if _meta(path).get("kind") == "epoch"]
        keep = KEPT - (_meta(newest).get("kind") == "epoch")
        for path in older:
            if path not in epochs[-keep:]:
                shutil.rmtree(path, ignore_errors=True)
            else:
                (path / "optimizer.npz").unlink(missing_ok=True)

    def restore(self, state: State, about: dict[str, Any]) -> dict[str, Any] | None:
        """Fill `state` from the newest checkpoint made under the same plan; its meta, or None."""
        for path in reversed(self.found()):
            meta = _meta(path)
            if any(meta.get(key) != value for key, value in about.items()):
                continue
            try:
                with np.load(path / "optimizer.npz", allow_pickle=False) as data:
                    arrays = [data[name] for name in ("weights", "mean", "square")]
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                continue  # damaged or pruned: an older one may do
            if any(array.shape != state.mean.shape for array in arrays):
                continue
            state.adapter.flat[:], state.mean[:], state.square[:] = arrays
            state.step, state.metrics = int(meta["step"]), dict(meta["metrics"])
            state.finished = bool(meta["finished"])
            return meta
        return None

    def finish(self) -> None:
        """The job is done: nothing will be trained on from here."""
        for path in self.found():
            (path / "optimizer.npz").unlink(missing_ok=True)


def _write_meta(folder: Path, meta: dict[str, Any]) -> None:
    fresh = folder / "meta.json.new"
    fresh.write_text(json.dumps(meta, indent=1), "utf-8")
    os.replace(fresh, folder / "meta.json")


def _meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads((path / "meta.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}
