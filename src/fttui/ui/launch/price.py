"""The price of a plan: of one job, or of all jobs of a sweep together; and how long the result will answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.text import plural
from fttui.ui.text import Part

if TYPE_CHECKING:
    from fttui.dataset.report import Report
    from fttui.pricing.catalog import Model
    from fttui.pricing.estimate import Estimate
    from fttui.pricing.workload import Workload


@dataclass(frozen=True)
class Quote:
    """amount None: no price is known. parts: what to show. exact: counted for this very plan.
    each: (amount, currency) of every job, in their order."""

    parts: tuple[Part, ...]
    amount: Decimal | None = None
    currency: str = "USD"
    exact: bool = True
    each: tuple[tuple[Decimal | None, str], ...] = ()

    @property
    def money(self) -> str:
        return "" if self.amount is None else money(self.amount, self.currency)


def money(amount: Decimal, currency: str) -> str:
    sign = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{amount:,.2f}"


def quote(
    model: Model | None,
    work: Workload | None,
    *,
    method: str,
    epochs: Sequence[str] = ("",),
    counted: bool = True,
    named: bool = True,
) -> Quote:
    """The price of as many jobs as `epochs` has entries, each as typed ("" and "auto": the provider
    chooses). work: None while the file is being checked. counted: its tokens are counted, not
    estimated. named: a model was chosen, be it one the catalogue does not have."""
    none = tuple((None, "USD") for _ in epochs)
    if model is None:
        text = "price unknown: the catalogue has no such model" if named else "choose a model"
        return Quote(((text, "warning" if named else "dim"),), each=none)
    if work is None:
        return Quote((("the tokens are still being counted …", "dim"),), each=none)
    if model.free:
        free = tuple((Decimal(0), "USD") for _ in epochs)
        return Quote((("free", "ok"), (" · trains on this machine", "dim")), Decimal(0), each=free)
    try:
        found = [
            work.estimate(model, epochs=int(text) if text.isdigit() else None, method=method)
            for text in epochs
        ]
    except Problem as problem:
        return Quote(((f"price unknown: {problem.why or problem.what}", "warning"),), each=none)
    exact = counted and not any(one.epochs_auto or one.low != one.total for one in found)
    total = sum((one.total for one in found), Decimal(0))
    first = found[0]
    return Quote(
        tuple(_parts(found, work, total, exact)),
        total,
        first.currency,
        exact,
        tuple((one.total, one.currency) for one in found),
    )


def workload(report: Report, model: Model, share: float) -> Workload:
    """What is trained on: the checked file, less what is held out. Looks at every example."""
    from fttui.pricing.workload import from_report
    from fttui.ui.planner import held_out

    whole = from_report(report, model)
    return held_out(replace(whole, validation_tokens=0), share) if share else whole


def _parts(found: list[Estimate], work: Workload, total: Decimal, exact: bool) -> list[Part]:
    first = found[0]
    low = sum((one.low for one in found), Decimal(0))
    about = "" if exact else "≈ "
    sums = money(total, first.currency)
    if low != total:
        sums = f"{money(low, first.currency)} to {sums}"
    parts: list[Part] = [(f"{about}{sums}", "bold")]
    if len(found) > 1:
        parts.append((f" for all {len(found)} jobs", "bold"))
    price = first.model.training
    if price is None or low != total:  # by the hour
        note = first.lines[0].label if first.lines else ""
        return [*parts, (f" · {note}", "dim")]
    counts = sorted({one.epochs for one in found})
    epochs = plural(counts[0], "epoch") if len(counts) == 1 else (
        f"{', '.join(map(str, counts))} epochs"
    )  # fmt: skip
    auto = " (auto, estimated)" if any(one.epochs_auto for one in found) else ""
    each = f" × {price.amount:g} {price.currency}/1M, {price.as_of}"
    return [*parts, (f" · {work.tokens:,} tokens × {epochs}{auto}{each}", "dim")]


def lifetime(model: Model | None, today: date) -> list[Part]:
    """How long the tuned model will answer."""
    if model is None:
        return []
    from fttui.pricing import lifecycle

    life = lifecycle.life(model, today)
    style = {"ok": "dim", "soon": "warning"}.get(life.level, "error")
    return [(f"{'' if life.level == 'ok' else '⚠ '}{life.text}", style)]
