"""Scan results kept by content: the same bytes, target and version are not scanned twice."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from array import array
from pathlib import Path
from typing import Any

from fttui import __version__, paths
from fttui.dataset.report import Finding, Report, Rows, Stats, TokenStats
from fttui.dataset.target import Target

FORMAT = 2
HASH_UP_TO = 64_000_000  # bytes; a larger file must have the same size, time and inode to be known
MAX_ROWS = 2_000_000
KEEP = 40  # results kept, the oldest go


def _folder() -> Path:
    return paths.cache_dir() / "scans"


def _key(sha256: str, target: Target, muted: frozenset[str]) -> str:
    parts = (FORMAT, __version__, sha256, dataclasses.astuple(target), sorted(muted))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _stamp(path: str | os.PathLike[str]) -> str:
    info = os.stat(path)
    parts = (os.path.realpath(path), info.st_size, info.st_mtime_ns, info.st_ino)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def load(path: str | os.PathLike[str], target: Target, muted: frozenset[str]) -> Report | None:
    """The report of an earlier scan of the same content, None where there is none."""
    try:
        if not os.path.isfile(path):
            return None
        stamp = _folder() / f"{_stamp(path)}.sum"
        if stamp.is_file():
            sha256 = stamp.read_text()
        elif os.path.getsize(path) <= HASH_UP_TO:
            with open(path, "rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            return None
        data = (_folder() / f"{_key(sha256, target, muted)}.scan").read_bytes()
        report = _unpack(data, os.fsencode(path).decode("utf-8", "replace"))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a damaged or foreign file in the cache is no reason to fail
    named = {finding.code for finding in report.findings}
    return None if "F007" in named or not str(path).lower().endswith(".jsonl") else report


def save(
    path: str | os.PathLike[str], target: Target, muted: frozenset[str], report: Report
) -> None:
    """Keep a report; failing to is no failure."""
    if not report.sha256 or len(report.rows) > MAX_ROWS or "F028" in report.counts:
        return
    with contextlib.suppress(OSError):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{_key(report.sha256, target, muted)}.scan", _pack(report))
        _write(folder / f"{_stamp(path)}.sum", report.sha256.encode())
        _forget(folder)


def _write(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(name, path)


def _forget(folder: Path) -> None:
    for pattern in ("*.scan", "*.sum"):
        known = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in known[KEEP:]:
            old.unlink(missing_ok=True)


_COLUMNS = ("line", "tokens", "trained", "messages")


def _pack(report: Report) -> bytes:
    head: dict[str, Any] = {
        name: getattr(report, name)
        for name in (
            "format",
            "examples",
            "lines",
            "bytes",
            "sha256",
            "verdict",
            "summary",
            "counts",
            "severities",
        )
    }
    head["findings"] = [dataclasses.astuple(finding) for finding in report.findings]
    head["stats"] = dataclasses.asdict(report.stats)
    tokens = report.tokens
    head["tokens"] = [
        tokens.total,
        tokens.trained,
        tokens.images,
        tokens.images_unknown,
        tokens.encoding,
        tokens.estimated,
    ]
    head["rows"] = len(report.rows)
    text = json.dumps(head).encode()
    rows = report.rows
    body = b"".join(getattr(rows, name).tobytes() for name in _COLUMNS) + bytes(rows.severity)
    return len(text).to_bytes(8, "little") + text + body


def _unpack(data: bytes, name: str) -> Report:
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + size])
    count, at = head.pop("rows"), 8 + size
    rows = Rows()
    for column in _COLUMNS:
        values: array[int] = getattr(rows, column)
        length = count * values.itemsize
        values.frombytes(data[at : at + length])
        at += length
    rows.severity = bytearray(data[at : at + count])
    total, trained, images, unknown, encoding, estimated = head.pop("tokens")
    each = (rows.tokens, rows.trained)
    tokens = TokenStats(total, trained, images, unknown, *each, encoding, estimated)
    stats = Stats(**head.pop("stats"))
    stats.prompt = {int(k): v for k, v in stats.prompt.items()}
    stats.answer = {int(k): v for k, v in stats.answer.items()}
    for field in ("systems", "labels", "largest", "tools"):
        setattr(stats, field, [tuple(item) for item in getattr(stats, field)])
    findings = [Finding(*item) for item in head.pop("findings")]
    report = Report(name, **head, findings=findings, tokens=tokens, rows=rows, stats=stats)
    report.cached = True
    if len(rows.line) != count or len(rows.severity) != count:
        raise ValueError("the kept scan is damaged")
    return report
