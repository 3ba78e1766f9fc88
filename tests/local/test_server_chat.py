"""Chat completions: whole and streamed, sync and async, base, tuned and checkpoints."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai
import pytest

from fttui.local.bases import Bases
from fttui.local.context import Context
from fttui.local.server import build
from fttui.local.speaker import Ask, Begun, Ended, Said, Speaker
from fttui.local.store import Store
from fttui.local.supervisor import Supervisor

HI = [{"role": "user", "content": "question 1"}]


def test_a_whole_answer(client, kit):
    said = client.chat.completions.create(model=kit.model, messages=HI, max_tokens=4, temperature=0)
    (choice,) = said.choices
    assert choice.message.role == "assistant"
    assert choice.finish_reason in ("length", "stop")
    assert said.usage.completion_tokens <= 4
    assert said.usage.prompt_tokens > 0
    assert said.usage.total_tokens == said.usage.prompt_tokens + said.usage.completion_tokens


def test_the_stream_says_what_the_whole_says(client, kit):
    how = {"model": kit.model, "messages": HI, "max_completion_tokens": 8, "seed": 5, "top_p": 0.9}
    whole = client.chat.completions.create(**how)
    chunks = list(
        client.chat.completions.create(**how, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(c.usage is None for c in chunks[:-1])
    assert len({c.id for c in chunks}) == 1


def test_no_usage_unless_asked(client, kit):
    for chunk in client.chat.completions.create(
        model=kit.model, messages=HI, max_tokens=2, stream=True
    ):
        assert chunk.usage is None
        assert chunk.choices


async def test_async_client_and_tuned_models(server, done_job, kit):
    checkpoint = f"{done_job.fine_tuned_model}:ckpt-step-6"
    async with openai.AsyncOpenAI(
        base_url=server.url, api_key=server.token, _strict_response_validation=True
    ) as client:
        for model in (kit.model, kit.alias, done_job.fine_tuned_model, checkpoint):
            stream = await client.chat.completions.create(
                model=model, messages=HI, max_tokens=3, stream=True
            )
            chunks = [chunk async for chunk in stream]
            assert chunks[-1].choices[0].finish_reason
            assert {c.model for c in chunks} == {model}


def test_switching_models_takes_less_than_a_second(client, done_job, kit):
    names = [kit.model, done_job.fine_tuned_model, f"{done_job.fine_tuned_model}:ckpt-step-9"]
    for name in names * 2:
        begun = time.monotonic()
        client.chat.completions.create(model=name, messages=HI, max_tokens=1)
        assert time.monotonic() - begun < 1


def test_the_tuned_model_speaks_differently(client, done_job, kit):
    how = {"messages": HI, "max_tokens": 8, "temperature": 0}
    base = client.chat.completions.create(model=kit.model, **how)
    tuned = client.chat.completions.create(model=done_job.fine_tuned_model, **how)
    assert base.choices[0].message.content != tuned.choices[0].message.content


def test_stop_ends_the_answer(client, kit):
    how = {"model": kit.model, "messages": HI, "max_tokens": 24, "temperature": 0}
    text = client.chat.completions.create(**how).choices[0].message.content
    if len(text) < 3:
        pytest.skip("the tiny model says too little")
    stop = text[len(text) // 2]
    said = client.chat.completions.create(**how, stop=[stop]).choices[0]
    assert said.message.content == text[: text.index(stop)]
    assert said.finish_reason == "stop"


def test_the_seed_decides(client, kit):
    def ask(seed):
        return client.chat.completions.create(
            model=kit.model, messages=HI, max_tokens=12, seed=seed, temperature=1.5
        ).choices[0].message.content  # fmt: skip

    assert ask(1) == ask(1)
    assert len({ask(seed) for seed in range(6)}) > 1


def test_a_prompt_that_is_too_long_names_the_sizes(client, kit):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model=kit.model, messages=[{"role": "user", "content": "word " * 20_000}]
        )
    assert refused.value.code == "context_length_exceeded"
    assert refused.value.param == "messages"
    assert "maximum context length is" in refused.value.message


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0]",
        ),
        ({"n": 2}, "n"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": "x"}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"model": "gpt-9"}, "model"),
    ],
)
def test_a_wrong_request_names_the_parameter(server, kit, change, param):
    with server.http() as http:
        answer = http.post("/chat/completions", json={"model": kit.model, "messages": HI} | change)
    assert answer.status_code == (404 if param == "model" else 400), answer.text
    assert answer.json()["error"]["param"] == param


def test_parts_developer_and_tool_messages_are_read(client, kit):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = client.chat.completions.create(
        model=kit.model,
        max_tokens=2,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ],
    )
    assert said.usage.prompt_tokens > 10


class Endless:
    """A model that never stops speaking by itself."""

    context = 10**9

    def count_tokens(self, messages, tools):
        return 1

    def generate(self, messages, **how):
        while True:
            yield Piece("a", 1)


@dataclass
class Piece:
    text: str
    token_id: int
    finish_reason: str | None = None


class Says:
    """A speaker whose model says one thing, a letter at a time."""

    def __init__(self, text):
        self.text = text

    async def speak(self, ask):
        yield Begun(3)
        for letter in self.text:
            yield Said(letter, 1)
        yield Ended("stop")


CALL = '{"name": "paint", "arguments": {"colour": "red"}}'
PAINT = {"type": "function", "function": {"name": "paint", "parameters": {"type": "object"}}}


@pytest.fixture
async def saying(tmp_path, tiny_model):
    """Makes a stock client of a server whose model says the given text."""
    store = Store(tmp_path)
    bases = Bases({"tiny": tiny_model}, {})

    def make(text):
        app = build(Context(store, bases, Supervisor(store, bases), Says(text)))
        return openai.AsyncOpenAI(
            base_url="http://localhost/v1",
            api_key="x",
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)),
            _strict_response_validation=True,
        )

    yield make
    store.close()


async def test_a_tool_call_the_model_wrote_is_a_tool_call(saying):
    ask = {"model": "tiny", "messages": HI, "tools": [PAINT]}
    whole = await saying(f"Yes.\n{CALL}").chat.completions.create(**ask)
    (choice,) = whole.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Yes.")
    (call,) = choice.message.tool_calls
    assert (call.type, call.function.name) == ("function", "paint")
    assert json.loads(call.function.arguments) == {"colour": "red"}

    said, called, reasons = "", [], []
    stream = await saying(f"{CALL}\n{CALL}").chat.completions.create(**ask, stream=True)
    async for chunk in stream:
        said += chunk.choices[0].delta.content or ""
        called += chunk.choices[0].delta.tool_calls or []
        reasons.append(chunk.choices[0].finish_reason)
    assert (said, reasons[-1]) == ("", "tool_calls")
    assert [(c.index, c.function.name) for c in called] == [(0, "paint"), (1, "paint")]


@pytest.mark.parametrize("more", [{}, {"tools": [PAINT], "tool_choice": "none"}])
async def test_without_tools_the_same_text_is_text(saying, more):
    ask = {"model": "tiny", "messages": HI, **more}
    whole = await saying(CALL).chat.completions.create(**ask)
    assert whole.choices[0].message.content == CALL
    assert whole.choices[0].message.tool_calls is None
    assert whole.choices[0].finish_reason == "stop"


async def test_who_hangs_up_does_not_keep_the_others_waiting(monkeypatch):
    speaker = Speaker()
    monkeypatch.setattr(speaker, "_load", lambda path: Endless())
    ask = Ask(Path("x"), None, [], 10**6, [], {})
    for _ in range(3):  # each would wait for ever for the one before
        parts = speaker.speak(ask)
        async with asyncio.timeout(10):
            assert isinstance(await anext(parts), Begun)
            assert (await anext(parts)).text == "a"
        await parts.aclose()
    speaker.close()


def test_closing_the_connection_stops_the_work(start, kit):
    server = start()  # the first request also loads the model: the client is gone before
    body = json.dumps({"model": kit.model, "messages": HI}).encode()
    port = int(server.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            + f"Authorization: Bearer {server.token}\r\n".encode()
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    kit.wait_for(lambda: " 499 " in (server.data / "server.log").read_text(), "it is noticed")
    with server.client() as client:
        assert client.chat.completions.create(model=kit.model, messages=HI, max_tokens=1).choices


def test_chat_goes_on_while_a_job_trains(start, kit):
    server = start()
    with server.client() as client:
        job = client.fine_tuning.jobs.create(
            model=kit.model,
            training_file=kit.upload(client, kit.lines(600)),
            hyperparameters={"n_epochs": 50, "batch_size": 1},
        )
        kit.wait_for(lambda: client.fine_tuning.jobs.retrieve(job.id).estimated_finish, "it trains")
        said = client.chat.completions.create(model=kit.model, messages=HI, max_tokens=2)
        assert said.choices
        assert client.fine_tuning.jobs.retrieve(job.id).status == "running"
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
