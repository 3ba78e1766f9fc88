"""`fttui doctor`: what works and what does not, profile by profile, fit for a bug report (no keys)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

from fttui import __version__, paths
from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.config import Profile

GLYPH = {"ok": "✓", "warning": "⚠", "error": "✗", "note": "·"}
SECONDS = 10.0  # for one profile to answer


@dataclass(frozen=True)
class Line:
    """One finding: area, ok|warning|error|note, what was found, what to do."""

    area: str
    level: str
    text: str
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", metavar="NAME", help="look at this profile only")
    parser.add_argument("--offline", action="store_true", help="ask no provider")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    lines = [*_machine(), *_terminal(), *_engine(), *_profiles(args)]
    if args.json:
        print(json.dumps({"version": __version__, "lines": [asdict(line) for line in lines]}))
    else:
        area = ""
        for line in lines:
            head = "" if line.area == area else line.area
            area = line.area
            print(f"{head:<10} {GLYPH[line.level]} {line.text}")
            if line.remedy:
                print(f"{'':<10}   → {line.remedy}")
    return 1 if any(line.level == "error" for line in lines) else 0


def _machine() -> Iterator[Line]:
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Line("fttui", "ok", f"{__version__}, Python {platform.python_version()}, {system}")
    for name, path in (("config", paths.config_dir()), ("data", paths.data_dir()),
                       ("cache", paths.cache_dir()), ("state", paths.state_dir())):  # fmt: skip
        near = next(folder for folder in (path, *path.parents) if folder.exists())
        if os.access(near, os.W_OK):
            free = shutil.disk_usage(near).free / 1e9
            level = "ok" if free > 1 else "warning"
            yield Line("folders", level, f"{name} {path} ({free:.0f} GB free)")
        else:
            yield Line("folders", "error", f"{name} {path} cannot be written", "set FTTUI_HOME")


def _terminal() -> Iterator[Line]:
    size = shutil.get_terminal_size()
    term = os.environ.get("TERM", "unset")
    tty = sys.stdout.isatty()
    text = f"{size.columns}×{size.lines}, TERM={term}{'' if tty else ', not a tty'}"
    yield Line("terminal", "ok" if tty else "note", text)
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    if encoding != "utf8":
        yield Line("terminal", "warning", f"the output encoding is {encoding or 'unknown'}",
                   "use a UTF-8 locale (LANG=C.UTF-8), or fttui --ascii")  # fmt: skip
    colours = "24-bit" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else "256 or fewer"
    if os.environ.get("NO_COLOR"):
        colours = "off (NO_COLOR)"
    where = [
        word for word, name in (("SSH", "SSH_CONNECTION"), ("tmux", "TMUX")) if os.environ.get(name)
    ]
    yield Line(
        "terminal",
        "ok",
        f"colours: {colours}" + (f", inside {' and '.join(where)}" if where else ""),
    )
    if os.environ.get("TMUX"):
        yield Line(
            "terminal", "note", "copying goes through tmux; it needs `set -g set-clipboard on`"
        )


def _engine() -> Iterator[Line]:
    from fttui.local import launch, models

    default = models.DEFAULT
    found = models.locate(default)
    if found:
        yield Line("engine", "ok", f"base model {default}: {found}")
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


def _profiles(args: argparse.Namespace) -> Iterator[Line]:
    from fttui import config

    try:
        found = config.load()
        chosen = [found.profile(args.profile)] if args.profile else list(found.profiles.values())
    except Problem as problem:
        yield Line("config", "error", f"{problem.what} {problem.why}", problem.remedy)
        return
    yield Line(
        "config", "ok", f"{found.path}" + ("" if found.path.exists() else " (none, defaults)")
    )
    for profile in chosen:
        yield from _profile(profile, profile.name == found.default, args)


def _profile(profile: Profile, default: bool, args: argparse.Namespace) -> Iterator[Line]:
    area = profile.name
    about = f"{profile.provider} at {profile.host}, key: {profile.key.describe()}"
    yield Line(area, "note", about + (", the default" if default else ""))
    if profile.provider != "local" and not profile.key.present():
        if args.profile or default:
            yield Line(area, "error", "there is no key", f"put it in {profile.key.describe()}")
        return
    if args.offline or (profile.provider == "local" and not _server_runs()):
        return
    yield from asyncio.run(_ask(profile))


def _server_runs() -> bool:
    """A look at the local profile must not start a server."""
    from fttui.local import launch

    return launch.running() is not None


async def _ask(profile: Profile) -> list[Line]:
    from fttui.service import jobs, models
    from fttui.service.provider import Provider

    provider, lines = Provider(profile), []
    try:
        async with asyncio.timeout(SECONDS):
            listed = await models.listing(provider)
            lines.append(Line(profile.name, "ok", f"reachable, key accepted, {len(listed)} models"))
            page = await jobs.listing(provider, limit=1)
            word = "jobs can be listed" + ("" if page.items else " (there are none)")
            lines.append(Line(profile.name, "ok", word))
            lines += [
                Line(profile.name, "warning", f"{row.id} stops answering on {row.shutdown_date}")
                for row in listed
                if row.shutdown_date and 0 <= (row.shutdown_date - date.today()).days <= 90
            ]
    except Problem as problem:
        lines.append(Line(profile.name, "error", f"{problem.what} {problem.why}", problem.remedy))
    except TimeoutError:
        lines.append(
            Line(profile.name, "error", f"no answer within {SECONDS:.0f} s", "check the network")
        )
    finally:
        await provider.close()
    return lines
