"""Repairs of a line that is not JSON: only where what was meant is plain."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

import orjson

from fttui.dataset.checks.line import (
    DEPTH,
    LITERAL_LIMIT,
    SURROGATE,
    depth,
    half_character,
    objects_on,
    straighten,
    text_depth,
    without_commas,
)

_BIG = re.compile(r"-?\d{19,}")
_CONTROL = re.compile("[\x00-\x1f]")


SEPARATORS = {b"\xe2\x80\xa8": b"\\u2028", b"\xe2\x80\xa9": b"\\u2029", b"\xc2\x85": b"\\u0085"}


def escaped(line: bytes) -> bytes:
    """Line separators of Unicode as escapes: what is written must not be cut by other readers (F024)."""
    for raw, escape in SEPARATORS.items():
        if raw in line:
            line = line.replace(raw, escape)
    return line


def dump(obj: Any) -> bytes:
    """One line of JSON, UTF-8, no blanks lost in strings; numbers of any size stay exact."""
    try:
        return escaped(orjson.dumps(obj))
    except (TypeError, ValueError):
        return json.dumps(obj, ensure_ascii=False).encode("utf-8", "replace")


def load(raw: bytes, *, doubled: bool = False) -> dict[str, Any] | None:
    """The object on a clean line, None for anything a rewrite should leave alone: not JSON, not an
    object, a key twice (unless `doubled`: the last counts), a number that would not survive."""
    try:
        obj = orjson.loads(raw)
    except ValueError:
        return None
    if type(obj) is not dict:
        return None
    if not doubled and _odd_keys(raw, obj) and _twice(raw):
        return None
    if re.search(rb"[0-9]{19}", raw) and _BIG.search(raw.decode()):
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            return None
    return obj


def _odd_keys(raw: bytes, obj: Any) -> bool:
    from fttui.dataset.checks.line import SPACED_KEY, measure, odd_keys

    return odd_keys(raw, measure(obj)[0]) or SPACED_KEY.search(raw) is not None


def _twice(raw: bytes) -> bool:
    found = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        result = dict(items)
        found = found or len(result) != len(items)
        return result

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return True
    return found


def repair(raw: bytes, also: frozenset[str]) -> tuple[list[bytes], list[str]]:
    """(lines, codes of the fixes done) for one line that does not parse; ([raw], []) when nothing helps."""
    codes: list[str] = []
    if b"\0" in raw and "F013" not in also:
        return [raw], codes
    if b"\0" in raw:
        raw = raw.replace(b"\0", b"")
        codes.append("F013")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        if "F012" not in also:
            return [raw], codes
        text = _old_encoding(raw)
        codes.append("F012")
    lines, more = _text(text.strip(), also)
    return (
        [escaped(line.encode("utf-8", "replace")) for line in lines] if more or codes else [raw]
    ), codes + more


def _old_encoding(raw: bytes) -> str:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _text(text: str, also: frozenset[str]) -> tuple[list[str], list[str]]:
    if not text:
        return [], ["J003"]
    if _good(text):
        return [text], []
    several = objects_on(text)
    if len(several) > 1 and not text.endswith(","):
        return several, ["J009"]
    without = without_commas(text)
    if without != text and _good(without):
        return [without], ["F026"]
    if len(text) < LITERAL_LIMIT and (value := _python(text)) is not None:
        return [dump(value).decode()], ["F025"]
    straight = straighten(text)
    if straight != text and text[:1] == "{" and _good(straight):
        return [straight], ["F027"]
    return _values(text, also)


def _good(text: str) -> bool:
    try:
        return type(orjson.loads(text)) is dict
    except ValueError:
        return False


def _python(text: str) -> Any:
    if text[:1] != "{" or not any(mark in text for mark in ("'", "None", "True", "False")):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
        if not isinstance(value, dict):
            return None
        return value if _good(dump(value).decode()) else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _values(text: str, also: frozenset[str]) -> tuple[list[str], list[str]]:
    """Half characters and raw controls always, NaN and numbers on request."""
    odd: list[str] = []

    def constant(name: str) -> None:
        odd.append("J005")

    def number(digits: str) -> Any:
        value = float(digits) if not digits.lstrip("-").isdigit() else None
        if value is not None and abs(value) != float("inf"):
            return value
        if value is None and len(digits) < 19:
            return int(digits)
        odd.append("J008")
        return digits

    try:
        value = json.loads(
            text, strict=False, parse_constant=constant, parse_float=number, parse_int=number
        )
    except (ValueError, RecursionError):
        return [text], []
    if (
        type(value) is not dict
        or (set(odd) - also)
        or text_depth(text.encode("utf-8", "replace")) > DEPTH
    ):
        return [text], []
    codes = list(dict.fromkeys(odd))
    if half_character(value):
        codes.append("J006")
        value = _whole(value)
    if _CONTROL.search(text):
        codes.append("J010")
    new = json.dumps(value, ensure_ascii=False)
    return ([new], codes) if codes and _good(new) else ([text], [])


def _whole(value: Any) -> Any:
    """`value` with every lone surrogate replaced by U+FFFD."""
    if isinstance(value, str):
        return SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def small_numbers(obj: dict[str, Any]) -> dict[str, Any] | None:
    """`obj` with whole numbers beyond 64 bits written as strings, None where there are none."""
    changed = False

    def walk(value: Any) -> Any:
        nonlocal changed
        if type(value) is int and not -(2**63) <= value < 2**63:
            changed = True
            return str(value)
        if type(value) is list:
            return [walk(item) for item in value]
        if type(value) is dict:
            return {key: walk(item) for key, item in value.items()}
        return value

    new: dict[str, Any] = walk(obj) if depth(obj) <= DEPTH else obj
    return new if changed else None
