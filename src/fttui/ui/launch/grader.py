"""The grader of reinforcement training as it is written: checked here before a provider sees it, the place
of what is wrong found in the text, and the shapes one may start from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fttui.problem import Problem

# What reinforcement training takes (openai-python 3.52, types/fine_tuning/reinforcement_method.py);
# label_model only inside multi.
TYPES = ("string_check", "text_similarity", "score_model", "python", "multi")
INSIDE = ("string_check", "text_similarity", "score_model", "python", "label_model")
SOURCE_MOST = 256_000  # bytes of a python grader (graders guide, copy of 2026-07-15)
_KEYS = (
    "type", "name", "operation", "input", "reference", "evaluation_metric", "model", "range",
    "sampling_params", "labels", "passing_labels", "graders", "calculate_output", "source",
    "image_tag", "pass_threshold", "schema", "json_schema",
)  # fmt: skip
_STAND_IN = {"type": "string_check", "input": "", "reference": "", "operation": "eq"}

STARTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "string_check": (
        "the answer is, or contains, a text",
        {
            "type": "string_check", "name": "same", "operation": "eq",
            "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
        },
    ),
    "text_similarity": (
        "how near the answer is to a text, 0 to 1",
        {
            "type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match",
            "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
        },
    ),
    "score_model": (
        "another model scores the answer",
        {
            "type": "score_model", "name": "judge", "model": "gpt-4.1-mini-2025-04-14",
            "range": [0, 1],
            "input": [
                {"role": "system", "content": "Score the answer from 0 (wrong) to 1 (right). "
                 "Reply with the score."},
                {"role": "user", "content": "Expected: {{item.answer}}\n"
                 "Answer: {{sample.output_text}}"},
            ],
        },
    ),
    "multi": (
        "several of them, put together by a formula",
        {
            "type": "multi", "name": "both",
            "graders": {
                "same": {
                    "type": "string_check", "name": "same", "operation": "eq",
                    "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
                },
                "near": {
                    "type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match",
                    "input": "{{sample.output_text}}", "reference": "{{item.answer}}",
                },
            },
            "calculate_output": "0.7 * same + 0.3 * near",
        },
    ),
    "python": (
        "code of your own, run by the provider",
        {
            "type": "python", "name": "code", "image_tag": "2025-05-08",
            "source": "def grade(sample, item):\n"
            "    return 1.0 if sample['output_text'] == item['answer'] else 0.0\n",
        },
    ),
}  # fmt: skip

FORMAT_START = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}


def start(kind: str, field: str = "answer") -> str:
    """A grader to begin with, as text. field: what the dataset calls what is expected."""
    written = json.dumps(STARTS[kind][1], indent=2, ensure_ascii=False)
    return written.replace("item.answer", f"item.{field}").replace(
        "item['answer']", f"item['{field}']"
    )


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: line and column from 1, length in characters."""

    text: str
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.text}"


def wrong(text: str) -> str:
    """What is wrong with a grader, in one line with its place; "" for nothing."""
    found = fault(text)
    return str(found) if found else ""


def wrong_format(text: str) -> str:
    found = format_fault(text)
    return str(found) if found else ""


def fault(text: str) -> Fault | None:
    """The first thing that is wrong with a grader as it is written."""
    grader, bad = _object(text)
    if bad is not None:
        return bad
    reason = _refused(grader, TYPES)
    if reason:
        return at(text, reason)
    if grader["type"] == "multi" and isinstance(grader.get("graders"), dict):
        return _inner_fault(text, grader) or at(text, _wrong(_without_code(grader)))
    if grader["type"] == "python":
        return _code_fault(text, grader)
    return at(text, _wrong(grader))


def _inner_fault(text: str, grader: dict[str, Any]) -> Fault | None:
    """What is wrong with one of the graders a multi grader is made of."""
    begin = max(0, text.find('"graders"'))
    for name, row in grader["graders"].items():
        found = re.compile(rf'"{re.escape(name)}"\s*:\s*\{{').search(text, begin)
        span = _span(text, found.end() - 1 if found else begin)
        reason = _refused(row, INSIDE, inside=True)
        if reason:
            return at(text, reason, span, name)
        bad = (
            _code_fault(text, row, span, name)
            if row["type"] == "python"
            else at(text, _wrong({"name": name, **row}), span, name)
        )
        if bad is not None:
            return bad
    return None


def format_fault(text: str) -> Fault | None:
    """What is wrong with a `response_format`: {type: json_schema, json_schema: {name, schema}}."""
    given, bad = _object(text)
    if bad is not None:
        return bad
    if given.get("type") not in ("json_schema", "json_object", "text"):
        return at(text, "type must be json_schema, json_object or text")
    schema = given.get("json_schema")
    if given["type"] == "json_schema" and not (
        isinstance(schema, dict) and schema.get("name") and isinstance(schema.get("schema"), dict)
    ):
        return at(text, "json_schema must hold a name and a schema")
    return None


def _object(text: str) -> tuple[dict[str, Any], Fault | None]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        return {}, Fault(f"no JSON: {error.msg}", error.lineno, error.colno)
    except RecursionError:
        return {}, Fault("no JSON: nested too deep")
    if not isinstance(found, dict):
        return {}, Fault("a JSON object is needed: {…}")
    return found, None


def _refused(grader: Any, types: tuple[str, ...], *, inside: bool = False) -> str:
    """What a provider would refuse before it looks at the rest."""
    if not isinstance(grader, dict):
        return "a grader must be an object"
    kind = grader.get("type")
    if kind not in types:
        where = "inside multi" if inside else "for training"
        said = f"type is {kind!r}" if kind else "type is missing"
        return f"{said}; {where} it is one of {', '.join(types)}"
    if not inside and not (isinstance(grader.get("name"), str) and grader["name"]):
        return "name is missing"
    return ""


def _wrong(grader: dict[str, Any]) -> str:
    """What the grader's own check says."""
    from fttui.evaluate import spec

    if grader.get("evaluation_metric") == "cosine":
        return "evaluation_metric is 'cosine', which is for evals only"
    try:
        spec.from_json(grader)
    except Problem as problem:
        return problem.why or problem.what
    return ""


def _without_code(grader: dict[str, Any]) -> dict[str, Any]:
    """A multi grader whose python graders, which are not run here, are stood in for."""
    inner = {
        name: {**_STAND_IN, "name": name} if row.get("type") == "python" else row
        for name, row in grader["graders"].items()
    }
    return {**grader, "graders": inner}


def _code_fault(
    text: str, grader: dict[str, Any], span: tuple[int, int] | None = None, name: str = ""
) -> Fault | None:
    """What is wrong with a python grader as far as can be told without running it."""
    return at(text, _code_wrong(grader.get("source")), span, name)


def _code_wrong(source: Any) -> str:
    if not isinstance(source, str) or not source.strip():
        return "source must be the code, with a function grade(sample, item)"
    if len(source.encode("utf-8", "replace")) > SOURCE_MOST:
        return f"source is longer than {SOURCE_MOST:,} bytes"
    try:
        compile(source, "source", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line} of the code" if line else ""
        return f"source{where}: {getattr(error, 'msg', error)}"
    if not re.search(r"^(async\s+)?def\s+grade\s*\(", source, re.M):
        return "source has no function grade(sample, item)"
    return ""


# ---- places ----


def at(
    text: str, reason: str, span: tuple[int, int] | None = None, owner: str = ""
) -> Fault | None:
    """The fault at the key its sentence names; where that is missing, at the object that lacks it.

    span: where in the text the object is. owner: the grader's name inside a multi grader.
    """
    if not reason:
        return None
    low, high = span or (0, len(text))
    said = f"{owner}: {reason}" if owner else reason
    key = next((word for word in re.findall(r"[a-z_]+", reason) if word in _KEYS), "")
    found = re.compile(rf'"{key}"\s*:').search(text, low, high) if key else None
    if found:
        return _fault(text, said, found.start(), len(key) + 2)
    return _fault(text, said, max(0, text.find("{", low)), 1)


def _fault(text: str, reason: str, offset: int, length: int) -> Fault:
    line = text.count("\n", 0, offset) + 1
    return Fault(reason, line, offset - (text.rfind("\n", 0, offset) + 1) + 1, length)


def _span(text: str, begin: int) -> tuple[int, int]:
    """From a `{` to after its `}`; the text is known to be JSON."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except ValueError:
        return begin, len(text)
    return begin, end


# ---- in a few words ----


def words(text: str) -> str:
    """`multi both: same, near`: a grader in the line of a form."""
    try:
        found = json.loads(text)
        kind, name = str(found["type"]), str(found.get("name", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "being written"
    parts = found.get("graders")
    inner = f": {', '.join(parts)}" if isinstance(parts, dict) else ""
    return f"{kind} {name}{inner}".strip()
