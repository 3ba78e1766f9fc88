"""An evaluation as a person writes it: what the command's options and the pane's form both come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fttui.problem import Problem


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be done.

    models: `MODEL`, `NAME=MODEL`, `MODEL@PROFILE`, the candidate last. graders: as `spec.parse` takes
    them, the first decides. pairwise: the rubric of a judge that compares, "" the usual one, None: no.
    baselines: `zero-shot`, `few-shot:K`. profile: "" the default one.
    """

    file: Path
    models: tuple[str, ...]
    graders: tuple[str, ...] = ("auto",)
    judge: str = ""
    pairwise: str | None = None
    baselines: tuple[str, ...] = ()
    base: str = ""
    train: Path | None = None
    sample: int | None = None
    seed: int = 0
    temperature: float = 0.0
    max_tokens: int | None = None
    concurrency: int = 4
    profile: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, for the store; absolute paths, since it is read from elsewhere."""
        made = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, value in made.items():
            if isinstance(value, Path):
                made[name] = str(value.absolute())
            elif isinstance(value, tuple):
                made[name] = list(value)
        return made

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Setup:
        """Of `as_dict`, also by another version. Problem where it is none."""
        known = {item.name: row[item.name] for item in fields(cls) if item.name in row}
        try:
            for name, value in known.items():
                if isinstance(value, list):
                    known[name] = tuple(map(str, value))
            known["file"] = Path(known["file"])
            known["train"] = Path(known["train"]) if known.get("train") else None
            return cls(**known)
        except (TypeError, KeyError):
            raise Problem("This evaluation cannot be opened.", "Its set-up is not readable.",
                          "Start a new one.", code="output") from None  # fmt: skip
