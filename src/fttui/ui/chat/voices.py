"""Who is in a column: a model, the profile it is asked through, and the examples it is shown first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fttui.text import plural

_SEPARATOR = "\x1f"  # in no model's name
_CHECKPOINT = re.compile(r":ckpt-step-(\d+)$")


@dataclass(frozen=True)
class Voice:
    """profile: "" for the active one. shots: examples of the training file before the prompt.

    `str(voice)` is what the thread, the state database and a conversation keep; a plain model name
    is a voice already.
    """

    model: str
    profile: str = ""
    shots: int = 0

    @classmethod
    def of(cls, text: str) -> Voice:
        model, profile, shots, *_ = [*text.split(_SEPARATOR), "", ""]
        return cls(model, profile, int(shots) if shots.isdecimal() else 0)

    def __str__(self) -> str:
        if not self.profile and not self.shots:
            return self.model
        return _SEPARATOR.join((self.model, self.profile, str(self.shots or "")))

    @property
    def title(self) -> str:
        """For a column's head: what tells it from the others comes first."""
        said = short(self.model)
        said += f" + {plural(self.shots, 'example')}" if self.shots else ""
        return said + (f" @ {self.profile}" if self.profile else "")


def title(text: str) -> str:
    return Voice.of(text).title


def short(model: str) -> str:
    """A name for a column's title: what tells this model from the others comes first."""
    step = _CHECKPOINT.search(model)
    body = _CHECKPOINT.sub("", model)
    if body.startswith("ft:"):
        parts = (body.split(":") + [""] * 5)[1:5]
        base, _, suffix, made = parts
        name = f"{suffix or 'tuned'} {made}".strip()
        return f"{name}{f' step {step[1]}' if step else ''} ← {base}"
    return model


def kind(model: str) -> str:
    if _CHECKPOINT.search(model):
        return "checkpoint"
    return "tuned" if model.startswith("ft:") or ".ft-" in model else "base"
