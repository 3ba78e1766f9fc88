"""A text written in the user's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp


def command() -> list[str]:
    """$VISUAL, $EDITOR, or vi."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


def write(app: FttuiApp, text: str, suffix: str = ".md") -> str:
    """Hand `text` to the editor and return what it became. The screen is the editor's meanwhile."""
    with tempfile.TemporaryDirectory(prefix="fttui-") as folder:
        path = Path(folder) / f"prompt{suffix}"
        path.write_text(text, encoding="utf-8")
        editor = command()
        try:
            with app.suspend():
                code = subprocess.run([*editor, str(path)], check=False).returncode
        except SuspendNotSupported:
            raise Problem("the editor cannot be opened", "this terminal cannot be handed over",
                          "write the prompt here", code="editor") from None  # fmt: skip
        except OSError as error:
            raise Problem(
                f"{editor[0]} cannot be started",
                error.strerror or str(error),
                "set EDITOR to the editor you use",
                code="editor",
            ) from error
        if code:
            raise Problem(
                f"{editor[0]} ended with code {code}",
                "the prompt is as it was",
                "check the EDITOR variable",
                code="editor",
            )
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")
