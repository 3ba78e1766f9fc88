"""`eval "$(fttui env)"`: any OpenAI client then talks to the local server."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

IDLE_EXIT = 4 * 3600.0  # seconds: nothing restarts the server for a client that is not ours


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where jobs and files are kept")
    parser.add_argument(
        "--shell", choices=tuple(_FORMS), default="sh", help="the shell to write for (default sh)"
    )


def run(args: argparse.Namespace) -> int:
    from fttui.local import launch

    here = launch.ensure(args.data, idle_exit=IDLE_EXIT)
    for name, value in (("OPENAI_BASE_URL", here.base_url), ("OPENAI_API_KEY", here.token)):
        print(_FORMS[args.shell](name, value))
    return 0


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}';"


def _powershell(name: str, value: str) -> str:
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"


_FORMS = {"sh": _sh, "fish": _fish, "powershell": _powershell}
