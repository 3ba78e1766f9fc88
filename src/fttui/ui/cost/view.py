"""The words of the Cost area, as rows of parts for a given width: the plan and its training bill."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from textual.content import Content

from fttui.problem import Problem
from fttui.text import duration, one_line, plural
from fttui.ui.text import Part, fit, say

if TYPE_CHECKING:
    from fttui.pricing.bill import Line
    from fttui.pricing.catalog import Model
    from fttui.pricing.use import Traffic
    from fttui.ui.planner import Planner

Rows = list[list[Part]]


def content(rows: Sequence[Sequence[Part]]) -> Content:
    """Rows as one text."""
    parts: list[Part] = []
    for row in rows:
        parts += [*row, "\n"]
    return say(*parts[:-1])


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Part]],
    width: int,
    columns: Sequence[int],
) -> Rows:
    """A table whose first column takes what the others leave; those are aligned right, each as wide as
    what is in it, at most `columns`."""
    columns = [
        min(most, max(_length(cells[place]) for cells in (head, *rows)))
        for place, most in enumerate(columns, 1)
    ]
    first = max(12, width - sum(columns) - 2 * len(columns))
    widths = [first, *columns]

    def line(cells: Sequence[Part], style: str = "") -> list[Part]:
        made: list[Part] = []
        for place, (cell, room) in enumerate(zip(cells, widths, strict=True)):
            text, own = (cell, style) if isinstance(cell, str) else cell
            made += [(fit(text, room, "right" if place else "left"), own), "  "]
        return made[:-1]

    return [line(head, "dim"), *(line(row) for row in rows)]


def _length(cell: Part) -> int:
    return len(cell if isinstance(cell, str) else cell[0])


def money(amount: Decimal | None, currency: str = "USD") -> str:
    from fttui.pricing.money import show

    return "–" if amount is None else show(amount, currency)


# -- the inputs


def plan(planner: Planner, width: int, spent: str) -> Rows:
    thread = planner.app.thread
    room = max(10, width - 14)

    def row(key: str, name: str, *value: Part) -> list[Part]:
        return [(f"{key:>4} ", "key"), (f"{name:<9}", "dim"), *value]

    rows: Rows = []
    if thread.path is None:
        rows.append(row("o", "dataset", ("none open: o opens one", "warning")))
    else:
        rows.append(row("o", "dataset", one_line(thread.path.name, room)))
        rows += [row("", "", (text, "dim")) for text in _size(planner, room)]
    model = thread.model
    if model is None:
        rows.append(row("b", "base", ("choose one", "warning")))
    else:
        title = planner.app.backend.catalog.provider(model.provider).title
        rows.append(row("b", "base", (fit(model.title, room).rstrip(), "bold")))
        rows.append(row("", "", (fit(title, room).rstrip(), "dim")))
    rows.append(row("", "method", planner.method))
    rows.append(row("+ -", "epochs", *_epochs(planner)))
    rows.append(row("v", "held out", *_held_out(planner, room)))
    for number, text in enumerate(_traffic(planner.traffic)):
        rows.append(row("" if number else "t", "" if number else "traffic", text))
    if spent:
        rows.append(row("", "spent", (spent, "dim")))
    return rows


def _size(planner: Planner, room: int) -> list[str]:
    workload = planner.workload()
    if workload is None:
        return ["no tokens counted" if planner.app.thread.problem else "being read …"]
    about = "~" if planner.approximate else ""
    words = [
        f"{about}{plural(workload.examples, 'example')}",
        f"{about}{workload.tokens:,} tokens",
    ]
    together = " · ".join(words)
    return [together] if len(together) <= room else words


def _epochs(planner: Planner) -> list[Part]:
    thread = planner.app.thread
    if thread.epochs is not None:
        return [(str(thread.epochs), "bold"), ("  a: auto", "faint")]
    estimate = thread.estimate
    return [("auto", "bold"), (f" → {estimate.epochs}" if estimate else "", "dim")]


def _held_out(planner: Planner, room: int) -> list[Part]:
    thread = planner.app.thread
    if thread.validation is not None:
        return [one_line(thread.validation.name, room)]
    if not thread.split:
        return [("nothing", "dim")]
    return [(f"{thread.split:.0%}", "bold"), (" of the examples", "dim")]


def _traffic(traffic: Traffic) -> list[str]:
    rows = [
        f"{traffic.requests:,} a month",
        f"{traffic.prompt_tokens:,} in · {traffic.answer_tokens:,} out",
    ]
    if traffic.saved_prompt_tokens:
        rows.append(f"tuned: {traffic.saved_prompt_tokens:,} fewer in")
    shares = [
        f"{share * 100:.0f} % {name}"
        for share, name in ((traffic.cached_share, "cached"), (traffic.batch_share, "batch"))
        if share
    ]
    return rows + ([" · ".join(shares)] if shares else [])


# -- the training bill


def bill(planner: Planner, width: int, today: date, seconds: float | None) -> Rows:
    estimate, model = planner.app.thread.estimate, planner.app.thread.model
    if planner.problem is not None:
        return _problem(planner.problem)
    if estimate is None or model is None:
        return [[("no plan yet: a dataset and a base model make one", "dim")]]
    rows: Rows = []
    for line in estimate.lines:
        rows += _line(line, width, model.provider == "local")
    rows.append([("─" * width, "faint")])
    rows += _total(planner, width, seconds)
    rows.append([""])
    from fttui.pricing import lifecycle

    left = lifecycle.life(model, today)
    if left.level != "ok":
        rows.append([("⚠ ", "warning"), (left.text, "warning" if left.trainable else "error")])
    rows += _sources(planner, today)
    if not estimate.total and model.provider == "local":
        return rows
    rows += [[("· ", "faint"), (note, "dim")] for note in estimate.notes]
    if estimate.not_included:
        rows.append([("not included: ", "faint"), (", ".join(estimate.not_included), "dim")])
    return rows


def _line(line: Line, width: int, free: bool) -> Rows:
    """What it is, then `0.36 × $5.00 per 1M tokens` and what that comes to."""
    amount = "free" if free else money(line.amount, line.currency) + ("" if line.certain else " ?")
    if len(line.label) + len(amount) < width and not line.price:
        return [[fit(line.label, width - len(amount) - 1), " ", (amount, "dim")]]
    price = f"{money_price(line.price, line.currency)} per {line.unit}"
    what = f"  {line.quantity.normalize():,f} × {price}" if line.price else "  not billed"
    return [[line.label], [(fit(what, width - len(amount) - 1), "dim"), " ", amount]]


def money_price(amount: Decimal, currency: str) -> str:
    from fttui.pricing.money import show_price

    return show_price(amount, currency)


def _total(planner: Planner, width: int, seconds: float | None) -> Rows:
    estimate = planner.app.thread.estimate
    assert estimate is not None
    about = "~" if planner.approximate else ""
    if not estimate.total and estimate.model.provider == "local":
        time = (
            f"about {duration(seconds)}, by the last job here"
            if seconds
            else "how long it takes is not known: no job has ended here yet"
        )
        return [[("✓ free, on this machine", "ok")], [("  " + time, "dim")]]
    low = f"{money(estimate.low, estimate.currency)} – " if estimate.low < estimate.total else ""
    total = about + low + money(estimate.total, estimate.currency)
    rows: Rows = [[("Total", "bold"), (fit(total, width - 5, "right"), "heading")]]
    if estimate.upper > estimate.total:
        upper = f"up to {money(estimate.upper, estimate.currency)} if validation is billed too"
        rows.append([(fit(upper, width, "right"), "warning")])
    if planner.approximate:
        rows.append([(fit("~ the file is still being scanned", width, "right"), "dim")])
    return rows


def _sources(planner: Planner, today: date) -> Rows:
    """The price's date and source; how old it is where that matters; what is uncertain, and why."""
    model = planner.app.thread.model
    price = model.training if model is not None else None
    if price is None or not price.amount:
        return []
    old = planner.app.backend.catalog.stale(price, today)
    age: Part = (f" ({plural(price.age(today), 'day')} ago)", "warning") if old else ""
    rows: Rows = [
        [("price of ", "faint"), (f"{price.as_of}", "dim"), age, (f", {price.source}", "faint")]
    ]
    if not price.certain:
        rows.append([("? ", "warning"), (price.note or "uncertain", "dim")])
    return rows


def _problem(problem: Problem) -> Rows:
    what, *rest = problem.lines()
    rows: Rows = [[("✗ ", "error"), (what, "error")]]
    for line in rest:
        rows.append([("  " + line, "dim")])
    return rows


def billed(planner: Planner) -> Rows:
    """After a job: the estimate against what its trained tokens come to."""
    thread = planner.app.thread
    job, estimate = thread.job, thread.estimate
    if job is None or estimate is None or not job.trained_tokens or not estimate.total:
        return []
    catalog = planner.app.backend.catalog
    model = catalog.get(job.model, estimate.model.provider)
    if model is None or model.key != estimate.model.key:
        return []
    from fttui.pricing import journal

    try:
        found = journal.against_bill(estimate, job.trained_tokens)
    except Problem:
        return []
    percent = f" ({found.percent:+} %)" if found.percent is not None else ""
    return [
        [
            ("billed: ", "dim"),
            (f"{job.trained_tokens:,} tokens, {money(found.billed, found.currency)}", "bold"),
            (f" against {money(found.estimated, found.currency)}{percent}", "dim"),
        ]
    ]


def spent(rows: Sequence[dict[str, object]]) -> str:
    """What the journal adds up to: `$4.13`, by currency; "" for nothing."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        amount, currency = str(row.get("amount") or ""), str(row.get("currency") or "USD")
        try:
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount or "0")
        except ArithmeticError:
            continue
    return ", ".join(money(amount, currency) for currency, amount in sums.items() if amount)


def price_note(model: Model) -> str:
    """`$5.00/1M tokens · lives 54 d`, for the chooser."""
    from fttui.pricing import lifecycle

    price = model.training
    said = "price not known"
    if price is not None:
        said = (
            "free"
            if not price.amount
            else f"{money_price(price.amount, price.currency)}/{price.unit}"
        )
        said += "" if price.certain else " ?"
    days = lifecycle.life(model, date.today()).tuned_days
    return said + (f" · lives {days} d" if days is not None else "")
