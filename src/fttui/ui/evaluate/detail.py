"""One prompt in full: what was asked and expected, what each model said, where that differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fttui.text import clean, one_line, plural
from fttui.ui.text import Part
from fttui.ui.widgets.text_view import Line, wrap

if TYPE_CHECKING:
    from fttui.evaluate.records import Answer, Grade
    from fttui.evaluate.summary import Row

LONGEST = 6_000  # characters of a text that are shown
ALIKE = 0.3  # below it everything differs, and marking everything says nothing
DIFF = {"": "dim", "-": "ok", "+": "mark"}


def lines(rows: Sequence[Row], graders: Sequence[str], width: int) -> list[Line]:
    """rows: of one prompt, a model each. The first grader's detail is spelled out."""
    case = rows[0].case
    made: list[Line] = [[(f"line {case.line:,}", "heading"), (_turns(case.messages), "dim")]]
    made += _block("prompt", "user", case.prompt, width)
    if case.wanted:
        made += _block("expected", "ok", case.wanted, width)
    for row in rows:
        made.append([])
        made += _model(row, graders, width)
    return made


def _turns(messages: Sequence[object]) -> str:
    return f"  {plural(len(messages), 'message')} sent"


def _block(title: str, style: str, text: str, width: int) -> list[Line]:
    body = list(wrap(clean(text[:LONGEST]), width - 2))
    if len(text) > LONGEST:
        body.append(f"… {len(text) - LONGEST:,} characters more")
    made: list[Line] = [[(title, style)]]
    return made + [["  ", line] for line in body]


def _model(row: Row, graders: Sequence[str], width: int) -> Iterator[Line]:
    from fttui.ui.evaluate.view import mark

    answer = row.answer
    if answer is None:
        yield [("– ", "faint"), (row.model, "bold"), ("  not asked yet", "dim")]
        return
    yield [mark(row, graders[0]), " ", (row.model, "bold"), (f"  {_facts(answer)}", "dim")]
    if answer.trouble:
        from fttui.evaluate.records import TROUBLES

        yield [("  ⚠ ", "warning"), (TROUBLES[answer.trouble], "warning")]
    if answer.error:
        for text in wrap(clean(answer.error), width - 4):
            yield [("    ", ""), (text, "dim")]
        return
    for text in wrap(clean(answer.said[:LONGEST]) or "(an empty answer)", width - 2):
        yield [("  ", ""), text]
    for place, name in enumerate(graders):
        if name in row.grades:
            yield from _grade(name, row.grades[name], row, width, first=place == 0)


def _facts(answer: Answer) -> str:
    said = [f"{answer.seconds:.2f} s"]
    if answer.completion_tokens:
        said.append(plural(answer.completion_tokens, "token"))
    return " · ".join(said)


def _grade(name: str, grade: Grade, row: Row, width: int, *, first: bool) -> Iterator[Line]:
    style = "dim" if grade.passed is None else "ok" if grade.passed else "error"
    yield [(f"  {one_line(name, 40)} ", "faint"), (f"{grade.score:.3f}", style)]
    if grade.error:
        for text in wrap(clean(f"not graded: {grade.error}"), width - 4):
            yield [("    ", ""), (text, "warning")]
        return
    if not first and grade.passed:
        return
    wrong = grade.detail.get("wrong")
    if isinstance(wrong, dict) or (isinstance(grade.detail.get("added"), list)):
        yield from _fields(row.case.expected, grade, width)
    elif isinstance(wrong, list) or "unexpected" in grade.detail:
        yield from _calls(grade, width)
    else:
        yield from _words(grade, row, width, first=first)


def _fields(expected: str, grade: Grade, width: int) -> Iterator[Line]:
    """Every field of the expected JSON: right, or what is there instead."""
    from fttui.evaluate.graders import leaves
    from fttui.evaluate.match import as_json

    wrong = grade.detail.get("wrong") or {}
    try:
        known = dict(leaves(as_json(expected)))
    except (ValueError, RecursionError):
        known = {}
    names = [*known, *(path for path in wrong if path not in known)]
    room = min(24, max((len(name) for name in names), default=0))
    for name in names:
        if name not in wrong:
            yield [("    ✓ ", "ok"), (f"{one_line(name, 24):<{room}}", "dim")]
            continue
        pair = wrong[name]
        got = "nothing" if pair["got"] is None else _json(pair["got"])
        text = f"{_json(pair['expected'])} → {got}"
        yield from _hung([("    ✗ ", "error"), (f"{one_line(name, 24):<{room}}  ", "bold")],
                         text, room + 8, width)  # fmt: skip
    for name in grade.detail.get("added") or ():
        yield [("    + ", "warning"), (one_line(name, 60), ""), ("  was not asked for", "dim")]


def _hung(head: list[Part], text: str, indent: int, width: int) -> Iterator[Line]:
    for at, line in enumerate(wrap(clean(text), max(12, width - indent))):
        yield [*head, line] if at == 0 else [(" " * indent, ""), line]


def _calls(grade: Grade, width: int) -> Iterator[Line]:
    for pair in grade.detail.get("wrong") or ():
        yield from _hung([("    ✗ ", "error")], str(pair["expected"]), 6, width)
        yield from _hung([("    → ", "dim")], str(pair["got"] or "was not called"), 6, width)
    for call in grade.detail.get("unexpected") or ():
        yield from _hung([("    + ", "warning")], f"{call} was not asked for", 6, width)


def _words(grade: Grade, row: Row, width: int, *, first: bool) -> Iterator[Line]:
    """Why, in the grader's words, and the difference word by word."""
    from fttui.evaluate import diff

    why = grade.detail.get("why") or grade.detail.get("judge") or grade.detail.get("label")
    if why:
        yield from _hung([("    ", "")], str(why), 4, width)
    answer = row.answer.said if row.answer else ""
    wanted = row.case.expected
    if first and not grade.passed and wanted and diff.alike(wanted, answer) >= ALIKE:
        parts = [(DIFF[kind], clean(text)) for kind, text in diff.pieces(wanted, answer)]
        yield [("    ", ""), ("[-missing-] ", "ok"), ("{+not expected+}", "mark")]
        for line in _styled(parts, width - 4):
            yield [("    ", ""), *line]


def _styled(parts: Sequence[tuple[str, str]], width: int) -> Iterator[list[Part]]:
    """Styled pieces of one running text, wrapped."""
    line: list[Part] = []
    used = 0
    for style, text in parts:
        for number, paragraph in enumerate(text.split("\n")):
            if number:
                yield line
                line, used = [], 0
            while paragraph:
                piece = next(iter(wrap(paragraph, max(1, width - used))), "")
                if used and len(piece) > width - used:
                    piece = ""
                if not piece:
                    yield line
                    line, used = [], 0
                    continue
                line.append((piece, style))
                used += len(piece)
                paragraph = paragraph[len(piece) :]
                if paragraph or used >= width:
                    yield line
                    line, used = [], 0
                    paragraph = paragraph.lstrip(" ")
    if line:
        yield line


def _json(value: object) -> str:
    return one_line(json.dumps(value, ensure_ascii=False, default=str), 200)
