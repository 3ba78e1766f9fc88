"""One more example at the end of a file: all of it or nothing, and taken back if nothing followed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.dataset import formats
from fttui.dataset.syntax import dump
from fttui.problem import Problem

try:
    import fcntl
except ImportError:  # Windows: no lock; a single write is all there is
    fcntl = None  # type: ignore[assignment]

HEAD = 65_536  # bytes looked at to see what kind of file it is
MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # UTF-16, gzip, bzip2, xz
KINDS = {"chat": "conversations", "preference": "preference pairs"}


@dataclass(frozen=True, slots=True)
class Appended:
    """What was done, so that it can be taken back. line: 1-based, where the example is."""

    path: Path
    before: int  # bytes the file had, -1 where it was made
    written: bytes
    line: int


def example(
    messages: list[dict[str, Any]], answer: str, tools: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """A supervised example: the conversation and its answer."""
    made: dict[str, Any] = {"messages": [*messages, {"role": "assistant", "content": answer}]}
    return made | ({"tools": list(tools)} if tools else {})


def pair(
    messages: list[dict[str, Any]], chosen: str, rejected: str, tools: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """A preference example, in the shape the fine-tuning API takes."""
    asked: dict[str, Any] = {"messages": list(messages)}
    if tools:
        asked |= {"tools": list(tools), "parallel_tool_calls": True}
    return {
        "input": asked,
        "preferred_output": [{"role": "assistant", "content": chosen}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }


def append(path: Path, obj: Mapping[str, Any]) -> Appended:
    """Write `obj` as the last line of `path`, which is made if it is not there.

    Problem, and an untouched file, where its format is another one, where it is not plain JSONL, or
    where the write fails half way.
    """
    line = dump(obj)
    kind = formats.read(line).format
    existed = path.exists()
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o644)
    except OSError as failure:
        raise _cannot(path, failure) from failure
    with os.fdopen(handle, "r+b", buffering=0) as file:
        _lock(file.fileno())
        size = os.fstat(file.fileno()).st_size
        lead, newline, number = _ending(path, file, size, kind)
        data = lead + line + newline
        try:
            done = os.write(file.fileno(), data)
            if done != len(data):
                raise OSError(28, "the disk is full")
            os.fsync(file.fileno())
        except OSError as failure:
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), size)
            if not existed:
                path.unlink(missing_ok=True)
            raise _cannot(path, failure) from failure
    return Appended(path, size if existed else -1, data, number)


def take_back(done: Appended) -> None:
    """Remove what `append` wrote. Problem where the file was changed since: then nothing is done."""
    changed = Problem(
        "The addition is not taken back.",
        f"{done.path.name} was changed since",
        "remove the line in your editor (E in Data)",
        code="changed",
    )
    start = max(0, done.before)
    try:
        with open(done.path, "r+b") as file:
            _lock(file.fileno())
            file.seek(start)
            if file.read() != done.written:
                raise changed
            file.truncate(start)
        if done.before < 0:
            done.path.unlink()
    except FileNotFoundError:
        raise changed from None
    except OSError as failure:
        raise _cannot(done.path, failure) from failure


_BINARY = getattr(os, "O_BINARY", 0)


def _lock(handle: int) -> None:
    """Two windows that add at once take turns; a file system without locks goes without."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)


def _ending(path: Path, file: Any, size: int, kind: str) -> tuple[bytes, bytes, int]:
    """(what must come before a new line, what ends it, its number). Problem where the file cannot
    take `kind`."""
    if not size:
        return b"", b"\n", 1
    head = os.pread(file.fileno(), HEAD, 0) if hasattr(os, "pread") else _read(file, 0, HEAD)
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(MARKS) or not bare.startswith(b"{"):
        raise Problem(
            f"Nothing is added to {path.name}.",
            "it is not plain JSONL (one object a line, UTF-8)",
            "convert it first (fttui convert), or name another file",
            code="not_jsonl",
        )
    first = formats.read(bare.split(b"\n", 1)[0]).format
    if first in KINDS and kind in KINDS and first != kind:
        raise Problem(
            f"Nothing is added to {path.name}.",
            f"it holds {KINDS[first]}, and this is one of {KINDS[kind]}",
            "name another file: a job takes one kind",
            code="wrong_format",
        )
    lines = 0
    file.seek(0)
    last = b""
    while block := file.read(1 << 20):
        lines += block.count(b"\n")
        last = block[-1:]
    newline = b"\r\n" if b"\r\n" in head else b"\n"
    return (b"", newline, lines + 1) if last == b"\n" else (newline, newline, lines + 2)


def _read(file: Any, at: int, count: int) -> bytes:
    file.seek(at)
    return bytes(file.read(count))


def _cannot(path: Path, failure: OSError) -> Problem:
    return Problem(
        f"{path} cannot be written.",
        failure.strerror or str(failure),
        "the file is as it was; choose another place, or make room",
        code="write",
    )
