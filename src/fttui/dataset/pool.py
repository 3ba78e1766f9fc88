"""Worker processes that scan stretches of a file; results come back in order, cancel is at once.

The first worker is a fresh interpreter (never a fork of the caller, which may be a terminal program with
threads, and whose main module must not be run again). It loads the vocabulary and then forks the others,
which share it: half a second and 80 MB saved for each. Every worker has a socket pair of its own.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait

from fttui.dataset.block import Result, Scanner, Task
from fttui.dataset.target import Target

TICK = 0.05  # seconds between two looks at `cancelled`
AHEAD = 4  # results waiting for an earlier one before a worker has to pause
READY = "ready"
COLLECT_EVERY = 50  # stretches
Setup = tuple[Target, str, frozenset[str]]


class WorkerDied(Exception):
    """A worker was killed (out of memory?) while it read a stretch."""


class NoWorkers(Exception):
    """Worker processes cannot be started here."""


def work(*handles: int) -> None:
    """Body of the first worker: a file's path and setup come through its own pipe, the first handle; the
    other handles are those of the workers it forks."""
    pipes = [Connection(handle) for handle in handles]
    with contextlib.suppress(EOFError, OSError):
        path, setup = pipes[0].recv()
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        scanner = Scanner(*setup)
        import numpy  # noqa: F401 - once for all of them

        # Everything here is freed when its last user lets go; looking for cycles among the millions of
        # objects of parsed lines is a fifth of the work.
        gc.collect()
        gc.freeze()
        gc.disable()
        for own in pipes[1:]:
            if os.fork() == 0:
                _serve(own, pipes, fd, scanner)
                os._exit(0)
        _serve(pipes[0], pipes, fd, scanner)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    os._exit(0)  # nothing is left to tidy up, and taking a vocabulary apart takes its time


def _serve(own: Connection, pipes: list[Connection], fd: int, scanner: Scanner) -> None:
    """Tasks in, results out, until the other end is closed."""
    for other in pipes:
        if other is not own:
            other.close()
    with contextlib.suppress(EOFError, OSError):
        own.send(READY)
        for done in itertools.count(1):
            own.send(scanner.scan(fd, own.recv()))
            if done % COLLECT_EVERY == 0:
                gc.collect()
    own.close()


class _Crew:
    """The workers of one scan and the pipes to them."""

    def __init__(self, path: str, setup: Setup, workers: int) -> None:
        pairs = [socket.socketpair() for _ in range(workers)]
        theirs = [there.fileno() for _, there in pairs]
        code = f"from fttui.dataset.pool import work; work{(*theirs,)}"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            # NumPy's threads: nothing here needs them, and a process that has any is not safe to fork.
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1"),
        }
        try:
            # A session of its own: ctrl-c is the parent's to handle. stderr: tiktoken's panics print there.
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=theirs,
                env=environment,
                start_new_session=True,
            )
        except OSError as failure:
            for here, _ in pairs:
                here.close()
            raise NoWorkers from failure
        finally:
            for _, there in pairs:
                there.close()
        self.pipes = [Connection(here.detach()) for here, _ in pairs]
        self.ready: set[Connection] = set()
        with contextlib.suppress(OSError):
            self.pipes[0].send((path, setup))

    def receive(self, pipe: Connection) -> Result | None:
        """The next result of a worker, None for the word that it is ready."""
        try:
            answer = pipe.recv()
        except (EOFError, OSError) as failure:
            raise (WorkerDied if pipe in self.ready else NoWorkers) from failure
        self.ready.add(pipe)
        return None if answer == READY else answer

    def end(self, at_once: bool) -> None:
        """Workers with nothing to do end when their pipe is closed; at_once: the others too."""
        for pipe in self.pipes:
            pipe.close()
        if at_once:
            self._kill()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self._kill()
            self.process.wait()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):  # all of its session, which are the workers
            os.killpg(self.process.pid, signal.SIGKILL)


def run(
    path: str, tasks: list[Task], setup: Setup, workers: int, cancelled: Callable[[], bool]
) -> Iterator[Result]:
    """Results of `tasks` in their order. Ends the workers when the caller stops or cancels."""
    waiting = deque(enumerate(tasks))
    done: dict[int, Result] = {}
    taken = 0
    crew = _Crew(path, setup, min(workers, len(tasks)))
    import numpy  # noqa: F401 - results are compared with it; loaded while the workers get ready

    doing = dict.fromkeys(crew.pipes, -1)  # busy getting ready
    try:
        while taken < len(tasks):
            if cancelled():
                return
            for pipe in wait(list(doing), TICK):
                assert isinstance(pipe, Connection)
                result = crew.receive(pipe)
                number = doing.pop(pipe)
                if result is not None:
                    done[number] = result
            ready = []
            while taken in done:
                ready.append(done.pop(taken))
                taken += 1
            for pipe in crew.pipes:
                if pipe in doing:
                    continue
                if waiting and waiting[0][0] - taken < len(crew.pipes) + AHEAD:
                    doing[pipe], task = waiting.popleft()
                    with contextlib.suppress(OSError):  # receive() will say that it died
                        pipe.send(task)
            yield from ready  # last: the workers do not wait for what the caller does with them
    finally:
        crew.end(at_once=taken < len(tasks))
