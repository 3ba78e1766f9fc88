"""Worker processes that scan stretches of a file; results come back in order, cancel is at once.

A worker is a fresh interpreter (never a fork: the caller may be a terminal program with threads, and its
main module must not be run again), connected by a socket pair.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
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


def work(handle: int) -> None:
    """Body of a worker process: a file's path and setup, then tasks in, results out."""
    pipe = Connection(handle)
    with contextlib.suppress(EOFError, OSError):
        path, setup = pipe.recv()
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        scanner = Scanner(*setup)
        pipe.send(READY)
        # Everything here is freed when its last user lets go; looking for cycles among the millions of
        # objects of parsed lines is a fifth of the work.
        gc.collect()
        gc.freeze()
        gc.disable()
        for done in itertools.count(1):
            pipe.send(scanner.scan(fd, pipe.recv()))
            if done % COLLECT_EVERY == 0:
                gc.collect()


class _Worker:
    def __init__(self, path: str, setup: Setup) -> None:
        here, there = socket.socketpair()
        code = f"from fttui.dataset.pool import work; work({there.fileno()})"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            # A session of its own: ctrl-c is the parent's to handle. stderr: tiktoken's panics print there.
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(there.fileno(),),
                env=environment,
                start_new_session=True,
            )
        except OSError as failure:
            here.close()
            raise NoWorkers from failure
        finally:
            there.close()
        self.pipe = Connection(here.detach())
        with contextlib.suppress(OSError):
            self.pipe.send((path, setup))
        self.ready = False

    def receive(self) -> Result | None:
        """The next result, None for the word that it is ready."""
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError) as failure:
            raise (WorkerDied if self.ready else NoWorkers) from failure
        self.ready = True
        return None if answer == READY else answer

    def end(self) -> None:
        self.process.kill()
        self.pipe.close()


def run(
    path: str, tasks: list[Task], setup: Setup, workers: int, cancelled: Callable[[], bool]
) -> Iterator[Result]:
    """Results of `tasks` in their order. Ends the workers when the caller stops or cancels."""
    waiting = deque(enumerate(tasks))
    crew: dict[Connection, _Worker] = {}
    doing: dict[Connection, int] = {}
    done: dict[int, Result] = {}
    taken = 0
    try:
        for _ in range(min(workers, len(tasks))):
            worker = _Worker(path, setup)
            crew[worker.pipe] = worker
            doing[worker.pipe] = -1  # busy getting ready
        while taken < len(tasks):
            if cancelled():
                return
            for pipe in wait(list(doing), TICK):
                result = crew[pipe].receive()  # type: ignore[index]
                number = doing.pop(pipe)  # type: ignore[call-overload]
                if result is not None:
                    done[number] = result
            while taken in done:
                yield done.pop(taken)
                taken += 1
            for pipe in crew.keys() - doing.keys():
                if waiting and waiting[0][0] - taken < len(crew) + AHEAD:
                    doing[pipe], task = waiting.popleft()
                    with contextlib.suppress(OSError):  # receive() will say that it died
                        pipe.send(task)
    finally:
        for worker in crew.values():
            worker.end()
        for worker in crew.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(1)
