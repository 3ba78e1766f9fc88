"""What a job asks for (job.json), and the values chosen where it says "auto"."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.problem import Problem

# Chosen by measuring on the shipped samples: a format is learned in about 60 to 100 steps of 2 or 4.
LEARNING_RATE = {"supervised": 1e-3, "dpo": 2e-4}  # what a learning_rate_multiplier of 1 means
AUTO_STEPS = 90  # epochs are added to small files until there are about that many steps …
AUTO_EPOCHS = (3, 10)  # … within these bounds
AUTO_BATCH = ((400, 2), (2000, 4), (10**9, 8))  # (up to so many examples, batch size)
AUTO_BETA = 0.1
CONTEXT = 2048  # longer examples are cut: attention's memory grows with the square
RANK, ALPHA = 8, 16.0


class Failed(Exception):
    """The job cannot go on; `code` and `param` as in the API's error object of a job."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


@dataclass(frozen=True)
class Job:
    """job.json: base_model, training_file, validation_file, method, hyperparameters (n_epochs,
    batch_size, learning_rate_multiplier, beta: a number or "auto"), seed; optional lora {r, alpha},
    context (tokens), threads, adapter (a folder: the tuned model to train on from).
    """

    base_model: Path
    training_file: Path
    validation_file: Path | None
    method: str
    hyperparameters: dict[str, Any]
    seed: int
    rank: int
    alpha: float
    context: int
    adapter: Path | None = None


@dataclass(frozen=True)
class Plan:
    """The hyperparameters in force."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float
    steps_per_epoch: int
    learning_rate: float

    @property
    def total_steps(self) -> int:
        return self.n_epochs * self.steps_per_epoch

    def as_dict(self, method: str) -> dict[str, Any]:
        shown = {
            "n_epochs": self.n_epochs,
            "batch_size": self.batch_size,
            "learning_rate_multiplier": self.learning_rate_multiplier,
        }
        return shown | ({"beta": self.beta} if method == "dpo" else {})


def read_job(job_dir: Path) -> Job:
    """Problem where job.json is missing or says something that cannot be."""
    path = job_dir / "job.json"
    try:
        data = json.loads(path.read_text("utf-8"))
        lora = data.get("lora") or {}
        validation = data.get("validation_file")
        job = Job(
            base_model=Path(data["base_model"]),
            training_file=Path(data["training_file"]),
            validation_file=Path(validation) if validation else None,
            method=str(data.get("method") or "supervised"),
            hyperparameters=dict(data.get("hyperparameters") or {}),
            seed=abs(int(data.get("seed") or 0)),
            rank=int(lora.get("r", RANK)),
            alpha=float(lora.get("alpha", ALPHA)),
            context=int(data.get("context") or CONTEXT),
            adapter=Path(data["adapter"]) if data.get("adapter") else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{path} cannot be used", repr(error), code="invalid_job") from error
    if job.method not in LEARNING_RATE:
        known = " and ".join(LEARNING_RATE)
        raise Failed("invalid_method", f"This engine trains {known}, not {job.method}.", "method")
    return job


def resolve(job: Job, examples: int) -> Plan:
    """Choose what is "auto" or missing for a file of `examples` examples; Failed where a value is bad."""

    def chosen(name: str, auto: float, low: float, high: float) -> float:
        value = job.hyperparameters.get(name, "auto")
        if value is None or value == "auto":
            return auto
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Failed("invalid_value", f"{name} must be a number or 'auto'.", name)
        if not low <= value <= high:
            raise Failed("invalid_value", f"{name} must be between {low} and {high}.", name)
        return value

    batch_auto = next(size for upto, size in AUTO_BATCH if examples <= upto)
    batch = min(int(chosen("batch_size", batch_auto, 1, 256)), examples)
    per_epoch = math.ceil(examples / batch)
    fewest, most = AUTO_EPOCHS
    epochs = min(most, max(fewest, round(AUTO_STEPS / per_epoch)))
    multiplier = chosen("learning_rate_multiplier", 1.0, 1e-6, 100)
    return Plan(
        n_epochs=int(chosen("n_epochs", epochs, 1, 100)),
        batch_size=batch,
        learning_rate_multiplier=multiplier,
        beta=chosen("beta", AUTO_BETA, 1e-6, 10),
        steps_per_epoch=per_epoch,
        learning_rate=LEARNING_RATE[job.method] * multiplier,
    )
