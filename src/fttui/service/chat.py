"""One answer from a model, as it arrives; however the stream ends, what was said is kept and the end is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service import errors, sse
from fttui.service.provider import Provider
from fttui.service.types import ChatChunk, ChatSettings, ToolCallDelta, Usage

PATH = "/chat/completions"
STALL_SECONDS = 120.0  # without a byte; a model may think, or wait its turn, for a while
SHORTEST = 0.05  # seconds; an answer that came faster arrived in one go and has no measurable speed
BODY_LIMIT = 4_000_000  # bytes of an answer that turned out not to be a stream

Message = Mapping[str, Any]


@dataclass(slots=True)
class ChatResult:
    """What has been said so far and how fast. Times in seconds from sending; None: not yet.

    end: the provider's finish_reason (stop, length, tool_calls, content_filter …), or
    "stopped" (by the reader), "cut" (by the network or the provider); "" while it runs.
    notes: what was left out of the request because the model does not take it.
    """

    text: str = ""
    refusal: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    usage: Usage | None = None
    end: str = ""
    first_token: float | None = None
    seconds: float = 0.0
    pieces: int = 0
    notes: list[str] = field(default_factory=list)
    problem: Problem | None = None
    _places: dict[int, int] = field(default_factory=dict, repr=False)  # a call's index → its place

    def add(self, chunk: ChatChunk, elapsed: float) -> None:
        self.text += chunk.text
        self.refusal += chunk.refusal
        self.usage = chunk.usage or self.usage
        for call in chunk.tool_calls:
            self._add_call(call)
        if chunk.text or chunk.tool_calls or chunk.refusal:
            self.pieces += 1
            self.seconds = elapsed
            if self.first_token is None:
                self.first_token = elapsed
        self.end = chunk.finish_reason or self.end

    def _add_call(self, delta: ToolCallDelta) -> None:
        place = self._places.setdefault(delta.index, len(self.tool_calls))
        if place == len(self.tool_calls):
            self.tool_calls.append({"id": "", "name": "", "arguments": ""})
        call = self.tool_calls[place]
        call["id"] = delta.id or call["id"]
        call["name"] = delta.name or call["name"]
        call["arguments"] += delta.arguments

    @property
    def tokens(self) -> int:
        """Tokens of the answer: as counted by the provider, else one a piece."""
        return self.usage.completion if self.usage and self.usage.completion else self.pieces

    @property
    def tokens_per_second(self) -> float | None:
        """After the first token; None where all came at once, so that there is nothing to measure."""
        if self.first_token is None or self.seconds - self.first_token < SHORTEST:
            return None
        return (self.tokens - 1) / (self.seconds - self.first_token)

    @property
    def message(self) -> dict[str, Any]:
        """The answer as the next turn's assistant message."""
        calls = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in self.tool_calls
        ]
        said = {"role": "assistant", "content": self.text or (None if calls else "")}
        return said | ({"tool_calls": calls} if calls else {})

    def as_dict(self) -> dict[str, Any]:
        usage = self.usage
        return {
            "text": self.text,
            "finish_reason": self.end,
            "tool_calls": self.tool_calls,
            "usage": usage and {"prompt": usage.prompt, "completion": usage.completion},
            "first_token_s": self.first_token,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
        }


class ChatStream:
    """Iterate over it for the chunks; `result` is filled as they arrive and stays after any end.

    Raises Problem at the end of a stream that went wrong (also kept as `result.problem`). Leaving
    early (`aclose()`, `async with`, or cancelling the task) closes the connection.
    """

    def __init__(
        self, provider: Provider, model: str, messages: Sequence[Message], settings: ChatSettings
    ) -> None:
        self.model = model
        self.result = ChatResult()
        self._chunks = _run(provider, model, messages, settings, self.result)

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
) -> ChatStream:
    """Ask a model; nothing is sent before the first chunk is awaited."""
    return ChatStream(provider, model, messages, settings or ChatSettings())


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
) -> AsyncGenerator[ChatChunk, None]:
    body = {"model": model, "messages": [dict(row) for row in messages]} | settings.body()
    try:
        await provider.ready()  # the first use loads the client: no part of the model's speed
        started = time.monotonic()
        async for chunk in _adapted(provider, body, result):
            result.add(chunk, time.monotonic() - started)
            yield chunk
    except (asyncio.CancelledError, GeneratorExit):
        result.end = result.end or "stopped"
        raise
    except Exception as exc:  # noqa: BLE001 - whatever ended the stream becomes a Problem
        found = errors.problem(exc, doing=f"Asking {model}", profile=provider.profile)
        result.end = result.end or ("cut" if result.pieces else "failed")
        result.problem = found
        raise found from None


# ---- a model that does not take a field is asked again without it ----

_RENAMED = {"max_tokens": "max_completion_tokens"}
_DROPPABLE = ("stream_options", "temperature", "top_p", "seed", "stop")


async def _adapted(
    provider: Provider, body: dict[str, Any], result: ChatResult
) -> AsyncGenerator[ChatChunk, None]:
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    for _ in range(len(_DROPPABLE) + 2):
        try:
            async for chunk in _streamed(provider, body, result):
                yield chunk
            return
        except Exception as exc:  # noqa: BLE001 - read as a Problem first
            refused = errors.problem(exc, doing=f"Asking {body['model']}", profile=provider.profile)
            if result.pieces or not _soften(body, refused, result):
                raise refused from None
    raise AssertionError("unreachable")


def _soften(body: dict[str, Any], refused: Problem, result: ChatResult) -> bool:
    """Rename or drop the field a 400 complains of; False where there is none."""
    if refused.detail.get("status") not in (400, 422):
        return False
    said = f"{refused.detail.get('param', '')} {refused.why}".lower()
    unknown = ("unsupported", "not supported", "unknown", "unrecognized", "extra", "not permitted")
    if not any(word in f"{refused.code} {said}".lower() for word in unknown):
        return False
    for name, other in _RENAMED.items():
        if name in body and name in said:
            body[other] = body.pop(name)
            return True
    for name in _DROPPABLE:
        if name in body and name in said:
            del body[name]
            if name != "stream_options":
                result.notes.append(f"{name} was left out: the model does not take it")
            return True
    return False


# ---- one request ----


async def _streamed(
    provider: Provider, body: dict[str, Any], result: ChatResult
) -> AsyncGenerator[ChatChunk, None]:
    client = await provider.ready()
    asked = client.chat.completions.with_streaming_response.create(
        **{name: value for name, value in body.items() if name in ("model", "messages", "stream")},
        extra_body={k: v for k, v in body.items() if k not in ("model", "messages", "stream")},
        timeout=max(STALL_SECONDS, provider.profile.timeout),
    )
    told = 0
    async with asked as response:
        kind = response.headers.get("content-type", "").lower()
        pieces = response.http_response.aiter_bytes()
        if "event-stream" in kind:
            async for chunk in _from_events(pieces, result):
                told += 1
                yield chunk
        else:
            whole = await _whole(pieces)
            if whole.strip():
                told += 1
                yield _from_whole(whole)
    if not told:
        async for chunk in _plain(provider, body):
            yield chunk


async def _from_events(
    pieces: AsyncIterator[bytes], result: ChatResult
) -> AsyncGenerator[ChatChunk, None]:
    """Chunks of a stream. Ends quietly on a finish_reason or [DONE]; otherwise it was cut."""
    garbled = done = False
    told = 0
    async for data in sse.events(pieces):
        if data.strip() == sse.DONE:
            done = True
            break
        try:
            obj = orjson.loads(data)
        except orjson.JSONDecodeError:
            garbled = True
            continue
        _raise_error(obj)
        told += 1
        yield ChatChunk.from_json(obj)
    if garbled:
        raise _ended("A part of the answer was garbled and is missing.", "stream_garbled")
    if told and not done and not result.end:
        raise _ended("The stream ended before the answer did.", "stream_cut")


def _ended(why: str, code: str) -> Problem:
    return Problem(
        "The answer is not complete.",
        why,
        "Ask again; what arrived is kept.",
        code=code,
        retry=True,
    )


def _raise_error(obj: Any) -> None:
    """Some services report a failure inside the stream, or with status 200."""
    error = to.mapping(obj).get("error")
    if not error:
        return
    message, code, _ = errors.said(obj)
    raise Problem(
        "The model stopped with an error.",
        errors.redact(message) or "No reason was given.",
        "Ask again; if it stays, look at the provider's status.",
        code=code or "stream_error",
        retry=True,
    )


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    raw = b""
    async for piece in pieces:
        raw += piece
        if len(raw) > BODY_LIMIT:
            break
    return raw


def _from_whole(raw: bytes) -> ChatChunk:
    """An answer that came in one piece although a stream was asked for."""
    try:
        obj = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise errors.bad_answer(raw, "Reading the answer") from None
    _raise_error(obj)
    chunk = ChatChunk.from_json(obj)
    if not to.mapping(obj).get("choices"):
        raise errors.bad_answer(raw, "Reading the answer")
    return chunk


async def _plain(provider: Provider, body: dict[str, Any]) -> AsyncGenerator[ChatChunk, None]:
    """Nothing at all came through the stream: ask once more without one."""
    body = {k: v for k, v in body.items() if k not in ("stream", "stream_options")}
    raw = await provider.request(
        "POST", PATH, doing=f"Asking {body['model']}", body=body, seconds=0, raw=True
    )
    yield _from_whole(raw)
