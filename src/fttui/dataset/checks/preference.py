"""Preference pairs (P-codes)."""

from __future__ import annotations

from typing import Any

from fttui.dataset.checks import images, messages, tools
from fttui.dataset.checks.context import Context
from fttui.dataset.formats import kind_of
from fttui.text import one_line

OUTPUTS = ("preferred_output", "non_preferred_output")
REFERENCE = {"preferred_completion": OUTPUTS[0], "non_preferred_completion": OUTPUTS[1]}
ALLOWED = frozenset({"input", *OUTPUTS})


def check(obj: dict[str, Any], context: Context) -> None:
    if "chosen" in obj and "rejected" in obj and not obj.keys() & {*OUTPUTS, *REFERENCE}:
        context.add("P007", "", "this is TRL's format (prompt, chosen, rejected)")
        for key in ("prompt", "chosen", "rejected"):
            if isinstance(obj.get(key), str):
                context.plain.append(obj[key])
        return
    old = [key for key in REFERENCE if key in obj]
    if old:
        context.add("P006", old[0], f"{' and '.join(old)}: jobs expect *_output")
    _check_input(obj, context)
    texts = [_check_output(obj, name, old, context) for name in OUTPUTS]
    extras = obj.keys() - ALLOWED - REFERENCE.keys()
    for key in sorted(extras)[:20]:
        shown = one_line(key, 40)
        context.add("P012", shown, f'extra key "{shown}"')
    _compare(obj, texts, old, context)


def _check_input(obj: dict[str, Any], context: Context) -> None:
    source = obj.get("input")
    if type(source) is not dict:
        what = f"input is {kind_of(source)}" if "input" in obj else "input is missing"
        context.add("P001", "input", f"{what}, must be an object with messages")
        return
    declared = tools.check_declared(source, "input.", context)
    good = messages.check_all(source.get("messages"), "input.messages", context, "preference")
    tools.check_parallel(source, good, "input.", context)
    value = source.get("messages")
    if declared or any(len(message) > 2 for message in good):
        tools.check_use(value if type(value) is list else [], declared, "input.messages", context)
    images.check_example(good, "input.messages", context, "preference")


def _check_output(obj: dict[str, Any], name: str, old: list[str], context: Context) -> str | None:
    """Check one of the two answers; its text, None when it is no message."""
    if name not in obj:
        spelled = {v: k for k, v in REFERENCE.items()}[name]
        if spelled not in old:
            context.add("P003", name, f"{name} is missing")
            return None
        name = spelled
    value = obj[name]
    if type(value) is not list or len(value) != 1 or type(value[0]) is not dict:
        what = (
            f"has {len(value)} messages"
            if type(value) is list and len(value) != 1
            else f"is {kind_of(value)}"
        )
        context.add("P003", name, f"{name} {what}, must be a list with one message")
        return None
    message = value[0]
    role = message.get("role")
    if role not in context.target.preferred_roles:
        context.add(
            "P004", f"{name}[0].role", f"role {one_line(str(role), 20)!r}, must be assistant"
        )
    else:
        _check_message(message, name, context)
    context.fixed += 4
    context.fixed_trained += 1
    texts = tools.texts(message)
    context.trained.extend(texts)
    context.order.extend((text, True) for text in texts)
    content = message.get("content")
    if not messages.speaks_otherwise(message) and (
        (type(content) is str and messages.INVISIBLE.fullmatch(content)) or content == []
    ):
        context.add("P010", f"{name}[0].content", "answer is empty")
    return "\n".join(texts)


def _check_message(message: dict[str, Any], name: str, context: Context) -> None:
    """The M-checks inside an answer; an empty one is P010's."""
    path = f"{name}[0]"
    messages.check_keys(message, "assistant", path, context)
    messages.check_weight(message, message.get("role"), path, context)
    if "tool_calls" in message:
        tools.check_calls(message, message.get("role"), path, context)
    content = message.get("content")
    if not isinstance(content, str) and content != []:
        messages.check_content(message, message.get("role"), path, context, "preference")


def _compare(
    obj: dict[str, Any], texts: list[str | None], old: list[str], context: Context
) -> None:
    good, bad = texts
    if good is None or bad is None:
        return
    context.facts.n["pairs"] += 1
    context.facts.n["pairs_longer"] += len(good) > len(bad)
    if good == bad:
        context.add("P005", OUTPUTS[1], "both answers are equal")
    elif "".join(good.split()).casefold() == "".join(bad.split()).casefold():
        context.add("P014", OUTPUTS[1], "the answers differ only in blanks or case")
