"""`fttui doctor`: what works and what does not, profile by profile, fit for a bug report (no keys)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui import __version__, paths, secrets
from fttui.commands import terminal_facts
from fttui.problem import Problem
from fttui.secrets import redact
from fttui.service.examine import Examined, Line

if TYPE_CHECKING:
    from fttui.config import Profile

QUIET = 0.5  # seconds before it is said what is being waited for


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", metavar="NAME", help="look at this profile only")
    parser.add_argument("--offline", action="store_true", help="ask no provider")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="also send two requests that are incomplete on purpose: refused by everyone, and the "
        "refusal says whether this key may train and chat",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    lines = [*_machine(), *_terminal(), *_engine()]
    examined: list[Examined] = []
    chosen = _chosen(args, lines)
    if chosen:
        lines += _stated(chosen, args)
        examined = asyncio.run(_ask_all([one for one, _ in chosen if _asks(one, args)], args.deep))
        if args.json:
            lines += [line for one in examined for line in one.lines]
    if args.json:
        print(json.dumps(_report(lines, chosen, examined), default=str))
    else:
        _show(lines, examined)
    every = [*lines, *(line for one in examined for line in one.lines)]
    return 1 if any(line.level == "error" for line in every) else 0


def _report(lines: Sequence[Line], chosen: Any, examined: Sequence[Examined]) -> dict[str, Any]:
    """The JSON object: every line, and each profile's findings by name."""
    return {
        "version": __version__,
        "ok": not any(line.level == "error" for line in lines),
        "lines": [asdict(line) for line in lines],
        "terminal": {fact.name: fact.value for fact in _FACTS},
        "profiles": {one.profile: {"ok": one.ok, **one.facts} for one in examined},
    }


def _show(lines: Sequence[Line], examined: Sequence[Examined]) -> None:
    """By area, what was asked of a profile under what is known of it."""
    found = {one.profile: one.lines for one in examined}
    shown = ""
    for line in lines:
        if line.area != shown and shown in found:
            _print(found.pop(shown), shown)
        _print([line], shown)
        shown = line.area
    if shown in found:
        _print(found.pop(shown), shown)
    for area, rest in found.items():
        _print(rest, area)


def _print(lines: Sequence[Line], shown: str) -> None:
    for line in lines:
        head = "" if line.area == shown else line.area
        shown = line.area
        print(redact(f"{head:<10} {line.glyph} {line.text}"))
        if line.remedy:
            print(redact(f"{'':<10}   → {line.remedy}"))


# ---- this machine ----


def _machine() -> Iterator[Line]:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Line("fttui", "ok", f"{__version__}, Python {platform.python_version()}, {system}")
    for name, path in (("config", paths.config_dir()), ("data", paths.data_dir()),
                       ("cache", paths.cache_dir()), ("state", paths.state_dir())):  # fmt: skip
        near = next(folder for folder in (path, *path.parents) if folder.exists())
        shown = _home(path)
        if os.access(near, os.W_OK):
            free = shutil.disk_usage(near).free / 1e9
            level = "ok" if free > 1 else "warning"
            yield Line("folders", level, f"{name} {shown} ({free:.0f} GB free)")
        else:
            yield Line("folders", "error", f"{name} {shown} cannot be written", "set FTTUI_HOME")


def _home(path: Path) -> str:
    """Without the user's name in it: this is pasted into bug reports."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)


_FACTS: list[terminal_facts.Fact] = []


def _terminal() -> Iterator[Line]:
    _FACTS[:] = terminal_facts.facts()
    for fact in _FACTS:
        yield Line("terminal", fact.level, fact.text, fact.remedy)


def _engine() -> Iterator[Line]:
    from fttui.local import launch, models

    default = models.DEFAULT
    found = models.locate(default)
    if found:
        yield Line("engine", "ok", f"base model {default}: {_home(found)}")
    else:
        yield Line("engine", "note", f"base model {default} is not here yet; it is fetched when needed",
                   "fttui fetch, to have it before you are offline")  # fmt: skip
    try:
        endpoint = launch.running()
    except Problem as problem:
        yield Line("engine", "error", problem.what, problem.remedy)
        return
    text = (
        f"server at {endpoint.base_url}, pid {endpoint.pid}" if endpoint else "server not running"
    )
    yield Line("engine", "ok" if endpoint else "note", text)


# ---- the profiles ----


def _chosen(args: argparse.Namespace, lines: list[Line]) -> list[tuple[Profile, bool]]:
    """(profile, whether it is the default) of those to look at; a broken file is a finding."""
    from fttui import config

    try:
        found = config.load()
        default = found.default
        chosen = [found.profile(args.profile)] if args.profile else list(found.profiles.values())
        if not args.profile:
            found.profile()  # the default is one that exists
    except Problem as problem:
        lines.append(Line("config", "error", f"{problem.what} {problem.why}", problem.remedy))
        return []
    there = "" if found.path.exists() else " (not there: what the environment says)"
    lines.append(Line("config", "ok", f"{_home(found.path)}{there}"))
    return [(one, one.name == default) for one in chosen]


def _stated(chosen: Sequence[tuple[Profile, bool]], args: argparse.Namespace) -> Iterator[Line]:
    """What is known of each without asking it."""
    for profile, default in chosen:
        key = "no key needed" if profile.provider == "local" else f"key: {profile.key.describe()}"
        notes = [f"{profile.provider} at {profile.host}", key]
        notes += ["read-only"] if profile.read_only else []
        notes += ["the default"] if default else []
        yield Line(profile.name, "note", ", ".join(notes))
        if _keyless(profile):
            level = "error" if args.profile or default else "note"
            remedy = (
                f"put it there, or: fttui config key {profile.name}" if level == "error" else ""
            )
            yield Line(profile.name, level, "there is no key", remedy)
        elif profile.provider == "local" and not _server_runs():
            yield Line(profile.name, "note", "its server starts when it is needed")


def _keyless(profile: Profile) -> bool:
    return profile.provider != "local" and profile.key.kind != "none" and not profile.key.present()


def _asks(profile: Profile, args: argparse.Namespace) -> bool:
    """Whether the profile is asked: not without a key, and no server is started for a look."""
    if args.offline or _keyless(profile):
        return False
    return profile.provider != "local" or _server_runs()


def _server_runs() -> bool:
    from fttui.local import launch

    try:
        return launch.running() is not None
    except Problem:  # said with the engine
        return False


async def _ask_all(profiles: Sequence[Profile], deep: bool) -> list[Examined]:
    """All at once; after half a second a person is told who has not answered yet."""
    from fttui.service import examine
    from fttui.state import State

    if not profiles:
        return []
    secrets.COMMAND_SECONDS = examine.SECONDS  # the thread a command runs in ends with the look
    state = State()
    tasks = {
        asyncio.create_task(examine.examine(one, state=state, deep=deep)): one.name
        for one in profiles
    }
    tells = sys.stderr.isatty()
    begun = time.monotonic()
    try:
        while True:
            _, pending = await asyncio.wait(tasks, timeout=QUIET)
            if not pending:
                break
            if tells:
                names = ", ".join(tasks[task] for task in tasks if task in pending)
                text = f"asking {names} … {time.monotonic() - begun:.0f} s"
                print(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}",
                      end="", file=sys.stderr, flush=True)  # fmt: skip
    finally:
        if tells:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        state.close()
    return [task.result() for task in tasks]
