"""The file before its lines: can it be opened, what kind is it, how is it framed (F-codes)."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from dataclasses import dataclass, field

import orjson

from fttui.dataset.formats import recognise
from fttui.dataset.target import Target
from fttui.text import one_line, size

HEAD = 65_536
WHOLE = 64_000_000  # a framed-wrong file up to this size is parsed to count its objects
UPLOADS_LIMIT = 8_000_000_000
# Nothing can be read as examples: such a file is unusable, not only faulty.
UNUSABLE = frozenset({"F001", "F002", "F003", "F004", "F005", "F011", "F018", "F019"})
MAGIC = (
    (b"\x1f\x8b", "F018", "gzip data"),
    (b"BZh", "F018", "bzip2 data"),
    (b"\xfd7zXZ\x00", "F018", "xz data"),
    (b"\x28\xb5\x2f\xfd", "F018", "zstd data"),
    (b"PK\x03\x04", "F018", "a zip archive"),
    (b"PAR1", "F019", "Apache Parquet"),
    (b"SQLite format 3\x00", "F019", "an SQLite database"),
    (b"ARROW1", "F019", "an Arrow file"),
    (b"version https://git-lfs.github.com/spec/", "F019", "a git-lfs pointer (run git lfs pull)"),
    (b"%PDF-", "F019", "a PDF"),
)
COLUMNS = frozenset(
    [
        "prompt",
        "completion",
        "question",
        "answer",
        "instruction",
        "input",
        "output",
        "response",
        "text",
        "label",
        "context",
        "category",
        "messages",
        "system",
        "user",
        "assistant",
        "query",
        "reply",
        "title",
        "content",
        "source",
        "target",
    ]
)


@dataclass(slots=True)
class Found:
    """A file-level finding: code, line, message, severity ("" the usual), count."""

    code: str
    line: int
    message: str
    severity: str = ""
    count: int = 1


@dataclass(slots=True)
class Opened:
    """A file ready to be read: descriptor (-1: not), where text begins and ends, what was seen."""

    fd: int = -1
    size: int = 0
    stamp: tuple[int, int, int] = (0, 0, 0)
    start: int = 0
    end: int = 0
    found: list[Found] = field(default_factory=list)
    fatal: bool = False  # the lines need not be looked at
    head: bytes = b""
    nuls: int = 0


def open_file(path: str, target: Target) -> Opened:
    """Open and look at the beginning and the end; never raises for what is wrong with the file."""
    opened = Opened()
    try:
        _open(path, opened)
        if opened.fd >= 0:
            _look(path, opened, target)
    except OSError as failure:
        opened.found.append(_os_error(failure))
        opened.fatal = True
    return opened


def _open(path: str, opened: Opened) -> None:
    info = os.stat(path)
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFSOCK: "a socket",
    }
    kind = kinds.get(stat.S_IFMT(info.st_mode))
    if kind:
        opened.found.append(Found("F002", 0, f"is {kind}, not a file"))
        opened.fatal = True
        return
    opened.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    info = os.fstat(opened.fd)
    opened.size = opened.end = info.st_size
    opened.stamp = (info.st_size, info.st_mtime_ns, info.st_ino)
    opened.head = os.pread(opened.fd, HEAD, 0)


def _os_error(failure: OSError) -> Found:
    if failure.errno in (errno.ENOENT, errno.ENOTDIR):
        return Found("F001", 0, "no such file")
    if failure.errno == errno.ELOOP:
        return Found("F004", 0, "symbolic link loop")
    return Found("F003", 0, f"cannot be read: {failure.strerror}")


def _look(path: str, opened: Opened, target: Target) -> None:
    add = opened.found.append
    if not path.lower().endswith(".jsonl"):
        add(Found("F007", 0, f"{target.title} expects a name that ends in .jsonl"))
    if opened.size > target.upload_limit and not target.local:
        severity = "error" if opened.size > UPLOADS_LIMIT else "warning"
        sent = "nor do parts take it" if severity == "error" else "it will be sent in parts"
        add(
            Found(
                "F006",
                0,
                f"{size(opened.size)} is over the {size(target.upload_limit)} of a single upload; {sent}",
                severity,
            )
        )
    head = opened.head
    wrong = _encoding(head) or _magic(head)
    if wrong:
        add(wrong)
        opened.fatal = True
        if wrong.message.endswith("web page)"):
            add(Found("J001", 1, "column 1: unexpected character"))
        return
    if head.startswith(b"\xef\xbb\xbf"):
        opened.start = 3
        head = head[3:]
        if not target.wants_bom:
            add(Found("F010", 1, "starts with a byte order mark"))
    _cut_nuls(opened)
    if opened.end <= opened.start or (
        opened.end <= HEAD and not head[: opened.end].strip(b" \t\r\n\0")
    ):
        add(Found("F005", 0, "file has no examples"))
        opened.fatal = True
        return
    framed = _framing(head[: max(0, opened.end - opened.start)], opened)
    if framed:
        add(framed)
        opened.fatal = True


def _encoding(head: bytes) -> Found | None:
    for mark, name in (
        (b"\xff\xfe\0\0", "UTF-32-LE"),  # before UTF-16-LE, whose mark it begins with
        (b"\0\0\xfe\xff", "UTF-32-BE"),
        (b"\xff\xfe", "UTF-16-LE"),
        (b"\xfe\xff", "UTF-16-BE"),
    ):
        if head.startswith(mark):
            return Found("F011", 0, f"file is {name}, must be UTF-8")
    return None


def _utf16(head: bytes) -> str:
    """The name of an encoding with NULs in between, "" when it is not that."""
    part = head[:4096]
    if len(part) < 8 or not part.count(0) * 3 > len(part):
        return ""
    even, odd = part[::2].count(0), part[1::2].count(0)
    if odd * 4 > len(part) and even * 10 < len(part):
        return "UTF-16-LE"
    if even * 4 > len(part) and odd * 10 < len(part):
        return "UTF-16-BE"
    return ""


def _magic(head: bytes) -> Found | None:
    for magic, code, name in MAGIC:
        if head.startswith(magic):
            if name == "a zip archive" and b"xl/" in head:
                code, name = "F019", "an Excel workbook"
            return Found(code, 1 if code == "F019" else 0, f"file is {name}, not JSONL")
    low = head[:200].lstrip().lower()
    if low.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return Found("F019", 1, "file is HTML, not JSONL (a saved web page)")
    name = _utf16(head)
    return Found("F011", 0, f"file is {name}, must be UTF-8") if name else None


def _cut_nuls(opened: Opened) -> None:
    """Leave a block of NULs at the end out, as a crash during writing makes it."""
    end = max(opened.start, _last_hole(opened.fd, opened.end))
    while end > opened.start:
        length = min(1 << 20, end - opened.start)
        block = os.pread(opened.fd, length, end - length)
        kept = len(block.rstrip(b"\0"))
        end = end - length + kept
        if kept or not block:
            break
    opened.nuls = opened.end - end
    opened.end = end


def _last_hole(fd: int, size: int) -> int:
    """Where a hole that reaches to the end begins (a sparse file reads as NULs there), else `size`."""
    at = 0
    try:
        for _ in range(10_000):
            hole = os.lseek(fd, at, os.SEEK_HOLE)
            if hole >= size:
                return size
            try:
                at = os.lseek(fd, hole, os.SEEK_DATA)
            except OSError:  # no data after the hole
                return hole
    except (OSError, AttributeError):
        pass  # the file system does not tell
    return size


def _framing(head: bytes, opened: Opened) -> Found | None:
    """Whether the text is cut into lines in some other way than JSONL."""
    text = head.lstrip()
    first = text.split(b"\n", 1)[0].strip()
    alone = b"\n" not in text.strip()
    if b"\n" not in head and head.count(b"\r") and re.search(rb"[}\]]\s*\r\s*[{\[]", head):
        return Found("F015", 1, "old Mac line ends (carriage returns only)")
    if text[:1] == b"[":
        found = _array(text, first, alone, opened)
        if found:
            return found
    if first[:1] == b"{" and not _parses(first):
        found = _pretty(text, opened)
        if found:
            return found
    return _table(first)


def _parses(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except ValueError:
        return False
    return True


def _array(text: bytes, first: bytes, alone: bool, opened: Opened) -> Found | None:
    inside = text[1:].lstrip()[:1]
    if inside not in (b"{", b"]") or (_parses(first) and not alone):
        return None
    count = "many"
    if opened.size <= WHOLE:
        try:
            value = orjson.loads(os.pread(opened.fd, opened.end - opened.start, opened.start))
        except ValueError:
            return (
                None
                if alone and len(text) < HEAD
                else Found(
                    "F020", 1, "a JSON array over many lines; JSONL wants one object per line"
                )
            )
        count = f"{len(value):,}" if isinstance(value, list) else "some"
    return Found("F020", 1, f"a JSON array of {count} objects; JSONL wants one object per line")


def _pretty(text: bytes, opened: Opened) -> Found | None:
    if opened.end - opened.start > WHOLE:
        return Found("F021", 1, "objects spread over several lines") if _opens(text) else None
    whole = (
        os.pread(opened.fd, opened.end - opened.start, opened.start)
        .decode("utf-8", "replace")
        .strip()
    )
    decoder = json.JSONDecoder(parse_int=lambda digits: digits)
    at = objects = 0
    try:
        while at < len(whole):
            value, end = decoder.raw_decode(whole, at)
            if objects == 0 and "\n" not in whole[at:end]:
                return None
            objects += isinstance(value, dict)
            at = end
            while at < len(whole) and whole[at] in " \t\r\n,":
                at += 1
    except (ValueError, RecursionError):
        if objects == 0 and not _opens(text):
            return None
    lines = whole.count("\n") + 1
    return Found("F021", 1, f"{objects:,} objects spread over {lines:,} lines")


def _opens(text: bytes) -> bool:
    """Whether the first line only opens an object that goes on below."""
    first, _, rest = text.partition(b"\n")
    return first.strip() == b"{" and rest.lstrip()[:1] == b'"'


def _table(first: bytes) -> Found | None:
    if first[:1] in (b"{", b"["):
        return None
    line = first.decode("utf-8", "replace")
    for separator, name in ((",", "CSV"), ("\t", "TSV"), (";", "CSV")):
        columns = [cell.strip().strip('"').lower() for cell in line.split(separator)]
        if len(columns) > 1 and sum(cell in COLUMNS for cell in columns) >= 2:
            return Found(
                "F022", 1, f"looks like {name} with columns {one_line(', '.join(columns), 60)}"
            )
    return None


def hint(head: bytes) -> str:
    """The format of the first lines, for lines that could be two: "chat" or "reinforcement".

    Reinforcement when more than half of the conversations end with the user or a tool.
    """
    asked = answered = 0
    for raw in head.split(b"\n")[:200]:
        try:
            obj = orjson.loads(raw)
        except ValueError:
            continue
        if recognise(obj)[0] not in ("chat", "reinforcement"):
            continue
        messages = obj["messages"]
        last = messages[-1] if type(messages) is list and messages else None
        if type(last) is dict and last.get("role") in ("user", "tool"):
            asked += 1
        else:
            answered += 1
    return "reinforcement" if asked > answered else "chat"
