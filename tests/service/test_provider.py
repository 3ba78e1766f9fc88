"""Requests over a real socket while things go wrong: bounded repeats, shown waits, one clear Problem."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import checkpoints, errors, jobs, models
from fttui.service.provider import Provider

LIST = "/fine_tuning/jobs"


async def refused(work: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await work
    problem = caught.value
    assert problem.what
    assert problem.why
    assert problem.remedy
    return problem


async def test_a_rate_limit_is_waited_for_as_long_as_asked(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("GET", LIST, fault.Fault(429, fault.error("slow down"), {"retry-after": "7"}))
    await jobs.listing(provider)
    assert [(wait.seconds, wait.attempt) for wait in provider.waits] == [(7.0, 2)]
    assert provider.waits[0].problem.code == "rate_limit"


async def test_a_rate_limit_without_a_time_backs_off(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("GET", LIST, fault.Fault(429, fault.error("slow down")), times=3)
    await jobs.listing(provider)
    seconds = [wait.seconds for wait in provider.waits]
    assert len(seconds) == 3
    assert seconds == sorted(seconds)
    assert sum(seconds) < 10


async def test_retry_after_may_be_a_date_or_milliseconds(
    server: Any, provider: Any, fault: Any
) -> None:
    soon = formatdate(time.time() + 20, usegmt=True)
    server.fail("GET", LIST, fault.Fault(429, {}, {"retry-after": soon}))
    server.fail("GET", LIST, fault.Fault(429, {}, {"retry-after-ms": "1500"}))
    await jobs.listing(provider)
    assert 15 < provider.waits[0].seconds <= 20
    assert provider.waits[1].seconds == 1.5


async def test_a_very_long_wait_is_said_and_not_waited(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("GET", LIST, fault.Fault(429, {}, {"retry-after": "3600"}))
    problem = await refused(jobs.listing(provider))
    assert problem.retry
    assert problem.detail["retry_after"] == 3600
    assert not provider.waits


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_repeated_and_then_told(
    server: Any, provider: Any, fault: Any, status: int
) -> None:
    server.fail("GET", LIST, fault.Fault(status, "<html><title>Bad gateway</title>"))
    await jobs.listing(provider)
    server.fail("GET", LIST, fault.Fault(status, "<html><title>Bad gateway</title>"), times=9)
    problem = await refused(jobs.listing(provider))
    assert problem.retry
    assert problem.detail["status"] == status
    assert "Bad gateway" in problem.why
    assert server.count("GET", LIST) == 2 + 4  # bounded


async def test_an_empty_purse_is_not_asked_again(server: Any, provider: Any, fault: Any) -> None:
    body = fault.error("You exceeded your current quota", "insufficient_quota")
    server.fail("GET", LIST, fault.Fault(429, body))
    problem = await refused(jobs.listing(provider))
    assert (problem.code, problem.retry) == ("insufficient_quota", False)
    assert "billing" in problem.remedy
    assert server.count("GET", LIST) == 1


@pytest.mark.parametrize(
    ("status", "body", "code", "remedy"),
    [
        (401, {"message": "Incorrect API key provided: sk-test***"}, "unauthorized", "FTTUI_TEST_KEY"),
        (
            403,
            {"message": "OpenAI is winding down the fine-tuning platform and your organization is no "
             "longer able to create new fine-tuning training jobs.", "code": "training_not_available"},
            "training_not_available", "local",
        ),
        (403, {"message": "You have insufficient permissions for this operation."}, "missing_role", "owner"),
        (403, {"message": "Your organization must be verified"}, "unverified_organization", "Verify"),
        (404, {"message": "The model `ft:x` does not exist or you do not have access to it.",
               "code": "model_not_found"}, "model_not_found", "retired"),
        (410, {"message": "gone"}, "gone", "retrain"),
        (400, {"message": "Fine-tuning jobs cannot be created on an Explore plan."}, "plan", "billing"),
        (400, {"message": "Model gpt-4o-mini is not available for fine-tuning or does not exist.",
               "code": "model_not_available"}, "model_not_available", "snapshot"),
        (400, {"message": "api-version query parameter is not allowed"}, "wrong_endpoint", "api_version"),
    ],
)  # fmt: skip
async def test_closed_doors_say_the_way_out(
    server: Any, provider: Any, fault: Any, status: int, body: dict, code: str, remedy: str
) -> None:
    server.fail("GET", LIST, fault.Fault(status, {"error": body}, {"x-request-id": "req_1"}))
    problem = await refused(jobs.listing(provider))
    assert problem.code == code
    assert remedy in problem.remedy
    assert not problem.retry
    assert problem.detail["request_id"] == "req_1"
    assert server.count("GET", LIST) == 1


@pytest.mark.parametrize(
    "body",
    ['{"detail": "no such thing"}', '{"error": "no such thing"}', '"no such thing"',
     '{"message": "no such thing"}', '{"detail": [{"loc": ["body"], "msg": "no such thing"}]}'],
)  # fmt: skip
async def test_error_bodies_of_any_shape_are_quoted(
    server: Any, provider: Any, fault: Any, body: str
) -> None:
    server.fail("GET", LIST, fault.Fault(400, body))
    assert "no such thing" in (await refused(jobs.listing(provider))).why


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"data": [{"id"', "cut off"),
        ("<!doctype html><title>Log in</title>", "Log in"),
        ("", "empty"),
    ],
)
async def test_a_success_that_is_no_json(
    server: Any, provider: Any, fault: Any, body: str, words: str
) -> None:
    server.fail("GET", LIST, fault.Fault(200, body), times=9)
    problem = await refused(jobs.listing(provider))
    assert problem.code == "bad_answer"
    assert words in problem.why
    assert server.count("GET", LIST) == 4


async def test_a_list_of_another_shape_is_read_or_refused(server: Any, provider: Any) -> None:
    for body in ([], {"data": None}, {"data": [1, None, "x"]}):
        server.fixed[("GET", LIST)] = body
        assert (await jobs.listing(provider)).items == ()
    for body in ([{"id": "j"}], 'data: {"id": "j"}\n\ndata: [DONE]\n\n'):
        server.fixed[("GET", LIST)] = body
        assert [job.id for job in (await jobs.listing(provider)).items] == ["j"]
    for body in (None, 7, {"jobs": []}):
        server.fixed[("GET", LIST)] = body
        assert (await refused(jobs.listing(provider))).code == "bad_answer"


async def test_an_answer_cut_in_the_middle(server: Any, provider: Any, fault: Any) -> None:
    server.fail("GET", LIST, fault.Fault(200, '{"data": [', cut=True), times=9)
    problem = await refused(jobs.listing(provider))
    assert problem.code == "connection_lost"


async def test_an_answer_that_never_ends(
    server: Any, connect: Callable[..., Provider], fault: Any
) -> None:
    provider = connect(server.url, timeout=0.2)
    server.fail("GET", LIST, fault.Fault(body="{", endless=True), times=9)
    problem = await refused(jobs.listing(provider))
    assert problem.code == "timeout"
    assert problem.detail["unsure"]


async def test_an_answer_that_never_begins(
    server: Any, connect: Callable[..., Provider], fault: Any
) -> None:
    provider = connect(server.url, timeout=0.2)
    server.fail("GET", LIST, fault.Fault(stall=True), times=9)
    assert (await refused(jobs.listing(provider))).code == "timeout"
    assert server.count("GET", LIST) == 4


async def test_waiting_can_be_cancelled_at_once(server: Any, provider: Any, fault: Any) -> None:
    server.fail("GET", LIST, fault.Fault(stall=True))
    task = asyncio.create_task(jobs.listing(provider))
    await server.until(lambda: server.count("GET", LIST))
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 1


async def test_nobody_listens(connect: Callable[..., Provider]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    problem = await refused(jobs.listing(connect(f"http://127.0.0.1:{port}/v1")))
    assert problem.code == "refused"
    assert f"127.0.0.1:{port}" in problem.why
    assert "unsure" not in problem.detail


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (socket.EAI_NONAME, "Name or service not known"),
        (socket.EAI_AGAIN, "Temporary failure in name resolution"),
    ],
)
async def test_a_name_nobody_knows(
    connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    """Nothing was sent, so nothing is unsure; asked again a few times, since names come back."""

    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, words)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    provider = connect("http://no-such-host.invalid/v1")
    problem = await refused(jobs.listing(provider))
    assert problem.code == "dns"
    assert "no-such-host.invalid" in problem.why
    assert problem.retry
    assert "unsure" not in problem.detail
    assert [wait.attempt for wait in provider.waits] == [2, 3, 4]


async def test_the_wait_before_a_repeat_can_be_cancelled_at_once(
    server: Any, provider: Any, fault: Any
) -> None:
    waiting = asyncio.Event()

    async def long_sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.sleep(3600)

    provider._sleep = long_sleep
    server.fail("GET", LIST, fault.Fault(503, ""))
    task = asyncio.create_task(jobs.listing(provider))
    await asyncio.wait_for(waiting.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.count("GET", LIST) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    try:
        subprocess.run(
            [*command.split(), "-keyout", key, "-out", cert], check=True, capture_output=True
        )
    except OSError:
        pytest.skip("no openssl here")
    return cert, key


async def test_a_certificate_nobody_trusts(
    certificate: tuple[Path, Path], connect: Callable[..., Provider]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def close(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.close()

    tls = await asyncio.start_server(close, "127.0.0.1", 0, ssl=context)
    port = tls.sockets[0].getsockname()[1]
    async with tls:
        problem = await refused(jobs.listing(connect(f"https://127.0.0.1:{port}/v1")))
    assert (problem.code, problem.retry) == ("tls", False)


async def test_a_server_that_speaks_no_tls(connect: Callable[..., Provider]) -> None:
    """https where http is meant: the usual slip with a local address."""

    async def confused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    plain = await asyncio.start_server(confused, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    async with plain:
        problem = await refused(jobs.listing(connect(f"https://127.0.0.1:{port}/v1")))
    assert (problem.code, problem.retry) == ("tls", False)
    assert f"127.0.0.1:{port}" in problem.why


async def test_a_proxy_that_opens_tls_is_named_and_nothing_is_sent(
    certificate: tuple[Path, Path],
    connect: Callable[..., Provider],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A company's proxy answers in the name of every host, with a root of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    heard: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        try:
            await writer.start_tls(context)
            heard.append(await reader.read(10_000))
        except (OSError, ssl.SSLError):
            pass
        writer.close()

    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with proxy:
        problem = await refused(jobs.listing(connect("https://api.example.com/v1")))
    assert (problem.code, problem.retry) == ("tls", False)
    assert "proxy" in problem.remedy
    assert not any(b"Bearer" in piece for piece in heard)


async def test_ids_stay_inside_their_path(server: Any, provider: Any) -> None:
    await refused(jobs.retrieve(provider, "../../files?x=1#y"))
    assert server.requests[-1].path == "/fine_tuning/jobs/../../files?x=1#y"  # one segment, quoted
    assert not server.requests[-1].query


async def test_a_read_only_profile_changes_nothing(
    server: Any, connect: Callable[..., Provider]
) -> None:
    provider = connect(server.url, read_only=True)
    assert (await refused(jobs.cancel(provider, "ftjob-1"))).code == "read_only"
    assert not server.requests


async def test_what_a_provider_lacks_is_said_with_the_reason(
    server: Any, connect: Callable[..., Provider]
) -> None:
    provider = connect(server.url, "nebius")
    with pytest.raises(Problem, match="cannot pause a job"):
        await jobs.pause(provider, "ftjob-1")
    assert not server.requests
    bare = connect(server.url, overrides={"lacks": {"events": "Not here."}})
    with pytest.raises(Problem, match="Not here"):
        await jobs.events(bare, "ftjob-1")


async def test_a_missing_endpoint_is_learned(server: Any, provider: Any, fault: Any) -> None:
    server.fail("GET", r".*/checkpoints", fault.Fault(405, fault.error("no")))
    assert (await refused(checkpoints.listing(provider, "j"))).code == "not_supported"
    assert provider.lacks("checkpoints")


async def test_404_for_a_route_is_told_from_404_for_a_job(
    server: Any, provider: Any, fault: Any
) -> None:
    """aimock and others answer 404 where they have no checkpoints and no pause."""
    server.jobs["ftjob-a"] = {"id": "ftjob-a", "object": "fine_tuning.job", "status": "running"}
    for _ in range(2):
        server.fail("GET", r".*/checkpoints", fault.Fault(404, fault.error("Not found")))
        server.fail("POST", r".*/pause", fault.Fault(404, fault.error("Not found")))
    assert (await refused(checkpoints.listing(provider, "ftjob-b"))).code == "not_found"
    assert (await refused(jobs.pause(provider, "ftjob-b"))).code == "not_found"
    assert not provider.learned
    assert (await refused(checkpoints.listing(provider, "ftjob-a"))).code == "not_supported"
    assert (await refused(jobs.pause(provider, "ftjob-a"))).code == "not_supported"
    assert set(provider.learned) == {"checkpoints", "pause"}


async def test_variables_of_the_environment_go_to_no_other_host(
    server: Any, connect: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "sk-someone-elses")
    from fttui.secrets import SecretSource

    await models.listing(connect(server.url, "custom", key=SecretSource()))
    assert "someone-elses" not in str(server.requests[-1].headers)


async def test_organization_and_project_are_sent(
    server: Any, connect: Callable[..., Provider]
) -> None:
    await models.listing(connect(server.url, organization="org-1", project="proj_2"))
    headers = server.requests[-1].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj_2")


def test_any_exception_at_all_becomes_a_problem() -> None:
    for exc in (
        ValueError("x"),
        KeyError("y"),
        RuntimeError(),
        OSError(28, "No space left on device"),
    ):
        problem = errors.problem(exc, doing="Saving")
        assert problem.what == "Saving failed."
        assert problem.why
        assert not re.search("Traceback", str(problem))
