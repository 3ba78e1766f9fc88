"""The trainer's process: started, found again after a crash of the server, told to stop, killed.

The trainer inherits a locked file for as long as it lives. Whoever cannot take that lock knows a
trainer is at work, whatever happened to the server that started it; a process id alone could
belong to something else by then.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

NICENESS = 10  # training gives way to everything else on the machine
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


class Trainer:
    """The process that trains in one job's folder."""

    def __init__(self, job_dir: Path) -> None:
        self.dir = job_dir
        self._lock = job_dir / "trainer.lock"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a session of its own; BlockingIOError where one is at work already."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _cut_torn_line(self.dir / "events.jsonl")
            with (self.dir / "trainer.log").open("ab") as out:
                self._child = subprocess.Popen(
                    [sys.executable, "-P", "-m", "fttui.local.trainer", str(self.dir)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=[handle],
                    env=_environment(),
                )
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(self._child.pid).encode(), 0)
        finally:
            os.close(handle)
        with suppress(OSError):  # gone already
            os.setpriority(os.PRIO_PROCESS, self._child.pid, NICENESS)

    def alive(self) -> bool:
        """True while a trainer, started by this server or one before it, holds the lock."""
        if self._child is not None:
            self._child.poll()  # no zombies
        try:
            handle = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def tell(self, word: str) -> None:
        """`cancel` or `pause`: obeyed after the step in hand; empty: go on."""
        control = self.dir / "control"
        if not word:
            control.unlink(missing_ok=True)
            return
        fresh = control.with_suffix(".new")
        fresh.write_text(word)
        fresh.replace(control)

    def kill(self) -> None:
        """End it now; only ever the process that holds this job's lock."""
        if not self.alive():
            return
        with suppress(ValueError, OSError):
            os.killpg(int(self._lock.read_text()), signal.SIGKILL)

    def last_words(self, limit: int = 300) -> str:
        """The end of what it printed, for the reason of a failure."""
        try:
            text = (self.dir / "trainer.log").read_bytes()[-4000:].decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:limit] if lines else ""


def _environment() -> dict[str, str]:
    """The server's environment without anything that looks like a credential."""
    return {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in _SECRETS)
    }


def _cut_torn_line(path: Path) -> None:
    """A killed trainer may leave half a line; the next one would write on behind it."""
    with suppress(FileNotFoundError), path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 2**20))
        tail = file.read()
        keep = tail.rfind(b"\n") + 1
        file.truncate(end - len(tail) + keep)
