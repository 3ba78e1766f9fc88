"""`fttui eval` as it is typed, against a service on a real socket."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fttui import cli, samples
from fttui.dataset import formats
from fttui.state import State

CHAT = "/chat/completions"
HELD, TRAIN = str(samples.heldout("extraction")), str(samples.path("extraction"))
Run = Callable[..., Any]
BOTH = ("--models", "base=m-base,tuned=m-tuned")


@pytest.fixture
def run(server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `fttui eval` in a thread; returns (exit code, stdout, stderr). The tuned model is right on 12."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-command-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    answer_well(server, 12)

    async def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(cli.main, ["eval", *argv])
        out, err = capsys.readouterr()
        return code, out, err

    return go


def answer_well(server: Any, count: int) -> None:
    expected = {}
    for raw in Path(HELD).read_bytes().splitlines()[:count]:
        turns = formats.read(raw).messages
        expected[turns[-2].content_text] = turns[-1].content_text
    original = server._chat

    def chat(request: Any) -> Any:
        tuned = request.json["model"] == "m-tuned"
        said = expected.get(request.json["messages"][-1]["content"], "{}")
        server.answers = [said if tuned else "I do not know. \x1b[31m"]
        return original(request)

    server._chat = chat


async def test_the_table_the_sentence_and_the_failures(server: Any, run: Run) -> None:
    code, out, _ = await run(HELD, *BOTH, "--yes")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert next(row for row in rows if row[:1] == ["base"])[1:4] == ["0", "of", "16"]
    assert next(row for row in rows if row[:1] == ["tuned"])[1:8] == [
        "12", "of", "16", "51", "to", "90", "%",
    ]  # fmt: skip
    assert "tuned is better than base on 12 of 16, worse on 0, p < 0.001" in out
    assert "tuned on 4 failing prompts:" in out
    assert "line 13: " in out
    assert "differs   customer: 'Nadia Quist' → None" in out
    assert "\x1b" not in out


async def test_json_is_one_object_and_the_exit_code_follows_the_candidate(run: Run) -> None:
    code, out, _ = await run(HELD, *BOTH, "--yes", "--json", "--fail-under", "0.8")
    found = json.loads(out.splitlines()[-1])
    assert code == 1
    assert (found["candidate"], found["value"], found["met"]) == ("tuned", 0.75, False)
    assert found["models"][1]["scores"]["json"]["right"] == 12
    assert found["comparisons"][0]["wins"] == 12
    assert [row["line"] for row in found["failing"]] == [13, 14, 15, 16]
    assert found["complete"] is True
    code, out, _ = await run(HELD, *BOTH, "--yes", "--json", "--fail-under", "0.75")
    assert code == 0


async def test_resume_asks_nothing_twice(server: Any, run: Run, tmp_path: Path) -> None:
    await run(HELD, *BOTH, "--yes")
    assert server.count("POST", CHAT) == 32
    code, out, _ = await run(HELD, *BOTH, "--resume", "--grader", "rouge_l", "--json")
    assert code == 0  # nothing to pay, so nobody is asked
    assert server.count("POST", CHAT) == 32
    assert json.loads(out)["known_answers"] == 32
    output = tmp_path / "o.jsonl"
    assert (await run(HELD, *BOTH, "--yes", "--output", str(output)))[0] == 0
    code, _, err = await run(HELD, *BOTH, "--yes", "--output", str(output))
    assert code == 2
    assert "is there already" in err


async def test_money_is_spent_only_after_a_yes(server: Any, run: Run) -> None:
    code, out, _ = await run(HELD, "--models", "gpt-4.1-mini-2025-04-14", "--json")
    found = json.loads(out)
    assert code == 2
    assert found["error"]["code"] == "not_confirmed"
    assert "costs about $0.00" in found["error"]["message"]
    assert found["estimate"][0]["asks"] == 16
    assert server.count("POST", CHAT) == 0


async def test_what_was_spent_is_told_and_written_down(server: Any, run: Run) -> None:
    model = "gpt-4.1-mini-2025-04-14"
    code, out, _ = await run(HELD, "--models", model, "--yes", "--json")
    found = json.loads(out)["models"][0]
    assert code == 0
    # 16 answers of 5 and 1 tokens, at 0.40 and 1.60 for a million
    assert Decimal(found["cost"]) == Decimal("0.0000576")
    state = State()
    row = state.journal_rows()[0]
    state.close()
    assert (row["kind"], row["subject"]) == ("evaluation", model)
    assert Decimal(row["amount"]) == Decimal("0.0000576")


async def test_the_base_of_a_baseline_can_be_named(run: Run) -> None:
    argv = (
        "--models",
        "m-tuned",
        "--baseline",
        "few-shot:1",
        "--train",
        TRAIN,
        "--base",
        "m-other",
    )
    code, out, _ = await run(HELD, *argv, "--yes", "--json", "--sample", "1")
    assert code == 0
    assert [row["model"] for row in json.loads(out)["models"]] == ["m-tuned", "m-other + 1 example"]


async def test_few_shot_and_zero_shot_are_baselines(server: Any, run: Run) -> None:
    code, out, _ = await run(
        HELD, "--models", "ft:m-base:o::1", "--baseline", "zero-shot", "--baseline", "few-shot:3",
        "--train", TRAIN, "--sample", "5", "--yes", "--json", "--fail-under", "0",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert [row["model"] for row in found["models"]] == [
        "ft:m-base:o::1", "m-base", "m-base + 3 examples",
    ]  # fmt: skip
    assert found["candidate"] == "ft:m-base:o::1"
    assert found["prompts"] == 5
    asked = [len(row.json["messages"]) for row in server.seen("POST", CHAT)]
    assert sorted(asked) == [2] * 10 + [8] * 5


async def test_a_judge_compares_in_pairs(server: Any, run: Run) -> None:
    code, out, _ = await run(
        HELD, *BOTH, "--yes", "--judge", "m-judge", "--pairwise", "--sample", "3"
    )
    assert code == 0
    assert server.count("POST", CHAT) == 6 + 6
    assert "by the judge:" in out


async def test_a_report_is_written_by_its_name(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    code, out, _ = await run(HELD, *BOTH, "--yes", "--report", str(path))
    assert code == 0
    assert "| tuned | 12 of 16 |" in path.read_text(encoding="utf-8")
    assert "what to add next, by what is wrong" in out
    assert "4 × “customer” is missing: lines 13, 14, 15, 16" in out
    for name, why in (("out.md", "is there already"), ("out.txt", "no kind of file")):
        code, _, err = await run(HELD, *BOTH, "--yes", "--report", str(tmp_path / name))
        assert code == 2
        assert why in err


async def test_csv_holds_every_grade(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    argv = (HELD, *BOTH, "--yes", "--csv", str(path), "--grader", "json", "--grader", "fuzzy_match")
    assert (await run(*argv))[0] == 0
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 16 * 2 * 2
    assert sum(int(row["passed"] or 0) for row in rows) == 12
    assert "\x1b" not in path.read_text(encoding="utf-8")
    code, _, err = await run(*argv)
    assert code == 2
    assert "is there already" in err


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("--models", "a,a"), "named twice"),
        (("--models", ","), "names none"),
        (("--models", "a", "--grader", "nonsense"), "no grader"),
        (("--models", "a", "--grader", '{"type": "python"}'), "runs no code"),
        (("--models", "a", "--sample", "0"), "at least 1"),
        (("--models", "a", "--fail-under", "7"), "0 to 1"),
        (("--models", "a", "--concurrency", "0"), "1 to 256"),
        (("--models", "a", "--baseline", "few-shot:3"), "--train"),
        (("--models", "a", "--baseline", "many"), "zero-shot"),
        (("--models", "a", "--pairwise"), "judge"),
        (("--models", "a", "--profile", "nowhere"), "nowhere"),
    ],
)
async def test_what_cannot_be_is_said_before_anything_is_asked(
    server: Any, run: Run, argv: tuple[str, ...], why: str
) -> None:
    code, _, err = await run(HELD, *argv, "--yes")
    assert code == 2
    assert why in err
    assert server.count("POST", CHAT) == 0


async def test_an_unknown_model_is_said_once(server: Any, fault: Any, run: Run) -> None:
    server.fail("POST", CHAT, fault.Fault(404, fault.error("no such model", "model_not_found")), 99)
    code, _, err = await run(HELD, *BOTH, "--yes")
    assert code == 2
    assert "no such model" in err
    assert server.count("POST", CHAT) <= 4


async def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(
    server: Any, run: Run, fault: Any
) -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    argv = (sys.executable, "-m", "fttui", "eval", HELD, *BOTH, "--yes", "--concurrency", "1")
    task = await asyncio.create_subprocess_exec(
        *argv, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await server.until(lambda: server.count("POST", CHAT) >= 5, 30)
    server.fail("POST", CHAT, fault.Fault(stall=True), times=99)
    asked = server.count("POST", CHAT)
    await server.until(
        lambda: server.count("POST", CHAT) > asked or task.returncode is not None, 30
    )
    task.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(task.communicate(), 30)
    assert task.returncode == 130
    text = err.decode()
    assert "Traceback" not in text
    assert "answers kept in" in text
    assert f"go on with: fttui eval {HELD}" in text
    assert "--resume" in text
    server.faults.clear()
    server.released.set()
    before = server.count("POST", CHAT)
    code, out_text, _ = await run(HELD, *BOTH, "--resume", "--yes", "--json")
    found = json.loads(out_text)
    assert code == 0
    assert found["known_answers"] >= 5
    assert server.count("POST", CHAT) - before == 32 - found["known_answers"]
