"""Typed reading of the price files: a wrong type or a missing key is a Problem with file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn

from fttui.problem import Problem

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    str: "a text",
    dict: "a table",
    list: "a list",
    Decimal: "a number",
    float: "a number",
    date: "a date",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table was written: the file, its text, the header it stands under, and which of them."""

    file: str
    text: str
    header: str  # "[[model]]", "[provider.azure]"
    index: int = 0  # which one, where the header repeats
    keys: frozenset[str] = frozenset()  # what this file says about the table

    def line(self, path: tuple[str, ...]) -> int:
        """The 1-based line of the key at `path` under this header, else of what holds it, else 0."""
        base = tuple(part for part in self.header.strip("[]").split(".") if part)
        seen, inside, at, depth = -1, not base, 0, -1
        under: tuple[str, ...] = ()
        for number, line in enumerate(self.text.splitlines(), 1):
            head = line.split("#")[0].strip()
            if head.startswith("[") and head.endswith("]"):
                parts = tuple(head.strip("[]").split("."))
                if head == self.header:
                    seen += 1
                    inside = seen == self.index
                elif parts[: len(base)] != base or len(parts) == len(base):
                    inside = False
                under = parts[len(base) :]
                found: tuple[str, ...] = under
            else:
                key = _KEY.match(line)
                found = (*under, key[1]) if key else ("",)
            if inside and len(found) > depth and path[: len(found)] == found:
                at, depth = number, len(found)
        return at


_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


class Reader:
    """One table, read key by key; `done()` refuses keys nobody asked for."""

    def __init__(
        self, data: Any, origins: tuple[Origin, ...], path: str, inner: tuple[str, ...] = ()
    ) -> None:
        self.origins, self.path, self._inner = origins, path, inner
        if not isinstance(data, Mapping):
            self._wrong("", data, "a table")
        self.data: Mapping[str, Any] = data
        self.asked: set[str] = set()

    def _wrong(self, key: str, value: Any, wanted: str) -> NoReturn:
        shown = f"{value!r}" if len(repr(value)) < 40 else f"{repr(value)[:39]}…"
        kind = next((word for type_, word in _WORDS.items() if type(value) is type_), "")
        self.fail(key, f"expected {wanted}, found {kind} ({shown})".replace("found  (", "found ("))

    def fail(self, key: str, why: str, remedy: str = "") -> NoReturn:
        """Raise the Problem that names file, line and key."""
        name = ".".join(part for part in (self.path, key) if part)
        place = (*self._inner, *((key,) if key else ()))
        origin = self._blame(place[0] if place else "")
        line = origin.line(place)
        where = f"{origin.file}:{line}" if line else origin.file
        raise Problem(
            f"{where}: {name}",
            why,
            remedy or "correct the file, or remove the entry to use the shipped figure",
            code="price_file",
            detail={"file": origin.file, "line": line, "key": name},
        )

    def _blame(self, key: str) -> Origin:
        """The last file that says something about `key`: an override wins, so it is to blame."""
        for origin in reversed(self.origins):
            if key in origin.keys:
                return origin
        return self.origins[-1]

    def _get(self, key: str, required: bool) -> Any:
        self.asked.add(key)
        value = self.data.get(key)
        if value is None and required:
            near = difflib.get_close_matches(key, [k for k in self.data if k not in self.asked], 1)
            self.fail(
                key,
                "this key is missing" + (f"; there is {near[0]!r}" if near else ""),
                "add the key (docs/pricing.md shows the shape)",
            )
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            self._wrong(key, value, "a text in quotes")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, False)
        if value is None:
            return default
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false")
        return value

    def whole(self, key: str) -> int | None:
        value = self._get(key, False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(key, value, "a whole number")
        if value < 0:
            self.fail(key, f"must not be negative ({value})")
        return value

    def number(self, key: str, *, required: bool = False) -> Decimal | None:
        """A number that is not negative; TOML floats arrive as Decimal already."""
        value = self._get(key, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong(key, value, "a number")
        amount = Decimal(value)
        if not amount.is_finite() or amount < 0:
            self.fail(key, f"must be a number that is not negative ({amount})")
        return amount

    def day(self, key: str) -> date | None:
        value = self._get(key, False)
        if value is None:
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            self._wrong(key, value, "a date such as 2027-01-14, without quotes")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key, False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(key, value, "a list of texts")
        return tuple(value)

    def table(self, key: str) -> Reader | None:
        value = self._get(key, False)
        if value is None:
            return None
        return Reader(value, self.origins, f"{self.path}.{key}", (*self._inner, key))

    def tables(self, key: str) -> list[Reader]:
        value = self._get(key, False)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(key, value, "a list of tables")
        return [
            Reader(item, self.origins, f"{self.path}.{key}[{n}]", (*self._inner, key))
            for n, item in enumerate(value)
        ]

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in tuple(allowed):
            self.fail(key, f"{value!r} is none of {', '.join(allowed)}")
        return value

    def done(self) -> None:
        """Refuse a key that nothing reads: it is a slip of the pen that would be silently ignored."""
        for key in self.data:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, 1)
                self.fail(
                    key,
                    "no such key" + (f"; did you mean {near[0]!r}?" if near else ""),
                    "correct its name or remove it",
                )
