"""The shipped catalogue and the day the reference was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import pytest

from fttui.pricing.catalog import Catalog, shipped


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return shipped()


@pytest.fixture(scope="session")
def today() -> date:
    return date(2026, 11, 21)


def floats(value: Any, path: str = "", seen: set[int] | None = None) -> list[str]:
    """Every place in `value` that holds a float."""
    seen = set() if seen is None else seen
    if isinstance(value, float):
        return [path]
    if id(value) in seen:
        return []
    seen.add(id(value))
    if is_dataclass(value) and not isinstance(value, type):
        return [
            p
            for f in fields(value)
            for p in floats(getattr(value, f.name), f"{path}.{f.name}", seen)
        ]
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in floats(v, f"{path}[{k}]", seen)]
    if isinstance(value, list | tuple):
        return [p for n, v in enumerate(value) for p in floats(v, f"{path}[{n}]", seen)]
    return []


@pytest.fixture(scope="session", name="floats")
def floats_fixture() -> Callable[[Any], list[str]]:
    return floats
