"""A fault in fttui itself: a redacted report in a file, three lines for the person, the terminal as found."""

from __future__ import annotations

import platform
import sys
import time
import traceback
from pathlib import Path

from fttui import __version__, paths
from fttui.secrets import redact


def write_report(error: BaseException) -> Path | None:
    """Write the traceback (no local variables: they hold data) for a bug report; None if it cannot be."""
    text = "".join(traceback.format_exception(error))
    head = f"fttui {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    path = paths.state_dir() / time.strftime("crash-%Y%m%d-%H%M%S.txt")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(redact(head + text), encoding="utf-8", errors="backslashreplace")
        path.chmod(0o600)
    except OSError:
        return None
    return path


def epitaph() -> str:
    """What is printed after the screen was given back. Called while the exception is handled."""
    error = sys.exc_info()[1]
    if error is None:
        return "fttui stopped; nothing more is known"
    path = write_report(error)
    where = f"The report is in {path}; it holds no key." if path else "No report could be written."
    kind = redact(f"{type(error).__name__}: {error}").splitlines()[0][:200]
    return (
        f"fttui hit a fault of its own: {kind}\n"
        "Nothing is lost: jobs go on, drafts and chats are kept. Start it again.\n"
        f"{where}"
    )
