"""Tools: declarations, calls, arguments against their schema, calls paired with results (T-codes)."""

from __future__ import annotations

import re
from typing import Any

import orjson

from fttui.dataset.checks.context import Context
from fttui.dataset.checks.line import canonical
from fttui.dataset.checks.schema import complaints, schema_error
from fttui.dataset.formats import kind_of
from fttui.text import one_line

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_TOOLS = 128
KEEP_DECLARATIONS = 256
CURABLE = ("(wrap it)", "(identical)")


def check_declared(obj: dict[str, Any], path: str, context: Context) -> dict[str, Any]:
    """Check `tools` / `functions` of an example; name → parameters schema of every declared function.

    Examples of a file mostly declare the same tools: each different list is checked once.
    """
    if "tools" not in obj and "functions" not in obj:
        return {}
    if "tools" in obj and "functions" in obj:
        context.add("T019", f"{path}functions", "tools and functions together")
    key = "tools" if "tools" in obj else "functions"
    value = obj[key]
    if key == "functions":
        context.add("T017", f"{path}functions", "functions is deprecated, use tools")
    if not isinstance(value, list):
        context.add("T001", f"{path}{key}", f"{key} is {kind_of(value)}, must be a list")
        return {}
    known = canonical(value)
    found = context.tools_seen.get(known)
    if found is None:
        found = _declarations(value, key)
        if len(context.tools_seen) < KEEP_DECLARATIONS:
            context.tools_seen[known] = found
    declared, issues = found
    for code, where, message, severity in issues:
        curable = code not in ("T002", "T004") or message.endswith(CURABLE)
        context.add(code, f"{path}{key}{where}", message, severity=severity, fix=curable)
    if value:
        text = known.decode()
        context.plain.append(text)
        context.order.insert(0, (text, False))
    return dict(declared)


def _declarations(
    value: list[Any], key: str
) -> tuple[dict[str, Any], list[tuple[str, str, str, str]]]:
    issues: list[tuple[str, str, str, str]] = []
    declared: dict[str, Any] = {}
    if len(value) > MAX_TOOLS:
        issues.append(("T006", "", f"{len(value)} tools; {MAX_TOOLS} is the limit", ""))
    for i, tool in enumerate(value):
        function, where = _function(tool, key, i, issues)
        if function is None:
            continue
        name = function.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            shown = one_line(str(name), 40) if "name" in function else "none"
            issues.append(("T003", f"{where}.name", f"function name {shown!r} is not allowed", ""))
        if isinstance(name, str):
            if name in declared:
                same = value.index(tool) < i
                text = (
                    f"tool {one_line(name, 40)} is declared twice{' (identical)' if same else ''}"
                )
                issues.append(("T004", f"{where}.name", text, ""))
            declared[name] = function.get("parameters")
        if "parameters" in function:
            wrong = schema_error(function["parameters"])
            if wrong:
                issues.append(("T005", f"{where}.parameters", wrong[0], wrong[1]))
    return declared, issues


def _function(
    tool: Any, key: str, i: int, issues: list[tuple[str, str, str, str]]
) -> tuple[dict[str, Any] | None, str]:
    if key == "functions":
        if type(tool) is dict:
            return tool, f"[{i}]"
        issues.append(("T002", f"[{i}]", f"function is {kind_of(tool)}, must be an object", ""))
        return None, ""
    if type(tool) is dict and tool.get("type") == "function" and type(tool.get("function")) is dict:
        return tool["function"], f"[{i}].function"
    bare = type(tool) is dict and isinstance(tool.get("name"), str)
    held = type(tool) is dict and type(tool.get("function")) is dict
    what = "a bare function" if bare else "no object with type and function"
    issues.append(
        (
            "T002",
            f"[{i}]",
            f'tool is {what}, must be {{"type": "function", "function": …}}'
            + (" (wrap it)" if bare or held else ""),
            "",
        )
    )
    if held:
        return tool["function"], f"[{i}].function"
    return (tool, f"[{i}]") if bare else (None, "")


def check_parallel(
    obj: dict[str, Any], messages: list[dict[str, Any]], path: str, context: Context
) -> None:
    if "parallel_tool_calls" not in obj:
        return
    value = obj["parallel_tool_calls"]
    where = f"{path}parallel_tool_calls"
    if type(value) is not bool:
        context.add("T018", where, f"is {kind_of(value)}, must be true or false")
    elif value is False:
        for message in messages:
            calls = message.get("tool_calls")
            if isinstance(calls, list) and len(calls) > 1:
                context.add(
                    "T018",
                    where,
                    f"false, but a message makes {len(calls)} calls",
                    severity="warning",
                )
                return


def texts(message: dict[str, Any]) -> list[str]:
    """Every text of a message that is tokenised: content, refusal, calls."""
    found: list[str] = []
    content = message.get("content")
    if type(content) is str:
        found.append(content)
    elif type(content) is list:
        found.extend(
            part["text"] for part in content if type(part) is dict and type(part.get("text")) is str
        )
    elif type(message.get("refusal")) is str:
        found.append(message["refusal"])
    for function in functions(message):
        found.extend(v for v in (function.get("name"), function.get("arguments")) if type(v) is str)
    return found


def functions(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The function objects a message calls, as far as they are objects."""
    calls = message.get("tool_calls")
    found = [
        call["function"]
        for call in (calls if type(calls) is list else ())
        if type(call) is dict and type(call.get("function")) is dict
    ]
    if type(message.get("function_call")) is dict:
        found.append(message["function_call"])
    return found


def check_calls(message: dict[str, Any], role: Any, path: str, context: Context) -> None:
    """The list of calls in one message by itself."""
    calls = message["tool_calls"]
    where = f"{path}.tool_calls"
    if role != "assistant":
        context.add("T021", where, f"tool_calls on a message of {role or 'no known role'}")
    if not isinstance(calls, list):
        context.add(
            "T020",
            where,
            f"tool_calls is {kind_of(calls)}, must be a list of calls",
            fix=calls is None,
        )
        return
    if not calls:
        context.add("T020", where, "tool_calls is empty")
    for i, call in enumerate(calls):
        place = f"{where}[{i}]"
        if type(call) is not dict:
            context.add("T016", place, f"call is {kind_of(call)}, must be an object", fix=False)
            continue
        if call.get("type") != "function":
            context.add(
                "T016",
                f"{place}.type",
                f'type {one_line(str(call.get("type")), 20)!r}, must be "function"',
            )
        if not isinstance(call.get("id"), str) or not call["id"]:
            context.add("T012", f"{place}.id", "call has no id")


def check_use(messages: list[Any], declared: dict[str, Any], path: str, context: Context) -> None:
    """Names and arguments of every call against what is declared."""
    undeclared = 0
    for i, message in enumerate(messages):
        if type(message) is not dict:
            continue
        calls = message.get("tool_calls")
        for k, call in enumerate(calls if type(calls) is list else ()):
            if type(call) is not dict:
                continue
            place = f"{path}[{i}].tool_calls[{k}].function"
            undeclared += _check_function(call.get("function"), place, declared, context)
        if "function_call" in message:
            context.add(
                "T017", f"{path}[{i}].function_call", "function_call is deprecated, use tool_calls"
            )
            place = f"{path}[{i}].function_call"
            undeclared += _check_function(message["function_call"], place, declared, context)
        if message.get("role") == "function":
            context.add("T017", f"{path}[{i}].role", "role function is deprecated, use tool")
    if undeclared:
        context.add(
            "T007", path, f"{undeclared} call{'s' if undeclared > 1 else ''}, no tools declared"
        )


def _check_function(function: Any, path: str, declared: dict[str, Any], context: Context) -> int:
    """Check one call; 1 when nothing is declared it could be compared with."""
    if type(function) is not dict or not isinstance(function.get("name"), str):
        context.add("T008", path, "call names no function")
        return 0
    name = function["name"]
    if len(context.facts.n) < 10_000:
        context.facts.n[f"call:{name[:80]}"] += 1
    if declared and name not in declared:
        names = ", ".join(one_line(known, 30) for known in list(declared)[:5])
        context.add("T008", f"{path}.name", f'calls "{one_line(name, 40)}"; declared: {names}')
    _check_arguments(function, declared.get(name), f"{path}.arguments", context)
    return not declared


def _check_arguments(function: dict[str, Any], schema: Any, path: str, context: Context) -> None:
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        what = kind_of(arguments) if "arguments" in function else "missing"
        context.add(
            "T009", path, f"arguments is {what}, must be a string", fix=type(arguments) is dict
        )
        return
    try:
        value = orjson.loads(arguments)
    except ValueError as failure:
        context.add("T010", path, f"arguments are not JSON: {str(failure).split(': line ')[0]}")
        return
    if type(value) is not dict:
        context.add("T010", path, f"arguments are {kind_of(value)}, must be an object")
        return
    for complaint in complaints(value, schema):
        context.add("T011", path, complaint)


def pair(messages: list[Any], path: str, context: Context) -> None:
    """Match results to calls by id, in order (T012-T014)."""
    open_calls: dict[str, str] = {}
    seen: set[str] = set()
    asked = 0
    asking = 0
    for i, message in enumerate(messages):
        if type(message) is not dict:
            continue
        if message.get("role") == "tool":
            answered = message.get("tool_call_id")
            if not isinstance(answered, str) or answered not in open_calls:
                shown = (
                    f"no open call {one_line(str(answered), 30)!r}"
                    if "tool_call_id" in message
                    else "tool_call_id is missing"
                )
                context.add("T013", f"{path}[{i}].tool_call_id", shown)
            else:
                del open_calls[answered]
            continue
        if open_calls:
            context.add(
                "T014",
                f"{path}[{asking}].tool_calls",
                f"{asked} call{'s' if asked > 1 else ''}, {asked - len(open_calls)} answered before message {i}",
            )
            open_calls = {}
        calls = message.get("tool_calls")
        asked, asking = 0, i
        for k, call in enumerate(calls if type(calls) is list else ()):
            name = call.get("id") if type(call) is dict else None
            if not isinstance(name, str) or not name:
                continue
            asked += 1
            if name in seen:
                context.add(
                    "T012",
                    f"{path}[{i}].tool_calls[{k}].id",
                    f"id {one_line(name, 30)!r} is used twice",
                )
            seen.add(name)
            open_calls[name] = path
