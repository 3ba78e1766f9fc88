"""`fttui jobs` and `fttui chat` as they are typed, against a service on a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from fttui import cli

JOBS = "/fine_tuning/jobs"
Run = Callable[..., Any]


@pytest.fixture
def run(server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a thread; returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-command-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    async def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(cli.main, argv)
        out, err = capsys.readouterr()
        return code, out, err

    return go


def put(server: Any, job_id: str, **fields: Any) -> None:
    server.jobs[job_id] = {
        "id": job_id,
        "model": "gpt-x",
        "status": "running",
        "created_at": 1,
        **fields,
    }


async def test_the_list_of_jobs(server: Any, run: Run) -> None:
    assert "no jobs yet" in (await run("jobs"))[1]
    put(server, "ftjob-a")
    put(
        server,
        "ftjob-b",
        status="failed",
        error={"message": "bad \x1b[31mfile"},
        fine_tuned_model="ft:x",
    )
    code, out, _ = await run("jobs")
    head, first, second = out.splitlines()
    assert code == 0
    assert head.split() == ["JOB", "STATUS", "AGE", "MODEL"]
    assert first.startswith("ftjob-b  failed (bad ␛[31mfile)")
    assert second.split()[:2] == ["ftjob-a", "running"]
    code, out, _ = await run("jobs", "--json", "--limit", "1")
    listed = json.loads(out)
    assert [job["id"] for job in listed["jobs"]] == ["ftjob-b"]
    assert listed["jobs"][0]["error"]["message"] == "bad \x1b[31mfile"


async def test_one_job_with_its_checkpoints_events_and_remedy(server: Any, run: Run) -> None:
    error = {"code": "invalid_training_file", "message": "Example 100, message 2 'role' is missing"}
    put(server, "ftjob-a", status="failed", error=error, hyperparameters={"n_epochs": 3})
    server.events["ftjob-a"] = [
        {
            "id": f"e{n}",
            "created_at": n,
            "message": f"Step {n}/30: training loss=0.{n}",
            "level": "info",
        }
        for n in range(1, 31)
    ]
    metrics = {"train_loss": 0.5, "full_valid_loss": 0.25}
    kept = {
        "id": "c",
        "step_number": 9,
        "fine_tuned_model_checkpoint": "ft:x:ckpt-step-9",
        "metrics": metrics,
    }
    server.checkpoints["ftjob-a"] = [kept]
    code, out, _ = await run("jobs", "ftjob-a")
    assert code == 0
    for words in ("status: failed", "n_epochs 3", "Example 100", "what to do: Open the example",
                  "step 9: ft:x:ckpt-step-9, loss 0.5, validation loss 0.25", "10 earlier events",
                  "Step 30/30"):  # fmt: skip
        assert words in out
    found = json.loads((await run("jobs", "ftjob-a", "--json"))[1])
    assert len(found["metrics"]) == 30
    assert found["metrics"][-1] == {"step": 30, "total_steps": 30, "train_loss": 0.3}
    assert found["checkpoints"][0]["metrics"]["full_valid_loss"] == 0.25


async def test_acting_on_a_job(server: Any, run: Run) -> None:
    put(server, "ftjob-a")
    assert (await run("jobs", "--pause", "ftjob-a"))[:2] == (0, "ftjob-a  paused\n")
    code, _, err = await run("jobs", "--pause", "ftjob-a")
    assert code == 2
    assert "Only a running job can be paused; this one is paused." in err
    assert (await run("jobs", "--resume", "ftjob-a"))[0] == 0
    code, out, _ = await run("jobs", "--cancel", "ftjob-a", "--json")
    assert json.loads(out)["job"]["status"] == "cancelled"
    code, out, _ = await run("jobs", "--cancel", "ftjob-a", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "not_possible")


async def test_errors_are_sentences(server: Any, run: Run, fault: Any) -> None:
    server.fail(
        "GET",
        ".*",
        fault.Fault(401, fault.error("Incorrect API key provided: sk-test-command-key")),
    )
    code, out, err = await run("jobs")
    assert (code, out) == (2, "")
    assert "sk-test-command-key" not in err
    assert "$OPENAI_API_KEY" in err
    code, out, _ = await run("jobs", "nope", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "not_found")
    code, _, err = await run("jobs", "--profile", "nobody")
    assert (code, "no profile named 'nobody'" in err) == (2, True)


async def test_an_answer_is_streamed_to_stdout(server: Any, run: Run) -> None:
    code, out, _ = await run("chat", "m", "hi", "--system", "be brief", "--temperature", "0",
                             "--max-tokens", "7", "--seed", "3")  # fmt: skip
    assert (code, out) == (0, "Hello there.\n")
    sent = server.requests[-1].json
    assert [row["content"] for row in sent["messages"]] == ["be brief", "hi"]
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0, 7, 3)
    found = json.loads((await run("chat", "m", "hi", "--json"))[1])
    assert (found["text"], found["finish_reason"], found["model"]) == ("Hello there.", "stop", "m")
    assert found["usage"] == {"prompt": 5, "completion": 3}


async def test_a_prompt_from_a_pipe(server: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("piped\n"))
    assert (await run("chat", "m"))[0] == 0
    assert server.requests[-1].json["messages"] == [{"role": "user", "content": "piped"}]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, _, err = await run("chat", "m")
    assert (code, "nothing to say" in err) == (2, True)


async def test_a_cut_answer_in_json_keeps_what_came(server: Any, run: Run, fault: Any) -> None:
    body = fault.sse(fault.chunk("half"), done=False)
    server.fail(
        "POST", ".*", fault.Fault(200, body, {"content-type": "text/event-stream"}), times=2
    )
    code, out, _ = await run("chat", "m", "hi", "--json")
    found = json.loads(out.splitlines()[-1])
    assert (code, found["text"], found["error"]["code"]) == (2, "half", "stream_cut")
    code, out, err = await run("chat", "m", "hi")
    assert (code, out) == (2, "half\n")
    assert "not complete" in err


async def test_a_busy_service_is_waited_for_and_that_is_said(
    server: Any, run: Run, fault: Any
) -> None:
    busy = fault.Fault(429, fault.error("slow down"), {"retry-after": "0.1"})
    server.fail("POST", ".*", busy)
    code, out, err = await run("chat", "m", "hi")
    assert (code, out) == (0, "Hello there.\n")
    assert "slow down Asked again in 0s" in err
    server.fail("POST", ".*", busy)
    assert (await run("chat", "m", "hi", "--no-wait"))[0] == 2


async def test_how_an_answer_ended_is_said_beside_it(server: Any, run: Run, fault: Any) -> None:
    for reason, said in (("length", "was cut"), ("content_filter", "content filter")):
        body = fault.sse(fault.chunk("half", reason))
        server.fail("POST", ".*", fault.Fault(200, body, {"content-type": "text/event-stream"}))
        code, out, err = await run("chat", "m", "hi", "--top-p", "0.5", "--stop", "X")
        assert (code, out) == (0, "half\n")
        assert said in err
    sent = server.requests[-1].json
    assert (sent["top_p"], sent["stop"]) == (0.5, ["X"])


async def test_bytes_on_stdin_that_are_no_text_are_sent_as_such_text_as_they_can_be(
    server: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfbad \xff\n")))
    assert (await run("chat", "m"))[0] == 0
    assert server.requests[-1].json["messages"][0]["content"] == "bad \ufffd"


async def test_ctrl_c_stops_the_answer_and_closes_the_connection(server: Any, fault: Any) -> None:
    body = fault.sse(*(fault.chunk("x") for _ in range(400)))
    server.fail(
        "POST", ".*", fault.Fault(200, body, {"content-type": "text/event-stream"}, pause=0.05)
    )
    env = os.environ | {"OPENAI_API_KEY": "sk-test-command-key", "OPENAI_BASE_URL": server.url}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fttui", "chat", "m", "hi", env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert (await asyncio.wait_for(child.stdout.readexactly(3), 30)) == b"xxx"
    child.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(child.communicate(), 30)
    assert child.returncode == 130
    assert out.strip(b"x\n") == b""
    assert b"Traceback" not in err
    await server.until(lambda: not server._writers)


async def test_a_conversation_keeps_its_turns(
    server: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fttui.commands import chat

    said = iter(["one", "two"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(chat, "_ask_person", lambda: next(said, None))
    code, out, _ = await run("chat", "m")
    assert (code, out) == (0, "Hello there.\nHello there.\n")
    turns = [row["role"] for row in server.requests[-1].json["messages"]]
    assert turns == ["user", "assistant", "user"]
