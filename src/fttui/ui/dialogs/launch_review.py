"""The last question before money is spent: everything named once more, the amount typed where it is large."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.cells import cell_len

from fttui.text import plural, size
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.launch.draft import Draft
from fttui.ui.launch.fields import Field
from fttui.ui.launch.price import Quote
from fttui.ui.text import Part

INDENT, WIDTH = 11, 58  # columns of the names and of the values


def question(
    quote: Quote, rows: Sequence[tuple[str, list[Part]]], limit: Decimal, jobs: int = 1
) -> Confirm:
    """The last question: everything named once more; above `limit` the amount is typed."""
    dear = quote.amount is not None and quote.amount > limit
    typed = f"{quote.amount:.2f}" if dear and quote.amount is not None else ""
    what = f"Launch {plural(jobs, 'job')}" if jobs > 1 else "Launch"
    title = f"{what} for {'' if quote.exact else 'about '}{quote.money}?"
    if quote.amount is None:
        title = f"{what} at an unknown price?"
    elif not quote.amount:
        title = f"{what}? It costs nothing."
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


def settings(draft: Draft, fields: Sequence[Field]) -> list[tuple[str, list[Part]]]:
    """What was chosen, and what is left to the provider, in rows."""
    knobs = [
        f"{row.label} {draft.text(row.name) or 'auto'}"
        for row in fields
        if row.knob is not None and (row.knob.auto or draft.text(row.name))
    ]
    others = [
        f"{row.label} {draft.text(row.name)}"
        for row in fields
        if row.knob is None and row.kind == "line" and not row.off and draft.text(row.name)
    ]
    chosen = [
        f"{row.label} {draft.text(row.name) or row.usual}" for row in fields if row.kind == "choice"
    ]
    rows: list[tuple[str, list[Part]]] = [("settings", [" · ".join(knobs)])] if knobs else []
    more = " · ".join(others + chosen)
    return [*rows, ("and", [more])] if more else rows


def files(sent: Mapping[str, tuple[int, str]]) -> list[Part]:
    """What is sent and what is there already: name → (bytes, id at the provider or "")."""
    parts: list[Part] = []
    for name, (many, known) in sent.items():
        parts.append(" · " if parts else "")
        if known:
            parts.append((f"{name} is there already ({known}): not sent again", "ok"))
        else:
            parts.append(f"{name}, {size(many)} to send")
    return parts
