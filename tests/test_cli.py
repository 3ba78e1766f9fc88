"""The command line: fast to say who it is, one clear line for what is wrong, exit codes that scripts can use."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fttui import __version__
from fttui.cli import COMMANDS


def fttui(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fttui", *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version() -> None:
    assert fttui("--version").stdout.strip() == f"fttui {__version__}"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    done = fttui(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: fttui {name}" in done.stdout


def test_help_names_every_command() -> None:
    shown = fttui("--help").stdout
    assert all(name in shown for name in COMMANDS)


def test_without_a_terminal_the_app_says_what_to_use() -> None:
    done = fttui()
    assert done.returncode == 2
    assert "the app needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "cost", "run"])
@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "gzip"])
def test_unusable_input_is_exit_2_in_both_shapes(tmp_path: Path, command: str, kind: str) -> None:
    path = tmp_path / "data.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else gzip.compress(b"{}\n" * 400))
    extra = ["--profile", "local"] if command == "run" else []
    plain = fttui(command, str(path), *extra)
    assert plain.returncode == 2, plain.stdout + plain.stderr
    assert "Traceback" not in plain.stdout + plain.stderr
    assert "data.jsonl" in plain.stdout + plain.stderr
    done = fttui(command, str(path), "--json", *extra)
    assert done.returncode == 2
    last = json.loads(done.stdout.splitlines()[-1])
    assert last.get("error") or last.get("verdict") == "unusable"


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"q{n}"},
                {"role": "assistant", "content": f"a{n}."},
            ]
        }
        for n in range(12)
    ]
    lines = [json.dumps(row) for row in rows]
    lines[6] = lines[6][:-5]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines) + "\n")
    done = fttui("check", str(path), "--json")
    assert done.returncode == 1
    issues = json.loads(done.stdout.splitlines()[-1])["issues"]
    assert ("J001", 7) in {(issue["code"], issue["line"]) for issue in issues}
    refused = fttui("run", str(path), "--profile", "local")
    assert refused.returncode == 1
    assert f"{path}:7" in refused.stdout
