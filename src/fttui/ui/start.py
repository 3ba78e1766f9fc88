"""Open the app: what must be decided before Textual is imported is decided here."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def start(args: argparse.Namespace) -> int:
    """Run the app on a terminal and return its exit code."""
    _environment()
    from fttui import config_raw
    from fttui.ui.app import FttuiApp

    path, validation = _files(args)
    settings = config_raw.settings()
    app = FttuiApp(
        path=path,
        validation=validation,
        profile="local" if args.demo else args.profile,
        ascii_only=args.ascii or settings.get("ascii") is True,
        theme=str(settings.get("theme") or ""),
        first_start=not (args.file or args.demo or args.profile),
    )
    app.run(mouse=not args.no_mouse and settings.get("mouse") is not False)
    return app.return_code or 0


def _files(args: argparse.Namespace) -> tuple[Path | None, Path | None]:
    if args.demo:
        from fttui import samples

        return samples.path("extraction"), samples.heldout("extraction")
    path = Path(args.file).expanduser() if args.file else None
    validation = Path(args.validation).expanduser() if args.validation else None
    return path, validation


def _environment() -> None:
    """Textual reads these at import. Nothing moves by itself: over SSH every frame is bytes."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    os.environ.setdefault("ESCDELAY", "50")
    # Exported sizes (by a shell, or by a parent that uses readline) would freeze the app at them.
    os.environ.pop("COLUMNS", None)
    os.environ.pop("LINES", None)
    if os.environ.get("SSH_CONNECTION"):
        os.environ.setdefault("TEXTUAL_FPS", "30")
