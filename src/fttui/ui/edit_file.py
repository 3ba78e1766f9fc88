"""A file in the user's own editor, at a line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from fttui.problem import Problem

# Editors that take FILE:LINE; the others are told +LINE. Windowed ones must be told to wait.
_COLON = {"code", "codium", "cursor", "windsurf", "subl", "zed", "hx", "helix"}
_GOTO = {"code", "codium", "cursor", "windsurf"}
_WINDOWED = _GOTO | {"subl", "zed"}
_FALLBACKS = ("nano", "vim", "vi")


def words(path: Path, line: int) -> list[str]:
    """The command that opens `path` at `line` (1-based) in $VISUAL, $EDITOR or what there is. Raises Problem."""
    named = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    found = named or [name for name in _FALLBACKS if shutil.which(name)][:1]
    if not found or not shutil.which(found[0]):
        raise Problem(
            f"the editor {found[0]} is not installed" if found else "there is no editor to open",
            "it is what $VISUAL or $EDITOR names" if found else "$VISUAL and $EDITOR are not set",
            "set EDITOR, for example: export EDITOR=nano",
            code="editor",
        )
    name = Path(found[0]).stem.lower()
    if name in _WINDOWED and not {"--wait", "-w"} & set(found):
        found = [*found, "--wait"]
    if name in _COLON:
        return [*found, *(["-g"] if name in _GOTO else []), f"{path}:{line}"]
    return [*found, f"+{line}", str(path)]


def at_line(app: App[Any], path: Path, line: int) -> None:
    """Give the screen to the editor until it is closed. Raises Problem."""
    command = words(path, line)
    try:
        with app.suspend():
            subprocess.run(command, check=False)
    except SuspendNotSupported:
        raise Problem(
            "the editor cannot be opened",
            "this terminal cannot be handed over",
            f"open line {line:,} of {path} in another window",
            code="editor",
        ) from None
    except OSError as error:
        raise Problem(
            f"{command[0]} cannot be started",
            error.strerror or str(error),
            "set EDITOR to the editor you use",
            code="editor",
        ) from error
    app.refresh(repaint=True, layout=True)
