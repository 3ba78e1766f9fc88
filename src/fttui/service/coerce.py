"""Read any JSON value as the thing it should have been, or as nothing: services are looser than their specs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any


def text(value: Any) -> str:
    """A string as it is, a number as text, anything else empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number(value: Any) -> float | None:
    """A finite number, also when it came as text; None otherwise (NaN would break every chart)."""
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | list):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def moment(value: Any) -> int:
    """Unix seconds from seconds, milliseconds or an ISO date; 0 where there is none."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        try:
            then = datetime.fromisoformat(value)
        except ValueError:
            return 0
        return int((then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp())
    found = whole(value) or 0
    return found // 1000 if found > 100_000_000_000 else found


def day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def strings(value: Any) -> dict[str, str]:
    """A metadata object: text to text."""
    return {str(key): text(item) for key, item in mapping(value).items()}
