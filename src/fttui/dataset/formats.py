"""One line of a dataset, read into an example a person can look at; never raises."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import orjson

PREFERENCE_KEYS = {
    "preferred_output",
    "non_preferred_output",
    "preferred_completion",
    "non_preferred_completion",
}
# Shapes of other tools: name → keys that give it away (all must be there).
FOREIGN: tuple[tuple[str, frozenset[str]], ...] = (
    ("Alpaca (instruction, output)", frozenset({"instruction", "output"})),
    ("Alpaca (instruction, response)", frozenset({"instruction", "response"})),
    ("ShareGPT (conversations)", frozenset({"conversations"})),
    ("ShareGPT (conversation)", frozenset({"conversation"})),
    ("prompt/response", frozenset({"prompt", "response"})),
    ("prompt/answer", frozenset({"prompt", "answer"})),
    ("question/answer", frozenset({"question", "answer"})),
    ("question/answer", frozenset({"Question", "Answer"})),
    ("input/output", frozenset({"input", "output"})),
    ("OpenAI Batch API", frozenset({"custom_id", "body"})),
    ("OpenAI evals item", frozenset({"input", "ideal"})),
    ("OpenAI evals item", frozenset({"item"})),
    ("plain text", frozenset({"text"})),
)


@dataclass(slots=True)
class Message:
    """One turn. `content_text` joins text parts; `parts` is the list as written when there is one."""

    role: str
    content_text: str = ""
    weight: int | None = None
    name: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_call_id: str = ""
    parts: list[Any] = field(default_factory=list)
    images: int = 0
    path: str = ""  # where it is in the example: "messages[2]", "preferred_output[0]"


@dataclass(slots=True)
class Example:
    """What one line says. format: chat, preference, reinforcement, completion, unknown, invalid."""

    format: str
    messages: list[Message] = field(default_factory=list)
    tools: list[Any] = field(default_factory=list)
    preferred: list[Message] = field(default_factory=list)
    non_preferred: list[Message] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    obj: Any = None
    foreign: str = ""  # name of the other tool's shape, when known

    def turns(self) -> list[Message]:
        """Every message in reading order: the conversation, then the two answers of a preference."""
        return [*self.messages, *self.preferred, *self.non_preferred]


def read(raw: bytes, hint: str = "") -> Example:
    """The example on one line. `hint` is the file's own format, which settles what a line alone cannot:
    a conversation that ends with the user may be reinforcement data or a broken chat example."""
    data = raw.strip(b" \t\r\n\xef\xbb\xbf") if raw[:3] == b"\xef\xbb\xbf" else raw.strip()
    if not data:
        return Example("invalid", error="blank line")
    error = None
    try:
        obj = orjson.loads(data)
    except orjson.JSONDecodeError as failure:
        error = str(failure)
        try:
            obj = json.loads(data.decode("utf-8", "replace"), strict=False, parse_int=_small_int)
        except (ValueError, RecursionError):
            return Example("invalid", error=error)
    return read_object(obj, hint, error)


def _small_int(text: str) -> int | str:
    return int(text) if len(text) < 4000 else text


def read_object(obj: Any, hint: str = "", error: str | None = None) -> Example:
    """The example a parsed line holds."""
    kind, foreign = recognise(obj, hint)
    example = Example(kind, error=error, obj=obj, foreign=foreign)
    if not isinstance(obj, dict):
        example.error = error or f"is {kind_of(obj)}, must be an object"
        return example
    if kind == "completion":
        _read_completion(obj, example)
    elif kind == "preference":
        _read_preference(obj, example)
    elif kind in ("chat", "reinforcement"):
        example.messages = read_messages(obj.get("messages"), "messages")
        example.tools = _tools(obj)
        example.extras = {k: v for k, v in obj.items() if k not in CHAT_KEYS}
    else:
        example.extras = dict(obj)
    return example


CHAT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})


def _read_completion(obj: dict[str, Any], example: Example) -> None:
    lower = {str(key).lower(): value for key, value in obj.items()}
    for role, key in (("user", "prompt"), ("assistant", "completion")):
        if key in lower:
            example.messages.append(Message(role, _text(lower[key]), path=key))
    example.extras = {k: v for k, v in obj.items() if k.lower() not in ("prompt", "completion")}


def _read_preference(obj: dict[str, Any], example: Example) -> None:
    source = obj.get("input")
    if isinstance(source, dict):
        example.messages = read_messages(source.get("messages"), "input.messages")
        example.tools = _tools(source)
    elif isinstance(obj.get("prompt"), str):  # TRL
        example.messages = [Message("user", obj["prompt"], path="prompt")]
    elif isinstance(obj.get("prompt"), list):
        example.messages = read_messages(obj["prompt"], "prompt")
    for names, into in (
        (("preferred_output", "preferred_completion", "chosen"), example.preferred),
        (("non_preferred_output", "non_preferred_completion", "rejected"), example.non_preferred),
    ):
        for name in names:
            value = obj.get(name)
            if isinstance(value, list):
                into.extend(read_messages(value, name))
            elif isinstance(value, str):
                into.append(Message("assistant", value, path=name))
    known = {"input", "prompt", "chosen", "rejected", *PREFERENCE_KEYS}
    example.extras = {k: v for k, v in obj.items() if k not in known}


def recognise(obj: Any, hint: str = "") -> tuple[str, str]:
    """(format, name of a foreign shape). Chat and reinforcement share `messages`: see `read`."""
    if not isinstance(obj, dict):
        return "invalid", ""
    keys = obj.keys()
    if "messages" in keys:
        if hint in ("chat", "reinforcement"):
            return hint, ""
        return ("reinforcement" if _open_end(obj) else "chat"), ""
    if "text" in keys or "input" in keys or len(keys) > 12:
        return _by_keys(obj)
    known = _SEEN.get(shape := tuple(keys))
    if known is None:
        known = _by_keys(obj)
        if len(_SEEN) < 1_000:
            _SEEN[shape] = known
    return known


_SEEN: dict[tuple[Any, ...], tuple[str, str]] = {}  # keys in order → what they say


def _by_keys(obj: dict[str, Any]) -> tuple[str, str]:
    keys = obj.keys()
    if keys & PREFERENCE_KEYS or {"chosen", "rejected"} <= keys:
        return "preference", ""
    for name, marks in FOREIGN:
        if marks <= keys:
            if name == "plain text" and "<|im_start|>" in str(obj["text"]):
                name = "ChatML text"
            return "unknown", name
    if {str(key).lower() for key in keys} & {"prompt", "completion"}:
        return "completion", ""
    if isinstance(obj.get("input"), dict) and "messages" in obj["input"]:
        return "preference", ""
    return "unknown", ""


def _open_end(obj: dict[str, Any]) -> bool:
    """Whether a conversation waits for an answer and brings fields a grader could use."""
    messages = obj["messages"]
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return False
    return messages[-1].get("role") in ("user", "tool") and bool(obj.keys() - CHAT_KEYS)


def read_messages(value: Any, path: str) -> list[Message]:
    """Messages as far as they can be read; anything odd becomes text rather than an error."""
    if not isinstance(value, list):
        return [] if value is None else [Message("?", _text(value), path=path)]
    return [_message(item, f"{path}[{i}]") for i, item in enumerate(value)]


def _message(item: Any, path: str) -> Message:
    if not isinstance(item, dict):
        return Message("?", _text(item), path=path)
    content = item.get("content")
    message = Message(_text(item.get("role", "?")) or "?", path=path)
    if isinstance(content, list):
        message.parts = content
        message.content_text = "\n".join(_part_text(part) for part in content)
        message.images = sum(
            isinstance(part, dict) and part.get("type") == "image_url" for part in content
        )
    else:
        message.content_text = _text(content)
    if content is None and isinstance(item.get("refusal"), str):
        message.content_text = item["refusal"]
    if type(item.get("weight")) is int:
        message.weight = item["weight"]
    message.name = _text(item.get("name"))
    message.tool_call_id = _text(item.get("tool_call_id"))
    calls = item.get("tool_calls")
    if isinstance(calls, list):
        message.tool_calls = [call for call in calls if isinstance(call, dict)]
    elif isinstance(item.get("function_call"), dict):
        message.tool_calls = [{"id": "", "type": "function", "function": item["function_call"]}]
    return message


def _part_text(part: Any) -> str:
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            return part["text"]
        if part.get("type") == "image_url":
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, dict) else image
            return f"[image {_text(url)[:80]}]"
    return _text(part)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "…"


def _tools(obj: dict[str, Any]) -> list[Any]:
    tools = obj.get("tools")
    if isinstance(tools, list):
        return tools
    functions = obj.get("functions")
    if isinstance(functions, list):
        return [{"type": "function", "function": item} for item in functions]
    return []


def kind_of(value: Any) -> str:
    """What a JSON value is, in words: `a list`, `null`."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
