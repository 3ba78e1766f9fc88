"""An evaluation as a file: Markdown for people, CSV with every grade, JSON with all of it. Nothing is overwritten."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from fttui.evaluate import clusters, diff
from fttui.evaluate.records import TROUBLES, Answer, shown_calls
from fttui.evaluate.summary import Row
from fttui.problem import Problem
from fttui.service import eval_table
from fttui.service.eval_result import Result
from fttui.text import clean, one_line, plural

KINDS = ("md", "csv", "json")
FAILURES = 20  # written out in Markdown

_COLUMNS = ("line", "model", "grader", "score", "passed", "error", "prompt", "expected", "answer",
            "tool_calls", "finish_reason", "seconds", "prompt_tokens", "completion_tokens")  # fmt: skip


def write(path: Path, done: Result) -> None:
    """By the end of its name. Whole or not at all; Problem where something is there."""
    made = {"md": as_markdown, "csv": lambda d: as_csv(d.outcome.rows), "json": as_json}
    write_new(path, made[kind_of(path)](done))


def kind_of(path: Path) -> str:
    """One of KINDS, by the end of the name."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in KINDS:
        raise Problem(f"{path.name} is no kind of file this can be.", "It is .md, .csv or .json.",
                      "Give it one of these endings.", code="output")  # fmt: skip
    return kind


def write_new(path: Path, text: str) -> None:
    """A file that was not there before, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.link(part, path)  # unlike a rename it fails where something is there
    except FileExistsError:
        raise Problem(f"{path} is there already.", "Nothing is overwritten.",
                      "Name another file.", code="exists") from None  # fmt: skip
    except OSError as exc:
        raise Problem(
            f"{path} cannot be written.", exc.strerror or str(exc), code="output"
        ) from None
    finally:
        part.unlink(missing_ok=True)


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


def as_json(done: Result) -> str:
    made = {"setup": done.setup.as_dict(), "prompts": len(done.plan.cases.rows), **done.as_dict()}
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def as_markdown(done: Result) -> str:
    return "\n".join(_markdown(done)) + "\n"


def _markdown(done: Result) -> Iterator[str]:
    setup, plan, summary = done.setup, done.plan, done.summary
    yield f"# {_md(done.lead)} on {_md(setup.file.name)}"
    yield ""
    yield (
        f"{plural(len(plan.cases.rows), 'prompt')}, graded by {_md(', '.join(summary.graders))}; "
        f"temperature {plan.settings.temperature:g}, seed {plan.settings.seed}, at most "
        f"{plan.settings.max_tokens} tokens. fttui, {time.strftime('%Y-%m-%d %H:%M')}."
    )
    if not done.outcome.complete:
        yield ""
        yield "**Not every prompt was answered yet.**"
    for grader in summary.graders:
        yield ""
        yield f"## {_md(grader)}"
        yield ""
        rows = [eval_table.model_row(model, grader) for model in summary.models]
        yield from _table([list(eval_table.HEAD), *rows])
    yield ""
    for sentence in (*eval_table.sentences(summary), *eval_table.notes(summary)):
        yield f"- {_md(sentence)}"
    confusion = summary.of(done.lead).confusion
    if confusion is not None:
        yield ""
        yield f"## Labels: expected down, said across (macro F1 {confusion.macro_f1:.2f})"
        yield ""
        yield from _table(eval_table.confusion_rows(confusion))
    yield from _failures(done)
    yield from _advice(done)


def _failures(done: Result) -> Iterator[str]:
    wrong = done.failing(done.lead)
    if not wrong:
        return
    yield ""
    first = f", the first {FAILURES}" if len(wrong) > FAILURES else ""
    yield f"## {_md(done.lead)}: {plural(len(wrong), 'failing prompt')}{first}"
    for row in wrong[:FAILURES]:
        grade, answer = row.grades[done.grader], row.answer or Answer()
        yield ""
        yield f"**line {row.case.line}** {_md(one_line(row.case.prompt, 200))}"
        yield ""
        yield f"- expected: {_md(one_line(row.case.wanted, 300))}"
        yield f"- answer: {_md(one_line(answer.said, 300) or '(nothing)')}"
        if answer.trouble:
            yield f"- {TROUBLES[answer.trouble]}"
        if grade.error:
            yield f"- not graded: {_md(one_line(grade.error, 300))}"
        elif row.case.expected and answer.text:
            yield f"- differs: {_md(one_line(diff.inline(row.case.expected, answer.text), 300))}"


def _advice(done: Result) -> Iterator[str]:
    advice = done.advice(done.lead)
    if not advice.groups:
        return
    yield ""
    yield "## What to add next"
    yield ""
    yield clusters.HOW
    if advice.sentence():
        yield ""
        yield _md(advice.sentence())
    yield ""
    for group in advice.groups[:FAILURES]:
        lines = ", ".join(map(str, group.lines[:12]))
        words = f"; words: {', '.join(group.words)}" if group.words else ""
        near = f"; near in training: {', '.join(map(str, group.near))}" if group.near else ""
        yield f"- {len(group.lines)} × {_md(group.what)} (lines {lines}{_md(words)}{near}): {_md(group.advice)}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    many = max(map(len, rows))
    for at, row in enumerate(rows):
        yield "| " + " | ".join(_md(cell) for cell in [*row, *[""] * (many - len(row))]) + " |"
        if at == 0:
            yield "|" + " --- |" * many


def _md(text: str) -> str:
    """Text from outside that is no Markdown: its signs are escaped, on one line."""
    flat = " ".join(clean(text).split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in flat)
