"""Fixes of tools and calls (T-codes)."""

from __future__ import annotations

import re
from typing import Any

from fttui.dataset.checks.line import canonical
from fttui.dataset.repair import messages
from fttui.dataset.syntax import dump

NAME = re.compile(r"[^A-Za-z0-9_-]")


def _holders(obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects of an example that may declare tools."""
    return [obj, obj["input"]] if type(obj.get("input")) is dict else [obj]


def calls(obj: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        call
        for message in messages(obj)
        if type(message.get("tool_calls")) is list
        for call in message["tool_calls"]
        if type(call) is dict
    ]


def wrap_functions(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for holder in _holders(obj):
        tools: Any = holder.get("tools")
        for i, tool in enumerate(tools if type(tools) is list else ()):
            if type(tool) is not dict:
                continue
            if isinstance(tool.get("name"), str) and "function" not in tool:
                inner = {k: v for k, v in tool.items() if k != "type"}
                tools[i] = {"type": "function", "function": inner}
                changed = True
            elif type(tool.get("function")) is dict and tool.get("type") != "function":
                tool["type"] = "function"
                changed = True
    return changed


def same_tools(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    for holder in _holders(obj):
        tools = holder.get("tools")
        if type(tools) is not list:
            continue
        seen: set[bytes] = set()
        kept = []
        for tool in tools:
            key = canonical(tool)
            if key not in seen:
                seen.add(key)
                kept.append(tool)
        if len(kept) != len(tools):
            holder["tools"] = kept
            changed = True
    return changed


def arguments(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    functions = [call.get("function") for call in calls(obj)]
    functions += [message.get("function_call") for message in messages(obj)]
    for function in functions:
        if type(function) is not dict:
            continue
        value = function.get("arguments")
        if type(value) is dict:
            function["arguments"] = dump(value).decode()
            changed = True
    return changed


def call_ids(obj: dict[str, Any], kind: str) -> bool:
    """Give every call an id of its own; the n-th result of an id goes with the n-th call of that id."""
    used: set[str] = set()
    renamed: dict[str, list[str]] = {}
    changed = False
    for message in messages(obj):
        if message.get("role") == "tool" and isinstance(message.get("tool_call_id"), str):
            queue = renamed.get(message["tool_call_id"])
            if queue:
                new = queue.pop(0)
                changed |= new != message["tool_call_id"]
                message["tool_call_id"] = new
            continue
        asked = message.get("tool_calls")
        for call in asked if type(asked) is list else ():
            if type(call) is not dict:
                continue
            old = call.get("id")
            new = old if isinstance(old, str) and old and old not in used else _fresh(used, obj)
            if isinstance(old, str) and old:
                renamed.setdefault(old, []).append(new)
            changed |= new != old
            call["id"] = new
            used.add(new)
    return changed


def _fresh(used: set[str], obj: dict[str, Any]) -> str:
    taken = used | {call["id"] for call in calls(obj) if isinstance(call.get("id"), str)}
    n = 1
    while f"call_{n}" in taken:
        n += 1
    return f"call_{n}"


def call_types(obj: dict[str, Any], kind: str) -> bool:
    wrong = [call for call in calls(obj) if call.get("type") != "function"]
    for call in wrong:
        call["type"] = "function"
    return bool(wrong)


def empty_calls(obj: dict[str, Any], kind: str) -> bool:
    wrong = [
        m
        for m in messages(obj)
        if m.get("tool_calls") == [] or ("tool_calls" in m and m["tool_calls"] is None)
    ]
    for message in wrong:
        del message["tool_calls"]
    return bool(wrong)


def parallel(obj: dict[str, Any], kind: str) -> bool:
    changed = False
    several = any(
        type(m.get("tool_calls")) is list and len(m["tool_calls"]) > 1 for m in messages(obj)
    )
    for holder in _holders(obj):
        value = holder.get("parallel_tool_calls")
        if "parallel_tool_calls" not in holder or (
            type(value) is bool and not (several and not value)
        ):
            continue
        if several:
            holder["parallel_tool_calls"] = changed = True
            continue
        meant = {"true": True, "false": False, "1": True, "0": False}.get(
            str(value).strip().lower()
        )
        if meant is None:
            del holder["parallel_tool_calls"]
        else:
            holder["parallel_tool_calls"] = meant
        changed = True
    return changed


def deprecated(obj: dict[str, Any], kind: str) -> bool:
    """functions → tools, function_call → tool_calls, role function → tool answering the last call."""
    changed = False
    for holder in _holders(obj):
        if type(holder.get("functions")) is list and "tools" not in holder:
            holder["tools"] = [
                {"type": "function", "function": function} for function in holder.pop("functions")
            ]
            changed = True
    n, last = 0, ""
    for message in messages(obj):
        if type(message.get("function_call")) is dict and "tool_calls" not in message:
            n += 1
            last = f"call_fc_{n}"
            call = {"id": last, "type": "function", "function": message.pop("function_call")}
            message["tool_calls"] = [call]
            changed = True
        elif message.get("role") == "function" and last:
            message["role"] = "tool"
            message["tool_call_id"] = last
            message.pop("name", None)
            changed = True
    return changed
