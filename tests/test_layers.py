"""The house's layers, twice: as contracts over the source, and in a fresh interpreter's sys.modules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "src" / "fttui" / "samples" / "extraction.jsonl"


def loaded(code: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after running `code`."""
    script = f"{code}\nimport sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def run_cli(*args: str) -> str:
    return f"""
import fttui.cli
try:
    fttui.cli.main({list(args)!r})
except SystemExit:
    pass
"""


def test_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["fttui.dataset.scan", "fttui.pricing.estimate", "fttui.state"])
def test_pure_modules_load_alone(module: str) -> None:
    modules = loaded(f"import {module}")
    assert not modules & {"textual", "openai", "numpy", "starlette", "fttui.ui", "fttui.service"}


def test_version_loads_next_to_nothing() -> None:
    modules = loaded(run_cli("--version"))
    assert not modules & {
        *("textual", "openai", "numpy", "tiktoken", "pydantic", "orjson", "starlette", "asyncio")
    }


def test_check_needs_no_screen_and_no_client() -> None:
    modules = loaded(run_cli("check", str(SAMPLE)))
    assert "fttui.dataset.scan" in modules
    assert not modules & {"textual", "openai", "starlette"}


def test_cost_needs_no_screen_and_no_client() -> None:
    modules = loaded(run_cli("cost", str(SAMPLE), "--model", "gpt-4.1-mini-2025-04-14"))
    assert "fttui.pricing.estimate" in modules
    assert not modules & {"textual", "openai", "starlette"}


def test_the_app_module_does_not_wait_for_the_client() -> None:
    modules = loaded("import fttui.ui.app")
    assert "textual.app" in modules
    assert not modules & {"openai", "numpy", "tiktoken", "pydantic", "starlette", "httpx2"}


def test_the_local_server_is_a_program_of_its_own() -> None:
    modules = loaded("import fttui.local.server")
    assert not modules & {"textual", "openai", "fttui.ui", "fttui.service"}
