"""A folder that is written again and again and never overwrites what is not its own.

What was written is in a record with its sha256: a file that still has it may be replaced by a newer
version of itself, one that was changed or that someone else put there stays, and the new one goes
beside it. Every file is whole or not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fttui import __version__
from fttui.problem import Problem
from fttui.secrets import redact

RECORD = "export.json"
FORMAT = 1


def clean_name(text: str, longest: int = 80) -> str:
    """A text as the name of a file or a folder on any system."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:longest].strip("-.") or "unnamed"


class Folder:
    """`record` is kept in export.json; `put` writes text or bytes under a name inside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.record: dict[str, Any] = {"format": FORMAT, "fttui": __version__, **_read(root)}
        self.files: dict[str, dict[str, Any]] = dict(self.record.get("files") or {})

    def put(self, name: str, content: str | bytes) -> str:
        """Write a file; returns the name it got. Text is written without any key. Raises Problem."""
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise ValueError(f"{name!r} leads out of the export")
        raw = redact(content).encode("utf-8", "replace") if isinstance(content, str) else content
        digest = hashlib.sha256(raw).hexdigest()
        with _told(self.root):
            for place in names(name):
                path = self.root / place
                path.parent.mkdir(parents=True, exist_ok=True)
                now = _digest(path)
                if now is not None and now not in (digest, self._ours(place)):
                    continue  # changed by someone, or not ours: it stays
                if now != digest:
                    _write(path, raw, new=now is None)
                self.keep(place, digest, len(raw))
                return place
        raise AssertionError("unreachable")

    def keep(self, name: str, sha256: str, size: int) -> None:
        """Note a file that is there as ours."""
        self.files[name] = {"sha256": sha256, "bytes": size}

    def _ours(self, name: str) -> str:
        return str(self.files.get(name, {}).get("sha256", ""))

    def has(self, name: str) -> bool:
        """Whether a file of ours is there (its size as it was)."""
        known = self.files.get(name)
        path = self.root / name
        return known is not None and path.is_file() and path.stat().st_size == known["bytes"]

    def save(self, **facts: Any) -> None:
        """Write the record. Raises Problem."""
        self.record |= {**facts, "files": dict(sorted(self.files.items()))}
        text = redact(json.dumps(self.record, indent=1, ensure_ascii=False, default=str))
        with _told(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            _write(self.root / RECORD, text.encode("utf-8", "replace"), new=False)


def choose(wanted: Path) -> Path:
    """The folder to export to: the wanted one where it is new, empty or a former export; else the
    first free name beside it. Raises Problem where it is a file."""
    if wanted.is_file():
        raise Problem(
            f"{wanted} is a file.", "An export is a folder.", "Choose another name.", code="write"
        )
    for place in names(str(wanted)):
        path = Path(place)
        if not path.exists() or is_ours(path):
            return path
        if path.is_dir() and not any(path.iterdir()):
            return path
    raise AssertionError("unreachable")


def is_ours(path: Path) -> bool:
    """Whether this folder is an export of fttui."""
    return "jobs" in _read(path)


def _read(root: Path) -> dict[str, Any]:
    try:
        found = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    good = isinstance(found, dict) and found.get("format") == FORMAT
    return found if good else {}


def names(name: str) -> Iterator[str]:
    """`report.md`, `report-2.md`, `report-3.md` …"""
    stem, dot, suffix = name, "", ""
    if "." in Path(name).name[1:]:
        stem, dot, suffix = name.rpartition(".")
    yield name
    for number in range(2, 10_000):
        yield f"{stem}-{number}{dot}{suffix}"


def _digest(path: Path) -> str | None:
    """sha256 of a file, None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _write(path: Path, raw: bytes, *, new: bool) -> None:
    """Whole or not at all; a new file never takes the place of one that came meanwhile."""
    handle, draft = tempfile.mkstemp(prefix=".fttui-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        if new:
            with contextlib.suppress(OSError):  # a file system without links
                os.link(draft, path)
                return
        os.replace(draft, path)
        draft = ""
    finally:
        if draft:
            with contextlib.suppress(OSError):
                os.unlink(draft)


@contextlib.contextmanager
def _told(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem(
            "The export cannot be written.",
            f"{error.filename or root}: {error.strerror or error}",
            "Free some space or choose another folder; what is written stays, and it can go on.",
            code="write",
        ) from None


def table(head: Mapping[str, str], rows: list[list[str]]) -> list[str]:
    """A Markdown table. head: title → `l` or `r` for its side."""
    sides = {"l": "---", "r": "---:"}
    made = [f"| {' | '.join(head)} |", f"|{'|'.join(sides[side] for side in head.values())}|"]
    return made + [f"| {' | '.join(cell(text) for text in row)} |" for row in rows]


def cell(text: str) -> str:
    """A text on one line, harmless inside a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
