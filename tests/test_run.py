"""`fttui run`: the whole loop in one command, on a real server that really trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fttui import samples
from fttui.commands import run_method
from fttui.local import launch


def run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fttui", "run", "--profile", "local", *args],
        capture_output=True,
        text=True,
        timeout=options.pop("timeout", 120),
        check=False,
        **options,
    )


@pytest.fixture
def tiny(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(tiny_model))
    return home


def test_from_a_file_to_answers_of_base_and_tuned_model(tiny: Path) -> None:
    done = run("--sample", "style", "--epochs", "2", "--seed", "3", "--samples", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["job"]["status"] == "succeeded"
    assert result["fine_tuned_model"].startswith("ft:smollm2-135m-instruct:local:")
    losses = [row["train_loss"] for row in result["metrics"]]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert [row["step"] for row in result["metrics"]] == list(range(1, len(losses) + 1))
    assert len(result["checkpoints"]) == 2
    assert result["checkpoints"][-1]["metrics"]["full_valid_loss"] > 0
    assert result["cost"]["total"] == "0.00"
    assert {"prompt", "expected", "base", "tuned"} <= set(result["samples"][0])
    assert len(result["samples"]) == 2


def test_the_same_seed_gives_the_same_run(tiny: Path) -> None:
    args = ("--sample", "style", "--epochs", "1", "--seed", "5", "--samples", "0", "--json")
    first, second = (json.loads(run(*args).stdout.splitlines()[-1]) for _ in range(2))
    assert first["metrics"] == second["metrics"]
    assert first["job"]["id"] != second["job"]["id"]


def test_a_split_holds_out_part_and_says_so(tiny: Path) -> None:
    done = run(str(samples.path("style")), "--split", "0.25", "--epochs", "1", "--samples", "1")
    assert done.returncode == 0, done.stderr
    assert "36 examples to train, 12 held out" in done.stdout
    assert "held out    base" in done.stdout


def pairs(path: Path, count: int = 12) -> Path:
    """A preference file."""
    path.write_text(
        "".join(
            json.dumps(
                {
                    "input": {"messages": [{"role": "user", "content": f"Name number {i}."}]},
                    "preferred_output": [{"role": "assistant", "content": f"It is {i}."}],
                    "non_preferred_output": [{"role": "assistant", "content": f"No idea, {i}?"}],
                }
            )
            + "\n"
            for i in range(count)
        )
    )
    return path


def test_preference_pairs_are_trained_by_dpo(tiny: Path, tmp_path: Path) -> None:
    path = pairs(tmp_path / "pairs.jsonl")
    options = ("--epochs", "1", "--samples", "2", "--sweep", "beta=0.2", "--json")
    done = run(str(path), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["job"]["status"] == "succeeded"
    assert result["job"]["method"] == "dpo"
    assert result["job"]["hyperparameters"]["beta"] == 0.2
    assert [row["expected"] for row in result["samples"]] == ["It is 0.", "It is 1."]


def test_reinforcement_is_left_to_the_form(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "open.jsonl"
    line = {"messages": [{"role": "user", "content": "2+2?"}], "answer": "4"}
    path.write_text(f"{json.dumps(line)}\n" * 12)
    done = run(str(path), "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert error["code"] == "method"
    assert "grader" in error["why"]


def test_a_pipe_is_refused_and_not_waited_for(tiny: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    done = run(str(pipe), "--json", timeout=60)
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[-1])["issues"][0]["code"] == "F002"


def test_the_method_is_seen_in_the_first_lines(tmp_path: Path) -> None:
    path = pairs(tmp_path / "pairs.jsonl")
    assert run_method.method_of(path) == "dpo"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run_method.method_of(path) == "dpo"
    row = json.loads(pairs(path, 1).read_text())
    row["input"]["messages"][0]["content"] = "long " * 100_000
    path.write_text(json.dumps(dict(sorted(row.items(), reverse=True))) + "\n")
    assert run_method.method_of(path) == "dpo"
    assert run_method.method_of(samples.path("style")) == "supervised"
    assert run_method.method_of(tmp_path / "missing.jsonl") == "supervised"
    assert run_method.method_of(tmp_path) == "supervised"


def test_a_file_that_would_be_refused_is_not_uploaded(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text("".join(samples.path("style").read_text().splitlines(keepends=True)[:5]))
    done = run(str(path), "--json")
    assert done.returncode == 1
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["error"]["code"] == "S005"
    assert "job" not in result
    assert launch.running(tiny / "data") is None  # not even a server was started for it


def test_an_unknown_model_is_one_clear_error(tiny: Path) -> None:
    done = run("--sample", "style", "--model", "smolm2", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert "smolm2" in error["message"]
    assert "smollm2-135m-instruct" in error["why"] + error["remedy"]


def test_leaving_does_not_stop_the_job(tiny: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fttui", "run", "--profile", "local", "--sample", "extraction",
         "--epochs", "50", "--samples", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "Fine-tuning job started" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on" in said
    job = next(word for word in said.split() if word.startswith("ftjob-"))
    shown = subprocess.run(
        [sys.executable, "-m", "fttui", "jobs", job, "--profile", "local", "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    status = json.loads(shown.stdout.splitlines()[-1])["job"]["status"]
    assert status in ("running", "succeeded")


@pytest.mark.real_model
def test_the_real_model_learns_the_shipped_extraction_task(
    home: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the README promises: a falling loss, and most held-out answers exactly right."""
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(base_model))
    done = run("--sample", "extraction", "--seed", "1", "--json", timeout=1500)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    losses = [row["train_loss"] for row in result["metrics"]]
    assert losses[-1] < 0.2 * losses[0]
    rows = result["samples"]
    base, tuned = (sum(row[f"{who}_match"] for row in rows) for who in ("base", "tuned"))
    assert base <= 1
    assert tuned >= 0.75 * len(rows)


def test_a_sweep_makes_a_job_for_every_combination_and_names_the_best(tiny: Path) -> None:
    grid = ("--sweep", "n_epochs=1,2", "--sweep", "seed=1,1.0,2", "--suffix", "grid")
    done = run("--sample", "style", *grid, "--samples", "0", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    rows = result["jobs"]
    assert [row["varied"] for row in rows] == [
        {"n_epochs": epochs, "seed": seed} for epochs in ("1", "2") for seed in ("1", "2")
    ]
    jobs = [row["job"] for row in rows]
    assert len({job["id"] for job in jobs}) == 4
    assert {job["metadata"]["fttui_sweep"] for job in jobs} == {result["sweep"]}
    assert [job["metadata"]["fttui_varied"] for job in jobs][1] == "n_epochs=1 seed=2"
    assert [(job["hyperparameters"]["n_epochs"], job["seed"]) for job in jobs] == [
        (1, 1), (1, 2), (2, 1), (2, 2)
    ]  # fmt: skip
    assert len({job["training_file"] for job in jobs}) == 1
    best = min(rows, key=lambda row: row["best"])
    assert [row["is_best"] for row in rows] == [row is best for row in rows]
    assert result["fine_tuned_model"] == best["job"]["fine_tuned_model"]
    assert result["cost"]["total"] == "0.00"


def test_a_sweep_out_of_range_is_refused_before_anything_is_sent(tiny: Path) -> None:
    for grid, word in (("n_epochs=1,51", "51"), ("warmth=1,2", "warmth"), ("seed=", "no values")):
        done = run("--sample", "style", "--sweep", grid, "--json")
        assert done.returncode == 2
        error = json.loads(done.stdout.splitlines()[-1])["error"]
        assert (error["code"], word in error["message"]) == ("usage", True)
    assert launch.running(tiny / "data") is None
