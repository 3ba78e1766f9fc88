"""A regular expression may run without end: after some seconds it is stopped, where that is possible."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fttui.evaluate.records import GraderError

SECONDS = 2.0


@contextmanager
def limited(what: str, seconds: float = SECONDS) -> Iterator[None]:
    """GraderError where the block takes longer. Python's `re` looks for signals while it searches, and
    signals reach only the main thread: elsewhere, and where there is no such timer, nothing is limited.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or not hasattr(signal, "setitimer") or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise GraderError(f"{what} took longer than {seconds:g} s on this answer")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
