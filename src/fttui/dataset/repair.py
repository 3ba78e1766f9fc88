"""Fixes of one example, each a small function that returns whether it changed something.

Every fix can be done again without effect, and leaves nothing its code would be found for.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from typing import Any

from fttui.dataset.checks.messages import (
    ELSEWHERE,
    INVISIBLE,
    KEYS,
    OTHER_KEYS,
    ROLES,
    curable_weight,
    likely_role,
)
from fttui.dataset.checks.preference import ALLOWED, REFERENCE
from fttui.dataset.checks.text import CONTROLS, HIDDEN, MOJIBAKE, SPECIAL
from fttui.dataset.formats import CHAT_KEYS

Fix = Callable[[dict[str, Any], str], bool]


def conversations(obj: dict[str, Any]) -> list[list[Any]]:
    """Every list of messages of an example."""
    inner = obj.get("input")
    source: dict[str, Any] = inner if type(inner) is dict else obj
    lists = [source.get("messages")] + [
        obj.get(name) for name in (*ALLOWED, *REFERENCE) if name != "input"
    ]
    return [value for value in lists if type(value) is list]


def messages(obj: dict[str, Any]) -> list[dict[str, Any]]:
    return [m for value in conversations(obj) for m in value if type(m) is dict]


def double_encoded(obj: dict[str, Any], kind: str) -> bool:
    value = obj.get("messages")
    if not isinstance(value, str):
        return False
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        return False
    if type(decoded) is not list:
        return False
    obj["messages"] = decoded
    return True


def roles(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj):
        role = message.get("role")
        meant = likely_role(role)
        if meant and meant != role:
            message["role"] = meant
            changed = True
    return changed


def extra_keys(obj: dict[str, Any], kind: str) -> bool:
    if kind != "chat":
        return False
    return _drop(obj, obj.keys() - CHAT_KEYS)


def extra_preference_keys(obj: dict[str, Any], kind: str) -> bool:
    return (
        kind == "preference"
        and bool(obj.keys() & ALLOWED)
        and _drop(obj, obj.keys() - ALLOWED - REFERENCE.keys())
    )


def extra_legacy_keys(obj: dict[str, Any], kind: str) -> bool:
    if kind != "completion":
        return False
    return _drop(obj, {key for key in obj if key.lower() not in ("prompt", "completion")})


def _drop(obj: dict[str, Any], keys: Any) -> bool:
    for key in list(keys):
        del obj[key]
    return bool(keys)


def message_keys(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj):
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            continue
        allowed = KEYS.get(role, OTHER_KEYS)
        for key in list(message.keys() - allowed - ELSEWHERE):
            near = difflib.get_close_matches(key, sorted(allowed - message.keys()), 1, 0.75)
            value = message.pop(key)
            if near:
                message[near[0]] = value
            changed = True
    return changed


def names(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj):
        name = message.get("name")
        if "name" not in message:
            continue
        clean = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] if isinstance(name, str) else ""
        if not clean:
            del message["name"]
            changed = True
        elif clean != name:
            message["name"] = clean
            changed = True
    return changed


def weights(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj):
        weight: Any = message.get("weight")
        if type(weight) is int or message.get("role") != "assistant" or "weight" not in message:
            continue
        if curable_weight(weight):
            message["weight"] = int(weight)
            changed = True
    return changed


def misplaced_weights(obj: dict[str, Any], kind: str) -> bool:
    wrong = [m for m in messages(obj) if "weight" in m and m.get("role") != "assistant"]
    for message in wrong:
        del message["weight"]
    return bool(wrong)


def cut_tail(obj: dict[str, Any], kind: str) -> bool:
    value = obj.get("messages")
    if kind != "chat" or type(value) is not list:
        return False
    places = [i for i, m in enumerate(value) if type(m) is dict and m.get("role") == "assistant"]
    if not places or places[-1] == len(value) - 1:
        return False
    if type(value[-1]) is not dict or value[-1].get("role") not in ROLES:
        return False
    del value[places[-1] + 1 :]
    return True


def trim(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj) if kind == "chat" else ():
        text = message.get("content")
        if (
            message.get("role") != "assistant"
            or message.get("weight") == 0
            or type(text) is not str
        ):
            continue
        if text != text.strip() and text.strip():
            message["content"] = text.strip()
            changed = True
    return changed


def string_parts(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for message in messages(obj):
        parts: Any = message.get("content")
        for i, part in enumerate(parts if type(parts) is list else ()):
            if isinstance(part, str):
                parts[i] = {"type": "text", "text": part}
                changed = True
    return changed


def image_urls(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for part in _images(obj):
        if isinstance(part.get("image_url"), str):
            part["image_url"] = {"url": part["image_url"]}
            changed = True
    return changed


def image_detail(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for part in _images(obj):
        image = part.get("image_url")
        if type(image) is dict and image.get("detail", "auto") not in ("auto", "low", "high"):
            image["detail"] = "auto"
            changed = True
    return changed


def _images(obj: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        part
        for message in messages(obj)
        if type(message.get("content")) is list
        for part in message["content"]
        if type(part) is dict and part.get("type") == "image_url"
    ]


def preference_names(obj: dict[str, Any], kind: str) -> bool:
    if kind != "preference":
        return False
    found = [old for old in REFERENCE if old in obj and REFERENCE[old] not in obj]
    spare = [old for old in REFERENCE if old in obj and REFERENCE[old] in obj]
    for old in found:
        obj[REFERENCE[old]] = obj.pop(old)
    for old in spare:
        del obj[old]
    return bool(found or spare)


def reinforcement_roles(obj: dict[str, Any], kind: str) -> bool:
    if kind != "reinforcement":
        return False
    wrong = [m for m in messages(obj) if m.get("role") == "system"]
    for message in wrong:
        message["role"] = "developer"
    return bool(wrong)


def legacy_names(obj: dict[str, Any], kind: str) -> bool:
    if kind != "completion":
        return False
    changed = False
    for key in [
        key for key in obj if key.lower() in ("prompt", "completion") and key != key.lower()
    ]:
        value = obj.pop(key)
        obj.setdefault(key.lower(), value)
        changed = True
    return changed


def leading_blank(obj: dict[str, Any], kind: str) -> bool:
    text = obj.get("completion")
    if kind != "completion" or not isinstance(text, str) or not text or text[0].isspace():
        return False
    obj["completion"] = " " + text
    return True


def strip_hidden(obj: dict[str, Any], kind: str) -> bool:
    return each_text(obj, lambda text: CONTROLS.sub("", HIDDEN.sub("", text)))


def strip_special(obj: dict[str, Any], kind: str) -> bool:
    def without(text: str) -> str:
        while SPECIAL.search(text):
            text = SPECIAL.sub("", text)
        return text

    return each_text(obj, without)


def ungarble(obj: dict[str, Any], kind: str) -> bool:
    def repair(text: str) -> str:
        if not MOJIBAKE.search(text):
            return text
        try:
            return text.encode("cp1252").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            return text

    return each_text(obj, repair)


def each_text(obj: dict[str, Any], change: Callable[[str], str]) -> bool:
    changed = False
    for message in messages(obj):
        text = message.get("content")
        if type(text) is str and (new := change(text)) != text:
            message["content"] = new
            changed = True
    for key in ("prompt", "completion"):
        text = obj.get(key)
        if type(text) is str and (new := change(text)) != text:
            obj[key] = new
            changed = True
    return changed


def is_empty(obj: dict[str, Any]) -> bool:
    """Whether an example has an assistant message without a word."""
    return any(
        m.get("role") == "assistant"
        and type(m.get("content")) is str
        and INVISIBLE.fullmatch(m["content"])
        and not (m.get("tool_calls") or m.get("function_call") or m.get("refusal"))
        for m in messages(obj)
    )
