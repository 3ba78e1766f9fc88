"""Other people's programs for these tests: one folder each, made on first use and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

HOME = Path(os.environ.get("FTTUI_CLIENT_HOME", "~/.cache/fttui-clients")).expanduser()
INSTALL = 1800  # seconds

MARKS = [
    pytest.mark.clients,
    pytest.mark.skipif(
        os.environ.get("FTTUI_CLIENT_TESTS") != "1", reason="set FTTUI_CLIENT_TESTS=1 to run them"
    ),
]


def installed(name: str, packages: Sequence[str], *, node: bool) -> Path:
    """The program's folder; the test is skipped where it cannot be made."""
    folder = HOME / name
    done = folder / "installed"
    if done.exists():
        return folder
    if node and not shutil.which("npm"):
        pytest.skip("npm is not here")
    folder.mkdir(parents=True, exist_ok=True)
    if node:
        steps = [["npm", "install", "--no-fund", "--no-audit", *packages]]
    else:
        pip = [str(folder / "bin" / "pip"), "install", "-q", *packages]
        steps = [[sys.executable, "-m", "venv", str(folder)], pip]
    for step in steps:
        tried = subprocess.run(step, cwd=folder, capture_output=True, text=True, timeout=INSTALL)
        if tried.returncode:
            pytest.skip(f"{name} cannot be installed: {tried.stderr[-300:]}")
    done.touch()
    return folder
