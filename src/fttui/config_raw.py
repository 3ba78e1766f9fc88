"""The configuration file as it is written: for what must be known before it can be checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from fttui import paths

FILE = "config.toml"


def settings() -> Mapping[str, Any]:
    """The `[settings]` table, unchecked: what the first frame needs, without the time a check takes.

    Empty where the file is missing or broken (`config.load` says why).
    """
    try:
        text = (paths.config_dir() / FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    try:
        found = tomllib.loads(text).get("settings")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
