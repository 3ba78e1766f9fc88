"""Which examples are shown: those a model fails, wins and losses against another, answers cut short …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fttui.text import plural
from fttui.ui.dialogs.choose import Choice

if TYPE_CHECKING:
    from fttui.evaluate.clusters import Group
    from fttui.service.eval_result import Result

ALL = "all"


@dataclass(frozen=True)
class Filter:
    """value: what it is remembered by. lines: of the evaluated file, in the order to show."""

    value: str
    title: str
    lines: tuple[int, ...]
    model: str = ""  # whose failures these are


def of(done: Result) -> Iterator[Filter]:
    """All there are for a result; the empty ones too, since that they are empty is news."""
    for row in done.summary.models[::-1]:
        lines = tuple(wrong.case.line for wrong in done.failing(row.model))
        yield Filter(f"fails:{row.model}", f"{row.model} fails", lines, row.model)
    for pair in done.summary.comparisons[::-1]:
        yield Filter(f"wins:{pair.first}:{pair.second}", f"{pair.second} better than {pair.first}",
                     pair.wins, pair.second)  # fmt: skip
        yield Filter(f"losses:{pair.first}:{pair.second}", f"{pair.second} worse than {pair.first}",
                     pair.losses, pair.second)  # fmt: skip
    for row in done.summary.models:
        rows = done.rows(row.model)
        odd = tuple(r.case.line for r in rows if r.answer is not None and r.answer.trouble)
        if odd:
            yield Filter(
                f"odd:{row.model}", f"{row.model}: cut, refused or filtered", odd, row.model
            )
        ungraded = tuple(
            r.case.line for r in rows
            if any(g.error for g in r.grades.values()) and not (r.answer and r.answer.error)
        )  # fmt: skip
        if ungraded:
            yield Filter(f"ungraded:{row.model}", f"{row.model}: not graded", ungraded, row.model)
    yield Filter(ALL, "all prompts", tuple(case.line for case in done.plan.cases.rows))


def of_group(group: Group, model: str) -> Filter:
    return Filter(
        f"group:{group.kind}:{group.subject}", f"{model}: {group.what}", group.lines, model
    )


def choices(rows: Iterator[Filter]) -> list[Choice]:
    return [Choice(row.value, row.title, plural(len(row.lines), "prompt")) for row in rows]
