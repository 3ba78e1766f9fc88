"""Lines of a file of any size by number: offsets built bit by bit, any line read at once."""

from __future__ import annotations

import os
import re
import stat
import threading
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

BLOCK = 1 << 20


class LineIndex:
    """Byte offsets of the physical lines of a file (cut at `\\n` only), 8 bytes a line.

    `open` reads nothing; `extend` goes on from where it stopped, so that the first rows are there at
    once whatever the size. A file that shrinks or is replaced is found out by `changed()`.
    """

    _fd = -1  # until it is open

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        info = os.fstat(self._fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(self._fd)
            self._fd = -1
            raise OSError(22, "not a regular file", str(self.path))
        self._stamp = (info.st_size, info.st_mtime_ns, info.st_ino)
        self.size: int = info.st_size
        self.complete = self.size == 0
        self._starts = array("Q") if self.complete else array("Q", (0,))
        self._scanned = 0
        self._lock = threading.Lock()  # two threads may ask for more at once

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> LineIndex:
        """OSError when it cannot be opened or is no regular file."""
        return cls(path)

    def extend(self, max_bytes: int = 8 * BLOCK) -> bool:
        """Index up to `max_bytes` more; True when the whole file is indexed."""
        with self._lock:
            end = min(self.size, self._scanned + max_bytes)
            while self._scanned < end:
                block = os.pread(self._fd, min(BLOCK, end - self._scanned), self._scanned)
                if not block:  # the file became shorter
                    self.size = self._scanned
                    break
                base = self._scanned + 1
                self._starts.extend([base + found.start() for found in _NEWLINE.finditer(block)])
                self._scanned += len(block)
            if self._scanned >= self.size and not self.complete:
                self.complete = True
                if self._starts and self._starts[-1] >= self.size:
                    self._starts.pop()  # nothing after the last newline
        return self.complete

    def __len__(self) -> int:
        """Lines known so far. While incomplete the last one may still grow."""
        return len(self._starts)

    def offset(self, i: int) -> int:
        """Byte offset of line `i` (0-based)."""
        return self._starts[i]

    def span(self, i: int) -> tuple[int, int]:
        """First byte and the byte after the last of line `i`, its newline not counted."""
        start = self._starts[i]
        if i + 1 < len(self._starts):
            return start, self._starts[i + 1] - 1
        return start, self.size

    def length(self, i: int) -> int:
        start, end = self.span(i)
        return end - start

    def line(self, i: int, limit: int | None = None) -> bytes:
        """Line `i` without its newline; at most `limit` bytes of it."""
        start, end = self.span(i)
        size = end - start if limit is None else min(end - start, limit)
        data = os.pread(self._fd, size, start)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), start + len(data))
            if not more:
                break
            data += more
        if i + 1 >= len(self._starts):  # the last known line may run into unindexed ground
            data = data.split(b"\n", 1)[0]
        return data

    def find(self, offset: int) -> int:
        """The line that holds byte `offset` (of those known so far)."""
        low, high = 0, len(self._starts)
        while high - low > 1:
            middle = (low + high) // 2
            if self._starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low

    def changed(self) -> bool:
        """Whether the file on disk is no longer the one that was opened."""
        try:
            info = os.stat(self.path)
        except OSError:
            return True
        return (info.st_size, info.st_mtime_ns, info.st_ino) != self._stamp

    def same_as(self, other: LineIndex) -> bool:
        """Whether both are of one file, and it did not change in between."""
        return self.path == other.path and self._stamp == other._stamp

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> LineIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


_NEWLINE = re.compile(b"\n")


def search(
    index: LineIndex,
    text: str,
    *,
    case: bool = False,
    start: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[int]:
    """Numbers (0-based) of the lines that hold `text`, in order, as they are found.

    Looks at the raw bytes, both as typed and as JSON writes it with `\\u` escapes; reads the file in
    blocks, so a million lines take about as long as reading them. `cancelled` is asked every block.
    The index is extended as far as the search gets.
    """
    if not text:
        return
    pattern = _pattern(text, case)
    line, count = start, 0
    while True:
        if cancelled is not None and cancelled():
            return
        if count >= len(index):
            if index.complete:
                return
            index.extend()
        first = line
        size = 0
        while line < len(index) - (not index.complete) and size < BLOCK:
            size += index.length(line)
            line += 1
        count = line
        if line == first:
            if index.complete:
                return
            index.extend()
            continue
        base = index.offset(first)
        block = os.pread(index._fd, index.span(line - 1)[1] - base, base)
        position = 0
        while found := pattern.search(block, position):
            hit = index.find(base + found.start())
            if first <= hit < line:
                yield hit
            position = index.span(hit)[1] - base + 1
            if position > len(block):
                break


def _pattern(text: str, case: bool) -> re.Pattern[bytes]:
    import json

    data = text.encode("utf-8", "surrogatepass")
    forms = {data, json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")[1:-1]}
    forms.add(json.dumps(text)[1:-1].encode())
    if not case and not text.isascii():
        for variant in (text.lower(), text.upper()):
            forms.add(variant.encode("utf-8", "surrogatepass"))
            forms.add(json.dumps(variant)[1:-1].encode())
    body = b"|".join(re.escape(form) for form in sorted(forms))
    return re.compile(body, 0 if case else re.IGNORECASE)
