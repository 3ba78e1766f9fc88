"""Bills and comparisons as plain text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import date

from fttui.pricing.advice import SOURCES, Advice
from fttui.pricing.bill import Line
from fttui.pricing.catalog import Catalog
from fttui.pricing.estimate import Estimate
from fttui.pricing.export import paid_back
from fttui.pricing.lifecycle import Life
from fttui.pricing.money import show, show_price
from fttui.pricing.plan import Comparison
from fttui.pricing.use import Monthly
from fttui.text import one_line, plural

WIDTH = 80
_AMOUNT, _PRICE = 13, 17


def training(estimate: Estimate, home: str) -> list[str]:
    """The training bill: a headline, the lines, the total, a range where there is one."""
    epochs = plural(estimate.epochs, "epoch") + (
        " (auto, estimated)" if estimate.epochs_auto else ""
    )
    by = "" if estimate.tokens == 0 else f", {epochs}"
    out = _fold(f"{estimate.model.id} at {home}, {estimate.method}{by}")
    out += ["", *bill(estimate.lines)]
    out.append(_row("Total", "", show(estimate.total, estimate.currency)))
    if estimate.low != estimate.total:
        out.append(_row("At the lower end", "", show(estimate.low, estimate.currency)))
    if estimate.upper != estimate.total:
        text = "If validation is billed too"
        out.append(_row(text, "", show(estimate.upper, estimate.currency)))
    return out


def month(use: Monthly) -> list[str]:
    """A month's bill under its own headline."""
    out = [f"{use.label}, {use.traffic.requests:,} requests a month"]
    out += [*bill(use.lines), _row("A month", "", show(use.total, use.currency))]
    return out + [part for note in use.notes for part in _fold(note, "  ")]


def bill(lines: Iterable[Line]) -> list[str]:
    """Each line of a bill in its columns."""
    return [_row(line.label, _unit(line), show(line.amount, line.currency)) for line in lines]


def _unit(line: Line) -> str:
    if not line.price:
        return "not billed" if "not billed" in line.note else ""
    if line.unit == "job":
        return ""
    unit = {"1M tokens": "1M", "hour": "h"}.get(line.unit, line.unit)
    return f"{show_price(line.price, line.currency)}/{unit}" + ("" if line.certain else " ?")


def _row(label: str, price: str, amount: str) -> str:
    room = WIDTH - 2 - _PRICE - _AMOUNT
    return f"  {one_line(label, room - 1):<{room}}{price:>{_PRICE}}{amount:>{_AMOUNT}}"


def provenance(lines: Iterable[Line], catalog: Catalog, today: date) -> list[str]:
    """Where each figure comes from and how old it is; doubts and old prices are said in words."""
    out: list[str] = []
    seen: set[tuple[str, date]] = set()
    for line in lines:
        if line.as_of is None or (line.source, line.as_of) in seen:
            continue
        seen.add((line.source, line.as_of))
        age = (today - line.as_of).days
        old = f", {plural(age, 'day')} ago: check it" if age > catalog.stale_days else ""
        out += _fold(f"price of {line.as_of}{old}: {line.source}")
        if not line.certain:
            out += _fold(f"? uncertain: {line.note}")
    return out


def life(left: Life) -> list[str]:
    """The lifetime line; a mark in front where an end is near."""
    mark = {"ok": "  ", "soon": "! ", "urgent": "!! ", "over": "!! "}[left.level]
    doubt = f" ({left.model.dates_note})" if left.model.dates_note and left.tuned_days else ""
    return _fold(mark + left.text + doubt)


def comparison(plans: Comparison) -> list[str]:
    """Plans side by side: training, month, first year, when training is earned back."""
    rows = [("", "training", "month", "1st year")]
    tails: list[str] = [""]
    for row in plans.rows:
        year = [value for value in row.cumulative() if value is not None]
        money = row.month.currency if row.month else "USD"
        trained = "–"
        if row.plan.kind == "tuned":
            known = row.training
            trained = show(known.total, known.currency) if known else "not known"
        monthly = show(row.month.total, money) if row.month else "not known"
        whole = show(year[-1], money) if year else "not known"
        rows.append((one_line(row.plan.label, 38), trained, monthly, whole))
        tail = [problem.what for problem in row.problems]
        if year and len(year) <= 12:
            tail.append(f"answers for {plural(len(year) - 1, 'more month')}; the year ends there")
        if row.payback is not None:
            against = plans.rows[0].plan.label
            tail.append(f"training earned back against {against}: {paid_back(row)}")
        tails.append("; ".join(tail))
    out = []
    for cells, said in zip(rows, tails, strict=True):
        out.append(f"  {cells[0]:<38}{cells[1]:>13}{cells[2]:>13}{cells[3]:>13}")
        out += _fold(said, "    ") if said else []
    return out


def table(rows: Sequence[tuple[str, str, str]], head: tuple[str, str, str]) -> list[str]:
    """Three columns, long cells folded."""
    out = []
    for label, left, right in (head, *rows):
        cells = [
            textwrap.wrap(text, room) or [""]
            for text, room in ((label, 24), (left, 23), (right, 29))
        ]
        for n in range(max(len(cell) for cell in cells)):
            parts = [cell[n] if n < len(cell) else "" for cell in cells]
            out.append(f"  {parts[0]:<25}{parts[1]:<24}{parts[2]}".rstrip())
    return out


def advice(answer: Advice) -> list[str]:
    """The verdict, the points, and the sources they name by number."""
    out = notes([answer.verdict])
    marks = {"for": "+", "against": "-", "note": " "}
    used = list(dict.fromkeys(point.source for point in answer.points))
    for point in answer.points:
        out += _fold(f"{marks[point.kind]} {point.text} [{used.index(point.source) + 1}]")
    return out + notes(f"[{n}] {SOURCES[key]}" for n, key in enumerate(used, 1))


def notes(texts: Iterable[str]) -> list[str]:
    return [part for text in texts for part in _fold(text)]


def _fold(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [
        ""
    ]
