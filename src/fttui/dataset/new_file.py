"""A file that is written whole or not at all, and never over another."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from fttui.dataset.checks import file as file_checks
from fttui.dataset.target import OPENAI
from fttui.problem import Problem

MARK = b"\xef\xbb\xbf"  # of UTF-8
HARMLESS = {"F005", "F006", "F007", "F010"}  # empty, large, its name, a mark (looked at by itself)


def _refuse_misleading_start(path: Path, written: Path) -> None:
    """A bad line that came first must not make the whole file read as something else: another encoding,
    an array, a PDF, a file with a mark."""
    opened = file_checks.open_file(os.fspath(written), OPENAI)
    if opened.fd >= 0:
        os.close(opened.fd)
    wrong = [f for f in opened.found if opened.fatal and f.code not in HARMLESS]
    if not wrong and not opened.head.startswith(MARK):
        return
    raise Problem(
        f"{path} is not written",
        f"for its first line it would read as something else: {wrong[0].message}"
        if wrong
        else "its first line begins with a byte order mark of its own, which would be taken off",
        "remove or repair that line first (fttui check names it)",
        code=wrong[0].code if wrong else "F010",
    )


def _unwritable(path: Path, failure: OSError, remedy: str) -> Problem:
    return Problem(f"{path} cannot be written", str(failure.strerror), remedy, code="write")


@contextlib.contextmanager
def new_file(path: Path, *, instead_of: Iterable[Path] = ()) -> Iterator[IO[bytes]]:
    """A file that takes its name only when everything is written. Problem when the name is taken."""
    taken = path.exists() or path.is_symlink()
    if taken or any(path.resolve() == other.resolve() for other in instead_of):
        raise Problem(
            f"{path} exists already",
            "nothing is overwritten",
            "choose another name with --output",
            code="exists",
        )
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OSError as failure:
        raise _unwritable(path, failure, "choose another folder") from failure
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        _refuse_misleading_start(path, Path(name))
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as failure:
        raise _unwritable(path, failure, "make room or choose another folder") from failure
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)
