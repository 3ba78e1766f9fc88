"""The tables of the Cost area: bases or kept plans, a month of use, OpenAI against Azure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from fttui.problem import Problem
from fttui.ui.cost.view import Rows, money, table
from fttui.ui.text import Part, fit

if TYPE_CHECKING:
    from fttui.pricing.compare import Sides
    from fttui.pricing.plan import Comparison, Row
    from fttui.pricing.use import Monthly


def compared(found: Comparison | None, are_kept: bool, width: int) -> Rows:
    if found is None:
        return [[("open a dataset to compare", "faint")]]
    rows = []
    for place, row in enumerate(found.rows):
        name = row.plan.label if are_kept else f"{row.plan.model.title} · {row.plan.model.provider}"
        style = "bold" if place == 0 else ""
        rows.append([(name, style), _training(row), _month(row), (_lives(row), _life_style(row))])
    made = table(("", "training", "month", "lives"), rows, width, (11, 11, 8))
    if not are_kept:
        made.append([("c keeps this plan here, to compare", "faint")])
    return made


def _training(row: Row) -> Part:
    if row.training is None:
        return ("not known", "faint")
    if not row.training.total and row.plan.model.provider == "local":
        return ("free", "ok")
    mark = "" if row.training.certain or row.training.epochs_auto else "?"
    return money(row.training.total, row.training.currency) + mark


def _month(row: Row) -> Part:
    if row.month is None:
        return ("not known", "faint")
    free = not row.month.total and row.plan.model.provider == "local"
    return ("free", "ok") if free else money(row.month.total, row.month.currency)


def _lives(row: Row) -> str:
    days = row.life.base_days if row.plan.kind == "base" else row.life.tuned_days
    if days is None:
        return "–"
    return f"{days} d" if days > 0 else "ended"


def _life_style(row: Row) -> str:
    return {"soon": "warning", "urgent": "error", "over": "error"}.get(row.life.level, "dim")


# -- a month of use


def month(found: Comparison | None, width: int) -> Rows:
    """Base, tuned, larger and newer at the same traffic; all cached, all in batch; break-even."""
    if found is None:
        return [[("open a dataset to see a month of use", "faint")]]
    rows = []
    for row in found.rows:
        style = "bold" if row.plan.kind == "tuned" else ""
        rows.append(
            [
                (row.plan.label, style),
                _month(row),
                _variant(row, "cached_share", "cached"),
                _variant(row, "batch_share", "batch_input"),
            ]
        )
    made = table(("", "month", "all cached", "in batch"), rows, width, (11, 11, 11))
    tuned = next((row for row in found.rows if row.plan.kind == "tuned"), None)
    return made + (_pays(tuned, found.rows[0]) if tuned is not None else [])


def _variant(row: Row, share: str, price: str) -> Part:
    """The month if all prompts were cached, or all requests went in batches."""
    from fttui.pricing.use import monthly

    rates = row.plan.model.tuned if row.plan.kind == "tuned" else row.plan.model.base
    if rates is None or getattr(rates, price) is None:
        return ("–", "faint")
    plain = replace(row.plan.traffic, cached_share=Decimal(0), batch_share=Decimal(0))
    one = Decimal(1)
    shifted = (
        replace(plain, cached_share=one)
        if share == "cached_share"
        else replace(plain, batch_share=one)
    )
    try:
        other: Monthly = monthly(row.plan.model, row.plan.kind, shifted)
    except Problem:
        return ("–", "faint")
    free = not other.total and row.plan.model.provider == "local"
    return ("free" if free else money(other.total, other.currency), "dim")


def _pays(tuned: Row, first: Row) -> Rows:
    """When training has paid for itself, against the first row."""
    back = tuned.payback
    if back is None or first is tuned or not (tuned.training and tuned.training.total):
        return []
    against = (f", against {first.plan.label}", "dim")
    if back.requests is None:
        return [
            [("⚠ ", "warning"), ("training is never paid back at this traffic", "warning"), against]
        ]
    good = bool(tuned.pays_in_time)
    style = "ok" if good else "warning"
    late: Part = "" if good else (", after the tuned model has ended", "warning")
    return [
        [
            ("✓ " if good else "⚠ ", style),
            "training is paid back after ",
            (f"{back.requests:,} requests", style),
            late,
            against,
        ]
    ]


# -- OpenAI against Azure


def azure(found: Sides | None, width: int) -> Rows:
    if found is None:
        return [[("no model is priced at both", "faint")]]
    first = 28 if width > 90 else 24
    room = max(10, (width - first - 2) // 2)
    rows: Rows = [
        [
            (fit(found.openai.title, first), "bold"),
            " ",
            (fit("OpenAI", room), "dim"),
            " ",
            (fit("Azure", room), "dim"),
        ]
    ]
    rows = [*_equal(found), *rows]
    for what, left, right in found.rows:
        if len(right) > room:
            rows.append([(f"{what}: ", "dim"), f"{left}; ", ("Azure ", "dim"), right])
        else:
            rows.append([(fit(what, first), "dim"), " ", fit(left, room), " ", fit(right, room)])
    return [*rows, [(found.claim.sentence(), "faint")]]


def _equal(found: Sides) -> Rows:
    """Where the two bills meet, and which is the smaller one at this traffic."""
    from fttui.pricing.hosting import millions

    rows: Rows = []
    even = found.break_even
    if even.tokens_hour is not None and even.tokens_month is not None:
        rows.append(
            [
                ("equal at ", "dim"),
                (f"{millions(even.tokens_hour)} tokens an hour", "heading"),
                (f", {millions(even.tokens_month)} a month", ""),
                (f" ({even.input_share * 100:.0f} % input)", "dim"),
            ]
        )
    if found.cheaper:
        name = {"openai": "OpenAI", "azure": "Azure"}[found.cheaper]
        rows.append([("cheaper at this traffic: ", "dim"), (name, "ok")])
    return rows
