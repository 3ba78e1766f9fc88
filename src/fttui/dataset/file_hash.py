"""The sha256 of a file that is being checked, taken beside the check."""

from __future__ import annotations

import hashlib
import os
import threading

BLOCK = 1 << 20


class FileHash:
    """Reads a file up to `stop` in a thread of its own: most of it while the workers get ready."""

    def __init__(self, fd: int, stop: int) -> None:
        self._digest = hashlib.sha256()
        self._ended = self._whole = False
        self._thread = threading.Thread(target=self._read, args=(fd, stop), daemon=True)
        self._thread.start()

    def _read(self, fd: int, stop: int) -> None:
        at = 0
        while at < stop and not self._ended and (block := read_block(fd, at, stop - at)):
            self._digest.update(block)
            at += len(block)
        self._whole = at >= stop

    def result(self) -> str:
        """In hexadecimal digits, when all is read; empty where that failed."""
        self._thread.join()
        return self._digest.hexdigest() if self._whole else ""

    def end(self) -> None:
        """At once: the file is about to be closed."""
        self._ended = True
        self._thread.join()


def read_block(fd: int, at: int, most: int = BLOCK) -> bytes:
    """Up to a megabyte from `at` on; empty at the end, and where it cannot be read."""
    try:
        return os.pread(fd, min(BLOCK, most), at)
    except OSError:
        return b""
