"""The figures of a training run, whatever a service calls them and wherever it puts them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fttui.service import coerce as to

# Every name a metric goes by, in events, checkpoints and result files.
ALIASES: dict[str, tuple[str, ...]] = {
    "step": ("step", "step_number", "global_step"),
    "total_steps": ("total_steps",),
    "train_loss": ("train_loss", "training_loss", "loss"),
    "train_accuracy": ("train_mean_token_accuracy", "train_accuracy", "mean_token_accuracy"),
    "valid_loss": ("valid_loss", "validation_loss", "eval_loss"),
    "valid_accuracy": (
        "valid_mean_token_accuracy",
        "validation_mean_token_accuracy",
        "valid_accuracy",
    ),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "full_valid_accuracy": (
        "full_valid_mean_token_accuracy",
        "full_validation_mean_token_accuracy",
        "full_valid_accuracy",
    ),
    "train_reward": ("train_mean_reward", "train_reward_mean"),
    "valid_reward": ("full_valid_mean_reward", "valid_mean_reward", "valid_reward_mean"),
}
_IN_MESSAGE = {
    "train_loss": r"training loss=([-\d.eE+]+)",
    "valid_loss": r"(?<!full )validation loss=([-\d.eE+]+)",
    "full_valid_loss": r"full validation loss=([-\d.eE+]+)",
    "train_reward": r"train mean reward=([-\d.eE+]+)",
    "valid_reward": r"full validation mean reward=([-\d.eE+]+)",
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one step. Losses in nats a token, accuracies 0–1; None: not measured there."""

    step: int = 0
    total_steps: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_accuracy: float | None = None
    train_reward: float | None = None
    valid_reward: float | None = None

    @classmethod
    def from_json(cls, obj: Any) -> Metrics:
        """From event data, checkpoint metrics or a row of a results file, whatever the names."""
        body = to.mapping(obj)
        scores = to.mapping(body.get("scores"))
        values: dict[str, Any] = {}
        for name, aliases in ALIASES.items():
            raw = (body.get(alias, scores.get(alias)) for alias in aliases)
            values[name] = next((found for v in raw if (found := to.number(v)) is not None), None)
        values["step"] = int(values["step"] or 0)
        if values["total_steps"] is not None:
            values["total_steps"] = int(values["total_steps"])
        return cls(**values)

    @classmethod
    def from_message(cls, message: str) -> Metrics:
        """From the words of an event: `Step 3/9: training loss=0.15, validation loss=0.27`."""
        step = re.match(r"\s*Step (\d+)(?:\s*/\s*(\d+))?", message)
        if not step:
            return cls()
        values: dict[str, Any] = {"step": step[1], "total_steps": step[2]}
        for name, pattern in _IN_MESSAGE.items():
            hit = re.search(pattern, message)
            values[ALIASES[name][0]] = hit and hit[1].rstrip(".")
        return cls.from_json(values)

    @property
    def empty(self) -> bool:
        return not any(
            getattr(self, name) is not None
            for name in ALIASES
            if name not in ("step", "total_steps")
        )

    @property
    def best_valid_loss(self) -> float | None:
        """The loss over the whole validation file where known, else over the batch."""
        return self.full_valid_loss if self.full_valid_loss is not None else self.valid_loss

    @property
    def best_valid_accuracy(self) -> float | None:
        full = self.full_valid_accuracy
        return full if full is not None else self.valid_accuracy

    def as_dict(self) -> dict[str, Any]:
        """Only what is known."""
        pairs = ((name, getattr(self, name)) for name in ALIASES)
        return {name: value for name, value in pairs if value is not None}
