"""An evaluation for people: a table, sentences, failures, what to add next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fttui.evaluate import diff, nearest
from fttui.evaluate.cases import Cases
from fttui.evaluate.clusters import Advice, Group
from fttui.evaluate.confusion import Confusion
from fttui.evaluate.records import TROUBLES, Answer
from fttui.evaluate.summary import Row
from fttui.service import eval_table
from fttui.service.eval_result import Result
from fttui.text import one_line, plural

FAILURES = 5
GROUPS = 4
WIDEST_TABLE = 8  # labels shown as a table


def lines(done: Result) -> Iterator[str]:
    """What is printed at the end: the candidate's failures among it."""
    summary, lead = done.summary, done.lead
    rows = [eval_table.model_row(model, done.grader) for model in summary.models]
    yield from eval_table.aligned([eval_table.HEAD, *rows])
    for grader in summary.graders[1:]:
        yield ""
        yield f"{one_line(grader, 60)}:"
        yield from eval_table.aligned([
            [f"  {one_line(m.model, 40)}", *eval_table.score_cells(m.scores[grader])]
            for m in summary.models
        ])  # fmt: skip
    yield ""
    yield from eval_table.sentences(summary)
    yield from eval_table.notes(summary)
    table = summary.of(lead).confusion
    if table is not None and len(table.labels) <= WIDEST_TABLE:
        yield from _confusion(table, lead)
    yield from _failures(done.rows(lead), done.failing(lead), done.grader, done.plan.training)
    yield from _next(done.advice(lead))


def _confusion(table: Confusion, lead: str) -> Iterator[str]:
    yield ""
    yield f"{lead}: expected (rows) against said (columns), macro F1 {table.macro_f1:.2f}"
    yield from eval_table.aligned(eval_table.confusion_rows(table))


def _failures(
    rows: Sequence[Row], wrong: Sequence[Row], grader: str, training: Cases | None
) -> Iterator[str]:
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


def _shown(count: int) -> str:
    return f", the first {FAILURES}" if count > FAILURES else ""


def _failure(row: Row, grader: str) -> Iterator[str]:
    grade, answer = row.grades[grader], row.answer or Answer()
    yield f"  line {row.case.line}: {one_line(row.case.prompt, 90)}"
    if row.case.wanted:
        yield f"    expected  {one_line(row.case.wanted, 160)}"
    yield f"    answer    {one_line(answer.said, 160) or '(nothing)'}"
    if answer.trouble:
        yield f"    ended     {TROUBLES[answer.trouble]}"
    if grade.error:
        yield f"    error     {one_line(grade.error, 160)}"
        return
    wrong = grade.detail.get("wrong")
    if isinstance(wrong, dict) and wrong:
        pairs = [f"{path}: {pair['expected']!r} → {pair['got']!r}" for path, pair in wrong.items()]
        yield f"    differs   {one_line('; '.join(pairs), 160)}"
    elif row.case.expected and answer.text:
        yield f"    differs   {one_line(diff.inline(row.case.expected, answer.text), 200)}"


def _next(advice: Advice) -> Iterator[str]:
    """Failures that are alike: what more training examples should be about."""
    if not advice.groups:
        return
    yield ""
    yield "what to add next, by what is wrong (a failure may be in several groups):"
    for group in advice.groups[:GROUPS]:
        yield from _group(group)
    rest = len(advice.groups) - GROUPS
    if rest > 0:
        yield f"  and {plural(rest, 'smaller group')}"
    if advice.sentence():
        yield f"  {advice.sentence()}"


def _group(group: Group) -> Iterator[str]:
    places = ", ".join(map(str, group.lines[:8])) + (" …" if len(group.lines) > 8 else "")
    yield f"  {len(group.lines):>3} × {one_line(group.what, 80)}: lines {places}"
    if group.words:
        yield f"        words they share: {one_line(', '.join(group.words), 60)}"
    yield f"        {one_line(group.advice, 140)}"
    if group.near:
        yield f"        near them in the training file: lines {', '.join(map(str, group.near))}"
