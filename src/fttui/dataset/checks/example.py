"""One example: which format it is, and which checks that format gets."""

from __future__ import annotations

from typing import Any

from fttui.dataset.checks import images, messages, preference, tools
from fttui.dataset.checks.context import Context
from fttui.dataset.checks.legacy import check_completion
from fttui.dataset.checks.line import check_hidden, check_numbers, measure, too_deep
from fttui.dataset.formats import CHAT_KEYS, kind_of, recognise
from fttui.text import one_line

# Keys of a logged API request, to say so when they turn up beside messages.
REQUEST_KEYS = frozenset(
    {"model", "temperature", "max_tokens", "top_p", "stream", "stop", "n", "seed"}
)


def check(obj: dict[str, Any], raw: bytes, context: Context) -> str:
    """Run every per-example check; returns the format, "invalid" for an example to be left alone.

    Texts to count are left in `context`."""
    context.start_example()
    if too_deep(raw, obj, context):
        return "invalid"
    kind, foreign = recognise(obj, context.hint if "messages" in obj else "")
    if kind in ("chat", "reinforcement"):
        kind = check_conversation(obj, kind, context)
    elif kind == "preference":
        preference.check(obj, context)
    elif kind == "completion":
        check_completion(obj, context)
    else:
        name = f"this is {foreign}" if foreign else f"no known keys ({_keys(obj)})"
        context.add("S001", "", f"{name}; not a fine-tuning format")
        _gather_unknown(obj, context)
    keys, large = measure(obj)
    check_hidden(raw, obj, keys, context)
    if large:
        check_numbers(raw, large, context)
    context.facts.see(f"format:{kind}", context.line)
    return kind


def _keys(obj: dict[str, Any]) -> str:
    return one_line(", ".join(str(key) for key in list(obj)[:6]), 60) or "an empty object"


def _gather_unknown(obj: dict[str, Any], context: Context) -> None:
    context.plain.extend(value for value in obj.values() if type(value) is str)


def check_conversation(obj: dict[str, Any], kind: str, context: Context) -> str:
    value = obj["messages"]
    mode = "chat" if kind == "chat" else "reinforcement"
    declared = tools.check_declared(obj, "", context)
    context.facts.n["declares"] += bool(declared)
    good = messages.check_all(value, "messages", context, mode)
    if len(obj) > 1:
        tools.check_parallel(obj, good, "", context)
        extras = obj.keys() - CHAT_KEYS
        if kind == "chat" and extras:
            check_extras(extras, context)
        elif kind == "reinforcement":
            signature = ", ".join(sorted(f"{key}: {_type(obj[key])}" for key in extras))
            context.facts.text("fields", signature[:500], context.line)
    elif kind == "reinforcement":
        context.facts.text("fields", "", context.line)
    if declared or _calls(good):
        tools.check_use(value if type(value) is list else [], declared, "messages", context)
    images.check_example(good, "messages", context, mode)
    return kind


def _calls(good: list[dict[str, Any]]) -> bool:
    return any(
        "tool_calls" in m or "function_call" in m or m.get("role") == "function" for m in good
    )


def _type(value: Any) -> str:
    return kind_of(value).removeprefix("a ").removeprefix("an ")


def check_extras(extras: set[str], context: Context) -> None:
    log = " (a logged API request?)" if len(extras & REQUEST_KEYS) > 1 else ""
    for key in sorted(extras)[:20]:
        shown = one_line(key, 40)
        context.add(
            "S004", shown, f'extra key "{shown}"{log}; OpenAI answers: contains an extra "{shown}"'
        )
