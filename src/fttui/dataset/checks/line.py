"""From the bytes of one line to an object: fast when it is clean, exact about the place when not."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

import orjson

from fttui.dataset.checks.context import Context
from fttui.dataset.formats import kind_of
from fttui.text import one_line

DEPTH = 100
MAX_DIGITS = 4_300  # beyond it Python's int() refuses
LITERAL_LIMIT = 1_000_000  # characters handed to ast
_QUOTES = str.maketrans("“”„‟″", '"""""')
_TRAILING = re.compile(r",(\s*[}\]])")
_BIG = re.compile(r"-?\d{19,}")


def parse(raw: bytes, context: Context, *, last: bool = False) -> Any:
    """The value on a line, None where it cannot be used; everything odd is noted.

    last: it is the file's last line and has no newline, so it may be cut off.
    """
    try:
        obj = orjson.loads(raw)
    except orjson.JSONDecodeError as failure:
        return _diagnose(raw, context, last, failure)
    if type(obj) is not dict:
        if too_deep(raw, obj, context):
            return None
        context.add("J002", "", f"is {kind_of(obj)}, must be an object")
        return None
    return obj


def too_deep(raw: bytes, obj: Any, context: Context) -> bool:
    """J007; the reader itself refuses only what is nested more than a thousand levels deep."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH or depth(obj) <= DEPTH:
        return False
    context.add("J007", "", f"nested {depth(obj):,} levels deep; {DEPTH} is the limit")
    return True


def canonical(value: Any) -> bytes:
    """JSON with sorted keys; numbers of any size."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        return json.dumps(value, sort_keys=True).encode()


def check_hidden(raw: bytes, obj: dict[str, Any], keys: int, context: Context) -> None:
    """What parsers hide: keys that occur twice. keys: how many `obj` has."""
    if context.spaced or odd_keys(raw, keys):
        _duplicate_keys(raw, context)


def odd_keys(raw: bytes, keys: int) -> bool:
    """Whether a line has another number of ends of keys than its value has keys, or may have. (A key with
    a blank before its colon is not counted: SPACED_KEY.)"""
    found = raw.count(b'":')
    return found != keys and (found - raw.count(b'\\":') != keys or b'\\\\":' in raw)


SPACED_KEY = re.compile(rb'"\s+:')


def _duplicate_keys(raw: bytes, context: Context) -> None:
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            seen: set[str] = set()
            twice.extend(k for k, _ in items if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        return found

    try:
        json.loads(raw, object_pairs_hook=pairs, parse_int=_short_int)
    except (ValueError, RecursionError):
        return
    for key in dict.fromkeys(twice):
        context.add("J004", one_line(key, 40), f'key "{one_line(key, 40)}" occurs twice')


def measure(obj: Any) -> tuple[int, list[str]]:
    """(keys in all objects, numbers beyond 64 bits) of a parsed value, without recursion."""
    keys, large = 0, []
    stack = [obj]
    while stack:
        value = stack.pop()
        if type(value) is dict:
            keys += len(value)
            stack.extend(value.values())
        elif type(value) is list:
            stack.extend(value)
        elif type(value) is float and abs(value) >= 2**63:
            large.append(repr(value))
        elif type(value) is int and value > 2**63 - 1:
            large.append(str(value))
    return keys, large


def depth(obj: Any) -> int:
    """Levels of lists and objects, without recursion."""
    level, deepest = [obj], 0
    while level:
        following: list[Any] = []
        for value in level:
            if type(value) is dict:
                following.extend(value.values())
            elif type(value) is list:
                following.extend(value)
        if not any(type(value) in (dict, list) for value in level):
            break
        deepest += 1
        level = following
    return deepest


def text_depth(data: bytes, limit: int = 1_000_000) -> int:
    """Levels of brackets outside strings in the first `limit` bytes."""
    now = deepest = 0
    for token in _BRACKETS.finditer(data, 0, limit):
        mark = data[token.start()]
        if mark in b"[{":
            now += 1
            deepest = max(deepest, now)
        elif mark in b"]}":
            now -= 1
    return deepest


_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.S)


def _diagnose(raw: bytes, context: Context, last: bool, failure: Exception) -> Any:
    """Say why a line is not JSON as precisely as can be; returns the value where it is clear anyway."""
    if not raw.strip():
        return None
    if b"\0" in raw:
        start = raw.index(0)
        context.add("F013", "", f"{raw.count(0):,} NUL bytes, the first at byte {start + 1:,}")
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        _not_utf8(raw, wrong, context)
        return None
    if text.startswith("\ufeff"):
        text = text[1:]
    if text_depth(raw) > DEPTH:
        context.add("J007", "", f"nested deeper than {DEPTH} levels")
        return None
    return _lenient(text, context, last, failure)


def _not_utf8(raw: bytes, wrong: UnicodeDecodeError, context: Context) -> None:
    around = raw[max(0, wrong.start - 12) : wrong.start + 12]
    try:
        shown = "".join(c for c in one_line(around.decode("cp1252"), 40) if c.isprintable())
        guess = f'; reads as "{shown}" in cp1252'
    except UnicodeDecodeError:
        guess = ""
    place = f"byte {wrong.start + 1:,} (0x{raw[wrong.start]:02X})"
    context.add("F012", "", f"{place} is not UTF-8{guess}")


def _lenient(text: str, context: Context, last: bool, failure: Exception) -> Any:
    odd: list[str] = []
    try:
        value = json.loads(
            text,
            strict=False,
            parse_constant=_constant(odd),
            parse_int=_int(odd),
            parse_float=_float(odd),
        )
    except (ValueError, RecursionError) as wrong:
        return _broken(text, context, last, wrong, failure)
    for name in dict.fromkeys(item for item in odd if item.startswith("!")):
        context.add("J005", "", f"{name[1:]} is not JSON")
    _numbers([item for item in odd if not item.startswith("!")], context)
    control = _CONTROL.search(text)
    if control and not odd:
        context.add(
            "J010", "", f"raw {_name(control.group())} in a string, column {control.start() + 1:,}"
        )
    half = half_character(value)
    if half:
        context.add("J006", "", f"half of a character ({half})")
    if not (odd or control or half):
        context.add("J001", "", _reason(str(failure)))
        return None
    if any(item.startswith("!") for item in odd) or half:
        return None
    return value if type(value) is dict else None


def _numbers(large: list[str], context: Context) -> None:
    for text in large[:10]:
        digits = sum(c.isdigit() for c in text)
        if digits > MAX_DIGITS:
            context.add("J008", "", f"a number of {digits:,} digits", severity="error")
        else:
            context.add("J008", "", f"number {one_line(text, 30)} does not fit 64 bits")


def check_numbers(raw: bytes, large: list[str], context: Context) -> None:
    """Note numbers a parser rounded; their exact digits come from the line itself."""
    exact = [m.group() for m in _BIG.finditer(raw[:1_000_000].decode("utf-8", "replace"))]
    exact = [text for text in exact if len(text) > 4000 or not -(2**63) <= int(text) < 2**63]
    _numbers(exact or large, context)


_CONTROL = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\t](?!\\s*[\\]\\[{}:,"])')
SURROGATE = re.compile("[\ud800-\udfff]")


def half_character(value: Any) -> str:
    """The first lone surrogate in any string of a value, as an escape; "" where there is none."""
    stack = [value]
    while stack:
        item = stack.pop()
        if type(item) is dict:
            stack.extend(item.keys())
            stack.extend(item.values())
        elif type(item) is list:
            stack.extend(item)
        elif type(item) is str and (found := SURROGATE.search(item)):
            return f"\\u{ord(found.group()):04x}"
    return ""


def _constant(odd: list[str]) -> Any:
    def note(name: str) -> None:
        odd.append("!" + name)

    return note


def _int(odd: list[str]) -> Any:
    def read(text: str) -> Any:
        if len(text) > 18:
            if len(text) > 4000 or not -(2**63) <= int(text) < 2**63:
                odd.append(text)
            return text if len(text) > 4000 else int(text)
        return int(text)

    return read


def _float(odd: list[str]) -> Any:
    def read(text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            odd.append(text)
        return value

    return read


def _short_int(text: str) -> Any:
    return int(text) if len(text) < 4000 else text


def _broken(text: str, context: Context, last: bool, wrong: Exception, failure: Exception) -> None:
    stripped = text.strip()
    column = getattr(wrong, "pos", 0) + 1
    if _commas(stripped, context) or _several(stripped, context):
        return
    if stripped[:1] in "{[(" and len(stripped) < LITERAL_LIMIT and _is_python(stripped):
        context.add("F025", "", "Python literal, not JSON")
        return
    if (stripped[:1] == "{" and "“" in stripped[:4]) or "”" in stripped[:4] or "„" in stripped[:4]:
        context.add("F027", "", 'quotes are “ ”, JSON needs " "')
        return
    if last and stripped[:1] == "{" and _ends_early(wrong, text):
        size = len(text.encode("utf-8", "surrogatepass"))
        context.add(
            "F017", "", f"last line is cut off after {size:,} bytes (incomplete download or write?)"
        )
        return
    reason = _reason(str(failure))
    context.add("J001", "", f"column {column:,}: {reason}; starts with {one_line(stripped, 24)!r}")


def _ends_early(wrong: Exception, text: str) -> bool:
    at = getattr(wrong, "pos", 0)
    return "Unterminated" in str(wrong) or at >= len(text.rstrip()) - 6


def _commas(text: str, context: Context) -> bool:
    if text.endswith(",") and _loads(text[:-1].rstrip()):
        context.add("F026", "", "comma after the object")
        return True
    if _TRAILING.search(text) and _loads(without_commas(text)):
        context.add("F026", "", "comma after the last item")
        return True
    return False


def without_commas(text: str) -> str:
    """`text` without commas before a closing bracket (outside strings) or after the object."""
    parts = re.split(r'("(?:[^"\\]++|\\.)*+")', text)
    parts[::2] = [_TRAILING.sub(r"\1", part) for part in parts[::2]]
    joined = "".join(parts)
    return joined[:-1].rstrip() if joined.rstrip().endswith(",") else joined


def _loads(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def objects_on(text: str) -> list[str]:
    """The JSON objects that stand one after another in `text`; [] when it holds anything else."""
    decoder = json.JSONDecoder(parse_int=_short_int)
    found, at = [], 0
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            if type(value) is not dict:
                return []
            found.append(text[at:end])
            at = end
            while at < len(text) and text[at] in " \t\r,":
                at += 1
    except (ValueError, RecursionError):
        return []
    return found


def _several(text: str, context: Context) -> bool:
    found = objects_on(text)
    if len(found) < 2:
        return False
    context.add("J009", "", f"{len(found):,} objects on one line")
    return True


def _is_python(text: str) -> bool:
    if "'" not in text and "None" not in text and "True" not in text and "False" not in text:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return isinstance(ast.literal_eval(text), (dict, list))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False


def straighten(text: str) -> str:
    return text.translate(_QUOTES)


def _reason(text: str) -> str:
    return text.split(": line ")[0]


def _name(char: str) -> str:
    return {"\t": "TAB"}.get(char, f"U+{ord(char):04X}")
