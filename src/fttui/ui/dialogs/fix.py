"""The safe fixes before they are done: what changes, where the copy goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fttui.text import clean, plural
from fttui.ui.dialogs.copy import CopyDialog, copy_name
from fttui.ui.text import Part, fit
from fttui.ui.widgets.text_view import Line

if TYPE_CHECKING:
    from fttui.dataset.rewrite import Change, Plan

AROUND = 24  # characters kept before what changes


class FixDialog(CopyDialog):
    """The changes of a plan. among: which lines are looked at, where it is not all of them."""

    def __init__(self, source: Path, plan: Plan, among: str = "") -> None:
        where = f"{among} of {source.name}" if among else source.name
        super().__init__(f"{_amount(plan)} for {where}", copy_name(source))
        self._plan = plan

    def counts(self) -> list[Part]:
        from fttui.dataset.checks import CATALOGUE

        parts: list[Part] = []
        done = [(code, count) for code, count in self._plan.fixed.most_common() if count]
        for code, count in done[:7]:
            check = CATALOGUE.get(code)
            title, how = (check.title, check.fix) if check is not None else (code, "")
            parts += [
                (f"{count:>8,} × ", "bold"),
                (f"{code}  ", "accent"),
                f"{title}",
                (f"  → {how}", "dim"),
                "\n",
            ]
        rest = len(done) - 7
        return [*parts, (f"         and {rest} more kinds", "dim")] if rest > 0 else parts[:-1]

    def preview(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for change in self._plan.preview:
            codes = " ".join(change.codes)
            before, after = excerpts(change)
            lines.append([(f"line {change.line:,}", "bold"), (f"  {codes}", "faint")])
            lines.append([("- ", "error"), (fit(before, width - 2), "dim")])
            shown = fit(after, width - 2) if after else "(the line is dropped)"
            lines += [[("+ ", "ok"), shown], []]
        return lines


def _amount(plan: Plan) -> str:
    """`3 safe fixes`, or `3 fixes` where one of them changes what is said."""
    from fttui.dataset.checks import CATALOGUE

    kinds = {CATALOGUE[code].fix_kind for code, count in plan.fixed.items() if count}
    safe = "safe " if kinds <= {"safe"} else ""
    return plural(sum(plan.fixed.values()), f"{safe}fix", f"{safe}fixes")


def excerpts(change: Change) -> tuple[str, str]:
    """Before and after, from a little before the first difference on."""
    before, after = _plain(change.before), _plain(change.after)
    if not after:
        return clean(before[:400]), ""
    same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    start = max(0, (min(len(before), len(after)) if same is None else same) - AROUND)
    lead = "…" if start else ""
    return (
        lead + clean(before[start : start + 400]),
        lead + clean(after[start : start + 400]),
    )


def _plain(raw: bytes) -> str:
    """A line as text; JSON without its blanks, so that only what means something differs."""
    import orjson

    try:
        raw = orjson.dumps(orjson.loads(raw))
    except (orjson.JSONDecodeError, TypeError):
        pass
    return raw.decode("utf-8", "backslashreplace")
