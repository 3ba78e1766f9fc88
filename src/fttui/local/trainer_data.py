"""Training files as token ids: one item a line, cut to the context, with what is learned marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fttui.local.template import Template
from fttui.local.trainer_job import Failed
from fttui.problem import Problem

Tokens = tuple[list[int], list[bool]]  # ids, and which of them are learned


@dataclass
class Data:
    """`items`: supervised: one conversation each; dpo: the preferred and the other one."""

    items: list[tuple[Tokens, ...]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """All tokens of one epoch, prompts included: what a provider bills."""
        return sum(len(ids) for item in self.items for ids, _ in item)


def load(
    path: Path,
    template: Template,
    *,
    method: str,
    context: int,
    param: str = "training_file",
    check: Callable[[], None] = lambda: None,
) -> Data:
    """Read a JSONL file. Failed (invalid_training_file …) with the line where something is wrong.

    `check` is called now and then and may raise to stop.
    """
    data, cut, mute = Data(), [], []
    for number, raw in _lines(path, param):
        if number % 64 == 0:
            check()
        try:
            item = _ITEMS[method](json.loads(raw), template)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _invalid(param, f"Line {number} {_reason(error, method)}.") from error
        except Problem as problem:
            raise _invalid(param, f"Line {number}: {'; '.join(problem.lines())}.") from problem
        short = tuple((ids[:context], learned[:context]) for ids, learned in item)
        if any(len(ids) > context for ids, _ in item):
            cut.append(number)
        if all(any(learned) for _, learned in short):
            data.items.append(tuple(_trimmed(tokens) for tokens in short))
        else:
            mute.append(number)
    if not data.items:
        raise _invalid(param, "It has no example with an assistant message to learn from.")
    if cut:
        data.warnings.append(
            f"{_listed(cut, param)} longer than {context} tokens: truncated from the end"
        )
    if mute:
        data.warnings.append(f"{_listed(mute, param)} left out: no assistant tokens to learn from")
    return data


def _lines(path: Path, param: str) -> list[tuple[int, bytes]]:
    try:
        raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise _invalid(param, f"It cannot be read: {error.strerror}.") from error
    lines = enumerate(raw.split(b"\n"), 1)
    return [(number, line) for number, line in lines if line.strip()]


def _supervised(line: Any, template: Template) -> tuple[Tokens, ...]:
    if "messages" not in line and "prompt" in line and "completion" in line:
        line = {
            "messages": [
                {"role": "user", "content": line["prompt"]},
                {"role": "assistant", "content": line["completion"]},
            ]
        }
    return (template.example(_messages(line["messages"]), line.get("tools")),)


def _preference(line: Any, template: Template) -> tuple[Tokens, ...]:
    asked = _messages(line["input"]["messages"])
    tools = line["input"].get("tools")
    prompt = [dict(message, weight=0) for message in asked]
    return tuple(
        template.example([*prompt, *_messages(line[key])], tools)
        for key in ("preferred_output", "non_preferred_output")
    )


_ITEMS: dict[str, Callable[[Any, Template], tuple[Tokens, ...]]] = {
    "supervised": _supervised,
    "dpo": _preference,
}
_SHAPES = {
    "supervised": "'messages'",
    "dpo": "'input' with 'messages', 'preferred_output' and 'non_preferred_output'",
}


def _messages(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TypeError("messages must be a list of objects")
    return value


def _reason(error: Exception, method: str) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is not valid JSON ({error.msg} at column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "is not valid UTF-8"
    return f"is not a {method} example: it needs {_SHAPES[method]} ({error})"


def _trimmed(tokens: Tokens) -> Tokens:
    """Without what follows the last learned token: nothing is learned from it."""
    ids, learned = tokens
    end = len(learned) - learned[::-1].index(True)
    return ids[:end], learned[:end]


def _listed(numbers: list[int], param: str) -> str:
    shown = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    noun = "example" if len(numbers) == 1 else "examples"
    return f"{len(numbers)} {noun} of the {param.replace('_', ' ')} (line {shown})"


def _invalid(param: str, reason: str) -> Failed:
    name = param.replace("_", " ")
    return Failed(f"invalid_{param}", f"The job failed due to an invalid {name}. {reason}", param)
