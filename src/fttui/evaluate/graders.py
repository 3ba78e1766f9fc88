"""Graders that need nobody: the provider's string_check and text_similarity, and our own.

Each is a small frozen record with `steps(case, answer)`: a generator that returns a Grade. What they
compare comes from templates, so that the provider's grader objects work as they are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fttui.evaluate import match
from fttui.evaluate.limit import limited
from fttui.evaluate.records import (
    Answer,
    Case,
    Grade,
    GraderError,
    Steps,
    binary,
    failed,
    short_json,
)
from fttui.evaluate.similarity import MEASURES
from fttui.evaluate.template import render

OUTPUT = "{{sample.output_text}}"
EXPECTED = "{{item.expected}}"
REGEX_TEXT = 100_000  # characters a regular expression is tried on


class Grader(Protocol):
    """What the runner needs of a grader. yes_no: it only says right or wrong (scores 0 and 1)."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def yes_no(self) -> bool: ...
    def steps(self, case: Case, answer: Answer) -> Steps: ...


def grade(grader: Grader, case: Case, answer: Answer) -> Grade:
    """The grade of one answer by a grader that asks no model. Never raises for what is in the texts."""
    if answer.error:
        return failed(answer.error)
    steps = grader.steps(case, answer)
    try:
        next(steps)
    except StopIteration as end:
        result: Grade = end.value
        return result
    except Exception as exc:  # noqa: BLE001 - a broken grader fails its row, not the run
        return failed(reason(exc))
    steps.close()
    return failed(f"{grader.name} needs a model to ask")


def reason(exc: BaseException) -> str:
    """Why grading failed, in one line."""
    if isinstance(exc, GraderError):
        return str(exc)
    if isinstance(exc, RecursionError):
        return "the value is nested too deep"
    return f"{type(exc).__name__}: {exc}"


@dataclass(frozen=True, slots=True)
class Pure:
    """The base of those that answer at once: `_grade` is all they add."""

    name: str
    input: str = OUTPUT
    reference: str = EXPECTED

    kind = "pure"
    yes_no = True

    def steps(self, case: Case, answer: Answer) -> Steps:
        return self._grade(case, answer)
        yield  # never reached; makes this a generator

    def _texts(self, case: Case, answer: Answer) -> tuple[str, str]:
        return render(self.input, case, answer), render(self.reference, case, answer)

    def _grade(self, case: Case, answer: Answer) -> Grade:
        raise NotImplementedError


CHECKS = {
    "eq": lambda text, wanted: text == wanted,
    "ne": lambda text, wanted: text != wanted,
    "like": lambda text, wanted: wanted in text,
    "ilike": lambda text, wanted: wanted.lower() in text.lower(),
}


@dataclass(frozen=True, slots=True)
class StringCheck(Pure):
    """eq, ne; like and ilike: the text contains the reference (guide of 2026-07-15)."""

    operation: str = "eq"
    kind = "string_check"

    def _grade(self, case: Case, answer: Answer) -> Grade:
        return binary(CHECKS[self.operation](*self._texts(case, answer)))


@dataclass(frozen=True, slots=True)
class TextSimilarity(Pure):
    """One of `similarity.MEASURES`. Passes from pass_threshold on, where there is one."""

    evaluation_metric: str = "fuzzy_match"
    pass_threshold: float | None = None
    kind = "text_similarity"
    yes_no = False

    def _grade(self, case: Case, answer: Answer) -> Grade:
        score = MEASURES[self.evaluation_metric](*self._texts(case, answer))
        passed = None if self.pass_threshold is None else score >= self.pass_threshold
        return Grade(score, passed)


@dataclass(frozen=True, slots=True)
class Same(Pure):
    """exact, normalised, or match (as JSON where JSON is expected, else exact)."""

    kind: str = "exact"

    def _grade(self, case: Case, answer: Answer) -> Grade:
        same = {
            "exact": match.exact, "normalised": match.normalised, "match": match.matches,
        }[self.kind]  # fmt: skip
        return binary(same(*self._texts(case, answer)))


@dataclass(frozen=True, slots=True)
class Regex(Pure):
    """The pattern is found anywhere in the text (Python's `re`). It may hold places of its own."""

    pattern: str = ""
    flags: int = 0
    kind = "regex"

    def _grade(self, case: Case, answer: Answer) -> Grade:
        text = render(self.input, case, answer)[:REGEX_TEXT]
        pattern = render(self.pattern, case, answer)
        try:
            with limited(f"pattern {short_json(self.pattern, 60)!r}"):
                found = re.search(pattern, text, self.flags)
        except re.error as exc:
            raise GraderError(f"pattern {self.pattern!r}: {exc}") from None
        return binary(found is not None, **({"found": short_json(found[0])} if found else {}))


_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d+)?%?")


@dataclass(frozen=True, slots=True)
class Number(Pure):
    """The last number of the text is the reference's, within `tolerance` or `relative` × reference."""

    tolerance: float = 0.0
    relative: float = 0.0
    kind = "number"

    def _grade(self, case: Case, answer: Answer) -> Grade:
        text, reference = self._texts(case, answer)
        wanted = last_number(reference)
        if wanted is None:
            raise GraderError(f"the reference {short_json(reference, 40)!r} holds no number")
        got = last_number(text)
        if got is None:
            return binary(False, why="the answer holds no number")
        # The slack of a float's last digits: 0.1 is within 0.1 of 0.2.
        room = max(self.tolerance, self.relative * abs(wanted)) + 1e-12 * max(1.0, abs(wanted))
        return binary(abs(got - wanted) <= room, got=got, expected=wanted)


def last_number(text: str) -> float | None:
    """`1,234.5`, `-3`, `2e5`, `40%` (as 40); the last one in the text."""
    found = [hit for hit in _NUMBER.findall(text[-10_000:]) if any(c.isdigit() for c in hit)]
    if not found:
        return None
    value = float(found[-1].replace(",", "").replace("−", "-").rstrip("%"))
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Json(Pure):
    """The answer is JSON; the score is the share of the reference's fields that are equal.

    fields: dotted paths to compare (`city`, `lines[0].price`); none: every value of the reference.
    Passes when all are equal and, without `fields`, nothing was added.
    """

    fields: tuple[str, ...] = ()
    kind = "json"
    yes_no = False

    def _grade(self, case: Case, answer: Answer) -> Grade:
        text, reference = self._texts(case, answer)
        try:
            wanted = dict(leaves(match.as_json(reference)))
        except ValueError:
            raise GraderError("the reference is not JSON") from None
        try:
            got = dict(leaves(match.as_json(text)))
        except ValueError as exc:
            return Grade(0.0, False, {"valid": False, "why": f"the answer is not JSON: {exc}"})
        chosen = {p: v for p, v in wanted.items() if not self.fields or _under(p, self.fields)}
        if not chosen:
            raise GraderError(f"the reference has none of the fields {', '.join(self.fields)}")
        wrong = {
            path: {"expected": value[1], "got": got[path][1] if path in got else None}
            for path, value in chosen.items()
            if path not in got or got[path] != value
        }
        added = [] if self.fields else [path for path in got if path not in wanted]
        score = (len(chosen) - len(wrong)) / (len(chosen) + len(added))
        detail = {"valid": True, "wrong": wrong, "added": added}
        return Grade(
            score, not wrong and not added, {name: value for name, value in detail.items() if value}
        )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, tuple[str, Any]]]:
    """(path, (kind, value)) of every value that holds no others; 1 and true are of two kinds."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{at}]")
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield path, ("number" if number else type(value).__name__, value)


def _under(path: str, fields: Iterable[str]) -> bool:
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in fields)


@dataclass(frozen=True, slots=True)
class ToolCalls(Pure):
    """The same calls, whatever their order; arguments compared as JSON.

    The score is the share of calls that match; a call of the right name with other arguments counts
    for the share of its arguments that are right, halved.
    """

    kind = "tool_calls"
    yes_no = False

    def _grade(self, case: Case, answer: Answer) -> Grade:
        wanted = [_call(row) for row in case.expected_tools]
        got = [_call(row) for row in answer.tools]
        if not wanted and not got:
            return binary(True)
        if not wanted:
            return Grade(0.0, False, {"unexpected": [name for name, _ in got]})
        left, total, problems = list(got), 0.0, []
        for call in sorted(wanted, key=lambda row: row not in left):  # whole matches first
            score, found = _best(call, left)
            if found is not None:
                left.remove(found)
            total += score
            if score < 1:
                problems.append({"expected": _shown(call), "got": found and _shown(found)})
        detail = {"wrong": problems, "unexpected": [_shown(call) for call in left]}
        return Grade(
            total / max(len(wanted), len(got)),
            not problems and not left,
            {name: rows for name, rows in detail.items() if rows},
        )


Call = tuple[str, Any]


def _call(row: Mapping[str, Any]) -> Call:
    """(name, arguments) of a call in the API's shape; arguments that are no JSON stay text."""
    function = row.get("function")
    body: Mapping[str, Any] = function if isinstance(function, Mapping) else row
    arguments = body.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            pass
    return str(body.get("name", "")), dict(leaves(arguments))


def _best(call: Call, others: Sequence[Call]) -> tuple[float, Call | None]:
    rated = [(_call_score(call, other), other) for other in others if other[0] == call[0]]
    return max(rated, key=lambda pair: pair[0], default=(0.0, None))


def _call_score(wanted: Call, got: Call) -> float:
    if wanted[1] == got[1]:
        return 1.0
    every = wanted[1].keys() | got[1].keys()
    same = sum(wanted[1].get(path) == got[1].get(path) for path in every)
    return same / len(every) / 2


def _shown(call: Call) -> str:
    return (
        f"{call[0]}({', '.join(f'{path}={short_json(v[1], 60)}' for path, v in call[1].items())})"
    )


@dataclass(frozen=True, slots=True)
class Auto:
    """Row by row what fits the expected answer: tool_calls, json, or exact."""

    name: str = "auto"

    kind = "auto"
    yes_no = False

    def steps(self, case: Case, answer: Answer) -> Steps:
        return fitting(case).steps(case, answer)


def fitting(case: Case) -> Grader:
    """The grader for what one row expects."""
    if case.expected_tools:
        return ToolCalls("tool_calls")
    return Json("json") if match.expects_json(case.expected) else Same("exact", kind="exact")
