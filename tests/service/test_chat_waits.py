"""What a chat waits for, what it does not, and what a refusal is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import chat
from fttui.service.chat_faults import LONGEST, TRIES
from fttui.service.provider import Provider, Wait

PATH = "/chat/completions"
SSE = {"content-type": "text/event-stream"}
ASK = [{"role": "user", "content": "hi"}]


async def read(stream: chat.ChatStream) -> Problem | None:
    try:
        async for _ in stream:
            pass
    except Problem as problem:
        return problem
    return None


async def test_too_many_requests_are_waited_out_as_told(
    server: Any, provider: Any, fault: Any
) -> None:
    busy = fault.Fault(429, fault.error("slow down", "rate_limit_exceeded"), {"retry-after": "17"})
    server.fail("POST", PATH, busy, times=2)
    told: list[Wait] = []
    stream = chat.stream(provider, "m", ASK, on_wait=told.append)
    assert await read(stream) is None
    assert stream.result.text == "Hello there."
    assert [(wait.seconds, wait.attempt) for wait in told] == [(17.0, 2), (17.0, 3)]
    assert "slow down" in told[0].problem.why
    assert [wait.seconds for wait in provider.waits] == [17.0, 17.0]


async def test_without_somebody_to_tell_nothing_is_waited_for(
    server: Any, provider: Any, fault: Any
) -> None:
    """An evaluation decides about its pace itself."""
    server.fail("POST", PATH, fault.Fault(429, fault.error("slow down"), {"retry-after": "1"}))
    assert (await read(chat.stream(provider, "m", ASK))).code == "rate_limit"
    assert server.count("POST", PATH) == 1


@pytest.mark.parametrize("after", ["", str(int(LONGEST) + 1)])
async def test_waiting_ends(server: Any, provider: Any, fault: Any, after: str) -> None:
    headers = {"retry-after": after} if after else {}
    server.fail("POST", PATH, fault.Fault(429, fault.error("slow down"), headers), times=99)
    problem = await read(chat.stream(provider, "m", ASK, on_wait=lambda _: None))
    assert problem is not None
    assert server.count("POST", PATH) == (1 if after else TRIES)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": "Model acme/llama is currently loading", "estimated_time": 20}),
        (404, {"error": {"code": "DeploymentNotReady", "message": "The deployment is not ready."}}),
        (409, {"error": {"message": "The deployment is being provisioned."}}),
    ],
)
async def test_a_model_that_is_not_ready_is_waited_for_with_the_reason(
    server: Any, provider: Any, fault: Any, status: int, body: dict[str, Any]
) -> None:
    server.fail("POST", PATH, fault.Fault(status, body), times=8)
    told: list[Wait] = []
    stream = chat.stream(provider, "m", ASK, on_wait=told.append)
    assert await read(stream) is None
    assert stream.result.text == "Hello there."
    assert [wait.seconds for wait in told[:4]] == [5.0, 10.0, 20.0, 30.0]
    assert any(word in told[0].problem.why for word in ("loading", "not ready", "provisioned"))


async def test_a_model_made_a_moment_ago_may_not_be_known_yet(
    server: Any, provider: Any, fault: Any
) -> None:
    unknown = fault.Fault(404, fault.error("no such model", "model_not_found"))
    server.fail("POST", PATH, unknown)
    assert (await read(chat.stream(provider, "ft:new", ASK, on_wait=lambda _: None))) is not None
    server.fail("POST", PATH, unknown)
    stream = chat.stream(provider, "ft:new", ASK, on_wait=lambda _: None, fresh=True)
    assert await read(stream) is None


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (410, "gone"),
        (404, "The model `ft:x` has been deprecated, learn more here"),
        (400, "This model is retired"),
    ],
)
async def test_a_retired_model_is_called_so(
    server: Any, provider: Any, fault: Any, status: int, message: str
) -> None:
    server.fail("POST", PATH, fault.Fault(status, fault.error(message)))
    problem = await read(chat.stream(provider, "ft:x", ASK, on_wait=lambda _: None, fresh=True))
    assert (problem.code, problem.what) == ("gone", "ft:x has been retired.")
    assert message in problem.why


async def test_a_content_filter_is_called_so(server: Any, provider: Any, fault: Any) -> None:
    azure = fault.error(
        "The response was filtered due to the prompt triggering our content management policy",
        "content_filter",
        innererror={"code": "ResponsibleAIPolicyViolation"},
    )
    server.fail("POST", PATH, fault.Fault(400, azure))
    problem = await read(chat.stream(provider, "m", ASK, on_wait=lambda _: None))
    assert problem.what == "The provider's content filter refused the prompt."


async def test_an_overflow_names_the_sizes(server: Any, provider: Any, fault: Any) -> None:
    said = "This model's maximum context length is 512 tokens. However, your messages resulted in 700 tokens."
    server.fail("POST", PATH, fault.Fault(400, fault.error(said, "context_length_exceeded")))
    problem = await read(chat.stream(provider, "m", ASK, on_wait=lambda _: None))
    assert (problem.code, problem.why) == ("context_length_exceeded", said)


async def test_a_refusal_is_kept_and_told_from_an_answer(
    server: Any, provider: Any, fault: Any
) -> None:
    rows = [{"choices": [{"delta": {"refusal": part}}]} for part in ("I cannot ", "do that.")]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    server.fail("POST", PATH, fault.Fault(200, fault.sse(*rows, end), SSE))
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.refusal, result.end) == ("", "I cannot do that.", "stop")


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "tool_calls", "eos"])
async def test_the_providers_own_word_for_the_end_is_kept(
    server: Any, provider: Any, fault: Any, reason: str
) -> None:
    server.fail("POST", PATH, fault.Fault(200, fault.sse(fault.chunk("a", reason)), SSE))
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.end) == ("a", reason)


async def test_azures_first_chunk_of_filter_results_is_no_answer(
    server: Any, provider: Any, fault: Any
) -> None:
    first = {"choices": [], "prompt_filter_results": [{"content_filter_results": {}}]}
    body = fault.sse(first, fault.chunk("a", "stop"))
    server.fail("POST", PATH, fault.Fault(200, body, SSE))
    result = await chat.answer(provider, "m", ASK)
    assert (result.text, result.pieces) == ("a", 1)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 504])
async def test_a_status_that_ends_it_before_it_begins(
    server: Any, provider: Any, fault: Any, status: int
) -> None:
    server.fail("POST", PATH, fault.Fault(status, fault.error("no")))
    stream = chat.stream(provider, "m", ASK)
    problem = await read(stream)
    assert problem.detail["status"] == status
    assert (stream.result.end, stream.result.text) == ("failed", "")


async def test_nobody_there(connect: Callable[..., Provider]) -> None:
    stream = chat.stream(connect("http://127.0.0.1:9/v1"), "m", ASK, on_wait=lambda _: None)
    assert (await read(stream)).code == "refused"
    assert stream.result.end == "failed"


async def test_a_connection_that_is_reset_in_the_middle_is_not_asked_twice(
    server: Any, provider: Any, fault: Any
) -> None:
    """What came is shown already: asking again would say it twice, and cost twice."""
    server.fail(
        "POST", PATH, fault.Fault(200, fault.sse(fault.chunk("Hel"), done=False), SSE, cut=True)
    )
    stream = chat.stream(provider, "m", ASK, on_wait=lambda _: None)
    assert (await read(stream)).code == "connection_lost"
    assert (stream.result.text, stream.result.end) == ("Hel", "cut")
    assert server.count("POST", PATH) == 1


async def test_half_of_a_surrogate_pair_does_not_stop_a_question(
    server: Any, provider: Any
) -> None:
    await chat.answer(provider, "m", [{"role": "user", "content": "a\ud83d"}])
    assert server.requests[-1].json["messages"][0]["content"] == "a?"


async def test_a_response_format_a_model_lacks_is_left_out_and_said(
    server: Any, provider: Any, fault: Any
) -> None:
    refused = fault.error(
        "Unsupported parameter: 'response_format'", "unsupported_parameter", param="response_format"
    )
    server.fail("POST", PATH, fault.Fault(400, refused))
    settings = chat.ChatSettings(extra={"response_format": {"type": "json_object"}})
    result = await chat.answer(provider, "m", ASK, settings)
    assert result.notes == ["response_format was left out: the model does not take it"]
    assert "response_format" not in server.requests[-1].json
