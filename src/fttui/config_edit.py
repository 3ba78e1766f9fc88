"""Changes to `config.toml` that leave every other line, and every comment, as it is.

The text is changed line by line, then read back: unless it means exactly what was wanted and passes
the checks of `config.load`, nothing is written. The file before stays beside it as `config.toml.bak`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fttui import config
from fttui.problem import Problem

Data = dict[str, Any]
VALUE_LINES = 200  # a value longer than this is not looked through for its end


def put_profile(path: Path, name: str, table: Mapping[str, Any]) -> None:
    """Add a profile at the end of the file, or replace the one of that name."""

    def edit(text: str, data: Data) -> tuple[str, Data]:
        profiles = dict(data.get("profiles", {}))
        if name in profiles:
            text = _without(text, ("profiles", name))
        profiles[name] = dict(table)
        rows = [f"{_word(key)} = {value_text(value)}" for key, value in table.items()]
        added = "\n".join([f"[profiles.{_word(name)}]", *rows])
        return f"{_ended(text)}{added}\n", {**data, "profiles": profiles}

    _change(path, edit)


def remove_profile(path: Path, name: str) -> None:
    """Take a profile out; also as the default. Comments above it stay."""

    def edit(text: str, data: Data) -> tuple[str, Data]:
        profiles = {k: v for k, v in data.get("profiles", {}).items() if k != name}
        left = {**data, "profiles": profiles}
        if not profiles:
            del left["profiles"]
        text = _without(text, ("profiles", name))
        if data.get("default_profile") == name:
            text = _set(text, (), "default_profile", None)
            del left["default_profile"]
        return text, left

    _change(path, edit)


def set_in_profile(path: Path, name: str, key: str, value: Any) -> None:
    """Set one key of a profile that is in the file; None takes it out."""

    def edit(text: str, data: Data) -> tuple[str, Data]:
        profile = dict(data.get("profiles", {}).get(name, {}))
        profile.pop(key, None)
        if value is not None:
            profile[key] = value
        wanted = {**data, "profiles": {**data.get("profiles", {}), name: profile}}
        return _set(text, ("profiles", name), key, value), wanted

    _change(path, edit)


def set_default(path: Path, name: str) -> None:
    """The profile fttui starts on."""

    def edit(text: str, data: Data) -> tuple[str, Data]:
        return _set(text, (), "default_profile", name), {**data, "default_profile": name}

    _change(path, edit)


# ---- reading, checking, writing ----


def _change(path: Path, edit: Callable[[str, Data], tuple[str, Data]]) -> None:
    text = _text(path)
    config.check(text, path)  # a file that is broken already is not changed: its line is named
    new, wanted = edit(text, tomllib.loads(text))
    try:
        same = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise Problem(
            f"{path} was not changed.",
            "It is written in a way this change cannot be made in without touching the rest.",
            "Edit it by hand: fttui config edit",
            code="config_by_hand",
        )
    config.check(new, path)
    _write(path, text, new)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # line ends as they are
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is not UTF-8 text"
        raise Problem(
            f"{path} cannot be read.", why, "Repair or remove it.", code="config"
        ) from None


def _write(path: Path, old: str, new: str) -> None:
    """In one step, so that no other program sees half a file. A link stays a link."""
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _text(path) != old:
            raise Problem(
                f"{path} was not changed.",
                "Another program changed it in the meantime.",
                "Try again.",
                code="config_changed",
                retry=True,
            )
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
        with os.fdopen(handle, "wb") as file:
            file.write(new.encode())
            file.flush()
            os.fsync(handle)
        if path.exists():
            shutil.copymode(path, name)
            shutil.copy2(path, path.with_name(path.name + ".bak"))
        os.replace(name, path)
    except OSError as exc:
        raise Problem(
            f"{path} cannot be written.",
            exc.strerror or str(exc),
            "Make the folder writable, or set FTTUI_HOME to another one.",
            code="config",
        ) from None


# ---- the text ----


def value_text(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_word(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    return str(value)


def _word(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else value_text(key)


def _ended(text: str) -> str:
    """The text, with one empty line after it, ready for another table."""
    return f"{text.rstrip()}\n\n" if text.strip() else ""


def _header(line: str) -> tuple[str, ...] | None:
    """The name of the table a line begins, as its parts; None for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        found: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    parts = []
    while isinstance(found, dict) and found:
        ((part, found),) = found.items()
        parts.append(part)
    return tuple(parts)


def _without(text: str, table: tuple[str, ...]) -> str:
    """Without a table and what is under it; the comments that lead to the next one stay."""
    kept: list[str] = []
    held: list[str] = []  # blank lines and comments inside: they may belong to the next table
    inside = False
    for line in text.splitlines(keepends=True):
        name = _header(line)
        if name is not None:
            inside = name[: len(table)] == table
            kept += [] if inside else held
            held = []
        if not inside:
            kept.append(line)
        elif not line.strip() or line.lstrip().startswith("#"):
            held.append(line)
        else:
            held = []
    return "".join(kept + held)


def _set(text: str, table: tuple[str, ...], key: str, value: Any) -> str:
    """With `key` of `table` (): the top of the file) set, or taken out for None."""
    lines = text.splitlines(keepends=True)
    headers = [(place, name) for place, line in enumerate(lines) if (name := _header(line))]
    begin = 0
    if table:
        begin = next((place + 1 for place, name in headers if name == table), -1)
    if begin < 0:
        return text  # not a table of its own: the reading back says so
    end = next((place for place, _ in headers if place >= begin), len(lines))
    new = "" if value is None else f"{_word(key)} = {value_text(value)}"
    for place in range(begin, end):
        if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[place]):
            last = _value_end(lines, place, end)
            comment = _comment(lines[place]) if last == place + 1 else ""
            lines[place:last] = [f"{new}{comment}\n"] if new else []
            return "".join(lines)
    if new:
        place = _after_content(lines, begin, end)
        if place and not lines[place - 1].endswith("\n"):
            lines[place - 1] += "\n"
        gap = "\n" if not table and place == begin and lines else ""
        lines.insert(place, f"{new}\n{gap}")
    return "".join(lines)


def _after_content(lines: list[str], begin: int, end: int) -> int:
    """After the last line of a table that holds something; `begin` where none does."""
    held = (
        place
        for place in range(end, begin, -1)
        if lines[place - 1].strip() and not lines[place - 1].lstrip().startswith("#")
    )
    return next(held, begin)


def _value_end(lines: list[str], begin: int, end: int) -> int:
    """The line after a value that may go over several."""
    for last in range(begin + 1, min(end, begin + VALUE_LINES) + 1):
        try:
            tomllib.loads("".join(lines[begin:last]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    return begin + 1


def _comment(line: str) -> str:
    """The comment behind a value, with the blanks before it."""
    body = line.rstrip("\r\n")
    meant = tomllib.loads(body)
    for match in re.finditer(r"\s*#", body):
        try:
            if tomllib.loads(body[: match.start()]) == meant:
                return body[match.start() :]
        except tomllib.TOMLDecodeError:
            continue
    return ""
