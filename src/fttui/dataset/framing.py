"""Any readable file as a stream of lines, its framing put right on the way (F-codes)."""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import lzma
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from fttui.dataset.checks import file as file_checks
from fttui.dataset.syntax import dump, escaped
from fttui.dataset.target import OPENAI, Target
from fttui.problem import Problem
from fttui.text import size

UNPACKED = 2_000_000_000  # bytes a compressed file may grow to
WHOLE = 512_000_000  # a file that is one JSON value is read as a whole up to this size
BLOCK = 1 << 20
_OPEN = {"gzip data": gzip.open, "bzip2 data": bz2.open, "xz data": lzma.open}
_CODECS = {
    "UTF-16-LE": "utf-16-le",
    "UTF-16-BE": "utf-16-be",
    "UTF-32-LE": "utf-32-le",
    "UTF-32-BE": "utf-32-be",
}


def problem(path: Path, opened: file_checks.Opened) -> Problem:
    """The reason why a file cannot be rewritten."""
    found = opened.found[-1] if opened.found else file_checks.Found("F003", 0, "cannot be read")
    return Problem(
        f"{path} cannot be rewritten",
        found.message,
        f"fttui check --explain {found.code}",
        code=found.code,
    )


def lines(
    path: Path, fixed: Counter[str], *, also: frozenset[str] = frozenset(), target: Target = OPENAI
) -> Iterator[bytes]:
    """Physical lines of `path` as JSONL would have them; `fixed` counts what was put right.

    Problem when the file cannot be read, or is of a kind that only a conversion can help.
    """
    opened = file_checks.open_file(os.fspath(path), target)
    try:
        codes = {found.code: found.message for found in opened.found}
        if opened.fd < 0:
            raise problem(path, opened)
        for code in ("F010", "F007"):
            fixed[code] += code in codes
        if "F011" in codes:
            fixed["F011"] += 1
            yield from _split(_decoded(opened.fd, codes["F011"]), fixed)
        elif "F018" in codes and "F018" in also:
            fixed["F018"] += 1
            yield from _split(_unpacked(opened.fd, codes["F018"]), fixed)
        elif "F020" in codes or "F021" in codes:
            fixed["F020" if "F020" in codes else "F021"] += 1
            yield from _objects(path, opened)
        elif "F015" in codes:
            fixed["F015"] += 1
            yield from _split((block.replace(b"\r", b"\n") for block in _blocks(opened)), fixed)
        elif opened.fatal:
            raise problem(path, opened)
        else:
            if opened.nuls and "F013" in also:
                fixed["F013"] += 1
            yield from _split(_blocks(opened, nuls="F013" not in also), fixed)
    finally:
        if opened.fd >= 0:
            os.close(opened.fd)


def _blocks(opened: file_checks.Opened, nuls: bool = False) -> Iterator[bytes]:
    at, end = opened.start, opened.size if nuls else opened.end
    while at < end:
        block = os.pread(opened.fd, min(BLOCK, end - at), at)
        if not block:
            return
        at += len(block)
        yield block


def _split(blocks: Iterator[bytes], fixed: Counter[str]) -> Iterator[bytes]:
    """Lines without their ends; a missing end at the last one is counted, as are Windows ends."""
    rest: list[bytes] = []
    for block in blocks:
        parts = block.split(b"\n")
        rest.append(parts.pop(0))
        if not parts:
            continue
        yield _plain(b"".join(rest), fixed)
        rest = [parts.pop()]
        if b"\r" in block or not block.isascii():
            yield from (_plain(part, fixed) for part in parts)
        else:
            yield from parts  # nothing to be put right in any of them
    last = b"".join(rest)
    if last:
        fixed["F016"] += 1
        yield _plain(last, fixed)


def _plain(line: bytes, fixed: Counter[str]) -> bytes:
    if line.endswith(b"\r"):
        line = line.rstrip(b"\r")
        fixed["F014"] += 1
    plain = escaped(line)
    fixed["F024"] += plain != line
    return plain


def _decoded(fd: int, message: str) -> Iterator[bytes]:
    name = next((codec for word, codec in _CODECS.items() if word in message), "utf-16-le")
    decoder = codecs.getincrementaldecoder(name)("replace")
    at, first = 0, True
    while block := os.pread(fd, BLOCK, at):
        at += len(block)
        text = decoder.decode(block)
        yield (text.lstrip("\ufeff") if first else text).encode("utf-8", "replace")
        first = False
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _unpacked(fd: int, message: str) -> Iterator[bytes]:
    opener: Any = next((o for word, o in _OPEN.items() if word in message), None)
    if opener is None:
        raise Problem("the archive is not unpacked here", message, "unpack it first", code="F018")
    done = 0
    with os.fdopen(os.dup(fd), "rb") as packed:
        packed.seek(0)
        stream: IO[bytes]
        with opener(packed, "rb") as stream:
            try:
                while block := stream.read(BLOCK):
                    done += len(block)
                    if done > UNPACKED:
                        raise Problem(
                            "the file unpacks to too much",
                            f"over {size(UNPACKED)}",
                            "unpack it by hand and check the result",
                            code="F018",
                        )
                    yield block
            except (OSError, EOFError, lzma.LZMAError) as failure:
                raise Problem(
                    "the archive is damaged", str(failure), "fetch it again", code="F018"
                ) from failure


def _objects(path: Path, opened: file_checks.Opened) -> Iterator[bytes]:
    """The objects of a JSON array or of pretty-printed JSON, one a line."""
    length = opened.end - opened.start
    if length > WHOLE:
        raise Problem(
            f"{path} is too large to be taken apart",
            f"{size(length)} as one JSON value",
            "write it as JSONL where it is made",
            code="F020",
        )
    text = os.pread(opened.fd, length, opened.start).decode("utf-8", "replace").strip()
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as failure:
            line = text.count("\n", 0, getattr(failure, "pos", at)) + 1
            raise Problem(
                f"{path} cannot be taken apart",
                f"line {line}: {failure}",
                "repair the JSON there",
                code="J001",
            ) from failure
        for item in value if isinstance(value, list) else [value]:
            yield dump(item)
        at = end
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
