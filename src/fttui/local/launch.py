"""The local server from a program's side: is it there, start it, end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fttui.local import instance
from fttui.local.instance import Endpoint, running
from fttui.problem import Problem

__all__ = ["Endpoint", "ensure", "running", "stop"]

IDLE_EXIT = 1800.0  # seconds without work or questions before a server started here ends
_PACE = 0.05  # seconds between looks at a starting server


def ensure(
    data_dir: Path | None = None,
    *,
    idle_exit: float = IDLE_EXIT,
    aliases: Mapping[str, str] | None = None,
    models: Mapping[str, Path] | None = None,
    deadline: float = 60.0,
) -> Endpoint:
    """The running server of a data directory, started detached where there is none. Blocks.

    Any number of callers may race: one server is started, all get it. Problem where it does not
    answer within `deadline` seconds.
    """
    found = running(data_dir)
    if found:
        return found
    root = instance.folder(data_dir)
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = instance.Lock(root / "launch.lock")
    except OSError as error:
        raise Problem(
            f"The data directory {root} cannot be used.",
            error.strerror or str(error),
            "Check its permissions and the free space.",
            code="data_dir_unusable",
        ) from error
    try:
        lock.take(wait=True)
        found = running(root)
        if found:
            return found
        command = [sys.executable, "-P", "-m", "fttui", "serve", "--data", str(root)]
        command += ["--idle-exit", str(idle_exit)]
        for name, target in (aliases or {}).items():
            command += ["--alias", f"{name}={target}"]
        for name, path in (models or {}).items():
            command += ["--model", f"{name}={Path(path).expanduser().absolute()}"]
        return _start(command, root, deadline)
    finally:
        lock.release()


def _start(command: list[str], root: Path, deadline: float) -> Endpoint:
    output = root / "launch.log"
    with output.open("wb") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=root,
        )
    limit = time.monotonic() + deadline
    while time.monotonic() < limit:
        ended = child.poll() is not None  # asked first: another server may answer instead
        found = running(root)
        if found:
            return replace(found, started=found.pid == child.pid)
        if ended:
            raise _failed(output, f"It ended at once with status {child.returncode}.")
        time.sleep(_PACE)
    child.terminate()
    raise _failed(output, f"It did not answer within {deadline:.0f} s.")


def _failed(output: Path, why: str) -> Problem:
    with suppress(OSError):
        lines = output.read_text("utf-8", "replace").strip().splitlines()
        if lines:
            why += " It said: " + " ".join(line.strip() for line in lines[-4:])[:600]
    return Problem(
        "The local server did not start.",
        why,
        "Run `fttui serve` to see the whole message, or `fttui doctor`.",
        code="server_not_started",
        detail={"log": str(output)},
    )


def stop(data_dir: Path | None = None, *, timeout: float = 40.0) -> bool:
    """Ask the running server to end and wait for it; False where none ran. Blocks.

    A training in hand saves a checkpoint, and goes on when a server is started again.
    """
    root = instance.folder(data_dir)
    found = running(root)
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    limit = time.monotonic() + timeout
    while time.monotonic() < limit:
        lock = instance.Lock(root / "server.lock")
        free = lock.take()
        lock.release()
        if free:
            return True
        time.sleep(_PACE)
    raise Problem(
        "The local server did not stop.",
        f"Process {found.pid} still runs after {timeout:.0f} s.",
        f"End it with `kill {found.pid}`.",
        code="server_not_stopped",
    )
