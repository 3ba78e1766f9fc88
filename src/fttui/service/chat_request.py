"""One request for an answer and the stream that comes back, as services really send them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service import errors, sse
from fttui.service.chat_result import ChatResult
from fttui.service.provider import Provider
from fttui.service.types import ChatChunk

PATH = "/chat/completions"
STALL_SECONDS = 120.0  # without a byte; a model may think, or wait its turn, for a while
FETCH_SECONDS = 1800.0  # the local server may have to fetch the base model first, silent meanwhile
BODY_LIMIT = 4_000_000  # bytes of an answer that turned out not to be a stream

# ---- a model that does not take a field is asked again without it ----

_RENAMED = {"max_tokens": "max_completion_tokens"}
_DROPPABLE = ("stream_options", "temperature", "top_p", "seed", "stop", "response_format")


async def adapted(
    provider: Provider, body: dict[str, Any], result: ChatResult
) -> AsyncGenerator[ChatChunk, None]:
    """The chunks of an answer; a field that the model refuses is renamed or left out."""
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
        timeout=max(
            FETCH_SECONDS if provider.profile.provider == "local" else STALL_SECONDS,
            provider.profile.timeout,
        ),
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
