"""What the launch dialog asks besides its form: which model, which validation, and the last question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.cells import cell_len

from fttui.ui.dialogs.choose import Choice
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.launch import plan
from fttui.ui.text import Part, say

if TYPE_CHECKING:
    from fttui.pricing.catalog import Model

INDENT, WIDTH = 11, 58  # columns of the names and of the values


def question(quote: plan.Quote, rows: Sequence[tuple[str, list[Part]]], limit: Decimal) -> Confirm:
    """The last question: everything named once more; above `limit` the amount is typed."""
    dear = quote.amount is not None and quote.amount > limit
    typed = f"{quote.amount:.2f}" if dear and quote.amount is not None else ""
    title = f"Launch for {'' if quote.exact else 'about '}{quote.money}?"
    if quote.amount is None:
        title = "Launch at an unknown price?"
    elif not quote.amount:
        title = "Launch? It costs nothing."
    parts: list[Part] = []
    for name, value in rows:
        parts += [(f"{name:<{INDENT}}", "dim"), *hang(value), "\n"]
    costs = quote.amount is None or quote.amount > 0
    return Confirm(title, parts[:-1], yes="Launch", no="Not yet", type_this=typed, danger=costs)


def hang(parts: list[Part]) -> list[Part]:
    """Parts broken into lines of WIDTH, the later ones indented under the first."""
    made: list[Part] = []
    used = 0
    for part in parts:
        text, style = (part, "") if isinstance(part, str) else part
        for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text):
            if used and used + cell_len(word) > WIDTH:
                made.append("\n" + " " * INDENT)
                word, used = word.lstrip(), 0
            made.append((word, style))
            used += cell_len(word)
    return made


def model_choices(models: Sequence[Model]) -> list[Choice]:
    """The models with their price and how long what they make will answer."""
    choices = []
    for model in models:
        price = model.training
        note = f"{price.amount:g} {price.currency}/{price.unit}" if price else "price unknown"
        note = "free" if model.free else note
        life = say(*plan.lifetime(model, date.today())).plain
        choices.append(Choice(model.id, model.id, f"{note} · {life}"[:48]))
    return choices


def validation_choices(values: Sequence[str]) -> list[Choice]:
    """`values` as in Draft.validation ("" is "none" here, since a choice has a name); and another file."""
    choices = []
    for value in values:
        if value.startswith(plan.SPLIT):
            share = float(value.removeprefix(plan.SPLIT))
            title = f"hold out {share:.0%} of the examples"
            choices.append(Choice(value, title, "a copy is split"))
        elif value:
            choices.append(Choice(value, value, "a file of its own"))
    choices.append(Choice("none", "none", "over-fitting will not show"))
    return [*choices, Choice("other", "another file …")]
