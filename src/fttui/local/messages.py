"""Chat messages as a request carries them → the plain role and text the engine renders."""

from __future__ import annotations

from typing import Any

from fttui.local.errors import ApiError, printable
from fttui.local.schema import Chat
from fttui.local.validate import ROLES

# What a small text model cannot do, refused rather than silently ignored: key → (value that asks
# for nothing, what to say).
_UNSUPPORTED: dict[str, tuple[tuple[Any, ...], str]] = {
    "n": ((None, 1), "this server makes one answer a request (n=1)"),
    "functions": ((None, []), "use 'tools' instead"),
    "logprobs": ((None, False), "this server does not return log probabilities"),
    "logit_bias": ((None, {}), "this server does not bias tokens"),
    "audio": ((None,), "this server answers with text only"),
    "web_search_options": ((None,), "this server searches nothing"),
    "modalities": ((None, ["text"]), "this server answers with text only"),
    "response_format": (
        (None, {"type": "text"}),
        "this server cannot force a format; ask for it in the prompt, or train for it",
    ),
}


def refuse_unsupported(raw: dict[str, Any]) -> None:
    """ApiError 400 for the first parameter that asks for what the engine cannot do."""
    for key, (harmless, reason) in _UNSUPPORTED.items():
        if raw.get(key) not in harmless:
            raise ApiError(
                400,
                f"Unsupported parameter: '{key}': {reason}.",
                code="unsupported_parameter",
                param=key,
            )


def plain(body: Chat) -> list[dict[str, Any]]:
    """Messages with `role` and text `content`; ApiError 400 names the one that is wrong."""
    return [_one(message, f"messages[{i}]") for i, message in enumerate(body.messages)]


def _one(message: dict[str, Any], param: str) -> dict[str, Any]:
    role = message.get("role")
    if role is None:
        raise ApiError(
            400,
            f"Missing required parameter: '{param}.role'.",
            code="missing_required_parameter",
            param=f"{param}.role",
        )
    if role not in ROLES:
        raise ApiError(
            400,
            f"Invalid value for '{param}.role': {printable(repr(role), 60)}. "
            f"Expected one of {', '.join(ROLES)}.",
            code="invalid_value",
            param=f"{param}.role",
        )
    calls = _calls(message, param)
    text = _text(message.get("content"), f"{param}.content", optional=role == "assistant")
    return {"role": "system" if role == "developer" else role, "content": text, **calls}


def _calls(message: dict[str, Any], param: str) -> dict[str, Any]:
    """The tool calls of an earlier turn, where there are some and they have the right shape."""
    calls, call = message.get("tool_calls"), message.get("function_call")
    listed = calls if calls else [{"function": call}] if call else []
    if not isinstance(listed, list) or not all(
        isinstance(one, dict)
        and isinstance(one.get("function"), dict)
        and isinstance(one["function"].get("name"), str)
        and isinstance(one["function"].get("arguments"), str)
        for one in listed
    ):
        raise ApiError(
            400,
            f"Invalid value for '{param}.tool_calls': expected a list of calls, each a function "
            "with a name and its arguments as a JSON string.",
            code="invalid_value",
            param=f"{param}.tool_calls",
        )
    return {"tool_calls": listed} if listed else {}


def _text(content: Any, param: str, *, optional: bool) -> str:
    if content is None and optional:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise ApiError(
            400,
            f"Invalid type for '{param}': expected a string or a list of text parts.",
            code="invalid_type",
            param=param,
        )
    return "".join(_part(part, f"{param}[{i}]") for i, part in enumerate(content))


def _part(part: Any, param: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in ("text", "refusal"):
        raise ApiError(
            400,
            f"Unsupported content in '{param}': this model reads text only.",
            code="unsupported_content",
            param=param,
        )
    text = part.get(kind)
    if not isinstance(text, str):
        raise ApiError(
            400,
            f"Invalid type for '{param}.{kind}': expected a string.",
            code="invalid_type",
            param=f"{param}.{kind}",
        )
    return text
