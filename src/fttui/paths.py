"""Where fttui keeps things: the platform's own directories, or everything under FTTUI_HOME."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def _dir(kind: str) -> Path:
    home = os.environ.get("FTTUI_HOME")
    if home:
        return Path(home).expanduser() / kind
    found: Path = getattr(platformdirs, f"user_{kind}_path")("fttui", appauthor=False)
    return found


def config_dir() -> Path:
    """Profiles and settings the user may edit."""
    return _dir("config")


def data_dir() -> Path:
    """The local server's jobs, files and checkpoints."""
    return _dir("data")


def cache_dir() -> Path:
    """Base models and scan results: everything here can be made again."""
    return _dir("cache")


def state_dir() -> Path:
    """What fttui remembers: recent files, chats, drafts, the journal, logs."""
    return _dir("state")
