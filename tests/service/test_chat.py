"""Streams that end in every way there is: what was said stays, and the end has a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import chat, chat_request
from fttui.service.chat import ChatResult
from fttui.service.provider import Provider
from fttui.service.types import ChatChunk, ChatSettings, ToolCallDelta, Usage

PATH = "/chat/completions"
SSE = {"content-type": "text/event-stream"}
ASK = [{"role": "user", "content": "hi"}]


async def failed(stream: chat.ChatStream) -> Problem:
    with pytest.raises(Problem) as caught:
        async for _ in stream:
            pass
    assert stream.result.problem is caught.value
    return caught.value


async def test_an_answer_comes_in_pieces_with_its_figures(server: Any, provider: Any) -> None:
    settings = ChatSettings(temperature=0, max_tokens=9, seed=3, stop=("\n",))
    stream = chat.stream(provider, "ft:m", ASK, settings)
    assert [chunk.text async for chunk in stream if chunk.text] == ["Hello", " there", "."]
    result = stream.result
    assert (result.text, result.end, result.usage) == ("Hello there.", "stop", Usage(5, 3))
    assert 0 < result.first_token <= result.seconds
    assert result.message == {"role": "assistant", "content": "Hello there."}
    assert server.requests[-1].json == {
        "model": "ft:m", "messages": ASK, "stream": True, "stream_options": {"include_usage": True},
        "temperature": 0, "max_tokens": 9, "seed": 3, "stop": ["\n"],
    }  # fmt: skip


def test_speed_is_measured_after_the_first_token() -> None:
    result = ChatResult()
    assert result.tokens_per_second is None
    result.add(ChatChunk("a"), 1.0)
    result.add(ChatChunk("b"), 3.0)
    assert (result.first_token, result.tokens_per_second) == (1.0, 0.5)
    result.add(ChatChunk(usage=Usage(1, 11)), 9.0)
    assert result.tokens_per_second == 5.0
    burst = ChatResult()
    for _ in range(9):
        burst.add(ChatChunk("a"), 2.0)
    assert burst.tokens_per_second is None


async def test_a_cut_stream_keeps_its_text(server: Any, provider: Any, fault: Any) -> None:
    body = fault.sse(fault.chunk("Hel"), fault.chunk("lo"), done=False)
    server.fail("POST", PATH, fault.Fault(200, body, SSE, cut=True))
    stream = chat.stream(provider, "m", ASK)
    assert (await failed(stream)).code == "connection_lost"
    assert (stream.result.text, stream.result.end) == ("Hello", "cut")


async def test_a_stream_that_stops_short_is_not_taken_for_an_answer(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("POST", PATH, fault.Fault(200, fault.sse(fault.chunk("Hel"), done=False), SSE))
    stream = chat.stream(provider, "m", ASK)
    assert (await failed(stream)).code == "stream_cut"
    assert (stream.result.text, stream.result.end) == ("Hel", "cut")


async def test_a_stream_without_finish_reason_or_without_done_is_complete(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("POST", PATH, fault.Fault(200, fault.sse(fault.chunk("a")), SSE))
    assert (await chat.answer(provider, "m", ASK)).text == "a"
    server.fail(
        "POST", PATH, fault.Fault(200, fault.sse(fault.chunk("b", "length"), done=False), SSE)
    )
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.end) == ("b", "length")


async def test_a_stalled_stream(
    server: Any, connect: Callable[..., Provider], fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_request, "STALL_SECONDS", 0.2)
    body = fault.sse(fault.chunk("a"), fault.chunk("b"), fault.chunk("c"))
    server.fail("POST", PATH, fault.Fault(200, body, SSE, pause=0.15))
    result = await chat.answer(connect(server.url, timeout=0.1), "m", ASK)
    assert result.text == "abc"  # slow is not stalled
    server.fail("POST", PATH, fault.Fault(200, body, SSE, pause=5))
    stream = chat.stream(connect(server.url, timeout=0.1), "m", ASK)
    assert (await failed(stream)).code == "timeout"


async def test_a_plain_answer_to_a_stream(server: Any, provider: Any, fault: Any) -> None:
    whole = {"choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}]}
    server.fail("POST", PATH, fault.Fault(200, whole))
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.end) == ("All at once.", "stop")
    assert server.count("POST", PATH) == 1


@pytest.mark.parametrize("headers", [SSE, {"content-type": "text/plain"}])
async def test_a_stream_with_nothing_in_it_is_asked_again_plainly(
    server: Any, provider: Any, fault: Any, headers: dict
) -> None:
    server.fail("POST", PATH, fault.Fault(200, "", headers))
    assert (await chat.answer(provider, "m", ASK)).text == "Hello there."
    assert "stream" not in server.requests[-1].json
    assert server.count("POST", PATH) == 2


@pytest.mark.parametrize(
    "body", ["<html><title>Sign in</title></html>", "{}", '{"choices": []}', "oops"]
)
async def test_an_answer_that_is_none(server: Any, provider: Any, fault: Any, body: str) -> None:
    server.fail("POST", PATH, fault.Fault(200, body), times=2)
    assert (await failed(chat.stream(provider, "m", ASK))).code == "bad_answer"


async def test_a_garbled_event_is_said_and_the_rest_is_kept(
    server: Any, provider: Any, fault: Any
) -> None:
    body = fault.sse(fault.chunk("a"), '{"choices": [{"del', fault.chunk("c", "stop"))
    server.fail("POST", PATH, fault.Fault(200, body, SSE))
    stream = chat.stream(provider, "m", ASK)
    assert (await failed(stream)).code == "stream_garbled"
    assert stream.result.text == "ac"


async def test_an_error_inside_the_stream(server: Any, provider: Any, fault: Any) -> None:
    body = fault.sse(fault.chunk("a"), fault.error("out of memory", "overload"))
    server.fail("POST", PATH, fault.Fault(200, body, SSE))
    stream = chat.stream(provider, "m", ASK)
    problem = await failed(stream)
    assert ("out of memory" in problem.why, problem.code) == (True, "overload")
    assert stream.result.text == "a"


async def test_loose_event_streams_are_read(server: Any, provider: Any, fault: Any) -> None:
    body = (
        ': hello\r\n\r\nevent: message\r\ndata:{"choices":[{"delta":{"content":"ä"}}]}\r\n\r\n'
        'data: {"choices":[{"delta":{"content":"b"}}]}\ndata: {"choices":[{"delta":null}]}\n\n'
        'data: {"choices":[]}\n\ndata: null\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}'
    )
    server.fail("POST", PATH, fault.Fault(200, body, SSE))
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.end) == ("äb", "stop")


async def test_tool_calls_add_up(server: Any, provider: Any, fault: Any) -> None:
    def delta(index: int, **function: str) -> dict[str, Any]:
        call = {"index": index, "id": "c" if "name" in function else None, "function": function}
        return {"choices": [{"delta": {"tool_calls": [call]}}]}

    end = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
    rows = (
        delta(0, name="f", arguments='{"a"'),
        delta(1, name="g", arguments=""),
        delta(0, arguments=":1}"),
    )
    server.fail("POST", PATH, fault.Fault(200, fault.sse(*rows, end), SSE))
    result = await chat.answer(provider, "m", ASK)
    assert [(call["name"], call["arguments"]) for call in result.tool_calls] == [
        ("f", '{"a":1}'),
        ("g", ""),
    ]
    assert result.message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}


def test_a_tool_call_with_a_mad_index_fills_no_memory() -> None:
    result = ChatResult()
    result.add(ChatChunk(tool_calls=(ToolCallDelta(10**9, "i", "n", "a"),)), 1.0)
    result.add(ChatChunk(tool_calls=(ToolCallDelta(-5, "i", "n", "a"),)), 1.0)
    assert len(result.tool_calls) == 2


async def test_a_field_a_model_does_not_take_is_renamed_or_left_out(
    server: Any, provider: Any, fault: Any
) -> None:
    for message, param in [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens"),
        ("Unsupported value: 'temperature' does not support 0.2", "temperature"),
    ]:
        server.fail(
            "POST", PATH, fault.Fault(400, fault.error(message, "unsupported_value", param=param))
        )
    settings = ChatSettings(temperature=0.2, max_tokens=5, seed=1)
    result = await chat.answer(provider, "m", ASK, settings)
    last = server.requests[-1].json
    assert result.text == "Hello there."
    assert (last["max_completion_tokens"], last["seed"]) == (5, 1)
    assert not {"max_tokens", "temperature"} & set(last)
    assert result.notes == ["temperature was left out: the model does not take it"]


async def test_a_refusal_for_another_reason_is_not_softened(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail(
        "POST", PATH, fault.Fault(400, fault.error("temperature must be at most 2")), times=3
    )
    problem = await failed(chat.stream(provider, "m", ASK, ChatSettings(temperature=9)))
    assert "at most 2" in problem.why
    assert server.count("POST", PATH) == 1


async def test_a_retired_model(server: Any, provider: Any, fault: Any) -> None:
    server.fail("POST", PATH, fault.Fault(410, fault.error("This model has been retired.")))
    problem = await failed(chat.stream(provider, "ft:gone", ASK))
    assert (problem.code, problem.what) == ("gone", "ft:gone has been retired.")


async def test_leaving_early_closes_the_connection(server: Any, provider: Any, fault: Any) -> None:
    body = fault.sse(*(fault.chunk("x") for _ in range(200)))
    server.fail("POST", PATH, fault.Fault(200, body, SSE, pause=0.02))
    stream = chat.stream(provider, "m", ASK)
    async with stream:
        async for chunk in stream:
            if chunk.text:
                break
    assert (stream.result.text, stream.result.end) == ("x", "stopped")
    await server.until(lambda: not server._writers)


async def test_cancelling_the_reader_closes_the_connection(
    server: Any, provider: Any, fault: Any
) -> None:
    body = fault.sse(*(fault.chunk("x") for _ in range(200)))
    server.fail("POST", PATH, fault.Fault(200, body, SSE, pause=0.02))
    stream = chat.stream(provider, "m", ASK)

    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    await server.until(lambda: stream.result.pieces > 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.result.end == "stopped"
    assert stream.result.text.startswith("xxx")
    await server.until(lambda: not server._writers)


async def test_three_models_answer_at_once(server: Any, provider: Any) -> None:
    found = await asyncio.gather(*(chat.answer(provider, name, ASK) for name in "abc"))
    assert [result.text for result in found] == ["Hello there."] * 3
    assert {row.json["model"] for row in server.seen("POST", PATH)} == {"a", "b", "c"}
