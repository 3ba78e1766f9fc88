"""Jobs from creation to their end, their events, checkpoints, lists, pause and cancel."""

from __future__ import annotations

import csv
import io
import json
import math

import openai
import pytest

LONG = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 50, "batch_size": 1}}}


def test_a_finished_job_has_everything(client, done_job, kit):
    job = done_job
    assert job.fine_tuned_model.startswith("ft:tiny:local:my-suffix:")
    assert job.hyperparameters.n_epochs == 4
    assert job.hyperparameters.batch_size == 4
    assert isinstance(job.hyperparameters.learning_rate_multiplier, float | int)
    assert job.method.supervised.hyperparameters.n_epochs == 4
    assert (job.seed, job.metadata, job.error) == (7, {"who": "test"}, None)
    assert job.trained_tokens > 0
    assert job.organization_id == "org-local"
    assert job.finished_at >= job.created_at
    assert job.fine_tuned_model in [m.id for m in client.models.list()]


def test_events_tell_the_story_newest_first_each_once(client, done_job):
    newest = list(client.fine_tuning.jobs.list_events(done_job.id, limit=5))
    texts = [e.message for e in reversed(newest)]
    assert texts[0] == f"Created fine-tuning job: {done_job.id}"
    assert texts[1].startswith("Validating training file: file-")
    assert texts[2:4] == [
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert texts[-2:] == [
        f"New fine-tuned model created: {done_job.fine_tuned_model}",
        "The job has successfully completed",
    ]
    steps = [e.data["step"] for e in newest[::-1] if e.type == "metrics"]
    assert steps == list(range(1, 13))  # 12 examples, batches of 4, 4 epochs
    last = next(e for e in newest if e.type == "metrics")
    assert last.message.startswith("Step 12/12: training loss=")
    assert last.data["total_steps"] == 12
    assert {"train_loss", "train_mean_token_accuracy", "full_valid_loss"} <= set(last.data)
    assert len({e.id for e in newest}) == len(newest)
    assert client.fine_tuning.jobs.list_events(done_job.id, limit=1).data[0].id == newest[0].id


def test_the_loss_falls(client, done_job):
    events = list(client.fine_tuning.jobs.list_events(done_job.id))
    losses = [e.data["train_loss"] for e in events[::-1] if e.type == "metrics"]
    assert losses[-1] < losses[0]


def test_the_last_three_checkpoints_are_kept_and_speak(server, client, done_job):
    page = client.fine_tuning.jobs.checkpoints.list(done_job.id)
    assert [c.step_number for c in page.data] == [12, 9, 6]
    newest = page.data[0]
    assert newest.fine_tuned_model_checkpoint == f"{done_job.fine_tuned_model}:ckpt-step-12"
    assert newest.metrics.full_valid_loss > 0
    assert newest.metrics.step == 12
    said = client.chat.completions.create(
        model=page.data[-1].fine_tuned_model_checkpoint,
        messages=[{"role": "user", "content": "question 1"}],
        max_tokens=3,
    )
    assert said.usage.completion_tokens <= 3
    kept = sorted(p.name for p in (server.data / "jobs" / done_job.id / "checkpoints").iterdir())
    assert kept == ["step-12", "step-6", "step-9"]
    two = client.fine_tuning.jobs.checkpoints.list(done_job.id, limit=2)
    assert [c.step_number for c in two] == [12, 9, 6]


def test_the_results_file_is_csv_with_a_step_column(client, done_job):
    (id_,) = done_job.result_files
    assert client.files.retrieve(id_).purpose == "fine-tune-results"
    rows = list(csv.DictReader(io.StringIO(client.files.content(id_).text)))
    assert list(rows[0]) == [
        "step",
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_mean_token_accuracy",
    ]
    assert [int(r["step"]) for r in rows] == list(range(1, 13))
    assert all(float(r["train_loss"]) > 0 and 0 <= float(r["train_accuracy"]) <= 1 for r in rows)


def test_the_legacy_hyperparameters_and_an_alias(client, kit):
    job = client.fine_tuning.jobs.create(
        model=kit.alias, training_file=kit.upload(client), hyperparameters={"n_epochs": 1}
    )
    assert job.status == "validating_files"
    assert job.seed >= 0
    ended = kit.finish(client, job.id)
    assert ended.status == "succeeded", ended.error
    assert ended.hyperparameters.n_epochs == 1
    assert ended.fine_tuned_model.startswith(f"ft:{kit.alias}:local::")
    with pytest.raises(openai.BadRequestError, match="succeeded"):
        client.fine_tuning.jobs.cancel(job.id)


def _losses(client, job):
    events = list(client.fine_tuning.jobs.list_events(job, limit=100))
    return [e.data["train_loss"] for e in events[::-1] if e.type == "metrics"]


def test_a_tuned_model_is_trained_further(client, done_job, kit):
    before = _losses(client, done_job.id)
    job = client.fine_tuning.jobs.create(
        model=done_job.fine_tuned_model,
        training_file=done_job.training_file,
        suffix="again",
        hyperparameters={"n_epochs": 2, "batch_size": 12, "learning_rate_multiplier": 0.1},
    )
    assert job.model == done_job.fine_tuned_model
    ended = kit.finish(client, job.id)
    assert ended.status == "succeeded", ended.error
    assert ended.fine_tuned_model.startswith("ft:tiny:local:again:")
    after = _losses(client, job.id)
    assert after[0] <= before[-1] + 0.1 < before[0]  # where the first job ended, not its start
    assert after[1] < after[0]


def test_a_checkpoint_is_trained_further_by_preferences_and_may_be_deleted(client, kit):
    first = client.fine_tuning.jobs.create(
        model=kit.alias, training_file=kit.upload(client), hyperparameters={"n_epochs": 2}
    )
    first = kit.finish(client, first.id)
    checkpoint = client.fine_tuning.jobs.checkpoints.list(first.id).data[-1]
    job = client.fine_tuning.jobs.create(
        model=checkpoint.fine_tuned_model_checkpoint,
        training_file=kit.upload(client, pairs()),
        method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1}}},
    )
    client.models.delete(checkpoint.fine_tuned_model_checkpoint)
    ended = kit.finish(client, job.id)
    assert ended.status == "succeeded", ended.error
    assert ended.fine_tuned_model.startswith(f"ft:{kit.alias}:local::")
    # Nothing is preferred yet to the model it starts from: the loss is ln 2, not the base's.
    assert _losses(client, job.id)[0] == pytest.approx(math.log(2), abs=1e-4)


def pairs():
    return b"".join(
        json.dumps(
            {
                "input": {"messages": [{"role": "user", "content": f"say {i}"}]},
                "preferred_output": [{"role": "assistant", "content": "good"}],
                "non_preferred_output": [{"role": "assistant", "content": "bad"}],
            }
        ).encode()
        + b"\n"
        for i in range(10)
    )


def test_preference_pairs_train_too(client, kit):
    hyper = {"n_epochs": 1, "beta": 0.2}
    job = client.fine_tuning.jobs.create(
        model=kit.model,
        training_file=kit.upload(client, pairs()),
        method={"type": "dpo", "dpo": {"hyperparameters": hyper}},
    )
    ended = kit.finish(client, job.id)
    assert ended.status == "succeeded", ended.error
    assert ended.method.dpo.hyperparameters.beta == 0.2


def _messages(*messages: object) -> bytes:
    return json.dumps({"messages": list(messages)}).encode()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "Example 11 is not valid JSON"),
        (b"[]", "Example 11 is not a JSON object"),
        (b'{"prompt": 1}', "Example 11 has no 'messages'"),
        (_messages({"content": "x"}), "Example 11, message 1 Discriminator 'role' is missing"),
        (_messages({"role": "user", "content": "x"}), "must have at least one message from"),
        (_messages({"role": "user"}), "message 1 has no content"),
        (_messages({"role": "boss", "content": "x"}), "message 1 has an unknown role"),
    ],
)
def test_an_invalid_training_file_fails_the_job_like_the_cloud(client, kit, line, said):
    file = kit.upload(client, kit.lines(10) + line + b"\n")
    job = kit.finish(client, client.fine_tuning.jobs.create(model=kit.model, training_file=file).id)
    assert (job.status, job.error.code, job.error.param) == (
        "failed",
        "invalid_training_file",
        "training_file",
    )
    assert (
        "The job failed due to an invalid training file. Invalid file format." in job.error.message
    )
    assert said in job.error.message
    newest = client.fine_tuning.jobs.list_events(job.id, limit=1).data[0]
    assert (newest.level, newest.message) == ("error", job.error.message)


def test_too_few_examples(client, kit):
    file = kit.upload(client, kit.lines(9))
    job = kit.finish(client, client.fine_tuning.jobs.create(model=kit.model, training_file=file).id)
    assert job.error.code == "invalid_n_examples"
    assert job.error.message == "Training file has 9 example(s), but must have at least 10 examples"


def test_what_cannot_be_is_refused_at_once(client, kit):
    file = kit.upload(client)
    other = client.files.create(file=("a", b"x"), purpose="user_data").id
    sound = {"model": kit.model, "training_file": file}
    for change, code, param in [
        ({"model": "gpt-9"}, "model_not_available", "model"),
        ({"training_file": "file-no"}, "file_not_found", "training_file"),
        ({"validation_file": "file-no"}, "file_not_found", "validation_file"),
        ({"training_file": other}, "invalid_file_purpose", "training_file"),
        ({"hyperparameters": {"n_epochs": 51}}, "invalid_value", "hyperparameters.n_epochs"),
        ({"hyperparameters": {"batch_size": 1.5}}, "invalid_type", "hyperparameters.batch_size"),
        (
            {"hyperparameters": {"learning_rate_multiplier": 0}},
            "invalid_value",
            "hyperparameters.learning_rate_multiplier",
        ),
        ({"suffix": "x" * 65}, "invalid_value", "suffix"),
        ({"seed": -1}, "invalid_value", "seed"),
        ({"metadata": {"k": 1}}, "invalid_type", "metadata.k"),
        ({"method": {"type": "reinforcement"}}, "method_not_available", "method.type"),
        (
            {"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]},
            "integration_not_available",
            "integrations",
        ),
    ]:
        with pytest.raises(openai.BadRequestError) as refused:
            client.fine_tuning.jobs.create(**(sound | change))
        assert (refused.value.code, refused.value.param) == (code, param), change


def test_lists_by_page_and_by_metadata(client, done_job, kit):
    file = kit.upload(client, kit.lines(1))  # too few: they end at once
    tags = [{"batch": "a", "n": str(i)} for i in range(3)]
    made = [
        client.fine_tuning.jobs.create(model=kit.model, training_file=file, metadata=tag).id
        for tag in tags
    ]
    for id_ in made:
        kit.finish(client, id_)
    newest = [job.id for job in client.fine_tuning.jobs.list(limit=2)]
    assert newest[:3] == made[::-1]
    assert done_job.id in newest
    both = client.fine_tuning.jobs.list(metadata={"batch": "a", "n": "1"})
    assert [job.id for job in both] == [made[1]]
    without = [job.id for job in client.fine_tuning.jobs.list(extra_query={"metadata": "null"})]
    assert without
    assert not set(without) & {*made, done_job.id}


def test_queue_pause_resume_cancel(start, kit):
    server = start()
    with server.client() as client:
        file = kit.upload(client, kit.lines(30))
        many = kit.upload(client, kit.lines(600))  # 30,000 steps: it cannot end by itself
        jobs = client.fine_tuning.jobs

        def make(training_file=file, **how):
            return jobs.create(model=kit.model, training_file=training_file, **how).id

        def status(id_):
            return jobs.retrieve(id_).status

        def step(id_):
            newest = jobs.list_events(id_, limit=5).data
            return max((e.data["step"] for e in newest if e.type == "metrics"), default=0)

        first, second, third = (
            make(many, method=LONG),
            make(hyperparameters={"n_epochs": 1}),
            make(),
        )
        kit.wait_for(lambda: status(first) == "running" and step(first), "the first trains")
        kit.wait_for(lambda: status(third) == "queued", "the others wait")
        assert status(second) == "queued"
        assert jobs.pause(third).status == "paused"

        assert jobs.pause(first).status == "paused"
        kit.wait_for(lambda: status(second) == "succeeded", "the second takes the place")
        events = list(jobs.list_events(first, limit=100))
        reached = max(e.data["step"] for e in events if e.type == "metrics")
        assert [status(first), status(third)] == ["paused", "paused"]
        assert jobs.resume(first).status == "queued"
        kit.wait_for(lambda: step(first) > reached, "the first goes on")
        assert jobs.cancel(first).status == "cancelled"
        events = list(jobs.list_events(first, limit=100))[::-1]
        steps = [e.data["step"] for e in events if e.type == "metrics"]
        assert steps == list(range(1, len(steps) + 1))
        (pid,) = {int(p.read_text()) for p in server.data.glob(f"jobs/{first}/trainer.lock")}
        kit.wait_for(lambda: not kit.alive(pid), "the trainer ends", deadline=5)
        assert jobs.list_events(first).data[0].message == "Fine-tuning job cancelled"
        assert jobs.retrieve(first).finished_at
        assert jobs.cancel(third).status == "cancelled"
        with pytest.raises(openai.BadRequestError):
            jobs.resume(third)


def test_deleting_a_model_frees_its_weights_when_no_name_needs_them(server, client, kit):
    job = kit.finish(
        client,
        client.fine_tuning.jobs.create(
            model=kit.model, training_file=kit.upload(client), hyperparameters={"n_epochs": 1}
        ).id,
    )
    (checkpoint,) = client.fine_tuning.jobs.checkpoints.list(job.id).data
    weights = server.data / "jobs" / job.id / "checkpoints" / f"step-{checkpoint.step_number}"
    assert client.models.delete(job.fine_tuned_model).deleted
    assert weights.is_dir()
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": "hi"}]
        )
    assert client.models.delete(checkpoint.fine_tuned_model_checkpoint).deleted
    assert not weights.exists()
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []


def test_permissions_on_a_checkpoint(client, done_job):
    name = client.fine_tuning.jobs.checkpoints.list(done_job.id).data[0].fine_tuned_model_checkpoint
    permissions = client.fine_tuning.checkpoints.permissions
    made = list(permissions.create(name, project_ids=["proj_a", "proj_b"]))
    assert [p.project_id for p in made] == ["proj_a", "proj_b"]
    assert [p.project_id for p in permissions.list(name, project_id="proj_a")] == ["proj_a"]
    assert permissions.delete(made[0].id, fine_tuned_model_checkpoint=name).deleted
    with pytest.raises(openai.NotFoundError):
        permissions.delete(made[0].id, fine_tuned_model_checkpoint=name)
