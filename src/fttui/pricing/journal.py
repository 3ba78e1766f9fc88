"""What was spent: an estimate against the bill of a finished job, and sums over the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fttui.pricing.estimate import Estimate, negative, no_price
from fttui.pricing.money import divide, exact, product, total
from fttui.pricing.records import PER_MILLION, Model


@dataclass(frozen=True, slots=True)
class Billed:
    """A finished job: what was expected and what its `trained_tokens` come to."""

    estimated: Decimal
    billed: Decimal
    estimated_tokens: int
    billed_tokens: int
    currency: str

    @property
    def difference(self) -> Decimal:
        """Positive where the job cost more than expected."""
        return self.billed - self.estimated

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of the estimate, to a tenth; None where the estimate was zero."""
        if not self.estimated:
            return None
        return (divide(self.difference, self.estimated) * 100).quantize(Decimal("0.1"))

    def as_dict(self) -> dict[str, Any]:
        return {
            "estimated": exact(self.estimated),
            "billed": exact(self.billed),
            "difference": exact(self.difference),
            "percent": None if self.percent is None else f"{self.percent}",
            "estimated_tokens": self.estimated_tokens,
            "billed_tokens": self.billed_tokens,
            "currency": self.currency,
        }


def billed_amount(model: Model, trained_tokens: int) -> Decimal:
    """The bill for a job's `trained_tokens` (all epochs, as the provider reports them)."""
    if trained_tokens < 0:
        raise negative("trained tokens", trained_tokens)
    if model.training is None or model.training.unit != PER_MILLION:
        raise no_price(model, "training (per token)")
    return product(Decimal(trained_tokens).scaleb(-6), model.training.amount)


def against_bill(estimate: Estimate, trained_tokens: int) -> Billed:
    """An estimate held against the job's own `trained_tokens`."""
    return Billed(
        estimate.total,
        billed_amount(estimate.model, trained_tokens),
        estimate.tokens,
        trained_tokens,
        estimate.currency,
    )


@dataclass(frozen=True, slots=True)
class Spend:
    """One paid thing. month: "2026-11"; kind: "training", "chat", "hosting" …"""

    month: str
    provider: str
    model: str
    kind: str
    amount: Decimal
    currency: str = "USD"


def spent(entries: Iterable[Spend], by: str = "") -> dict[tuple[str, str], Decimal]:
    """Sums by (value of field `by`, currency); `by` empty: (“”, currency). Currencies never mix."""
    groups: dict[tuple[str, str], list[Decimal]] = {}
    for entry in entries:
        key = (getattr(entry, by) if by else "", entry.currency)
        groups.setdefault(key, []).append(entry.amount)
    return {key: total(amounts) for key, amounts in sorted(groups.items())}
