"""The results as styled lines: the table of models, the list of prompts, the confusion table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fttui.text import one_line
from fttui.ui.text import Part, fit

if TYPE_CHECKING:
    from fttui.evaluate.confusion import Confusion
    from fttui.evaluate.summary import Row
    from fttui.service.eval_plan import Progress
    from fttui.service.eval_result import Result

# columns after the name: (heading, wide, narrow); 0 columns leaves one out
COLUMNS = (("right", 12, 12), ("95 %", 15, 14), ("score", 8, 7), ("seconds", 9, 9),
           ("tokens", 10, 0), ("cost", 11, 9))  # fmt: skip
WIDE = 96
BAR = 20


def head(width: int) -> Sequence[Part]:
    titles = "".join(fit(title, columns, "right") for title, columns in _columns(width))
    return [("   model".ljust(_name(width)) + titles, "dim")]


def _columns(width: int) -> list[tuple[str, int]]:
    rows = [(title, wide if width >= WIDE else narrow) for title, wide, narrow in COLUMNS]
    return [(title, columns) for title, columns in rows if columns]


def _name(width: int) -> int:
    return max(8, width - sum(columns for _, columns in _columns(width)))


def model_row(done: Result, at: int, grader: str, width: int) -> Sequence[Part]:
    """A model with its figures; the best one has a star."""
    from fttui.service import eval_table

    models = done.summary.models
    best = max(row.scores[grader].value for row in models)
    row = models[at]
    top = row.scores[grader].value == best and len(models) > 1
    cells = dict(zip(eval_table.HEAD, eval_table.model_row(row, grader), strict=True))
    parts: list[Part] = [
        (" ★ " if top else "   ", "warning"),
        (fit(cells["model"], _name(width) - 3), "bold" if row.model == done.lead else ""),
    ]
    for title, columns in _columns(width):
        style = "bold" if title in ("right", "score") and top else ""
        parts.append((fit(cells[title], columns, "right"), style or ""))
    return parts


def running_row(label: str, now: Progress, each: int, width: int) -> Sequence[Part]:
    """A model while it is being asked: how many answers, the mean so far."""
    total, count = now.scores.get(label, (0.0, 0))
    figures = {"right": f"{count}/{each} done", "score": f"{total / count:.3f}" if count else "–"}
    cells = [(fit(figures.get(title, ""), columns, "right"), "dim")
             for title, columns in _columns(width)]  # fmt: skip
    return ["   ", fit(label, _name(width) - 3), *cells]


def progress(now: Progress, words: str, width: int, ascii_only: bool) -> list[Part]:
    share = now.done / now.total if now.total else 1.0
    bar = BAR if width >= WIDE else BAR // 2
    filled = round(share * bar)
    on, off = ("#", "-") if ascii_only else ("█", "░")
    return [
        (f" {on * filled}", "primary"), (off * (bar - filled), "faint"),
        (f" {100 * share:3.0f}%", "bold"), f"  {now.done:,} of {now.total:,} answers  ",
        (words, "warning" if "waits" in words or "again in" in words else "dim"),
    ]  # fmt: skip


def said(done: Result) -> list[list[Part]]:
    """The sentences under the table, the ones that matter first."""
    from fttui.evaluate.summary import SURE
    from fttui.service import eval_table

    pairs = (*done.summary.comparisons, *done.summary.judged)
    sure = [row.p < SURE for row in pairs]
    lines: list[list[Part]] = [
        [("✓ " if good else "· ", "ok" if good else "dim"), (text, "bold" if good else "")]
        for text, good in zip(eval_table.sentences(done.summary), sure, strict=True)
    ]
    lines.sort(key=lambda line: line[0][1] != "ok" if isinstance(line[0], tuple) else True)
    notes: list[list[Part]] = [
        [("⚠ ", "warning"), (text, "warning")] for text in eval_table.notes(done.summary)
    ]
    return [*lines, *notes]


def prompt_row(
    rows: Sequence[Row], labels: Sequence[str], grader: str, width: int
) -> Sequence[Part]:
    """One prompt: a mark for each model in the order of `labels`, its line, what was asked."""
    by_model = {row.model: row for row in rows}
    parts: list[Part] = [" "]
    for label in labels:
        row = by_model.get(label)
        parts += [mark(row, grader) if row is not None else ("·", "faint"), " "]
    case = rows[0].case
    room = width - 1 - 2 * len(labels) - 7
    return [*parts, (f"{case.line:>5}  ", "dim"), fit(case.prompt, room)]


def mark(row: Row, grader: str) -> Part:
    """✓ right, ✗ wrong, ! not graded, – not answered, 0 to 9 where nothing passes or fails."""
    grade = row.grades.get(grader)
    if grade is None:
        return ("–", "faint")
    if grade.error:
        return ("!", "warning")
    if grade.passed is None:
        digit = min(9, int(grade.score * 10))
        return (str(digit), "ok" if digit >= 8 else "warning" if digit >= 4 else "error")
    return ("✓", "ok") if grade.passed else ("✗", "error")


def confusion(table: Confusion, model: str, width: int) -> list[list[Part]]:
    """Expected labels down, said ones across; the diagonal is what is right."""
    from fttui.service import eval_table

    rows = eval_table.confusion_rows(table)
    first = min(26, max(len(row[0]) for row in rows) + 2)
    other = max(6, min(15, (width - first) // max(1, len(rows[0]) - 1)))
    lines: list[list[Part]] = [
        [(f"{one_line(model, 40)}: expected down, said across", "heading")],
        [(f"macro F1 {table.macro_f1:.2f}", "dim")],
        [],
    ]
    for down, row in enumerate(rows):
        line: list[Part] = [(fit(row[0], first), "dim")]
        for across, cell in enumerate(row[1:]):
            right = 0 < down < len(rows) - 1 and across == down - 1
            wrong = 0 < down < len(rows) - 1 and across < len(row) - 2 and cell != "0" and not right
            style = (
                "dim" if down == 0 or cell == "0" else "ok" if right else "error" if wrong else ""
            )
            line.append((fit(cell, other, "right"), style))
        lines.append(line)
    return lines


def grader_styles(names: Sequence[str], current: str) -> list[Part]:
    """The graders, the one in the table lit up."""
    parts: list[Part] = []
    for name in names:
        parts += [(f" {one_line(name, 24)} ", "chip" if name == current else "faint")]
    return parts
