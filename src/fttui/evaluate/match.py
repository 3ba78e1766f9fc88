"""Is an answer the expected one? Exactly, up to case and blanks, or as JSON of equal value."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

FENCE = "```"


def exact(answer: str, expected: str) -> bool:
    """Equal but for blanks at both ends."""
    return answer.strip() == expected.strip()


def normalised(answer: str, expected: str) -> bool:
    """Equal after NFKC, case folding and folding of blanks."""
    return normal(answer) == normal(expected)


def normal(text: str) -> str:
    """NFKC, case folded, blanks folded."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def as_json(text: str) -> Any:
    """The JSON value of an answer, bare or in one code fence. ValueError when it is none."""
    text = text.strip()
    if text.startswith(FENCE) and text.endswith(FENCE) and len(text) > 2 * len(FENCE):
        text = text[len(FENCE) : -len(FENCE)].removeprefix("json").strip()
    return json.loads(text, parse_constant=_not_json)


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def json_equal(answer: str, expected: str) -> bool:
    """Both are JSON and of equal value; key order and spacing do not count, 1 and true differ."""
    try:
        return _typed(as_json(answer)) == _typed(as_json(expected))
    except (ValueError, RecursionError):
        return False


def _typed(value: Any) -> Any:
    """A form in which equal means equal as JSON: Python's own == takes 1 for True."""
    if isinstance(value, dict):
        return ("object", {key: _typed(item) for key, item in value.items()})
    if isinstance(value, list):
        return ("array", [_typed(item) for item in value])
    if isinstance(value, bool):
        return ("bool", value)
    return ("value", value)


def expects_json(expected: str) -> bool:
    """The expected answer is a JSON object or array, so answers are compared as JSON."""
    try:
        return isinstance(as_json(expected), dict | list)
    except (ValueError, RecursionError):
        return False


def matches(answer: str, expected: str) -> bool:
    """As JSON where JSON is expected, else exactly."""
    return json_equal(answer, expected) if expects_json(expected) else exact(answer, expected)
