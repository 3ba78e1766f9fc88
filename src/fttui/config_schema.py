"""What `config.toml` may hold, and its mistakes by line. Checked by pydantic, only where there is a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from fttui import endpoints
from fttui.problem import Problem

_FORBID = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; every default works."""

    __pydantic_config__ = _FORBID

    theme: str = ""
    ascii: bool = False
    mouse: bool = True
    confirm_above: Decimal = Decimal(25)  # USD; a dearer launch asks for the amount to be typed
    mute: tuple[str, ...] = ()  # codes of checks that are not shown
    keys: Mapping[str, str] = field(default_factory=dict)  # action id → key
    # when a watched job ends; see service/notify.py
    notify_title: bool = True  # the terminal's title follows a watched job
    notify_bell: bool = True
    notify_desktop: Literal["auto", "off", "osc9", "osc99", "osc777"] = "auto"
    notify_command: str = ""  # run by the shell; what happened is in FTTUI_JOB_… variables


@dataclass(frozen=True)
class Key:
    __pydantic_config__ = _FORBID

    env: str = ""
    keyring: str = ""
    command: str = ""
    file: str = ""
    entra: bool = False  # a token of Microsoft Entra ID, through azure-identity


@dataclass(frozen=True)
class AzureTable:
    __pydantic_config__ = _FORBID

    subscription: str = ""
    resource_group: str = ""
    account: str = ""
    management_url: str = endpoints.ARM
    management_key: Key = field(default_factory=Key)


@dataclass(frozen=True)
class ProfileTable:
    __pydantic_config__ = _FORBID

    provider: Literal["local", "openai", "azure", "nebius", "custom"]
    base_url: str = ""
    key: Key = field(default_factory=Key)
    admin_key: Key = field(default_factory=Key)
    organization: str = ""
    project: str = ""
    api_version: str = ""
    azure: AzureTable = field(default_factory=AzureTable)
    region: Literal["", "us", "eu", "ae", "au", "in", "jp"] = ""
    read_only: bool = False
    timeout: float = 60.0
    headers: dict[str, str] = field(default_factory=dict)
    extra_body: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    __pydantic_config__ = _FORBID

    default_profile: str = ""
    settings: Settings = field(default_factory=Settings)
    profiles: dict[str, ProfileTable] = field(default_factory=dict)


def read(path: Path) -> File:
    """The file, checked; an empty one where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return File()
    except (OSError, UnicodeDecodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is not UTF-8 text"
        raise Problem(
            f"{path} cannot be read.", why, "Repair or remove it.", code="config"
        ) from exc
    return parse(text, path)


def parse(text: str, path: Path) -> File:
    """The text of the file at `path`, checked. A mistake: Problem "config" with its line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line = re.search(r"line (\d+)", str(exc))
        raise _wrong(path, int(line[1]) if line else text.count("\n") + 1, str(exc), "") from exc
    return _validate(data, text, path)


def _validate(data: dict[str, Any], text: str, path: Path) -> File:
    from pydantic import TypeAdapter, ValidationError  # 0.1 s, spent only when there is a file

    try:
        return TypeAdapter(File).validate_python(data)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        place = tuple(str(part) for part in first["loc"])
        why, remedy = _explain(place, first)
        raise _wrong(path, line_of(text, place), f"{'.'.join(place)}: {why}", remedy) from None


def _explain(place: tuple[str, ...], error: Mapping[str, Any]) -> tuple[str, str]:
    """A pydantic error in words, and what to do; never repeats the value: it may be a key."""
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = _known_keys(place)
        return "there is no such setting", f"Known here: {', '.join(known)}." if known else ""
    if error["type"] in ("missing", "missing_argument"):
        return "this setting is missing", f"Add: {place[-1]} = …"
    if place[-1] in ("key", "admin_key", "management_key"):
        return (
            "a key is named by its source, not written here",
            'Write key = { env = "NAME" }, or { keyring = "…" }, { command = "…" }, { file = "…" }.',
        )
    return str(error["msg"]), "Change the value."


def _known_keys(place: tuple[str, ...]) -> list[str]:
    if place[0] == "profiles":
        owner: Any = ProfileTable if len(place) == 3 else Key
        if len(place) == 4 and place[2] == "azure":
            owner = AzureTable
    else:
        owner = Settings if place[0] == "settings" else File
    return [item.name for item in fields(owner)]


def _wrong(path: Path, line: int, why: str, remedy: str) -> Problem:
    return Problem(
        f"{path}, line {line}: the configuration cannot be used.",
        why,
        remedy or "Correct that line, or move the file away to go on with the defaults.",
        code="config",
        detail={"file": str(path), "line": line},
    )


def line_of(text: str, place: tuple[str, ...]) -> int:
    """The 1-based line where `place` is set, or the nearest line above it that exists."""
    table: tuple[str, ...] = ()
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\[\]]+)\]", line)
        entry = re.match(r"\s*([\w.\"'-]+)\s*=", line)
        if head:
            table = _dotted(head[1])
            here = table
        elif entry:
            here = table + _dotted(entry[1])
        else:
            continue
        if len(here) > depth and here == place[: len(here)]:
            best, depth = number, len(here)
    return best


def _dotted(name: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in name.split("."))
