"""Whatever a service answers is read: the spec's own examples, the oddities seen in the wild, and nonsense."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fttui.service.types import (
    ChatChunk,
    Checkpoint,
    FileInfo,
    Job,
    JobError,
    JobEvent,
    Metrics,
    ModelInfo,
    Page,
)

BUILDERS = [ChatChunk, Checkpoint, FileInfo, Job, JobError, JobEvent, Metrics, ModelInfo]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = [
    "id", "model", "status", "created_at", "finished_at", "hyperparameters", "method", "type", "error",
    "message", "data", "metrics", "step", "train_loss", "choices", "delta", "tool_calls", "usage",
    "result_files", "metadata", "shutdown_date", "bytes", "scores", "content", "last_id", "has_more",
]  # fmt: skip
LIKELY = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=10)


@pytest.mark.parametrize("build", BUILDERS)
@settings(max_examples=60, deadline=None)
@given(obj=LIKELY | JSON)
def test_no_json_at_all_breaks_a_builder(build: type, obj: object) -> None:
    build.from_json(obj)
    Page.from_json(obj, build.from_json)


def example(shared: Path, name: str) -> dict:
    return json.loads((shared / "spec" / "examples" / f"{name}.json").read_text())


def test_every_job_in_the_specs_examples_is_read(shared: Path) -> None:
    names = [f"createFineTuningJob-{n}" for n in range(5)]
    names += [f"{verb}FineTuningJob-0" for verb in ("cancel", "pause", "resume", "retrieve")]
    jobs = {name: Job.from_json(example(shared, name)) for name in names}
    assert all(job.id.startswith("ftjob-") and job.model for job in jobs.values())
    assert not any(job.error for job in jobs.values())  # {} and an object of nulls are no errors
    assert jobs["pauseFineTuningJob-0"].paused
    assert jobs["createFineTuningJob-1"].hyperparameters["n_epochs"] == 2
    assert jobs["createFineTuningJob-2"].method == "dpo"
    assert jobs["createFineTuningJob-2"].hyperparameters["beta"] == 0.1  # top level is null
    assert jobs["createFineTuningJob-3"].hyperparameters["reasoning_effort"] == "medium"
    assert jobs["cancelFineTuningJob-0"].ended
    assert jobs["retrieveFineTuningJob-0"].trained_tokens == 5768


def test_events_checkpoints_files_and_models_of_the_specs_examples(shared: Path) -> None:
    events = Page.from_json(example(shared, "listFineTuningEvents-0"), JobEvent.from_json)
    assert events.has_more
    assert events.cursor == "ft-event-tyiGuB72evQncpH87xe505Sv"  # no last_id: the last row's id
    assert all(event.metrics is None for event in events.items)
    kept = Page.from_json(example(shared, "listFineTuningJobCheckpoints-0"), Checkpoint.from_json)
    assert [(row.step, row.metrics.best_valid_loss) for row in kept.items] == [
        (2000, 0.134),
        (1000, 0.167),
    ]
    assert kept.items[0].metrics.step == 2000
    files = Page.from_json(example(shared, "listFiles-0"), FileInfo.from_json)
    assert [(row.bytes, row.status) for row in files.items] == [(175, ""), (140, "")]
    models = Page.from_json(example(shared, "listModels-0"), ModelInfo.from_json)
    assert [row.shutdown_date for row in models.items] == [None, None, date(2026, 10, 23)]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("out of credit", "out of credit"),
        ({"message": "no", "code": "x"}, "no"),
        ({"error": {"message": "inner"}}, "inner"),
        ({"detail": "fastapi"}, "fastapi"),
    ],
)
def test_an_error_of_any_shape_keeps_its_words(raw: object, message: str) -> None:
    assert Job.from_json({"id": "j", "error": raw}).error.message == message


@pytest.mark.parametrize("raw", [None, {}, {"code": None, "message": None}, "", [], 0, False])
def test_no_error_is_none(raw: object) -> None:
    assert Job.from_json({"error": raw}).error is None


def test_an_unknown_status_and_event_type_stay_as_they_came() -> None:
    job = Job.from_json({"id": "j", "status": "Calibrating"})
    assert (job.status, job.ended, job.live) == ("calibrating", False, True)  # worth asking about
    assert JobEvent.from_json({"type": "moderation_checks"}).type == "moderation_checks"


@pytest.mark.parametrize("name", ["train_accuracy", "train_mean_token_accuracy"])
def test_accuracy_under_either_name(name: str) -> None:
    event = JobEvent.from_json(
        {"type": "metrics", "data": {"step": 7, name: 0.5, "train_loss": "NaN"}}
    )
    assert event.metrics == Metrics(step=7, train_accuracy=0.5)


def test_metrics_only_in_the_message() -> None:
    event = JobEvent.from_json(
        {
            "message": "Step 9/30: training loss=0.15, validation loss=0.27, full validation loss=0.40"
        }
    )
    assert event.metrics == Metrics(9, 30, train_loss=0.15, valid_loss=0.27, full_valid_loss=0.40)
    assert JobEvent.from_json({"message": "Step by step: training loss=1"}).metrics is None


def test_metrics_of_reinforcement() -> None:
    data = {"step": 10, "scores": {"train_reward_mean": 0.42, "valid_reward_mean": 0.68}}
    found = JobEvent.from_json({"data": data}).metrics
    assert (found.train_reward, found.valid_reward) == (0.42, 0.68)


def test_times_as_seconds_milliseconds_or_text() -> None:
    for value in (1721764800, 1721764800.0, 1721764800000, "2024-07-23T20:00:00Z", "1721764800"):
        assert Job.from_json({"created_at": value}).created_at == 1721764800


def test_a_whole_answer_reads_like_a_chunk(shared: Path) -> None:
    assert ChatChunk.from_json(example(shared, "createChatCompletion-0")).text.startswith("Hello!")
    call = ChatChunk.from_json(example(shared, "createChatCompletion-3")).tool_calls[0]
    assert (call.name, json.loads(call.arguments)) == (
        "get_current_weather",
        {"location": "Boston, MA"},
    )
    parts = {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]}
    assert ChatChunk.from_json(parts).text == "ab"
