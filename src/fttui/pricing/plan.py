"""Several ways to do the job, priced side by side, and their cost over the months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from fttui.pricing.catalog import Catalog
from fttui.pricing.estimate import Estimate, Hours
from fttui.pricing.lifecycle import Life, check_trainable, life
from fttui.pricing.money import divide, exact, product
from fttui.pricing.records import Model
from fttui.pricing.use import Monthly, Payback, Traffic, monthly, payback
from fttui.pricing.workload import Workload
from fttui.problem import Problem

MAX_PLANS = 4
MONTHS = 12
MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """One way: a base model as it is, or a tuned one with its training."""

    model: Model
    kind: str  # "base" | "tuned"
    traffic: Traffic
    workload: Workload = field(default_factory=Workload)
    epochs: int | None = None
    method: str = "supervised"
    hours: Hours | None = None
    name: str = ""

    @property
    def label(self) -> str:
        if self.name:
            return self.name
        return (
            f"{'tuned ' if self.kind == 'tuned' else ''}{self.model.title} ({self.model.provider})"
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A priced plan. A part that cannot be priced is None, and `problems` says why."""

    plan: Plan
    training: Estimate | None
    month: Monthly | None
    life: Life
    payback: Payback | None
    problems: tuple[Problem, ...] = ()

    @property
    def training_total(self) -> Decimal | None:
        """In the currency of the month; None where it is unknown or in another currency."""
        if self.plan.kind == "base":
            return Decimal(0)
        if self.training is None:
            return None
        foreign = self.month is not None and self.month.currency != self.training.currency
        return None if foreign and self.training.total else self.training.total

    @property
    def pays_in_time(self) -> bool | None:
        """Whether training is earned back before the tuned model dies; None where unknown."""
        if self.payback is None:
            return None
        days = self.payback.days()
        if days is None:
            return False
        return self.life.tuned_days is None or days <= self.life.tuned_days

    def cumulative(self, months: int = MONTHS) -> list[Decimal | None]:
        """Money spent at the end of month 0 … `months`; None once the model no longer answers."""
        start, month = self.training_total, self.month
        if start is None or month is None:
            return [None] * (months + 1)
        end = self.life.base_days if self.plan.kind == "base" else self.life.tuned_days
        return [
            None if end is not None and n * MONTH_DAYS > end else start + product(month.total, n)
            for n in range(months + 1)
        ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Plans side by side; the first is what the others are held against."""

    rows: tuple[Row, ...]
    today: date

    @property
    def cheapest(self) -> Row | None:
        """The row with the smallest monthly bill; None where currencies differ."""
        known = [row for row in self.rows if row.month is not None]
        if len({row.month.currency for row in known if row.month}) > 1:
            return None
        return min(
            known, key=lambda row: row.month.total if row.month else Decimal(0), default=None
        )

    def as_dict(self) -> dict[str, Any]:
        return {"today": self.today.isoformat(), "plans": [_row_dict(row) for row in self.rows]}


def compare(plans: Sequence[Plan], catalog: Catalog, today: date) -> Comparison:
    """Price up to four plans; what one lacks does not stop the others."""
    if not 0 < len(plans) <= MAX_PLANS:
        raise Problem(
            f"one to {MAX_PLANS} plans can be compared", f"got {len(plans)}", code="too_many_plans"
        )
    rows: list[Row] = []
    for plan in plans:
        rows.append(_priced(plan, today, rows[0] if rows else None))
    return Comparison(tuple(rows), today)


def _priced(plan: Plan, today: date, first: Row | None) -> Row:
    problems: list[Problem] = []
    estimate: Estimate | None = None
    month: Monthly | None = None
    if plan.kind == "tuned":
        try:
            check_trainable(plan.model, today)
            estimate = plan.workload.estimate(
                plan.model, epochs=plan.epochs, method=plan.method, hours=plan.hours
            )
        except Problem as problem:
            problems.append(problem)
    try:
        month = monthly(plan.model, plan.kind, plan.traffic)
    except Problem as problem:
        problems.append(problem)
    back: Payback | None = None
    if first is not None and first.month is not None and month is not None and estimate is not None:
        try:
            back = payback(_same_currency(estimate, month), first.month, month)
        except Problem as problem:
            problems.append(problem)
    return Row(plan, estimate, month, life(plan.model, today), back, tuple(problems))


def _same_currency(estimate: Estimate, month: Monthly) -> Decimal:
    if estimate.currency != month.currency and estimate.total:
        raise Problem(
            f"training and use of {month.model.key} are priced in different currencies",
            f"{estimate.currency} and {month.currency}",
            "`fttui cost --refresh-azure` reads all meters in one currency",
            code="mixed_currencies",
        )
    return estimate.total


def crossing(left: Row, right: Row) -> Decimal | None:
    """Months after which the one with the higher start and the lower month has caught up.

    None: their lines never cross (or a price is missing, or one of the two is dead by then).
    """
    starts = left.training_total, right.training_total
    if None in starts or left.month is None or right.month is None:
        return None
    if left.month.currency != right.month.currency:
        return None
    start = (starts[0] or Decimal(0)) - (starts[1] or Decimal(0))
    slope = right.month.total - left.month.total
    if not slope or not start:
        return None
    months = divide(start, slope)
    if months < 0:
        return None
    for row in (left, right):
        end = row.life.base_days if row.plan.kind == "base" else row.life.tuned_days
        if end is not None and months * MONTH_DAYS > end:
            return None
    return months


def _row_dict(row: Row) -> dict[str, Any]:
    return {
        "label": row.plan.label,
        "model": row.plan.model.id,
        "provider": row.plan.model.provider,
        "kind": row.plan.kind,
        "training": None if row.training is None else row.training.as_dict(),
        "month": None if row.month is None else row.month.as_dict(),
        "payback": None if row.payback is None else row.payback.as_dict(),
        "pays_in_time": row.pays_in_time,
        "life": row.life.as_dict(),
        "cumulative": [None if value is None else exact(value) for value in row.cumulative()],
        "problems": [problem.as_dict() for problem in row.problems],
    }
