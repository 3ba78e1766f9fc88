"""The trainer as the server runs it: a process, a folder, events; killed, paused, refused."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fttui.local import trainer, trainer_data, trainer_run
from fttui.local.engine import load_model
from fttui.local.trainer_files import Checkpoints, Events

Rows = list[dict[str, Any]]
MakeJob = Callable[[str], Any]


def until(found: Callable[[], Any], what: str, deadline: float = 30) -> Any:
    limit = time.monotonic() + deadline
    while time.monotonic() < limit:
        if value := found():
            return value
        time.sleep(0.005)
    pytest.fail(f"not within {deadline} s: {what}")


def test_a_whole_job(job: Any, rows: Rows) -> None:
    validation = job.path / "valid.jsonl"
    validation.write_text("\n".join(map(json.dumps, rows[:4])))
    job.write(rows, validation_file=str(validation))
    assert job.run() == 0
    kinds = [event["type"] for event in job.events()]
    assert kinds[0] == "resolved"
    assert kinds[-1] == "done"
    assert set(kinds) == {"resolved", "metrics", "checkpoint", "done"}
    resolved = job.events("resolved")[0]["data"]
    assert resolved["hyperparameters"] == {
        "n_epochs": 4,
        "batch_size": 2,
        "learning_rate_multiplier": 1.0,
    }
    metrics = job.metrics()
    assert [row["step"] for row in metrics] == list(range(1, 25))
    assert {row["total_steps"] for row in metrics} == {24} == {resolved["total_steps"]}
    first, last = metrics[0], metrics[-1]
    assert last["train_loss"] < 0.7 * first["train_loss"]
    assert last["train_mean_token_accuracy"] > first["train_mean_token_accuracy"]
    assert last["valid_loss"] < metrics[5]["valid_loss"]
    assert last["full_valid_loss"] == last["valid_loss"]  # so few that each measure sees all
    assert "full_valid_loss" not in metrics[-2]
    done = job.events("done")[0]["data"]
    assert done["trained_tokens"] == resolved["trained_tokens"] > 0
    message = job.events("metrics")[23]["message"]
    assert message.startswith("Step 24/24: training loss=")
    assert f", validation loss={last['valid_loss']:.2f}" in message


def test_checkpoints_of_the_last_three_epochs(job: Any, rows: Rows) -> None:
    job.write(rows)
    assert job.run() == 0
    assert [event["data"]["step"] for event in job.events("checkpoint")] == [6, 12, 18, 24]
    assert job.checkpoints() == [12, 18, 24]
    for event in job.events("checkpoint"):
        assert event["data"]["train_loss"] == job.metrics()[event["data"]["step"] - 1]["train_loss"]
    assert not list(job.path.glob("checkpoints/*/optimizer.npz"))  # nothing left to resume
    model = load_model(job.base)
    ask = rows[0]["messages"][:1]
    answers = {
        "".join(p.text for p in model.generate(ask, temperature=0, max_tokens=8, adapter=adapter))
        for adapter in (None, model.load_adapter(job.path / "checkpoints" / "step-24"))
    }
    assert len(answers) == 2


def test_the_seed_decides_everything(make_job: MakeJob, rows: Rows) -> None:
    found = {}
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        job = make_job(name)
        job.write(rows, seed=seed)
        assert job.run() == 0
        found[name] = job.metrics()
    assert found["a"] == found["b"]
    assert found["a"] != found["c"]


def adapter(job: Any, step: int) -> np.ndarray:
    with np.load(job.path / "checkpoints" / f"step-{step}" / "adapter.npz") as data:
        weights: np.ndarray = data["weights"]
        return weights


@pytest.mark.parametrize("word", ["kill", "pause"])
def test_interrupted_and_resumed_is_bit_for_bit_the_same(
    make_job: MakeJob, rows: Rows, word: str
) -> None:
    plain, cut = make_job("plain"), make_job("cut")
    settings = {"hyperparameters": {"n_epochs": 30, "batch_size": 1}}
    for job in (plain, cut):
        job.write(rows, **settings)
    assert plain.run() == 0
    process = cut.start()
    until(lambda: len(cut.events("checkpoint")) >= 2 and len(cut.metrics()) % 12, "a step")
    if word == "kill":
        process.kill()
        process.wait()
        with (cut.path / "events.jsonl").open("ab") as file:
            file.write(b'{"time": 1, "ty')  # it may die in the middle of a line
    else:
        (cut.path / "control").write_text("pause")
        assert process.wait(30) == 0
        (cut.path / "control").unlink()
    assert not cut.events("done")
    assert cut.run() == 0
    assert any("Resumed" in event["message"] for event in cut.events("message"))
    assert cut.metrics() == plain.metrics()
    told = [[e["data"]["step"] for e in job.events("checkpoint")] for job in (plain, cut)]
    assert told[0] == told[1]
    assert plain.checkpoints() == cut.checkpoints()
    np.testing.assert_array_equal(adapter(plain, 360), adapter(cut, 360))


def test_cancel_takes_effect_within_a_step(job: Any, rows: Rows) -> None:
    job.write(rows, hyperparameters={"n_epochs": 100, "batch_size": 1})
    process = job.start()
    until(lambda: len(job.metrics()) >= 3, "three steps")
    (job.path / "control").write_text("cancel")
    seen = len(job.metrics())
    assert process.wait(10) == 0
    assert len(job.metrics()) <= seen + 2  # the one in hand, and one between the write and the look
    assert not job.events("done")
    assert not job.events("failed")


def test_pause_saves_where_it_is(job: Any, rows: Rows) -> None:
    job.write(rows, hyperparameters={"n_epochs": 100, "batch_size": 12})
    process = job.start()
    until(lambda: len(job.metrics()) >= 3, "three steps")
    (job.path / "control").write_text("pause")
    assert process.wait(10) == 0
    step = job.metrics()[-1]["step"]
    assert max(job.checkpoints()) == step
    meta = json.loads((job.path / "checkpoints" / f"step-{step}" / "meta.json").read_text())
    assert meta["step"] == step


def test_termination_is_a_pause(job: Any, rows: Rows) -> None:
    job.write(rows, hyperparameters={"n_epochs": 100, "batch_size": 5})
    process = job.start()
    until(lambda: len(job.metrics()) >= 4, "four steps")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert max(job.checkpoints()) == job.metrics()[-1]["step"]


@pytest.mark.parametrize("when", ["before", "validation"])
def test_orders_at_awkward_moments(
    job: Any, rows: Rows, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before the first step; and between learning and validating, which a resumed trainer then does."""
    validation = job.path / "valid.jsonl"
    validation.write_text("\n".join(map(json.dumps, rows[:4])))
    job.write(
        rows, validation_file=str(validation), hyperparameters={"n_epochs": 2, "batch_size": 6}
    )
    control = job.path / "control"
    if when == "before":
        control.write_text("pause")
        assert trainer_run.run(job.path) == 0
        assert not job.events("metrics")
    else:
        real = trainer_run.Training._validate

        def interrupted(self: Any, last: bool) -> dict[str, float]:
            control.write_text("pause")
            return real(self, last)

        monkeypatch.setattr(trainer_run.Training, "_validate", interrupted)
        assert trainer_run.run(job.path) == 0
        assert job.checkpoints() == [1]
        assert not job.events("metrics")
        monkeypatch.undo()
    control.unlink()
    assert trainer_run.run(job.path) == 0
    assert [row["step"] for row in job.metrics()] == [1, 2, 3, 4]
    assert all("valid_loss" in row for row in job.metrics())
    assert job.checkpoints() == [2, 4]


def failed(job: Any) -> dict[str, Any]:
    assert job.run() == 1
    events = job.events("failed")
    assert len(events) == 1
    return dict(events[0]["data"], message=events[0]["message"], level=events[0]["level"])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"messages": [}', "Line 1 is not valid JSON"),
        (b'\n\n{"messages": "hello"}', "Line 3 is not a supervised example"),
        (b"[1]", "Line 1 is not a supervised"),
        (b'{"messages": [{"role": "user", "content": "\xff"}]}', "not valid UTF-8"),
        (b"", "no example"),
        (b'{"messages": [{"role": "user", "content": "hi"}]}', "no example"),
    ],
)
def test_bad_training_files(job: Any, raw: bytes, words: str) -> None:
    job.write(raw)
    error = failed(job)
    assert (error["code"], error["param"]) == ("invalid_training_file", "training_file")
    assert error["message"].startswith("The job failed due to an invalid training file.")
    assert words in error["message"]
    assert error["level"] == "error"


def test_bad_validation_file(job: Any, rows: Rows) -> None:
    job.write(rows, validation_file=str(job.path / "none.jsonl"))
    error = failed(job)
    assert error["code"] == "invalid_validation_file"
    assert "No such file" in error["message"]


@pytest.mark.parametrize(
    ("values", "param"),
    [
        ({"n_epochs": 0}, "n_epochs"),
        ({"batch_size": "x"}, "batch_size"),
        ({"n_epochs": 1e9}, "n_epochs"),
    ],
)
def test_bad_hyperparameters(job: Any, rows: Rows, values: dict[str, Any], param: str) -> None:
    job.write(rows, hyperparameters=values)
    assert failed(job)["param"] == param


def test_a_broken_base_model(job: Any, rows: Rows) -> None:
    broken = job.path / "broken.gguf"
    broken.write_bytes(b"not a model")
    job.write(rows, base_model=str(broken))
    assert failed(job)["code"] == "model_unreadable"


def test_divergence_is_told(job: Any, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    job.write(rows)
    real = trainer_run.Learner._part

    def exploding(self: Any, *args: Any, **kwargs: Any) -> Any:
        measured = real(self, *args, **kwargs)
        measured.loss = float("nan")
        return measured

    monkeypatch.setattr(trainer_run.Learner, "_part", exploding)
    assert trainer_run.run(job.path) == 1
    error = job.events("failed")[0]
    assert error["data"]["code"] == "training_diverged"
    assert "learning_rate_multiplier" in error["message"]
    assert job.checkpoints() == []


def test_a_full_disk_is_told(job: Any, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    job.write(rows)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("fttui.local.lora.save", full)
    assert trainer_run.run(job.path) == 1
    assert job.events("failed")[0]["data"]["code"] == "disk_full"
    assert job.checkpoints() == []


def test_long_examples_are_cut_with_a_warning(job: Any, rows: Rows) -> None:
    long = {"messages": [rows[0]["messages"][0], {"role": "assistant", "content": "z" * 900}]}
    job.write([*rows, long], hyperparameters={"n_epochs": 1, "batch_size": 13}, context=120)
    assert job.run() == 0
    warnings = [event for event in job.events("message") if event["level"] == "warn"]
    assert len(warnings) == 1
    assert "line 13" in warnings[0]["message"]
    assert "truncated from the end" in warnings[0]["message"]
    model = load_model(job.base)
    whole = model.template.example(long["messages"])
    data = trainer_data.load(
        job.path / "train.jsonl", model.template, method="supervised", context=120
    )
    assert data.items[12] == ((whole[0][:120], whole[1][:120]),)
    assert job.events("done")[0]["data"]["trained_tokens"] == data.tokens


def test_auto_is_resolved_by_the_number_of_examples(make_job: MakeJob, rows: Rows) -> None:
    from fttui.local.trainer_job import read_job, resolve

    job = make_job("auto")
    job.write(rows, hyperparameters={"n_epochs": "auto", "batch_size": "auto"})
    read = read_job(job.path)
    few, some, many = (resolve(read, count) for count in (10, 72, 5000))
    assert (few.n_epochs, some.n_epochs, many.n_epochs) == (10, 3, 3)
    assert (few.batch_size, some.batch_size, many.batch_size) == (2, 2, 8)


def test_preferences_are_learned(job: Any) -> None:
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"question {i}"}]},
            "preferred_output": [{"role": "assistant", "content": "yes"}],
            "non_preferred_output": [{"role": "assistant", "content": "no"}],
        }
        for i in range(6)
    ]
    job.write(rows, method="dpo", hyperparameters={"n_epochs": 8, "batch_size": 2})
    assert job.run() == 0
    assert job.events("resolved")[0]["data"]["hyperparameters"]["beta"] == 0.1
    metrics = job.metrics()
    assert metrics[0]["train_loss"] == pytest.approx(np.log(2), rel=1e-3)  # nothing learned yet
    assert metrics[-1]["train_loss"] < 0.6
    assert metrics[-1]["train_mean_token_accuracy"] == 1.0


def test_a_finished_job_is_not_trained_again(job: Any, rows: Rows) -> None:
    job.write(rows, hyperparameters={"n_epochs": 1, "batch_size": 6})
    assert job.run() == 0
    before = (job.path / "events.jsonl").read_bytes()
    assert job.run() == 0
    assert (job.path / "events.jsonl").read_bytes() == before


def test_half_written_and_damaged_checkpoints_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / ".step-9.new").mkdir(parents=True)
    (tmp_path / "checkpoints" / "step-8").mkdir()
    (tmp_path / "checkpoints" / "step-8" / "meta.json").write_text("{")
    found = Checkpoints(tmp_path)
    assert [path.name for path in found.found()] == ["step-8"]
    state: Any = None
    assert found.restore(state, {"seed": 1}) is None


def test_threads_are_bound_before_numpy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in trainer.THREAD_VARIABLES:
        monkeypatch.setenv(name, "99")
    trainer.limit_threads()
    assert os.environ["OPENBLAS_NUM_THREADS"] == str(max(1, (os.cpu_count() or 2) // 2))
    trainer.limit_threads(3)
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert trainer.main([str(tmp_path / "none")]) == 2


def test_events_know_what_was_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = Events(path)
    events.write("metrics", "Step 4/9", step=4)
    events.write("checkpoint", "…", step=4)
    events.close()
    with path.open("ab") as file:
        file.write(b'{"half')
    again = Events(path)
    again.close()
    assert (again.last_step, again.checkpoints) == (4, {4})
    assert path.read_bytes().endswith(b"}\n")
