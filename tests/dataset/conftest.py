"""Small datasets to check, made on the spot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.dataset.report import Report
from fttui.dataset.scan import scan

Check = Callable[..., Report]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write lines (objects, text or bytes) to a file and scan it in this process."""

    def run(lines: Any, name: str = "data.jsonl", **options: Any) -> Report:
        path = tmp_path / name
        path.write_bytes(lines if isinstance(lines, bytes) else as_bytes(lines))
        return scan(path, cached=False, workers=options.pop("workers", 0), **options)

    return run


def as_bytes(lines: list[Any]) -> bytes:
    return b"".join(
        (
            line
            if isinstance(line, bytes)
            else line.encode()
            if isinstance(line, str)
            else json.dumps(line, ensure_ascii=False).encode()
        )
        + b"\n"
        for line in lines
    )


@pytest.fixture(scope="session")
def hostile(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile corpus, generated once."""
    folder = tmp_path_factory.mktemp("hostile")
    subprocess.run(
        [sys.executable, str(shared / "hostile" / "generate.py"), str(folder)],
        check=True,
        capture_output=True,
    )
    return folder
