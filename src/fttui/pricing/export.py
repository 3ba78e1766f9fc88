"""A comparison as Markdown, CSV and JSON."""

from __future__ import annotations

import csv as csv_module
import io
import json as json_module
from decimal import ROUND_CEILING

from fttui.pricing.money import exact, show
from fttui.pricing.plan import Comparison, Row
from fttui.text import plural

_HEAD = (
    "Plan",
    "Training",
    "Month",
    "Of it fixed",
    "First year",
    "Paid back after",
    "Tuned model ends",
)


def markdown(comparison: Comparison) -> str:
    """One table, then every line of every bill with its date and source."""
    out = [_row(_HEAD), _row(["---"] + ["---:"] * 4 + ["---"] * 2)]
    out += [_row(_cells(row)) for row in comparison.rows]
    for row in comparison.rows:
        out += ["", f"## {_safe(row.plan.label)}", "", row.life.text + "."]
        lines = [
            *(row.training.lines if row.training else ()),
            *(row.month.lines if row.month else ()),
        ]
        if lines:
            out += ["", _row(("Line", "Quantity", "Unit", "Price", "Amount", "As of", "Source"))]
            out += [_row(["---", "---:", "---", "---:", "---:", "---", "---"])]
        for line in lines:
            source = line.source + ("" if line.certain else " (uncertain)")
            day = line.as_of.isoformat() if line.as_of else ""
            amount = show(line.amount, line.currency)
            quantity = f"{line.quantity.normalize():f}"
            out.append(
                _row((line.label, quantity, line.unit, exact(line.price), amount, day, source))
            )
        notes = [
            *(row.training.notes if row.training else ()),
            *(row.month.notes if row.month else ()),
        ]
        notes += [problem.what for problem in row.problems]
        out += [""] if notes else []
        out += [f"- {_safe(note)}" for note in notes]
    return "\n".join([f"# Cost, {comparison.today.isoformat()}", "", *out]) + "\n"


def csv(comparison: Comparison) -> str:
    """One row a line of a bill; amounts in full, machine-readable."""
    out = io.StringIO()
    writer = csv_module.writer(out, lineterminator="\n")
    head = [
        "plan",
        "part",
        "label",
        "quantity",
        "unit",
        "price",
        "amount",
        "currency",
        "as_of",
        "source",
        "certain",
    ]
    writer.writerow(head)
    for row in comparison.rows:
        parts = (("training", row.training), ("month", row.month))
        for part, bill in parts:
            for line in bill.lines if bill else ():
                writer.writerow(
                    [
                        _no_formula(row.plan.label),
                        part,
                        _no_formula(line.label),
                        f"{line.quantity.normalize():f}",
                        line.unit,
                        exact(line.price),
                        exact(line.amount),
                        line.currency,
                        line.as_of.isoformat() if line.as_of else "",
                        line.source,
                        "yes" if line.certain else "no",
                    ]
                )
    return out.getvalue()


def json(comparison: Comparison) -> str:
    """The whole comparison as one JSON object; money as text."""
    return json_module.dumps(comparison.as_dict(), ensure_ascii=False)


def _cells(row: Row) -> list[str]:
    year = [value for value in row.cumulative() if value is not None]
    dead = len(year) < len(row.cumulative())
    currency = row.month.currency if row.month else "USD"
    return [
        row.plan.label,
        _training(row),
        show(row.month.total, currency) if row.month else "not known",
        show(row.month.fixed, currency) if row.month else "",
        (show(year[-1], currency) + (f" (ends after {len(year) - 1} months)" if dead else ""))
        if year
        else "not known",
        paid_back(row),
        row.life.tuned_ends.isoformat()
        if row.life.tuned_ends and row.plan.kind == "tuned"
        else "–",
    ]


def _training(row: Row) -> str:
    if row.plan.kind == "base":
        return "–"
    return show(row.training.total, row.training.currency) if row.training else "not known"


def paid_back(row: Row) -> str:
    """When training is earned back, in a few words."""
    back = row.payback
    if back is None:
        return "–"
    if back.requests is None or back.months is None:
        return "never at this traffic"
    days = back.months * 30
    when = (
        f"{back.months:.1f} months"
        if days >= 60
        else plural(int(days.to_integral_value(ROUND_CEILING)), "day")
    )
    text = f"{back.requests:,} requests ({when})"
    return text if row.pays_in_time else text + ", after its end"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(_safe(cell) for cell in cells) + " |"


def _safe(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _no_formula(text: str) -> str:
    """A cell that a spreadsheet does not run as a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
