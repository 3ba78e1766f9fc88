"""Models that speak: one worker thread, one generation at a time, first come, first served.

The base weights are loaded when somebody asks and dropped after a while of silence; adapters are
small and some stay at hand, so that base and checkpoints can be compared without a wait.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.local.errors import ApiError
from fttui.problem import Problem

log = logging.getLogger("fttui.local")

DEFAULT_TOKENS = 1024  # where a request names no limit: a small model may never stop by itself
KEPT_ADAPTERS = 8
IDLE = 300.0  # seconds of silence before the weights are dropped


@dataclass(frozen=True)
class Ask:
    """One generation: what to load, what to say, how to choose."""

    base: Path
    adapter: Path | None
    messages: list[dict[str, Any]]
    max_tokens: int | None
    tools: list[Any]
    options: dict[str, Any]  # temperature, top_p, seed, stop, penalties: as `generate` names them


@dataclass(frozen=True)
class Begun:
    prompt_tokens: int


@dataclass(frozen=True)
class Said:
    text: str
    tokens: int


@dataclass(frozen=True)
class Ended:
    finish_reason: str


Part = Begun | Said | Ended
_Emit = Callable[[Part | Exception], None]


class Speaker:
    """Holds at most one base model in memory."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="speaker")
        self._path: Path | None = None
        self._model: Any = None
        self._adapters: OrderedDict[Path, Any] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._asked = 0

    async def speak(self, ask: Ask) -> AsyncIterator[Part]:
        """Begun, then Said…, then Ended. Closing the iterator stops the generation."""
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[Part | Exception] = asyncio.Queue()
        stop = threading.Event()

        def emit(part: Part | Exception) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server stops
                loop.call_soon_threadsafe(parts.put_nowait, part)

        self._asked += 1
        if self._timer:
            self._timer.cancel()
        self._thread.submit(self._work, ask, emit, stop)
        try:
            while True:
                part = await parts.get()
                if isinstance(part, Exception):
                    raise part
                yield part
                if isinstance(part, Ended):
                    return
        finally:
            stop.set()
            self._asked -= 1
            if not self._asked:
                self._timer = loop.call_later(IDLE, self._thread.submit, self._unload)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def forget(self, adapter: Path) -> None:
        """The adapter was deleted; its name may be used again."""
        self._thread.submit(self._adapters.pop, adapter, None)

    # -- in the worker thread

    def _work(self, ask: Ask, emit: _Emit, stop: threading.Event) -> None:
        if stop.is_set():
            return
        try:
            self._generate(ask, emit, stop)
        except Exception as error:  # told to the one who asked
            if not isinstance(error, ApiError | Problem):
                log.error("generation failed", exc_info=error)
            emit(error)

    def _generate(self, ask: Ask, emit: _Emit, stop: threading.Event) -> None:
        model = self._load(ask.base)
        prompt = model.count_tokens(ask.messages, ask.tools)
        room = model.context - prompt
        if room < 1:
            raise ApiError(
                400,
                f"This model's maximum context length is {model.context} tokens. However, your "
                f"messages resulted in {prompt} tokens. Please reduce the length of the messages.",
                code="context_length_exceeded",
                param="messages",
            )
        adapter = self._adapter(ask.adapter)
        emit(Begun(prompt))
        reason = "length"
        for piece in model.generate(
            ask.messages,
            adapter=adapter,
            max_tokens=min(ask.max_tokens or DEFAULT_TOKENS, room),
            tools=ask.tools,
            **ask.options,
        ):
            if stop.is_set():
                return
            emit(Said(piece.text, 0 if piece.token_id is None else 1))
            reason = piece.finish_reason or reason
        emit(Ended(reason))

    def _load(self, path: Path) -> Any:
        if self._path != path:
            self._unload()
            self._model = _engine().load_model(path)
            self._path = path
            log.info("model loaded: %s", path.name)
        return self._model

    def _adapter(self, path: Path | None) -> Any:
        if path is None:
            return None
        if path not in self._adapters:
            self._adapters[path] = self._model.load_adapter(path)
            if len(self._adapters) > KEPT_ADAPTERS:
                self._adapters.popitem(last=False)
        self._adapters.move_to_end(path)
        return self._adapters[path]

    def _unload(self) -> None:
        self._model, self._path = None, None
        self._adapters.clear()
        gc.collect()


def _engine() -> Any:
    """The engine; numpy is imported here and not before, with one thread for every two cores.

    Two busy threads on two busy cores wait for each other: up to ten times slower, measured. The
    variables are taken back, so that a trainer started later decides for itself.
    """
    count = str(max(1, (os.cpu_count() or 1) // 2))
    names = ("OPENBLAS", "OMP", "MKL", "VECLIB")
    ours = [n for name in names if (n := f"{name}_NUM_THREADS") not in os.environ]
    os.environ.update(dict.fromkeys(ours, count))
    try:
        from fttui.local import engine
    finally:
        for name in ours:
            del os.environ[name]
    return engine
