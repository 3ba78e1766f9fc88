"""Fixes done only when asked for by code: each changes what an example says."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from fttui.dataset.checks.text import CARD, IBAN, IPV4, MAIL, PHONE, SECRETS, SSN, is_personal
from fttui.dataset.repair import conversations, each_text, messages
from fttui.dataset.repair_tools import calls

PERSONAL: tuple[tuple[str, re.Pattern[str]], ...] = (
    *SECRETS,
    ("mail address", MAIL),
    ("card number", CARD),
    ("IBAN", IBAN),
    ("SSN", SSN),
    ("phone number", PHONE),
    ("IP address", IPV4),
)


def drop_null_turns(obj: dict[str, Any], kind: str) -> bool:
    """Messages whose content is null and that say nothing otherwise."""
    changed = False
    for value in conversations(obj):
        kept = [m for m in value if not _is_null(m)]
        if kept and len(kept) != len(value):
            value[:] = kept
            changed = True
    return changed


def _is_null(message: Any) -> bool:
    if type(message) is not dict or "content" not in message or message["content"] is not None:
        return False
    said = ("tool_calls", "function_call", "refusal")
    return message.get("role") != "assistant" or not any(message.get(key) for key in said)


def text_content(obj: dict[str, Any], kind: str) -> bool:
    """Numbers, booleans and objects as content become text."""
    changed = False
    for message in messages(obj):
        content = message.get("content")
        if content is not None and not isinstance(content, (str, list)):
            message["content"] = json.dumps(content, ensure_ascii=False)
            changed = True
    return changed


def instructions_first(obj: dict[str, Any], kind: str) -> bool:
    """One system message at the front that says what all of them said."""
    changed = False
    for value in conversations(obj):
        found = [m for m in value if type(m) is dict and m.get("role") in ("system", "developer")]
        if not found or (value[0] is found[0] and len(found) == 1):
            continue
        if not all(isinstance(m.get("content"), str) for m in found):
            continue
        first = {**found[0], "content": "\n\n".join(m["content"] for m in found)}
        value[:] = [first, *(m for m in value if not any(m is other for other in found))]
        changed = True
    return changed


def merge_answers(obj: dict[str, Any], kind: str) -> bool:
    """Assistant messages in a row become one, where both are plain text of one weight."""
    changed = False
    for value in conversations(obj):
        i = 1
        while i < len(value):
            a, b = value[i - 1], value[i]
            if _is_plain(a) and _is_plain(b) and a.get("weight") == b.get("weight"):
                a["content"] = f"{a['content']}\n\n{b['content']}"
                del value[i]
                changed = True
            else:
                i += 1
    return changed


def _is_plain(message: Any) -> bool:
    return (
        type(message) is dict
        and message.get("role") == "assistant"
        and isinstance(message.get("content"), str)
        and message.keys() <= {"role", "content", "weight"}
    )


def declare_tools(obj: dict[str, Any], kind: str) -> bool:
    """A declaration without parameters for every function that is called, where none is declared."""
    holder = obj["input"] if type(obj.get("input")) is dict else obj
    functions = [call.get("function") for call in calls(obj)]
    functions += [message.get("function_call") for message in messages(obj)]
    names = [f["name"] for f in functions if type(f) is dict and isinstance(f.get("name"), str)]
    if not names or "tools" in holder or "functions" in holder:
        return False
    holder["tools"] = [
        {"type": "function", "function": {"name": name}} for name in dict.fromkeys(names)
    ]
    return True


def redact(obj: dict[str, Any], kind: str) -> bool:
    """Secrets and personal data become [the kind's name]."""

    def without(text: str) -> str:
        for name, pattern in PERSONAL:
            text = pattern.sub(partial(_cover, name), text)
        return text

    return each_text(obj, without)


def _cover(name: str, match: re.Match[str]) -> str:
    return f"[{name}]" if is_personal(name, match.group()) else match.group()


def lower_case(obj: dict[str, Any], kind: str) -> bool:
    text = obj.get("completion")
    if kind != "completion" or not isinstance(text, str) or not text.isupper():
        return False
    obj["completion"] = text.lower()
    return True
