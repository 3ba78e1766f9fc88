"""A training file judged at the start of a job, refused in the cloud's words.

This is the server's gate, as narrow as a provider's: the first fault ends it. The checks that
help a person before an upload are `fttui check`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

MINIMUM_EXAMPLES = 10
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_LINE_LIMIT = 64 * 2**20  # bytes of one line; more is not an example of anything


@dataclass(frozen=True)
class Fault:
    """Why a file was refused, as the job's `error` says it."""

    code: str
    message: str
    param: str


class _Bad(Exception):
    pass


def check(
    path: Path, *, method: str, param: str, cancelled: Callable[[], bool] = lambda: False
) -> Fault | None:
    """The first fault of a training or validation file (`param` says which), or None.

    Examples are counted from 1; blank lines are not examples.
    """
    kind = param.removesuffix("_file")
    read = _preference if method == "dpo" else _chat
    count = 0
    with path.open("rb") as lines:
        while raw := lines.readline(_LINE_LIMIT):
            if cancelled():
                return None
            if not raw.strip():
                continue
            count += 1
            if count == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                read(raw)
            except _Bad as bad:
                return Fault(
                    f"invalid_{param}",
                    f"The job failed due to an invalid {kind} file. Invalid file format. "
                    f"Example {count}{bad}",
                    param,
                )
    least = MINIMUM_EXAMPLES if param == "training_file" else 1
    if count < least:
        return Fault(
            "invalid_n_examples",
            f"{kind.capitalize()} file has {count} example(s), but must have at least "
            f"{least} example{'s' if least > 1 else ''}",
            param,
        )
    return None


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _Bad(f" is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise _Bad(" is not a JSON object")
    return value


def _chat(raw: bytes) -> None:
    example = _object(raw)
    if "messages" not in example:
        if "preferred_output" in example:
            raise _Bad(" is a preference pair, but the method is 'supervised'; use 'dpo'")
        raise _Bad(" has no 'messages'; expected chat messages")
    messages = _messages(example["messages"], "")
    spoken = [m for m in messages if m["role"] == "assistant" and m.get("weight", 1) == 1]
    if not spoken:
        raise _Bad(" must have at least one message from the assistant to learn from")


def _preference(raw: bytes) -> None:
    example = _object(raw)
    if "input" not in example and "messages" in example:
        raise _Bad(
            " is in the fine-tune-chat format, but the specified fine-tuning job is not using "
            "'supervised' as the training method (provided method=dpo)."
        )
    prompt = example.get("input")
    if not isinstance(prompt, dict):
        raise _Bad(" has no 'input' object with messages")
    _messages(prompt.get("messages"), ", input")
    for key in ("preferred_output", "non_preferred_output"):
        answer = _messages(example.get(key), f", {key}")
        if len(answer) != 1 or answer[0]["role"] != "assistant":
            raise _Bad(f", {key} must be exactly one assistant message")


def _messages(value: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value:
        raise _Bad(f"{where} must have a non-empty list of messages")
    for number, message in enumerate(value, 1):
        _message(message, f"{where}, message {number}")
    return value


def _message(message: Any, where: str) -> None:
    if not isinstance(message, dict):
        raise _Bad(f"{where} is not a JSON object")
    role = message.get("role")
    if role is None:
        raise _Bad(f"{where} Discriminator 'role' is missing in value")
    if role not in ROLES:
        raise _Bad(f"{where} has an unknown role; expected one of {', '.join(ROLES)}")
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise _Bad(f"{where} has a weight that is neither 0 nor 1")
    content = message.get("content")
    if content is None:
        if role == "assistant" and (message.get("tool_calls") or message.get("function_call")):
            return
        raise _Bad(f"{where} has no content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise _Bad(f"{where} has content that is neither text nor a list of parts")
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in ("text", "refusal"):
            raise _Bad(f"{where} has a part that is not text; the local model reads text only")
        if not isinstance(part.get(part["type"]), str):
            raise _Bad(f"{where} has a text part without text")
