"""How long a model can still be trained, and how long what it makes will answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fttui.pricing.catalog import Catalog
from fttui.pricing.records import Model
from fttui.problem import Problem
from fttui.text import plural

SOON = 90  # days: said in the header
URGENT = 14


@dataclass(frozen=True, slots=True)
class Life:
    """A model's remaining days, counted from `today`; None: no date is known. Past dates are negative.

    level: "ok", "soon" (90 days or less), "urgent" (14 or less), "over" (cannot be trained any more).
    """

    model: Model
    today: date
    training_ends: date | None
    tuned_ends: date | None
    training_days: int | None
    tuned_days: int | None
    base_days: int | None
    level: str
    text: str

    @property
    def trainable(self) -> bool:
        """A method exists and the last day has not passed."""
        return self.model.can_train(self.today)

    @property
    def answers(self) -> bool:
        """A tuned model still answers today."""
        return self.tuned_days is None or self.tuned_days > 0

    def as_dict(self) -> dict[str, Any]:
        def iso(day: date | None) -> str | None:
            return day.isoformat() if day else None

        return {
            "level": self.level,
            "text": self.text,
            "training_ends": iso(self.training_ends),
            "training_days": self.training_days,
            "tuned_ends": iso(self.tuned_ends),
            "tuned_days": self.tuned_days,
            "source": self.model.dates_source if self.tuned_ends or self.training_ends else "",
            "note": self.model.dates_note,
        }


def life(model: Model, today: date) -> Life:
    """The days `model` has left, and one sentence about them."""
    training = _days(model.training_ends, today)
    tuned = _days(model.tuned_ends, today)
    level = _level(model, today, training, tuned)
    return Life(
        model,
        today,
        model.training_ends,
        model.tuned_ends,
        training,
        tuned,
        _days(model.base_ends, today),
        level,
        _text(model, today, training, tuned),
    )


def _days(end: date | None, today: date) -> int | None:
    return None if end is None else (end - today).days


def _level(model: Model, today: date, training: int | None, tuned: int | None) -> str:
    if (tuned is not None and tuned <= 0) or (model.methods and not model.can_train(today)):
        return "over"
    left = min((d for d in (training, tuned) if d is not None), default=None)
    if left is None or left > SOON:
        return "ok"
    return "urgent" if left <= URGENT else "soon"


def _text(model: Model, today: date, training: int | None, tuned: int | None) -> str:
    if tuned is not None and tuned <= 0:
        return f"retired: tuned models stopped answering on {model.tuned_ends}"
    if not model.methods:
        return "cannot be fine-tuned"
    if not model.can_train(today):
        tail = f"; what is tuned answers for {plural(tuned, 'day')} more" if tuned else ""
        return f"training ended on {model.training_ends}{tail}"
    if tuned is None:
        return "no end is announced" if training is None else _closes(model, training)
    lives = f"a model trained today lives {plural(tuned, 'day')}, until {model.tuned_ends}"
    return lives if training is None else f"{lives}; {_closes(model, training)}"


def _closes(model: Model, days: int) -> str:
    when = "today" if days == 0 else f"in {plural(days, 'day')}"
    return f"training closes {when} ({model.training_ends})"


@dataclass(frozen=True, slots=True)
class Banner:
    """What the header says when an end is near. level as in Life; text is short, detail says what to do."""

    level: str
    text: str
    detail: str


def banner(catalog: Catalog, model: Model, today: date) -> Banner | None:
    """The warning for `model`, or None while no end is near."""
    left = life(model, today)
    if left.level == "ok":
        return None
    elsewhere = where_to_retrain(catalog, model, today)
    ways = "; ".join(_way(other, today) for other in elsewhere[:2])
    newer = catalog.get(model.replacement, model.provider) if model.replacement else None
    if newer is not None and newer.base is not None:
        ways = "; ".join(part for part in (ways, f"or prompt {newer.title}, newer") if part)
    return Banner(left.level, left.text, f"train instead: {ways}" if ways else "")


def _way(model: Model, today: date) -> str:
    days = life(model, today).tuned_days
    lives = f"lives {plural(days, 'day')}" if days is not None else "no end announced"
    return f"{model.title} at {model.provider} ({lives})"


def where_to_retrain(catalog: Catalog, model: Model, today: date) -> list[Model]:
    """The same base at other providers that live longer, longest first; then a local model."""
    mine = life(model, today).tuned_days

    def lives(other: Model) -> int:
        days = life(other, today).tuned_days
        return 10**6 if days is None else days

    same = [
        other
        for other in catalog.models()
        if other.id == model.id
        and other.provider != model.provider
        and other.can_train(today)
        and (mine is None or lives(other) > mine)
    ]
    # Where the weights are one's own, no shutdown can take the tuned model away.
    own = [
        other
        for other in catalog.models()
        if other.provider != model.provider
        and other.can_train(today)
        and other.tuned_ends is None
        and catalog.provider(other.provider).can("download")
    ]
    local_first = sorted(own, key=lambda other: other.provider != "local")
    return sorted(same, key=lives, reverse=True) + local_first


def check_trainable(model: Model, today: date) -> None:
    """Raise the Problem for a model that can no longer be trained."""
    left = life(model, today)
    if left.trainable and left.answers:
        return
    if not model.methods:
        raise Problem(
            f"{model.id} cannot be fine-tuned at {model.provider}",
            model.note or "the provider offers no method for it",
            "choose another model; `--compare` prices its use",
            code="not_trainable",
        )
    raise Problem(
        f"{model.id} can no longer be trained at {model.provider}",
        left.text,
        f"use {model.replacement or 'another model'}, or train at another provider",
        code="model_retired",
    )
