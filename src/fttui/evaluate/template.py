"""`{{item.answer}}` and `{{sample.output_json.city}}`: values put into a grader's texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fttui.evaluate.records import Answer, Case, GraderError

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.S)
_STEP = re.compile(r"\.?([^.\[\]\s]+)|\[\s*(?:(-?\d+)|'([^']*)'|\"([^\"]*)\")\s*\]")
ROOTS = ("item", "sample")


def render(text: str, case: Case, answer: Answer) -> str:
    """`text` with every place filled in; text as it is, anything else as JSON.

    GraderError names the place that cannot be filled.
    """
    if "{{" not in text:
        return text
    names: dict[str, Any] = {"item": case.item, "sample": answer.sample()}
    return _PLACE.sub(lambda found: _written(_look_up(found[1], names)), text)


def places(text: str) -> list[str]:
    """The paths `text` asks for: `["item.answer", "sample.output_text"]`."""
    return _PLACE.findall(text)


def check(text: str, where: str) -> None:
    """GraderError where a place could never be filled: another root, or no path at all."""
    for place in places(text):
        steps = _steps(place)
        if steps[0] not in ROOTS or len(steps) < 2:
            raise GraderError(f"{where}: {{{{{place}}}}} must begin with item. or sample.")


def _steps(place: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(place):
        found = _STEP.match(place, at)
        if found is None:
            raise GraderError(f"{{{{{place}}}}} is no path")
        name, number, *quoted = found.groups()
        steps.append(int(number) if number else name or quoted[0] or quoted[1] or "")
        at = found.end()
    if not steps:
        raise GraderError("{{}} names nothing")
    return steps


def _look_up(place: str, names: Mapping[str, Any]) -> Any:
    value: Any = names
    reached = ""
    for step in _steps(place):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise GraderError(_missing(place, reached, step)) from None
        reached = f"{reached}.{step}" if reached else str(step)
    return value


def _missing(place: str, reached: str, step: str | int) -> str:
    if reached == "sample" and step == "output_json":
        return f"{{{{{place}}}}}: the answer is not JSON"
    return f"{{{{{place}}}}}: {reached or 'this'} has no {step!r}"


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
