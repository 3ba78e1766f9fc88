"""Jobs: made once whatever happens, asked for as each provider wants it, followed without gaps or doubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import jobs
from fttui.service.errors import job_problem
from fttui.service.provider import Provider
from fttui.service.types import TAG, Job, JobError, LaunchSpec

JOBS = "/fine_tuning/jobs"


def spec(**fields: Any) -> LaunchSpec:
    given = {"model": "gpt-4.1-mini-2025-04-14", "training_file": "file-1", **fields}
    return LaunchSpec(**given)


# ---- the request ----


async def test_every_field_is_where_openai_wants_it(server: Any, provider: Any) -> None:
    wanted = spec(
        validation_file="file-2", hyperparameters={"n_epochs": 3, "batch_size": "auto"}, suffix="x",
        seed=7, metadata={"team": "a"}, method="dpo", integrations=({"type": "wandb"},),
    )  # fmt: skip
    job = await jobs.create(provider, wanted)
    assert server.requests[-1].json == {
        "model": "gpt-4.1-mini-2025-04-14", "training_file": "file-1", "validation_file": "file-2",
        "method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "batch_size": "auto"}}},
        "suffix": "x", "seed": 7, "metadata": {"team": "a", TAG: wanted.tag},
        "integrations": [{"type": "wandb"}],
    }  # fmt: skip
    assert (job.method, job.seed, job.status) == ("dpo", 7, "queued")


async def test_a_grader_goes_under_the_method(provider: Any) -> None:
    grader = {"type": "string_check"}
    body = jobs.body(provider, spec(method="reinforcement", method_fields={"grader": grader}))
    assert body["method"] == {"type": "reinforcement", "reinforcement": {"grader": grader}}


async def test_nebius_gets_hyperparameters_on_top(
    fault: Any, connect: Callable[..., Provider]
) -> None:
    async with fault.FaultServer("nebius") as server:
        provider = connect(server.url, "nebius")
        wanted = spec(
            hyperparameters={"n_epochs": 2, "batch_size": "auto"}, extra_body={"lora": True}
        )
        job = await jobs.create(provider, wanted)
        sent = server.requests[-1].json
        assert (sent["hyperparameters"], sent["lora"]) == ({"n_epochs": 2}, True)
        assert job.hyperparameters == {"n_epochs": 2}
        with pytest.raises(Problem, match="no method 'dpo'"):
            await jobs.create(provider, spec(method="dpo"))


async def test_azure_gets_its_training_type(fault: Any, connect: Callable[..., Provider]) -> None:
    async with fault.FaultServer("azure", "/openai/v1") as server:
        assert (await jobs.create(connect(server.url, "azure"), spec())).id
        assert server.requests[-1].json["trainingType"] == "GlobalStandard"
        provider = connect(server.url, "azure", extra_body={"trainingType": "Standard"})
        with pytest.raises(Problem) as caught:  # what the profile says wins, right or wrong
            await jobs.create(provider, spec())
        assert caught.value.code == "training_type"
        assert "GlobalStandard" in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "word", "status"),
    [
        ("azure", "pending", "queued"),
        ("azure", "notRunning", "queued"),
        ("azure", "canceled", "cancelled"),
        ("custom", "completed", "succeeded"),
        ("custom", "STARTED", "running"),
        ("openai", "completed", "completed"),  # a word nobody explained is shown as it is
    ],
)
async def test_a_status_in_the_providers_own_words(
    server: Any, connect: Callable[..., Provider], kind: str, word: str, status: str
) -> None:
    body = {"id": "j", "status": word, "model": "m"}
    server.fixed[("GET", JOBS)] = {"data": [body]}
    server.fixed[("GET", f"{JOBS}/j")] = server.fixed[("POST", f"{JOBS}/j/cancel")] = body
    provider = connect(server.url, kind)
    (listed,) = (await jobs.listing(provider)).items
    assert listed.status == status
    assert (await jobs.retrieve(provider, "j")).status == status
    assert (await jobs.cancel(provider, "j")).status == status
    assert listed.raw["status"] == status  # what is remembered needs no provider to be read
    mine = connect(server.url, "openai", overrides={"status_map": {word.lower(): "failed"}})
    assert (await jobs.retrieve(mine, "j")).ended


async def test_azure_before_v1(fault: Any, connect: Callable[..., Provider]) -> None:
    async with fault.FaultServer("azure", "/openai") as server:
        root = server.url.removesuffix("/openai")
        provider = connect(root, "azure", api_version="2025-04-01-preview")
        await jobs.listing(provider)
        assert server.requests[-1].path == JOBS
        assert server.requests[-1].query["api-version"] == "2025-04-01-preview"
        assert server.requests[-1].headers["api-key"]


# ---- once and only once ----


async def test_a_create_whose_answer_is_lost_makes_one_job(
    server: Any, connect: Callable[..., Provider], fault: Any
) -> None:
    provider = connect(server.url, timeout=0.3)
    server.fail("POST", JOBS, fault.Fault(stall=True, done=True))
    job = await jobs.create(provider, spec())
    assert list(server.jobs) == [job.id]
    assert server.count("POST", JOBS) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_create_that_failed_after_it_worked_makes_one_job(
    server: Any, provider: Any, fault: Any, status: int
) -> None:
    server.fail("POST", JOBS, fault.Fault(status, "", done=True))
    job = await jobs.create(provider, spec())
    assert list(server.jobs) == [job.id]


async def test_a_create_answered_with_garbage_makes_one_job(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("POST", JOBS, fault.Fault(200, "<html>", done=True))
    assert [(await jobs.create(provider, spec())).id] == list(server.jobs)


async def test_a_create_that_never_arrived_is_not_repeated_by_itself(
    server: Any, connect: Callable[..., Provider], fault: Any
) -> None:
    provider = connect(server.url, timeout=0.3)
    server.fail("POST", JOBS, fault.Fault(stall=True))
    wanted = spec()
    with pytest.raises(Problem) as caught:
        await jobs.create(provider, wanted)
    assert caught.value.code == "create_unknown"
    assert not server.jobs
    job = await jobs.create(provider, wanted)  # the person tries again: looked for, then made
    assert list(server.jobs) == [job.id]
    assert (await jobs.create(provider, wanted)).id == job.id
    assert len(server.jobs) == 1


async def test_a_draft_from_a_crashed_session_finds_its_job(
    server: Any, connect: Callable[..., Provider]
) -> None:
    wanted = spec()
    job = await jobs.create(connect(server.url), wanted)
    again = await jobs.create(connect(server.url), wanted, sent_before=True)
    assert again.id == job.id
    assert len(server.jobs) == 1


async def test_a_rate_limited_create_is_repeated_since_it_was_refused(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail("POST", JOBS, fault.Fault(429, fault.error("later"), {"retry-after": "3"}))
    job = await jobs.create(provider, spec())
    assert list(server.jobs) == [job.id]
    assert provider.waits[0].seconds == 3


async def test_too_many_running_jobs_is_no_rate_to_wait_for(
    server: Any, provider: Any, fault: Any
) -> None:
    server.fail(
        "POST", JOBS, fault.Fault(429, fault.error("limit of 3 concurrent jobs reached")), times=9
    )
    with pytest.raises(Problem) as caught:
        await jobs.create(provider, spec())
    assert caught.value.code == "too_many_jobs"
    assert server.count("POST", JOBS) == 1


@pytest.mark.parametrize("style", ["nebius", "azure"])
async def test_where_metadata_is_dropped_a_lost_job_is_known_by_what_it_is(
    fault: Any, connect: Callable[..., Provider], style: str
) -> None:
    async with fault.FaultServer(style) as server:
        extra = {"extra_body": {"trainingType": "GlobalStandard"}} if style == "azure" else {}
        provider = connect(server.url, style, timeout=0.3, **extra)
        other = await jobs.create(provider, spec(hyperparameters={"n_epochs": 1}))
        server.fail("POST", JOBS, fault.Fault(stall=True, done=True))
        job = await jobs.create(provider, spec(hyperparameters={"n_epochs": 2}))
        assert job.id != other.id
        assert len(server.jobs) == 2


async def test_an_answer_without_a_job_is_not_taken_for_one(server: Any, provider: Any) -> None:
    server.fixed[("POST", JOBS)] = {"status": "ok"}
    with pytest.raises(Problem) as caught:
        await jobs.create(provider, spec())
    assert caught.value.code == "create_unknown"


# ---- lists, actions, events ----


async def test_pages_follow_one_another(server: Any, provider: Any) -> None:
    made = [(await jobs.create(provider, spec(seed=n))).id for n in range(5)]
    first = await jobs.listing(provider, limit=2)
    second = await jobs.listing(provider, limit=2, after=first.cursor)
    third = await jobs.listing(provider, limit=2, after=second.cursor)
    listed = [job.id for page in (first, second, third) for job in page.items]
    assert listed == list(reversed(made))
    assert (first.has_more, third.has_more) == (True, False)


async def test_a_filter_by_metadata_holds_where_the_server_ignores_it(
    server: Any, provider: Any
) -> None:
    mine = {"id": "a", "metadata": {"sweep": "1"}}
    server.fixed[("GET", JOBS)] = {"data": [mine, {"id": "b", "metadata": None}], "has_more": False}
    page = await jobs.listing(provider, metadata={"sweep": "1"})
    assert [job.id for job in page.items] == ["a"]
    assert server.requests[-1].query["metadata[sweep]"] == "1"


async def test_cancel_pause_resume(server: Any, provider: Any) -> None:
    job = await jobs.create(provider, spec())
    assert (await jobs.pause(provider, job.id)).paused
    assert (await jobs.resume(provider, job.id)).status == "queued"
    assert (await jobs.cancel(provider, job.id)).ended


def test_what_cannot_be_done_now_says_why(provider: Any) -> None:
    assert not jobs.why_not(provider, Job("j", status="running"), "pause")
    assert "queued" in jobs.why_not(provider, Job("j", status="queued"), "pause")
    assert "running" in jobs.why_not(provider, Job("j", status="running"), "resume")
    assert "been cancelled" in jobs.why_not(provider, Job("j", status="cancelled"), "cancel")
    assert not jobs.why_not(provider, Job("j", status="pausing"), "cancel")


def event(number: int) -> dict[str, Any]:
    return {"id": f"ev-{number}", "created_at": 1000 + number, "message": f"m{number}"}


async def test_events_come_oldest_first_without_doubles(server: Any, provider: Any) -> None:
    server.events["j"] = [event(n) for n in range(250)]
    found = await jobs.events_since(provider, "j")
    assert [row.id for row in found] == [f"ev-{n}" for n in range(250)]
    server.events["j"] += [event(250), event(251)]
    before = len(server.requests)
    assert [row.id for row in await jobs.events_since(provider, "j", "ev-249")] == [
        "ev-250",
        "ev-251",
    ]
    assert len(server.requests) == before + 1
    assert await jobs.events_since(provider, "j", "ev-251") == []


async def test_events_answered_oldest_first_are_turned_round(server: Any, provider: Any) -> None:
    rows = [event(1), event(2)]
    server.fixed[("GET", f"{JOBS}/j/events")] = {"data": rows, "has_more": False}
    assert [row.id for row in (await jobs.events(provider, "j")).items] == ["ev-2", "ev-1"]


async def test_events_without_end_are_left(server: Any, provider: Any) -> None:
    server.fixed[("GET", f"{JOBS}/j/events")] = {"data": [event(1)], "has_more": True}
    assert [row.id for row in await jobs.events_since(provider, "j")] == ["ev-1"]
    assert len(server.requests) < 5


# ---- why a job failed ----


@pytest.mark.parametrize(
    ("code", "message", "expected", "remedy", "examples"),
    [
        ("invalid_n_examples", "Training file has 7 example(s), but must have at least 10 examples",
         "invalid_n_examples", "10 are the least", []),
        ("invalid_training_file", "The job failed due to an invalid training file. Invalid file format. "
         "Example 100, message 2 Discriminator 'role' is missing in value",
         "invalid_training_file", "fttui check", [100]),
        ("invalid_training_file", "The job failed due to an invalid training file. Invalid file format. "
         "Input file file-1 is in the fine-tune-chat format, but the specified fine-tuning job is not "
         "using 'supervised' as the training method (provided method=dpo).",
         "invalid_training_file", "method that fits", []),
        ("", "The job failed due to an invalid training file. Unexpected file format, expected either "
         "prompt/completion pairs or chat messages.", "invalid_training_file", "messages", []),
        ("", "This training file was blocked because too many examples were flagged by our moderation "
         "API for containing content that violates OpenAI's usage policies", "moderation", "Remove", []),
        ("", "This file failed moderation safety checks. Flagged lines: 4, 13, 14, 18, 35 ...",
         "moderation", "Remove", [4, 13, 14, 18, 35]),
        ("exceeded_quota", "", "exceeded_quota", "billing", []),
        ("", "INVALID JSONL FILE ON LINE 12", "invalid_jsonl", "fttui check", [12]),
        ("", "invalid batch_size, extra fields not permitted", "invalid_hyperparameters", "auto", []),
    ],
)  # fmt: skip
def test_each_known_message_has_a_remedy(
    code: str, message: str, expected: str, remedy: str, examples: list[int]
) -> None:
    problem = job_problem(JobError(code, message), "ftjob-1")
    assert problem.code == expected
    assert remedy in problem.remedy
    assert problem.detail.get("examples", []) == examples


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    problem = job_problem(JobError("weird", "The moon was full."))
    assert (problem.code, problem.why) == ("weird", "The moon was full.")
    assert problem.remedy
    assert job_problem(JobError()).why
