"""/v1/chat/completions, whole or as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from fttui.local.bases import find_voice
from fttui.local.calls import Calls
from fttui.local.context import Context, context, resource
from fttui.local.errors import ApiError, from_problem
from fttui.local.messages import plain, refuse_unsupported
from fttui.local.schema import Chat, Tool, parse, read_json
from fttui.local.speaker import Ask, Begun, Ended, Part, Said
from fttui.local.store import new_id, now
from fttui.problem import Problem


async def create(request: Request) -> Response:
    here = context(request)
    raw = await read_json(request)
    body = parse(Chat, raw)
    refuse_unsupported(raw)
    if body.stream_options is not None and not body.stream:
        raise ApiError(
            400,
            "'stream_options' is only allowed when 'stream' is true.",
            code="invalid_value",
            param="stream_options",
        )
    messages = plain(body)
    async with _watched(request):
        ask = await _ask(here, body, messages)
        parts = here.speaker.speak(ask)
        try:
            begun = await anext(parts)  # whatever is wrong shows before the status is sent
            assert isinstance(begun, Begun)
            if not body.stream:
                return await _whole(body, begun, parts)
        except BaseException:
            await parts.aclose()  # type: ignore[attr-defined]
            raise
    return StreamingResponse(
        _stream(body, begun, parts),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache"},
    )


@contextlib.asynccontextmanager
async def _watched(request: Request) -> AsyncIterator[None]:
    """Stops the work inside when the client goes away."""
    work = asyncio.current_task()
    assert work is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        work.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not gone:
            raise
        work.uncancel()
        raise ClientDisconnect from None
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


async def _ask(here: Context, body: Chat, messages: list[dict[str, Any]]) -> Ask:
    voice = find_voice(here.store, here.bases, body.model)
    path = voice.base_path
    if path is None:
        path = await here.bases.fetched(voice.base, lambda done, total: None, lambda: False)
    return Ask(
        base=path,
        adapter=voice.adapter,
        messages=messages,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        tools=[tool.model_dump() for tool in _tools(body)],
        options={
            "temperature": 1.0 if body.temperature is None else body.temperature,
            "top_p": 1.0 if body.top_p is None else body.top_p,
            "seed": secrets.randbits(31) if body.seed is None else body.seed & (2**63 - 1),
            "stop": body.stop or [],
            "presence_penalty": body.presence_penalty or 0.0,
            "frequency_penalty": body.frequency_penalty or 0.0,
        },
    )


def _tools(body: Chat) -> list[Tool]:
    """The tools the model may call."""
    return [] if body.tool_choice == "none" else body.tools or []


def _calls(body: Chat) -> Calls:
    return Calls(tool.function.name for tool in _tools(body))


def _frame(kind: str, model: str) -> dict[str, Any]:
    return {"id": new_id("chatcmpl-"), "object": kind, "created": now(), "model": model}


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


async def _whole(body: Chat, begun: Begun, parts: AsyncIterator[Part]) -> Response:
    text, count, reason, reader = "", 0, "stop", _calls(body)
    async for part in parts:
        if isinstance(part, Said):
            text += reader.push(part.text)
            count += part.tokens
        elif isinstance(part, Ended):
            reason = part.finish_reason
    rest, called = reader.finish()
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text + rest,
        "refusal": None,
        "annotations": [],
    }
    if called:
        reason = "tool_calls"
        message |= {"content": text.rstrip() or None, "tool_calls": called}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    return JSONResponse(
        _frame("chat.completion", body.model)
        | {"choices": [choice], "usage": _usage(begun.prompt_tokens, count)}
    )


async def _stream(body: Chat, begun: Begun, parts: AsyncIterator[Part]) -> AsyncIterator[bytes]:
    with_usage = bool(body.stream_options and body.stream_options.include_usage)
    frame = _frame("chat.completion.chunk", body.model)
    if with_usage:
        frame["usage"] = None

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _event(frame | {"choices": [choice]})

    count, reader = 0, _calls(body)
    try:
        yield chunk({"role": "assistant", "content": "", "refusal": None})
        async for part in parts:
            if isinstance(part, Said):
                count += part.tokens
                if text := reader.push(part.text):
                    yield chunk({"content": text})
            elif isinstance(part, Ended):
                rest, called = reader.finish()
                if rest:
                    yield chunk({"content": rest})
                for index, call in enumerate(called):
                    yield chunk({"tool_calls": [{"index": index} | call]})
                yield chunk({}, "tool_calls" if called else part.finish_reason)
        if with_usage:
            yield _event(frame | {"choices": [], "usage": _usage(begun.prompt_tokens, count)})
        yield b"data: [DONE]\n\n"
    except Exception as error:  # noqa: BLE001 - the status is sent, so the stream says it
        if isinstance(error, Problem):
            error = from_problem(error)
        told = error if isinstance(error, ApiError) else ApiError(500, "The generation failed.")
        yield _event(told.body())
    finally:
        await parts.aclose()  # type: ignore[attr-defined]


def _event(value: dict[str, Any]) -> bytes:
    return (
        b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    )


ROUTES = [
    resource("/chat/completions", POST=create),
]
