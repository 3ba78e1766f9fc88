"""`fttui watch` as it is typed: exit codes, faults on the way, the user's own command at the end."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui import cli, paths
from fttui.service import follow, notify, pace
from fttui.service.types import Job

JOBS = "/fine_tuning/jobs"
Run = Callable[..., Any]


@pytest.fixture
def run(server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a thread; returns (exit code, stdout, stderr)."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-command-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    for name in ("FASTEST", "SEEN_SLOWEST", "OFFLINE", "OFFLINE_SLOWEST"):
        monkeypatch.setattr(pace, name, 0.02)

    async def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        if "--timeout" not in argv:  # a test that goes wrong ends all the same
            argv = (*argv, "--timeout", "20")
        code = await asyncio.to_thread(cli.main, argv)
        out, err = capsys.readouterr()
        return code, out, err

    return go


def put(server: Any, job_id: str, status: str = "running", **fields: Any) -> dict[str, Any]:
    server.jobs[job_id] = {
        "id": job_id,
        "model": "gpt-x",
        "status": status,
        "created_at": 100,
        **fields,
    }
    server.events[job_id] = [
        {"id": f"e{n}", "created_at": n, "type": "metrics", "message": f"Step {n}/9",
         "data": {"step": n, "total_steps": 9, "train_loss": 1 / n}}
        for n in (1, 2)
    ]  # fmt: skip
    found: dict[str, Any] = server.jobs[job_id]
    return found


async def ends(server: Any, job: dict[str, Any], looks: int, **fields: Any) -> None:
    """Let a job end once it was looked at so many times."""
    path = f"{JOBS}/{job['id']}"
    await server.until(lambda: server.count("GET", path) >= looks)
    job |= fields


@pytest.mark.parametrize(
    ("status", "code"), [("succeeded", 0), ("failed", 1), ("cancelled", 3), ("expired", 1)]
)
async def test_the_exit_code_says_how_it_ended(
    server: Any, run: Run, status: str, code: int
) -> None:
    job = put(server, "ftjob-a")
    made = {"fine_tuned_model": "ft:x:1"} if status == "succeeded" else {}
    error = {"error": {"message": "Line 5"}} if status == "failed" else {}
    end = asyncio.create_task(ends(server, job, 2, status=status, finished_at=200, **made, **error))
    found, out, err = await run("watch", "ftjob-a")
    await end
    assert found == code
    assert "ftjob-a  running" in out
    assert f"ftjob-a  {status}" in out
    assert ("made ft:x:1" in out) == (status == "succeeded")
    assert ("Line 5" in err) == (status == "failed")


async def test_without_a_job_the_newest_running_one_is_watched(server: Any, run: Run) -> None:
    put(server, "ftjob-old", created_at=1)
    job = put(server, "ftjob-new", created_at=2)
    put(server, "ftjob-done", "succeeded", created_at=3)
    end = asyncio.create_task(ends(server, job, 1, status="succeeded"))
    code, out, _ = await run("watch")
    await end
    assert code == 0
    assert "ftjob-new  succeeded" in out
    assert "ftjob-old" not in out


async def test_nothing_to_watch_is_a_problem(server: Any, run: Run) -> None:
    put(server, "ftjob-done", "succeeded")
    code, _, err = await run("watch")
    assert code == 2
    assert "No job is running." in err
    code, _, err = await run("watch", "ftjob-nobody")
    assert code == 2
    assert "No such job" in err


async def test_faults_of_the_network_do_not_end_it(server: Any, run: Run, fault: Any) -> None:
    job = put(server, "ftjob-a")
    for bad in (fault.Fault(500, ""), fault.Fault(reset_after=0), fault.Fault(500, "")):
        server.fail("GET", f"{JOBS}/ftjob-a", bad)
    end = asyncio.create_task(ends(server, job, 5, status="succeeded"))
    code, out, _ = await run("watch", "ftjob-a", "--json")
    await end
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [next(iter(row)) for row in rows[:2]] == ["fault", "fault"]
    assert [row["event"]["id"] for row in rows if "event" in row] == ["e1", "e2"]
    assert rows[-1]["job"]["status"] == "succeeded"
    assert [row["step"] for row in rows[-1]["metrics"]] == [1, 2]


async def test_the_timeout_leaves_the_job_alone(server: Any, run: Run) -> None:
    put(server, "ftjob-a")
    code, _, err = await run("watch", "ftjob-a", "--timeout", "0.3")
    assert code == 4
    assert "the job goes on" in err
    assert server.jobs["ftjob-a"]["status"] == "running"


async def test_the_command_gets_what_happened_as_variables_and_nothing_is_pasted(
    server: Any, run: Run, tmp_path: Path
) -> None:
    evil = "a\"; touch pwned; '$(touch pwned)\n\x1b`touch pwned`"
    paths.config_dir().mkdir(parents=True, exist_ok=True)
    script = tmp_path / "said.py"
    script.write_text(
        "import json, os, sys\n"
        f"json.dump(dict(os.environ), open({str(tmp_path / 'said.json')!r}, 'w'))\n"
    )
    line = f'cd {tmp_path} && {sys.executable} {script} "$FTTUI_JOB_NAME" $FTTUI_JOB_STATUS'
    config = paths.config_dir() / "config.toml"
    config.write_text(f"[settings]\nnotify_command = {json.dumps(line)}\n")
    put(server, "ftjob-a", "failed", user_provided_suffix=evil, error={"message": evil})
    code, _, _ = await run("watch", "ftjob-a")
    assert code == 1
    said = json.loads((tmp_path / "said.json").read_text())
    assert said["FTTUI_JOB_ID"] == "ftjob-a"
    assert said["FTTUI_JOB_STATUS"] == "failed"
    assert said["FTTUI_JOB_LOSS"] == "0.5"
    assert said["FTTUI_JOB_NAME"].startswith('a"; touch pwned;')
    assert "\x1b" not in "".join(v for k, v in said.items() if k.startswith("FTTUI_JOB"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["said.json", "said.py"]


async def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    ended = notify.Ended("j", "name", "succeeded")
    assert await notify.run_command("exit 0", ended) == ""
    said = await notify.run_command("echo first >&2; echo why >&2; exit 3", ended)
    assert said == "notify_command ended with 3: why"


@pytest.mark.parametrize(
    ("names", "way"),
    [
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "xterm-256color"}, "osc9"),
        ({"TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "foot"}, "osc777"),
        ({"TERM": "xterm-256color"}, ""),
        ({"TERM": "linux"}, ""),
    ],
)
def test_only_terminals_that_have_it_are_sent_a_notification(
    names: dict[str, str], way: str
) -> None:
    text = "evil \x1b]0;title\x07; done"
    said = notify.notification(text, "auto", names)
    assert bool(said) == bool(way)
    assert notify.desktop(way, text) == said
    body = said.removesuffix("\x07").removesuffix("\x1b\\")
    assert "\x07" not in body  # nothing in a name ends the sequence, or begins another
    assert body.count("\x1b") == (0 if not way else 3 if way == "osc99" else 1)
    assert notify.notification(text, "off", names) == ""
    assert notify.notification(text, "osc9", names).startswith("\x1b]9;fttui: evil")


@pytest.mark.parametrize(
    ("passes", "said"), [("0", ""), ("", ""), ("1", "\x1bPtmux;"), ("on", "\x1bPtmux;")]
)
def test_through_tmux_only_where_it_lets_it_pass(
    monkeypatch: pytest.MonkeyPatch, passes: str, said: str
) -> None:
    monkeypatch.setattr(notify, "_tmux", lambda *formats: [passes, "", "xterm-kitty"])
    found = notify.notification("done", "auto", {"TMUX": "/tmp/x", "TERM": "tmux-256color"})
    assert found.startswith(said)
    assert bool(found) == bool(said)
    assert "\x1b\x1b]99;" in found or not said


def test_over_is_also_an_end_in_a_status_nobody_knows() -> None:
    assert not follow.over(Job("j", status="calibrating"))
    assert follow.over(Job("j", status="expired", finished_at=5))
    assert not follow.over(Job("j", status="paused", finished_at=5))
