"""A grader from what a person writes: a short name (`exact`, `regex:^\\d+$`), or the provider's own object."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fttui.evaluate import expression, similarity
from fttui.evaluate.graders import (
    CHECKS,
    EXPECTED,
    OUTPUT,
    Auto,
    Grader,
    Json,
    Number,
    Regex,
    Same,
    StringCheck,
    TextSimilarity,
    ToolCalls,
    fitting,
)
from fttui.evaluate.model_graders import LabelModel, Multi, ScoreModel, rubric
from fttui.evaluate.records import Case, GraderError
from fttui.evaluate.template import check
from fttui.problem import Problem

SHORT: Mapping[str, str] = {  # name → what it says, for help and docs
    "auto": "json where JSON is expected, tool_calls where calls are, else exact",
    "exact": "equal but for blanks at both ends",
    "normalised": "equal after NFKC, case folding and folding of blanks",
    "match": "equal as JSON where JSON is expected, else exact",
    "contains": "the answer contains the expected text, upper or lower case",
    "json": "valid JSON, and the share of fields that are equal; json:city,name for some of them",
    "tool_calls": "the same calls with the same arguments",
    "regex": "regex:PATTERN is found in the answer",
    "number": "the last number is the expected one; number:0.5 or number:1% leaves room",
    "rubric": "rubric:TEXT: the judge scores by the rubric TEXT",
    **{name: f"text similarity, {name}" for name in similarity.MEASURES},
}
_REFUSED = {
    "python": (
        "a python grader is not run here",
        "it is code from a file, and this program runs no code it was given",
        "use regex, json, number, or multi with a formula",
    ),
    "endpoint": ("an endpoint grader is not run here", "it calls another service", "use score_model"),
    "cosine": (
        "cosine is not available",
        "it needs an embedding model; the provider's own runs only in its hosted evals",
        "use rouge_l, meteor or fuzzy_match",
    ),
}  # fmt: skip
LARGEST = 1_000_000  # bytes of a grader's file


def parse(text: str, judge: str = "") -> Grader:
    """A short name, `NAME:ARGUMENT`, a JSON object, or the path of a file that holds one.

    judge: the model that a rubric is given to.
    """
    text = text.strip()
    if text.startswith("{"):
        return from_json(_json(text, "the grader"))
    head, _, argument = text.partition(":")
    if text == "auto":
        return Auto()
    if head in SHORT and head != "auto":
        return _rubric(argument, judge) if head == "rubric" else _short(head, argument, text)
    if head in _REFUSED:
        raise _refused(head)
    path = Path(text.removeprefix("@"))
    if path.suffix == ".json" or text.startswith("@") or path.is_file():
        return from_json(_json(_text(path), str(path)))
    raise Problem(
        f"There is no grader {head!r}.",
        f"Known: {', '.join(SHORT)}.",
        "Name one of these, a JSON object, or a file that holds one.",
        code="grader",
    )


def automatic(cases: Sequence[Case]) -> Grader:
    """What fits the file: tool_calls, json or exact where all rows expect one kind, else row by row."""
    found = {grader.kind: grader for grader in map(fitting, cases)}
    return Auto() if len(found) != 1 else next(iter(found.values()))


def _short(head: str, argument: str, text: str) -> Grader:
    if head in similarity.MEASURES:
        least = _amount(argument, text) if argument else None
        return TextSimilarity(text, OUTPUT, EXPECTED, head, least)
    if head in ("exact", "normalised", "match"):
        return Same(head, kind=head)
    if head == "contains":
        return StringCheck(head, OUTPUT, EXPECTED, "ilike")
    if head == "json":
        return Json(
            text, fields=tuple(part.strip() for part in argument.split(",") if part.strip())
        )
    if head == "tool_calls":
        return ToolCalls(head)
    if head == "regex":
        return from_json({"type": "regex", "name": text, "pattern": argument})
    share = argument.endswith("%")
    room = _amount(argument.removesuffix("%"), text) if argument else 0.0
    return Number(text, tolerance=0.0 if share else room, relative=room / 100 if share else 0.0)


def _rubric(words: str, judge: str) -> Grader:
    if not judge or not words.strip():
        raise _wrong(
            "rubric",
            "a judge and a rubric are needed",
            "--grader 'rubric:Is it polite?' --judge MODEL",
        )
    return rubric("rubric", judge, words.strip())


def _amount(argument: str, text: str) -> float:
    try:
        value = float(argument)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise _wrong(
            text, f"{argument!r} is no number from 0 up", "Write e.g. number:0.5, rouge_l:0.8"
        )
    return value


# ---- objects ----


def from_json(obj: Any) -> Grader:
    """A grader object as the provider's API has it, or of our own types. Problem says what is wrong."""
    try:
        return _build(obj, inside=False)
    except GraderError as exc:
        raise _wrong(str(obj.get("name") or obj.get("type")), str(exc)) from None


def _build(obj: Any, *, inside: bool) -> Grader:
    if not isinstance(obj, dict):
        raise Problem("The grader is not a JSON object.", code="grader")
    kind = obj.get("type")
    if kind in _REFUSED:
        raise _refused(str(kind))
    if kind == "multi" and inside:
        raise GraderError("a multi grader cannot hold another")
    build = _BUILDERS.get(str(kind))
    if build is None:
        raise _wrong(str(obj.get("name", "")), f"its type is {kind!r}",
                     f"Known: {', '.join(_BUILDERS)}.")  # fmt: skip
    return build({"name": str(kind), **obj})


def _string_check(obj: dict[str, Any]) -> Grader:
    operation = {"neq": "ne"}.get(str(obj.get("operation")), str(obj.get("operation")))
    if operation not in CHECKS:
        raise GraderError(f"operation is {operation!r}; it must be {', '.join(CHECKS)}")
    return StringCheck(*_texts(obj, needed=True), operation)


def _text_similarity(obj: dict[str, Any]) -> Grader:
    metric = obj.get("evaluation_metric")
    if metric == "cosine":
        raise _refused("cosine")
    if metric not in similarity.MEASURES:
        known = ", ".join(similarity.MEASURES)
        raise GraderError(f"evaluation_metric is {metric!r}; it must be {known}")
    return TextSimilarity(*_texts(obj, needed=True), str(metric), _threshold(obj))


def _same(obj: dict[str, Any]) -> Grader:
    return Same(*_texts(obj), kind=obj["type"])


def _regex(obj: dict[str, Any]) -> Grader:
    pattern = obj.get("pattern")
    if not isinstance(pattern, str) or not pattern:
        raise GraderError("a pattern is needed: regex:PATTERN")
    check(pattern, "pattern")
    flags = 0
    for name in str(obj.get("flags", "")):
        if name not in "imsx":
            raise GraderError(f"flag {name!r} is not known: i, m, s, x")
        flags |= {"i": re.I, "m": re.M, "s": re.S, "x": re.X}[name]
    if "{{" not in pattern:
        try:
            re.compile(pattern, flags)
        except re.error as exc:
            raise GraderError(f"pattern {pattern!r}: {exc}") from None
    return Regex(*_texts(obj), pattern=pattern, flags=int(flags))


def _number(obj: dict[str, Any]) -> Grader:
    room = [_real(obj.get(key, 0), key) for key in ("tolerance", "relative")]
    if min(room) < 0:
        raise GraderError("tolerance and relative must not be negative")
    return Number(*_texts(obj), tolerance=room[0], relative=room[1])


def _json_grader(obj: dict[str, Any]) -> Grader:
    fields = obj.get("fields", [])
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise GraderError("fields must be a list of names")
    return Json(*_texts(obj), fields=tuple(fields))


def _tool_calls(obj: dict[str, Any]) -> Grader:
    return ToolCalls(str(obj["name"]))


def _score_model(obj: dict[str, Any]) -> Grader:
    span = obj.get("range") or [0, 1]
    if not isinstance(span, list) or len(span) != 2:
        raise GraderError("range must be two numbers")
    low, high = (_real(end, "range") for end in span)
    if not low < high:
        raise GraderError("range must go from the smaller to the larger number")
    return ScoreModel(str(obj["name"]), _model(obj), _messages(obj), (low, high),
                      _threshold(obj), _sampling(obj))  # fmt: skip


def _label_model(obj: dict[str, Any]) -> Grader:
    labels, passing = (
        tuple(str(label) for label in obj.get(key) or ()) for key in ("labels", "passing_labels")
    )
    if len(set(labels)) < 2 or not passing:
        raise GraderError("labels (two or more) and passing_labels are needed")
    if not set(passing) <= set(labels):
        raise GraderError("passing_labels must be among labels")
    return LabelModel(
        str(obj["name"]), _model(obj), _messages(obj), labels, passing, _sampling(obj)
    )


def _multi(obj: dict[str, Any]) -> Grader:
    inner = obj.get("graders")
    if isinstance(inner, list):  # evals wrote a list of named graders
        inner = {str(row.get("name")): row for row in inner if isinstance(row, dict)}
    if not isinstance(inner, dict) or not inner:
        raise GraderError("graders must be an object: name → grader")
    formula = expression.read(str(obj.get("calculate_output") or ""))
    unknown = [name for name in formula.names if name not in inner]
    if unknown:
        raise GraderError(f"calculate_output uses {unknown[0]!r}; there are {', '.join(inner)}")
    built = {key: _build({"name": key, **row}, inside=True) for key, row in inner.items()}
    return Multi(str(obj["name"]), built, formula, _threshold(obj))


_BUILDERS: Mapping[str, Callable[[dict[str, Any]], Grader]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "score_model": _score_model,
    "label_model": _label_model,
    "multi": _multi,
    "exact": _same,
    "normalised": _same,
    "match": _same,
    "json": _json_grader,
    "tool_calls": _tool_calls,
    "regex": _regex,
    "number": _number,
}
TYPES = tuple(_BUILDERS)


# ---- parts of objects ----


def _texts(obj: dict[str, Any], *, needed: bool = False) -> tuple[str, str, str]:
    found = [str(obj["name"])]
    for key, usual in (("input", OUTPUT), ("reference", EXPECTED)):
        value = obj.get(key, None if needed else usual)
        if not isinstance(value, str):
            raise GraderError(f"{key} must be a text")
        check(value, key)
        found.append(value)
    return found[0], found[1], found[2]


def _messages(obj: dict[str, Any]) -> tuple[Mapping[str, Any], ...]:
    rows = obj.get("input")
    if not isinstance(rows, list) or not rows:
        raise GraderError("input must be a list of messages")
    made = []
    for at, row in enumerate(rows):
        if not isinstance(row, dict) or row.get("role") not in (
            "user",
            "assistant",
            "system",
            "developer",
        ):
            raise GraderError(f"input[{at}] must have a role: user, assistant, system, developer")
        text = _content(row.get("content"), at)
        check(text, f"input[{at}]")
        made.append({"role": row["role"], "content": text})
    return tuple(made)


def _content(content: Any, at: int) -> str:
    if isinstance(content, dict):
        content = [content]
    if isinstance(content, list):
        texts = [row.get("text") if isinstance(row, dict) else row for row in content]
        if all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts)
        raise GraderError(f"input[{at}]: only texts can be judged here, no images or audio")
    if not isinstance(content, str):
        raise GraderError(f"input[{at}] has no text")
    return content


def _model(obj: dict[str, Any]) -> str:
    if not isinstance(obj.get("model"), str) or not obj["model"]:
        raise GraderError("the model that judges is missing")
    return str(obj["model"])


def _sampling(obj: dict[str, Any]) -> dict[str, Any]:
    given = obj.get("sampling_params") or {}
    if not isinstance(given, dict):
        raise GraderError("sampling_params must be an object")
    body = {str(key): value for key, value in given.items() if value is not None}
    if "max_completions_tokens" in body:  # the grader's name for the chat field
        body["max_completion_tokens"] = body.pop("max_completions_tokens")
    return body


def _threshold(obj: dict[str, Any]) -> float | None:
    value = obj.get("pass_threshold")
    return None if value is None else _real(value, "pass_threshold")


def _real(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise GraderError(f"{where} must be a number")
    return float(value)


# ---- failures ----


def _refused(kind: str) -> Problem:
    what, why, remedy = _REFUSED[kind]
    return Problem(f"{what[0].upper()}{what[1:]}.", why, remedy, code="grader")


def _wrong(name: str, why: str, remedy: str = "") -> Problem:
    return Problem(f"The grader {name!r} cannot be used.", why, remedy, code="grader")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is not UTF-8 text"
        raise Problem(f"{path} cannot be read.", why, code="grader") from None


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Problem(f"{where} is not JSON.", str(exc), code="grader") from None
