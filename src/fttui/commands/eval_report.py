"""An evaluation for people (a table, sentences, failures) and as CSV."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from fttui.evaluate import diff, nearest
from fttui.evaluate.cases import Cases
from fttui.evaluate.confusion import OTHER, Confusion
from fttui.evaluate.records import Answer, shown_calls
from fttui.evaluate.summary import ModelSummary, Row, Score, Summary, failing
from fttui.pricing.money import show
from fttui.problem import Problem
from fttui.text import clean, one_line, plural, width

FAILURES = 5
WIDEST_TABLE = 8  # labels shown as a table


def lines(
    summary: Summary, rows: Sequence[Row], lead: str, training: Cases | None
) -> Iterator[str]:
    """What is printed at the end. lead: the model whose failures are shown."""
    yield from _aligned(
        [_HEAD, *(_model_row(model, summary.graders[0]) for model in summary.models)]
    )
    for grader in summary.graders[1:]:
        yield ""
        yield f"{one_line(grader, 60)}:"
        yield from _aligned(
            [
                [f"  {one_line(m.model, 40)}", *_score_cells(m.scores[grader])]
                for m in summary.models
            ]
        )
    yield ""
    yield from (row.sentence() for row in summary.comparisons)
    for row in summary.judged:
        yield f"by the judge: {row.sentence()}"
    for model in summary.models:
        if model.missing:
            yield f"{model.model}: {plural(model.missing, 'prompt')} without an answer, not counted"
        errors = model.scores[summary.graders[0]].errors
        if errors:
            yield f"{model.model}: {plural(errors, 'row')} could not be graded and count as failed"
    table = summary.of(lead).confusion
    if table is not None and len(table.labels) <= WIDEST_TABLE:
        yield from _confusion(table, lead)
    yield from _failures([row for row in rows if row.model == lead], summary.graders[0], training)


_HEAD = ["model", "right", "95 %", "score", "seconds", "tokens", "cost"]


def _model_row(model: ModelSummary, grader: str) -> list[str]:
    seconds = "–" if model.median is None else f"{model.median:.2f}"
    known = "free" if model.cost == 0 else show(model.cost or Decimal(0), model.currency or "USD")
    cost = "–" if model.cost is None else known
    return [
        one_line(model.model, 48), *_score_cells(model.scores[grader]), seconds,
        f"{model.completion_tokens:,}", cost,
    ]  # fmt: skip


def _score_cells(score: Score) -> list[str]:
    low, high = score.interval
    right = "–" if score.right is None else f"{score.right} of {score.count}"
    if score.right is None:
        return [right, f"{low:.2f} to {high:.2f}", f"{score.mean:.3f}"]
    return [right, f"{100 * low:.0f} to {100 * high:.0f} %", f"{score.mean:.3f}"]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row)]
        yield "  ".join(cells).rstrip()


def _confusion(table: Confusion, lead: str) -> Iterator[str]:
    columns = [*table.labels, *([OTHER] if any(s == OTHER for _, s in table.cells) else [])]
    yield ""
    yield f"{lead}: expected (rows) against said (columns), macro F1 {table.macro_f1:.2f}"
    head = ["", *(one_line(name, 14) for name in columns)]
    body = [
        [one_line(label, 24), *(str(table.count(label, said)) for said in columns)]
        for label in table.labels
    ]
    yield from _aligned([head, *body])


def _failures(rows: Sequence[Row], grader: str, training: Cases | None) -> Iterator[str]:
    wrong = failing(rows, grader)
    if not wrong:
        return
    near = nearest.Nearest([case.prompt for case in training.rows]) if training else None
    yield ""
    yield f"{rows[0].model} on {plural(len(wrong), 'failing prompt')}{_shown(len(wrong))}:"
    for row in wrong[:FAILURES]:
        yield from _failure(row, grader)
        if near is not None and training is not None:
            places = [str(training.rows[at].line) for at, _ in near.find(row.case.prompt, 3)]
            if places:
                yield f"    nearest training lines: {', '.join(places)}"
    yield from _next(wrong)


def _shown(count: int) -> str:
    return f", the first {FAILURES}" if count > FAILURES else ""


def _failure(row: Row, grader: str) -> Iterator[str]:
    grade, answer = row.grades[grader], row.answer or Answer()
    yield f"  line {row.case.line}: {one_line(row.case.prompt, 90)}"
    if row.case.wanted:
        yield f"    expected  {one_line(row.case.wanted, 160)}"
    yield f"    answer    {one_line(answer.said, 160) or '(nothing)'}"
    if grade.error:
        yield f"    error     {one_line(grade.error, 160)}"
        return
    wrong = grade.detail.get("wrong")
    if isinstance(wrong, dict) and wrong:
        pairs = [f"{path}: {pair['expected']!r} → {pair['got']!r}" for path, pair in wrong.items()]
        yield f"    differs   {one_line('; '.join(pairs), 160)}"
    elif row.case.expected and answer.text:
        yield f"    differs   {one_line(diff.inline(row.case.expected, answer.text), 200)}"


def _next(wrong: Sequence[Row]) -> Iterator[str]:
    """Failures that are alike: what more training examples should be about."""
    groups = [g for g in nearest.clusters([row.case.prompt for row in wrong]) if len(g.members) > 1]
    if not groups:
        return
    yield ""
    yield "what to add next, by failures that are alike:"
    for group in groups[:3]:
        places = ", ".join(str(wrong[at].case.line) for at in group.members[:8])
        about = f"about {one_line(', '.join(group.words), 60)}, " if group.words else ""
        yield f"  {plural(len(group.members), 'failure')} {about}lines {places}"


# ---- CSV

_COLUMNS = ("line", "model", "grader", "score", "passed", "error", "prompt", "expected", "answer",
            "tool_calls", "finish_reason", "seconds", "prompt_tokens", "completion_tokens")  # fmt: skip


def as_csv(rows: Sequence[Row]) -> str:
    """One line a grade."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        answer = row.answer or Answer(error="no answer")
        calls = shown_calls(answer.tool_calls)
        for name, grade in row.grades.items():
            writer.writerow([
                row.case.line, row.model, name, f"{grade.score:.6g}",
                "" if grade.passed is None else int(grade.passed), clean(grade.error or answer.error),
                clean(row.case.prompt), clean(row.case.wanted), clean(answer.text), clean(calls),
                answer.end, answer.seconds, answer.prompt_tokens, answer.completion_tokens,
            ])  # fmt: skip
    return out.getvalue()


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Whole or not at all. The caller has made sure that nothing is there."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(as_csv(rows), encoding="utf-8")
        os.replace(part, path)
    except OSError as exc:
        raise Problem(
            f"{path} cannot be written.", exc.strerror or str(exc), code="output"
        ) from None
