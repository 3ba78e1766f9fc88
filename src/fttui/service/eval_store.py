"""The answers of an evaluation on disk, one JSON line each, written as they come: what is there is not asked again."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from fttui import paths
from fttui.evaluate.records import Answer
from fttui.problem import Problem


def key(
    place: str,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    body: Mapping[str, Any],
    repeat: int = 0,
) -> str:
    """Names one question: who is asked (profile identity, model), what, with which settings.

    repeat: how often the same question came before in the file; each is asked for itself.
    """
    whole = json.dumps([place, model, list(messages), dict(body), repeat], sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Store:
    """Answers by key. Only one program writes to a file at a time: a second gets a Problem."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path
        self.answers: dict[str, Answer] = {}
        self._new = not path.exists()
        if path.exists() and not resume:
            raise Problem(
                f"{path} is there already.", "Nothing is overwritten.",
                "Name another file, or go on with it: --resume.", code="exists",
            )  # fmt: skip
        self._file = self._open()
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _open(self) -> IO[bytes]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise _unusable(self.path, exc.strerror or str(exc)) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise _unusable(self.path, "another evaluation is writing to it") from None
        return os.fdopen(fd, "a+b")

    def _load(self) -> None:
        """What an earlier run wrote. A last line that was cut off is left alone and ended."""
        self._file.seek(0)
        last = b"\n"
        for raw in self._file:
            last = raw
            try:
                row = json.loads(raw)
                self.answers[row["key"]] = Answer.from_dict(row["answer"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        if not last.endswith(b"\n"):
            self._end_line()

    def _end_line(self) -> None:
        self._file.write(b"\n")

    def put(self, name: str, answer: Answer, **facts: Any) -> None:
        """Keep an answer. Flushed: it survives the end of this program."""
        self.answers[name] = answer
        self.note(key=name, **facts, answer=answer.as_dict())
        try:
            self._file.flush()
        except OSError as exc:
            raise _unusable(self.path, exc.strerror or str(exc)) from None

    def note(self, **row: Any) -> None:
        """A line for whoever reads the file (grades); it goes to disk with the next answer."""
        line = json.dumps({"at": round(time.time(), 3), **row}, ensure_ascii=False, default=str)
        try:
            self._file.write(line.encode("utf-8", "surrogatepass") + b"\n")
        except OSError as exc:
            raise _unusable(self.path, exc.strerror or str(exc)) from None

    def close(self) -> None:
        """Close the file; one that no answer came to is not left behind."""
        if self._file.closed:
            return
        try:
            self._file.flush()
            empty = os.fstat(self._file.fileno()).st_size == 0
            if empty or (self._new and not self.answers):
                self.path.unlink(missing_ok=True)
        except OSError:
            pass  # a full disk was told of when an answer could not be kept
        finally:
            with contextlib.suppress(OSError):
                self._file.close()


class Kept(Store):
    """The answers of a file for looking at: nothing is written, and whoever writes to it goes on.

    A file that is not there holds none.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, resume=True)

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            return io.BytesIO()
        except OSError as exc:
            raise Problem(
                f"{self.path} cannot be read.", exc.strerror or str(exc), code="output"
            ) from None

    def _end_line(self) -> None:
        """A torn last line is left as it is."""

    def note(self, **row: Any) -> None:
        """Nothing is kept twice."""

    def close(self) -> None:
        self._file.close()


def _unusable(path: Path, why: str) -> Problem:
    return Problem(
        f"{path} cannot be written.", why, "Name another file with --output.", code="output"
    )


def folder() -> Path:
    return paths.state_dir() / "evaluations"


def path_for(data: Path, place: str, *, resume: bool) -> Path:
    """Where the answers to `data` from a profile go: a new file, or with `resume` the newest one."""
    tag = hashlib.sha256(f"{data.resolve()}|{place}".encode()).hexdigest()[:8]
    stem = re.sub(r"[^\w.-]", "_", data.stem)[:40]
    if resume:
        found = sorted(folder().glob(f"{glob_safe(stem)}-{tag}-*.jsonl"))
        if found:
            return found[-1]
    stamp = time.strftime("%Y%m%d-%H%M%S")
    made = folder() / f"{stem}-{tag}-{stamp}.jsonl"
    number = 2
    while made.exists():
        made = folder() / f"{stem}-{tag}-{stamp}-{number}.jsonl"
        number += 1
    return made


def glob_safe(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)
