"""The figures of an evaluation as cells of text: the same words on a terminal, in the pane and in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from fttui.evaluate.confusion import OTHER, Confusion
from fttui.evaluate.records import TROUBLES
from fttui.evaluate.summary import ModelSummary, Score, Summary
from fttui.pricing.money import show
from fttui.text import one_line, plural, width

HEAD = ("model", "right", "95 %", "score", "seconds", "tokens", "cost")
NAME = 48  # characters of a model's name


def model_row(model: ModelSummary, grader: str) -> list[str]:
    """The cells of one model under HEAD."""
    seconds = "–" if model.median is None else f"{model.median:.2f}"
    known = "free" if model.cost == 0 else show(model.cost or Decimal(0), model.currency or "USD")
    cost = "–" if model.cost is None else known
    return [
        one_line(model.model, NAME), *score_cells(model.scores[grader]), seconds,
        f"{model.completion_tokens:,}", cost,
    ]  # fmt: skip


def score_cells(score: Score) -> list[str]:
    """right, 95 %, score. Without a right or wrong the interval is the score's."""
    low, high = score.interval
    if score.right is None:
        return ["–", f"{low:.2f} to {high:.2f}", f"{score.mean:.3f}"]
    right = f"{score.right} of {score.count}"
    return [right, f"{100 * low:.0f} to {100 * high:.0f} %", f"{score.mean:.3f}"]


def sentences(summary: Summary) -> Iterator[str]:
    """Which is better, and how sure."""
    yield from (row.sentence() for row in summary.comparisons)
    for row in summary.judged:
        yield f"by the judge: {row.sentence()}"


def notes(summary: Summary) -> Iterator[str]:
    """What the table does not say: answers that are missing, cut or refused, grades that failed."""
    for model in summary.models:
        if model.missing:
            yield f"{model.model}: {plural(model.missing, 'prompt')} without an answer, not counted"
        for trouble, count in model.troubles.items():
            yield f"{model.model}: {plural(count, 'answer')} {TROUBLES[trouble]}"
        for grader in summary.graders:
            errors = model.scores[grader].errors - (model.failed if grader else 0)
            if errors > 0:
                by = f" by {grader}" if len(summary.graders) > 1 else ""
                yield (
                    f"{model.model}: {plural(errors, 'row')} could not be graded{by} and "
                    f"{'counts' if errors == 1 else 'count'} as failed"
                )


def confusion_rows(table: Confusion) -> list[list[str]]:
    """Expected labels down, said ones across, with recall and precision at the ends."""
    columns = [*table.labels, *([OTHER] if any(s == OTHER for _, s in table.cells) else [])]
    rows = [["", *(one_line(name, 14) for name in columns), "recall"]]
    for label in table.labels:
        counts = [str(table.count(label, said)) for said in columns]
        rows.append([one_line(label, 24), *counts, _share(table.recall(label))])
    return [*rows, ["precision", *(_share(table.precision(name)) for name in table.labels)]]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines, columns under one another; a short row ends early."""
    many = max(map(len, rows))
    padded = [[*row, *[""] * (many - len(row))] for row in rows]
    widths = [max(map(width, column)) for column in zip(*padded, strict=True)]
    for row in padded:
        cells = [cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row)]
        yield "  ".join(cells).rstrip()
