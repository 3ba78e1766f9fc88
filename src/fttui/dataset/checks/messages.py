"""Messages: roles and their order, content, weights (M-codes), in chat, reinforcement and preference."""

from __future__ import annotations

import difflib
import json
import re
from typing import Any

from fttui.dataset.checks import images, tools
from fttui.dataset.checks.context import Context
from fttui.dataset.formats import kind_of
from fttui.dataset.tokens import MESSAGE
from fttui.text import one_line

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# What other tools call the roles.
ROLE_NAMES = {
    "human": "user",
    "prompter": "user",
    "customer": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "chatgpt": "assistant",
    "agent": "assistant",
    "instruction": "system",
    "function_response": "tool",
    "observation": "tool",
}
_KEYS = {"role", "content", "name"}
KEYS: dict[str, frozenset[str]] = {
    "assistant": frozenset(_KEYS | {"weight", "tool_calls", "function_call", "refusal", "audio"}),
    "tool": frozenset(_KEYS | {"tool_call_id"}),
}
OTHER_KEYS = frozenset(_KEYS)
# Known, but only elsewhere: another check speaks of them.
ELSEWHERE = frozenset({"weight", "tool_calls"})
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
PLAIN = frozenset({"system", "user", "assistant", "developer"})
# Nothing a person would see: blanks, zero-width and formatting characters.
INVISIBLE = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff]*"
)


def likely_role(role: Any) -> str:
    """The role a wrong spelling stands for; "" when unclear."""
    if not isinstance(role, str):
        return ""
    low = role.strip().lower()
    return low if low in ROLES else ROLE_NAMES.get(low, "")


def check_list(value: Any, path: str, context: Context) -> list[dict[str, Any]]:
    """The messages that are objects; notes a missing, wrong or empty list."""
    if not isinstance(value, list):
        what = "is JSON inside a string" if _double_encoded(value) else f"is {kind_of(value)}"
        context.add("M002", path, f"{path} {what}, must be a list", fix=_double_encoded(value))
        return []
    if not value:
        context.add("M003", path, f"{path} is empty")
    good = []
    for i, message in enumerate(value):
        if type(message) is dict:
            good.append(message)
        else:
            context.add("M004", f"{path}[{i}]", f"message is {kind_of(message)}, must be an object")
    return good


def _double_encoded(value: Any) -> bool:
    if not isinstance(value, str) or value.lstrip()[:1] != "[":
        return False
    try:
        return isinstance(json.loads(value), list)
    except (ValueError, RecursionError):
        return False


def check_all(value: Any, path: str, context: Context, mode: str) -> list[dict[str, Any]]:
    """Check a conversation and gather its texts. mode: chat, reinforcement, preference."""
    good = check_list(value, path, context)
    roles: list[Any] = []
    for i, message in enumerate(value if good else ()):
        if type(message) is not dict:
            roles.append(None)
            continue
        role = message.get("role")
        content = message.get("content")
        if (
            len(message) == 2
            and type(content) is str
            and type(role) is str
            and role in PLAIN
            and ("!" <= content[:1] <= "~" or not INVISIBLE.fullmatch(content))
        ):
            roles.append(role)
        else:
            roles.append(check_one(message, f"{path}[{i}]", context, mode))
        _gather(message, role, content, context, mode)
    if good:
        order(value, roles, path, context, mode)
        if mode == "chat":
            _trained(good, roles, path, context)
    context.facts.n["messages"] += len(good)
    return good


def _gather(message: dict[str, Any], role: Any, content: Any, context: Context, mode: str) -> None:
    trained = mode == "chat" and role == "assistant" and message.get("weight") != 0
    context.fixed += MESSAGE
    if trained:
        context.fixed_trained += 1
        into = context.trained
    else:
        into = context.plain
    if len(message) == 2 and type(content) is str:
        into.append(content)
        context.order.append((content, trained))
        return
    texts = tools.texts(message)
    into.extend(texts)
    context.order.extend((text, trained) for text in texts)
    if isinstance(message.get("name"), str):
        context.plain.append(message["name"])
        context.fixed += 1


def check_one(message: dict[str, Any], path: str, context: Context, mode: str) -> Any:
    """Every rule about one message by itself; returns the role it has or stands for."""
    role = check_role(message, path, context)
    check_keys(message, role, path, context)
    check_content(message, role, path, context, mode)
    check_weight(message, role, path, context)
    name = message.get("name")
    if "name" in message and not (isinstance(name, str) and NAME.fullmatch(name)):
        check_name(name, path, context)
    if "tool_calls" in message:
        tools.check_calls(message, role, path, context)
    return role


def check_name(name: Any, path: str, context: Context) -> None:
    """A name outside the API's pattern is refused there; a merely long one is only a risk."""
    long = isinstance(name, str) and NAME.fullmatch(name[:64])
    what = "is over 64 characters" if long else "holds characters outside A-Z a-z 0-9 _ -"
    severity = "" if long else "error"
    context.add(
        "M012", f"{path}.name", f"name {one_line(str(name), 30)!r} {what}", severity=severity
    )


def check_role(message: dict[str, Any], path: str, context: Context) -> Any:
    if "role" not in message:
        context.add("M005", path, "role is missing")
        return None
    role = message["role"]
    if isinstance(role, str) and role in ROLES:
        return role
    meant = likely_role(role)
    hint = f'; did you mean "{meant}"?' if meant else ""
    shown = f'"{one_line(role, 30)}"' if isinstance(role, str) else f"is {kind_of(role)}"
    context.add("M006", f"{path}.role", f"role {shown}{hint}", fix=bool(meant))
    return None


def check_keys(message: dict[str, Any], role: Any, path: str, context: Context) -> None:
    allowed = (
        KEYS.get(role, OTHER_KEYS) if isinstance(role, str) else KEYS["assistant"] | KEYS["tool"]
    )
    for key in message.keys() - allowed - ELSEWHERE:
        near = difflib.get_close_matches(key, sorted(allowed - message.keys()), 1, 0.75)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        context.add(
            "M011",
            f"{path}.{one_line(key, 40)}",
            f'unknown key "{one_line(key, 40)}"{hint}',
            fix=bool(role),
        )


def check_content(
    message: dict[str, Any], role: Any, path: str, context: Context, mode: str
) -> None:
    content = message.get("content")
    where = f"{path}.content"
    if content is None:
        if role == "assistant" and speaks_otherwise(message):
            return
        code, what = (
            ("M008", "content is null") if "content" in message else ("M007", "content is missing")
        )
        also = " and there are no tool_calls" if role == "assistant" else ""
        context.add(code, where, f"{role or 'message'} {what}{also}")
    elif isinstance(content, str):
        check_empty(message, content, role, where, context)
    elif isinstance(content, list):
        images.check_parts(content, role, where, context)
    else:
        context.add(
            "M009", where, f"content is {kind_of(content)}, must be text or a list of parts"
        )


def speaks_otherwise(message: dict[str, Any]) -> bool:
    """Whether an assistant message says something without content."""
    return bool(message.get("tool_calls") or message.get("function_call") or message.get("refusal"))


def check_empty(
    message: dict[str, Any], content: str, role: Any, path: str, context: Context
) -> None:
    if not INVISIBLE.fullmatch(content) or (role == "assistant" and speaks_otherwise(message)):
        return
    what = "empty" if not content else "blank or invisible"
    if role == "assistant" and message.get("weight") != 0:
        context.add("M010", path, f"assistant answer is {what}")
    else:
        context.add("M010", path, f"{role or 'message'} text is {what}", severity="warning")


def check_weight(message: dict[str, Any], role: Any, path: str, context: Context) -> None:
    if "weight" not in message:
        return
    weight = message["weight"]
    if role != "assistant":
        context.add(
            "M014",
            f"{path}.weight",
            f"weight on a message of {role or 'no known role'}; only the assistant's is trained",
        )
    elif not (type(weight) is int and weight in (0, 1)):
        context.add(
            "M013",
            f"{path}.weight",
            f"weight is {one_line(repr(weight), 20)}, must be 0 or 1",
            fix=curable_weight(weight),
        )


def curable_weight(weight: Any) -> bool:
    """Whether a wrong weight plainly stands for 0 or 1."""
    return weight in ("0", "1") or (isinstance(weight, (bool, float)) and weight in (0, 1))


def order(messages: list[Any], roles: list[Any], path: str, context: Context, mode: str) -> None:
    """The sequence of roles: who begins, who ends, what repeats, and how calls and results pair."""
    if "user" not in roles and None not in roles:
        context.add("M018", path, "no user message")
    if mode == "chat":
        _ending(roles, path, context)
    elif mode == "reinforcement" and roles[-1] == "assistant":
        context.add(
            "R001",
            f"{path}[{len(roles) - 1}]",
            "ends with assistant; the model writes the answer itself",
        )
    elif mode == "preference" and roles[-1] == "assistant":
        context.add("P009", f"{path}[{len(roles) - 1}]", "input ends with assistant")
    previous = None
    instructions = 0
    for i, role in enumerate(roles):
        if role in ("system", "developer"):
            instructions += 1
            if i and (instructions > 1 or roles[0] not in ("system", "developer")):
                context.add(
                    "M019",
                    f"{path}[{i}]",
                    f"{role} message {'repeated' if instructions > 1 else 'not first'}",
                )
            _family(role, f"{path}[{i}]", context, mode)
        elif (
            role == "assistant"
            and previous == "assistant"
            and not messages[i - 1].get("tool_calls")
        ):
            severity = "error" if context.target.strict_turns else ""
            context.add(
                "M020", f"{path}[{i}]", "two assistant messages in a row", severity=severity
            )
        previous = role
    if (
        "tool" in roles
        or "function" in roles
        or any("tool_calls" in m for m in messages if type(m) is dict)
    ):
        tools.pair(messages, path, context)


def _ending(roles: list[Any], path: str, context: Context) -> None:
    if "assistant" not in roles:
        context.add("M016", path, "no assistant message")
    if roles[-1] is not None and roles[-1] != "assistant":
        context.add(
            "M017", f"{path}[{len(roles) - 1}]", f"ends with {roles[-1]}", fix="assistant" in roles
        )


def _family(role: str, path: str, context: Context, mode: str) -> None:
    if mode == "reinforcement":
        if role == "system":
            context.add(
                "R002",
                f"{path}.role",
                "system in reinforcement data; reasoning models take developer",
            )
        return
    model = context.target.model
    if role == "developer" and model.startswith(("gpt-4", "gpt-3.5")):
        context.add("M021", f"{path}.role", f"developer message; {model} is trained with system")
    elif role == "system" and re.match(r"o\d", model):
        context.add("M021", f"{path}.role", f"system message; {model} is trained with developer")


def _trained(good: list[dict[str, Any]], roles: list[Any], path: str, context: Context) -> None:
    if "assistant" not in roles:
        return
    trained = False
    for message in good:
        if message.get("role") != "assistant":
            continue
        weight = message.get("weight", 1)
        if type(weight) is int and weight == 0:
            continue
        trained = True
        text = message.get("content")
        if type(text) is str:
            blank_end(text, f"{path}[{_place(good, message)}].content", context)
    if not trained:
        context.add("M015", path, "every weight is 0: nothing is trained in this example")


def blank_end(text: str, path: str, context: Context) -> None:
    if text and (text[0].isspace() or text[-1].isspace()) and not text.isspace():
        where = "begins" if text[0].isspace() else "ends"
        context.add("M022", path, f"answer {where} with a blank or newline")


def _place(messages: list[dict[str, Any]], message: dict[str, Any]) -> int:
    return next(i for i, other in enumerate(messages) if other is message)
