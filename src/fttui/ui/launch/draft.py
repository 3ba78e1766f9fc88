"""What was typed into the launch form: kept at every keystroke, found again after a crash or a refusal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

SPLIT = "split:"


def new_tag() -> str:
    return uuid.uuid4().hex


@dataclass
class Draft:
    """As typed; every field is text.

    model: a base, a tuned model or a checkpoint. method: "" as the file says. validation: "" none,
    "split:0.2" a part held out, else the path of a file. fields: every other field of the form by
    its name; several values in one that may be varied make a sweep.
    tag: what makes this launch findable; sent: it went out once; made: tag of a job → its id, for
    the jobs of a sweep that came to be before it was stopped.
    """

    model: str = ""
    method: str = ""
    validation: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    tag: str = field(default_factory=new_tag)
    sent: bool = False
    made: dict[str, str] = field(default_factory=dict)

    @classmethod
    def recall(cls, kept: Any) -> Draft | None:
        """A draft that was kept, by this version or an earlier one; None where there is none."""
        if not isinstance(kept, Mapping) or not isinstance(kept.get("tag"), str):
            return None
        usual = cls()
        values = {
            name: kept[name]
            for name in cls.__dataclass_fields__
            if name in kept and type(kept[name]) is type(getattr(usual, name))
        }
        draft = cls(**values)
        if "fields" not in values:  # before there were more fields, they stood by themselves
            draft.fields = {
                **(kept.get("hyperparameters") or {}),
                **{name: str(kept[name]) for name in ("suffix", "seed") if kept.get(name)},
            }
        draft.fields = {str(key): str(text) for key, text in draft.fields.items()}
        draft.made = {str(key): str(job) for key, job in draft.made.items()}
        return draft

    def keep(self) -> dict[str, Any]:
        return asdict(self)

    def another(self) -> Draft:
        """The same as another launch: whatever was sent before is none of its business."""
        return replace(self, tag=new_tag(), sent=False, made={})

    def text(self, name: str) -> str:
        """What stands in a field, without the blanks around it."""
        return self.fields.get(name, "").strip()

    @property
    def share(self) -> float:
        """The part held out for validation, 0 without a split."""
        text = self.validation
        return float(text.removeprefix(SPLIT)) if text.startswith(SPLIT) else 0.0

    @property
    def validation_path(self) -> Path | None:
        return Path(self.validation).expanduser() if self.validation and not self.share else None


def key(path: Path | None) -> str:
    """The name a dataset's draft is kept under."""
    return f"launch:{path.absolute()}" if path else "launch:"
