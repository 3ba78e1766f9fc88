"""What an evaluation is made of: a case to ask, an answer, a grade of it, and a question to a judge."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fttui.evaluate.match import as_json


class GraderError(Exception):
    """Why an answer could not be graded. Fails its own row, with this reason."""


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt of an evaluation file. line: 1-based. item: what `{{item.…}}` reaches.

    expected, expected_tools: the answer the file gives, "" and () where it gives none.
    """

    line: int
    messages: tuple[Mapping[str, Any], ...]
    item: Mapping[str, Any]
    expected: str = ""
    expected_tools: tuple[Mapping[str, Any], ...] = ()
    tools: tuple[Any, ...] = ()

    @property
    def prompt(self) -> str:
        """The last thing a user said, for showing."""
        return str(self.item.get("prompt", ""))

    @property
    def wanted(self) -> str:
        """What is expected, for showing: the text, else the calls."""
        calls = (call.get("function") or call for call in self.expected_tools)
        return self.expected or shown_calls(calls)


# What can be wrong with an answer by itself → in words.
TROUBLES: Mapping[str, str] = {
    "filtered": "taken away by the provider's content filter",
    "refused": "refused by the model",
    "cut": "cut at the token limit",
    "failed": "refused by the provider",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. tool_calls: {"name", "arguments" (JSON text)}. Times in seconds.

    error: why there is no (whole) answer, though the model was asked; it is graded 0.
    """

    text: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    refusal: str = ""
    end: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0
    first_token: float | None = None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "tool_calls": [dict(call) for call in self.tool_calls]}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Answer:
        known = {item.name: row[item.name] for item in fields(cls) if item.name in row}
        calls = known.get("tool_calls") or ()
        return cls(**{**known, "tool_calls": tuple(dict(call) for call in calls)})

    @property
    def said(self) -> str:
        """What was answered, for showing: the text, else the refusal or the calls."""
        return self.text or self.refusal or shown_calls(self.tool_calls)

    @property
    def trouble(self) -> str:
        """How the answer went wrong by itself, whatever it says: one of TROUBLES, "" for a whole one."""
        if self.end == "content_filter":
            return "filtered"
        if self.error:
            return "failed"
        if self.refusal and not self.text:
            return "refused"
        return "cut" if self.end == "length" else ""

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The calls in the shape of the API: `output_tools[0].function.name`."""
        return [
            {"type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in self.tool_calls
        ]

    def sample(self) -> dict[str, Any]:
        """What `{{sample.…}}` reaches. `output_json` is there only where the text is JSON."""
        names: dict[str, Any] = {
            "output_text": self.text,
            "output_tools": self.tools,
            "choices": [{"message": {"content": self.text, "tool_calls": self.tools}}],
        }
        try:
            names["output_json"] = as_json(self.text)
        except (ValueError, RecursionError):
            pass
        return names


@dataclass(frozen=True, slots=True)
class Grade:
    """score: 0 to 1. passed: None where the grader has no threshold. error: why it failed the row."""

    score: float
    passed: bool | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = {"score": round(self.score, 6), "passed": self.passed}
        if self.detail:
            made["detail"] = dict(self.detail)
        return made | ({"error": self.error} if self.error else {})


def binary(right: bool, **detail: Any) -> Grade:
    return Grade(float(right), right, detail)


def failed(reason: str) -> Grade:
    return Grade(0.0, False, error=reason)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question a grader has for a model, before it can grade."""

    model: str
    messages: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)  # fields of the request body


# A grader's work: yields questions, is sent the texts of the answers, returns the grade.
Steps = Generator[Ask, str, Grade]


def shown_calls(calls: Iterable[Mapping[str, Any]]) -> str:
    """`f({"a": 1}); g({})`."""
    return "; ".join(f"{call.get('name')}({call.get('arguments')})" for call in calls)


def short_json(value: Any, limit: int = 120) -> str:
    """A value on one line for a reason or a difference."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"
