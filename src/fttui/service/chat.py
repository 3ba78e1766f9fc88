"""One answer from a model, as it arrives; however the stream ends, what was said is kept and the end is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fttui.service import errors
from fttui.service.chat_faults import OnWait, Patience, explained
from fttui.service.chat_request import adapted
from fttui.service.chat_result import ChatResult
from fttui.service.provider import Provider
from fttui.service.types import ChatChunk, ChatSettings

__all__ = ["ChatResult", "ChatStream", "answer", "stream"]

Message = Mapping[str, Any]


class ChatStream:
    """Iterate over it for the chunks; `result` is filled as they arrive and stays after any end.

    Raises Problem at the end of a stream that went wrong (also kept as `result.problem`). Leaving
    early (`aclose()`, `async with`, or cancelling the task) closes the connection.
    """

    def __init__(
        self,
        provider: Provider,
        model: str,
        messages: Sequence[Message],
        settings: ChatSettings,
        patience: Patience | None = None,
    ) -> None:
        self.model = model
        self.result = ChatResult()
        self._chunks = _run(provider, model, messages, settings, self.result, patience)

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        return self

    async def __anext__(self) -> ChatChunk:
        return await self._chunks.__anext__()

    async def aclose(self) -> None:
        await self._chunks.aclose()
        self.result.end = self.result.end or "stopped"

    async def __aenter__(self) -> ChatStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def stream(
    provider: Provider,
    model: str,
    messages: Sequence[Message],
    settings: ChatSettings | None = None,
    *,
    on_wait: OnWait | None = None,
    fresh: bool = False,
) -> ChatStream:
    """Ask a model; nothing is sent before the first chunk is awaited.

    on_wait: wait where the service is busy or the model is not ready yet, and tell of every pause;
    without it any refusal ends the stream at once. fresh: see `Patience`.
    """
    patience = Patience(on_wait, fresh) if on_wait is not None else None
    return ChatStream(provider, model, messages, settings or ChatSettings(), patience)


async def answer(
    provider: Provider,
    model: str,
    messages: Sequence[Message],
    settings: ChatSettings | None = None,
) -> ChatResult:
    """The whole answer at once."""
    async with stream(provider, model, messages, settings) as chunks:
        async for _ in chunks:
            pass
    return chunks.result


async def _run(
    provider: Provider,
    model: str,
    messages: Sequence[Message],
    settings: ChatSettings,
    result: ChatResult,
    patience: Patience | None,
) -> AsyncGenerator[ChatChunk, None]:
    body = {"model": model, "messages": [_sendable(row) for row in messages]} | settings.body()
    clock = _Clock()
    try:
        provider.writing(f"Asking {model}")  # an answer costs money
        await provider.ready()  # the first use loads the client: no part of the model's speed
        async for chunk in _patient(provider, body, result, patience, clock):
            result.add(chunk, clock.elapsed)
            yield chunk
    except (asyncio.CancelledError, GeneratorExit):
        result.end = result.end or "stopped"
        raise
    except Exception as exc:  # noqa: BLE001 - whatever ended the stream becomes a Problem
        found = errors.problem(exc, doing=f"Asking {model}", profile=provider.profile)
        found = explained(found, model)
        result.end = result.end or ("cut" if result.pieces else "failed")
        result.problem = found
        raise found from None


def _sendable(row: Message) -> dict[str, Any]:
    """JSON on the wire is UTF-8: half of a surrogate pair becomes a question mark."""
    content = row.get("content")
    if not isinstance(content, str):
        return dict(row)
    return {**row, "content": content.encode("utf-8", "replace").decode()}


@dataclass(slots=True)
class _Clock:
    """Since the request that is being answered was sent."""

    started: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started


# ---- a service that is busy, or a model that is not ready, is asked again later ----


async def _patient(
    provider: Provider,
    body: dict[str, Any],
    result: ChatResult,
    patience: Patience | None,
    clock: _Clock,
) -> AsyncGenerator[ChatChunk, None]:
    revived = provider.profile.provider != "local"
    while True:
        clock.start()
        try:
            async for chunk in adapted(provider, body, result):
                yield chunk
            return
        except Exception as exc:  # noqa: BLE001 - read as a Problem first
            found = errors.problem(exc, doing=f"Asking {body['model']}", profile=provider.profile)
        if result.pieces:
            raise found
        if not revived and found.code in ("refused", "connection_lost"):
            revived = True  # the local server stops when idle: this starts it again
            await provider.close()
            continue
        wait = patience.wait(found) if patience is not None else None
        if patience is None or wait is None:
            raise found
        patience.on_wait(wait)
        await provider.pause(wait)
