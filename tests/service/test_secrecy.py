"""No key in anything that is shown or written, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.secrets import Secret, SecretSource, redact
from fttui.service import chat, chat_request, files, jobs
from fttui.service.provider import Provider
from fttui.service.types import LaunchSpec

KEY = "sk-test-0123456789abcdefSECRET"
JOBS = "/fine_tuning/jobs"


def everything(problem: Problem) -> str:
    """All that a person, a log or a bug report may get to see of a failure."""
    trace = "".join(traceback.format_exception(problem))
    return f"{problem!r} {problem} {json.dumps(problem.as_dict(), default=str)} {trace}"


async def test_a_service_that_repeats_the_key_is_not_quoted(
    server: Any, connect: Callable[..., Provider], fault: Any, caplog: pytest.LogCaptureFixture,
    jsonl: Path, home: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(chat_request, "STALL_SECONDS", 0.2)
    provider = connect(server.url, timeout=0.3)
    said = f"Incorrect API key provided: {KEY}. Authorization: Bearer {KEY}"
    faults = [
        fault.Fault(401, fault.error(said, "invalid_api_key")),
        fault.Fault(500, said),
        fault.Fault(200, f"<html><title>{KEY}</title>{said}"),
        fault.Fault(400, {"detail": [{"loc": [KEY], "msg": said}]}),
        fault.Fault(stall=True),
        fault.Fault(reset_after=0),
        fault.Fault(body=KEY, cut=True),
    ]
    shown = [repr(provider.profile), repr(provider), repr(vars(provider))]
    calls: list[tuple[str, str, Callable[[], Any]]] = [
        ("GET", JOBS, lambda: jobs.listing(provider)),
        ("POST", JOBS, lambda: jobs.create(provider, LaunchSpec("m", "f"))),
        ("POST", "/files", lambda: files.upload(provider, jsonl)),
        ("POST", "/chat/completions", lambda: chat.answer(provider, "m", [])),
    ]
    for method, path, call in calls:
        for one in faults:
            server.fail(method, path, one, times=4)
            server.fail("GET", ".*", fault.Fault(401, fault.error(said)), times=3)
            with pytest.raises(Problem) as caught:
                await call()
            shown.append(everything(caught.value))
            server.faults.clear()
    shown += [everything(wait.problem) for wait in provider.waits]
    shown += [record.getMessage() for record in caplog.records]
    assert len(shown) > 30
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"  # it was really used
    assert not [text for text in shown if KEY in text or KEY[3:20] in text]
    written = [path.read_text("utf-8", "replace") for path in home.rglob("*") if path.is_file()]
    assert not [text for text in written if KEY in text]


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2-hunter2")
    for text in (repr(secret), str(secret), f"{secret}", repr([secret]), repr({"k": secret})):
        assert "hunter2" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert "hunter2" not in redact("the key hunter2-hunter2 leaked")


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc123def456.",
        "sk-abc1****************wxyz",
        "Authorization: Bearer abcdefghijklmnop",
        '{"api-key": "0123456789abcdef0123456789abcdef"}',
        "api_key=0123456789abcdef",
        "https://user:hunter2hunter2@host/v1",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def",
    ],
)
def test_what_looks_like_a_key_is_masked_though_never_seen(text: str) -> None:
    shown = redact(text)
    for part in ("abc123", "wxyz", "abcdefghij", "0123456789", "hunter2", "eyJ"):
        assert part not in shown


def test_ordinary_text_is_left_alone() -> None:
    text = "Training file has 7 example(s); task-1 risk-free; see https://platform.openai.com/x?y=1"
    assert redact(text) == text


# ---- sources ----


def test_a_key_from_each_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " from-env-1 ")
    file = tmp_path / "key"
    file.write_text("from-file-1\n")
    file.chmod(0o600)
    sources = {
        "env": SecretSource("env", "A_KEY"),
        "file": SecretSource("file", str(file)),
        "command": SecretSource("command", "printf 'from-command-1\\nsecond line'"),
    }
    for name, source in sources.items():
        assert source.present()
        assert source.resolve().reveal() == f"from-{name}-1"
        assert "-1" not in repr(source.resolve())
    assert not SecretSource().resolve()


def test_a_key_from_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keyring.py").write_text(
        "def get_password(service, user):\n"
        "    return 'from-ring-1' if (service, user) == ('fttui', 'work') else None\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert SecretSource("keyring", "fttui/work").resolve().reveal() == "from-ring-1"
    with pytest.raises(Problem, match="has no fttui/other"):
        SecretSource("keyring", "fttui/other").resolve()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SecretSource("env", "NOT_SET_1"), "NOT_SET_1"),
        (SecretSource("file", "/no/such/file"), "No such file"),
        (SecretSource("command", "false"), "ended with 1"),
        (SecretSource("command", "no-such-program-1"), "no-such-program-1"),
        (SecretSource("command", "printf 'two words'"), "blanks"),
        (SecretSource("command", "true"), "empty"),
    ],
)
def test_a_key_that_cannot_be_had_says_where_it_was_looked_for(
    source: SecretSource, words: str
) -> None:
    with pytest.raises(Problem) as caught:
        source.resolve()
    assert caught.value.code == "no_key"
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.skipif(os.name != "posix", reason="modes are posix")
def test_a_key_file_others_can_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("open-to-all")
    file.chmod(0o644)
    with pytest.raises(Problem, match="can be read by others") as caught:
        SecretSource("file", str(file)).resolve()
    assert "chmod 600" in caught.value.remedy
