"""The part of JSON Schema that function parameters use: types, required, enum, properties, items."""

from __future__ import annotations

from typing import Any

from fttui.dataset.formats import kind_of
from fttui.text import one_line

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}
DEEP = 12


def schema_error(schema: Any) -> tuple[str, str] | None:
    """(what is wrong, severity or "" for the usual) with a parameters schema; None when it is fine."""
    if type(schema) is not dict:
        return f"parameters is {kind_of(schema)}, must be an object", ""
    if not schema:
        return None
    if schema.get("type", "object") != "object":
        return f'type is {one_line(str(schema["type"]), 20)!r}, must be "object"', ""
    properties = schema.get("properties", {})
    if type(properties) is not dict:
        return f"properties is {kind_of(properties)}, must be an object", ""
    required = schema.get("required", [])
    if type(required) is not list or not all(isinstance(name, str) for name in required):
        return "required must be a list of names", ""
    missing = [name for name in required if name not in properties]
    if missing:
        return f"required names no property: {one_line(', '.join(missing), 60)}", "warning"
    return None


def complaints(value: dict[str, Any], schema: Any) -> list[str]:
    """What in `value` does not satisfy `schema`; an odd schema complains about nothing."""
    found: list[str] = []
    if type(schema) is dict:
        _object(value, schema, "", found, 0)
    return found[:5]


def _object(
    value: dict[str, Any], schema: dict[str, Any], at: str, found: list[str], deep: int
) -> None:
    required = schema.get("required")
    for name in required if type(required) is list else ():
        if isinstance(name, str) and name not in value:
            found.append(f"{at}{one_line(name, 40)} is required")
    properties = schema.get("properties")
    if type(properties) is not dict:
        return
    open_ended = (
        schema.get("additionalProperties") not in (None, False) or "patternProperties" in schema
    )
    for name, item in value.items():
        if name in properties:
            _value(item, properties[name], f"{at}{one_line(name, 40)}", found, deep + 1)
        elif not open_ended:
            found.append(f"{at}{one_line(name, 40)} is not a declared property")


def _value(value: Any, schema: Any, at: str, found: list[str], deep: int) -> None:
    if type(schema) is not dict or deep > DEEP or len(found) >= 5:
        return
    wanted = schema.get("type")
    names = wanted if type(wanted) is list else [wanted]
    if wanted is not None and not any(_is(value, name) for name in names):
        kinds = " or ".join(str(name) for name in names)
        found.append(f"{at} is {kind_of(value)}, must be {one_line(kinds, 40)}")
        return
    allowed = schema.get("enum")
    if type(allowed) is list and value not in allowed:
        found.append(
            f"{at} is {one_line(repr(value), 30)}, must be one of {one_line(repr(allowed), 60)}"
        )
    if type(value) is dict:
        _object(value, schema, f"{at}.", found, deep)
    elif type(value) is list and "items" in schema:
        for i, item in enumerate(value[:100]):
            _value(item, schema["items"], f"{at}[{i}]", found, deep + 1)


def _is(value: Any, name: Any) -> bool:
    if not isinstance(name, str) or name not in TYPES:
        return True
    if type(value) is bool:
        return name == "boolean"
    if name == "integer" and type(value) is float:
        return value.is_integer()
    return isinstance(value, TYPES[name])
