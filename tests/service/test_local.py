"""The whole loop through the service layer against the real local server, really training a tiny model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from fttui.config import Profile
from fttui.local import launch
from fttui.problem import Problem
from fttui.service import chat, checkpoints, files, jobs, models, results
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings, Job, LaunchSpec
from fttui.service.watch import Change, Watcher

SECONDS = 60.0


@pytest.fixture(scope="module")
def home_of_server(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Path]:
    """The home of one server on the tiny model, for all tests here."""
    home = tmp_path_factory.mktemp("server")
    launch.ensure(home / "data", models={"tiny": tiny_model})
    yield home
    launch.stop(home / "data")


@pytest.fixture
async def provider(
    home_of_server: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Provider]:
    monkeypatch.setenv("FTTUI_HOME", str(home_of_server))
    found = Provider(Profile("local", "local"))
    yield found
    await found.close()


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    rows = (
        [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"yes {n}"}]
        for n in range(12)
    )
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    return path


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_from_a_file_to_a_chat_with_its_model(provider: Provider, train: Path) -> None:
    sent = await files.upload(provider, train)
    await files.wait_processed(provider, sent.id, SECONDS)
    assert (await files.same(provider, train)).id == sent.id
    spec = LaunchSpec(
        "tiny", sent.id, validation_file=sent.id, suffix="mine", seed=3, metadata={"team": "a"},
        hyperparameters={"n_epochs": 2, "batch_size": 4},
    )  # fmt: skip
    job = await jobs.create(provider, spec)
    assert (await jobs.create(provider, spec)).id == job.id  # the same launch: the same job

    changes: list[Change] = []
    watcher = Watcher(changes.append)
    watcher.add(provider)
    watcher.visible("local", [job.id])

    def now() -> Job:
        return next((row for row in watcher.jobs("local") if row.id == job.id), job)

    await until(lambda: any(row.ended for change in changes for row in change.jobs))
    done = now()
    watcher.poke()  # the last events may come a little after the end
    await until(lambda: any("completed" in str(change.events) for change in changes))
    await watcher.close()
    assert done.status == "succeeded", done.error
    assert done.fine_tuned_model.startswith("ft:tiny:")
    assert done.hyperparameters["n_epochs"] == 2
    assert done.trained_tokens

    log = await jobs.events_since(provider, job.id)
    told = [event.id for change in changes for event in change.events.get(job.id, ())]
    assert told == [event.id for event in log]  # the watcher told every event, once, in order
    steps = [found for event in log if (found := event.metrics) and found.train_loss is not None]
    assert [row.step for row in steps] == list(range(1, 7))
    assert steps[-1].train_loss < steps[0].train_loss
    table = await results.read(provider, done)
    assert [row.train_loss for row in table] == pytest.approx(
        [row.train_loss for row in steps], abs=1e-4
    )

    kept = await checkpoints.listing(provider, job.id)
    assert [row.step for row in kept] == [6, 3]
    assert all(row.metrics.best_valid_loss is not None for row in kept)
    listed = [row.id for row in await models.listing(provider)]
    assert done.fine_tuned_model in listed
    assert "tiny" in listed
    for model in ("tiny", done.fine_tuned_model, kept[-1].model):
        ask = [{"role": "user", "content": "question 1"}]
        result = await chat.answer(provider, model, ask, ChatSettings(temperature=0, max_tokens=5))
        assert result.end in ("stop", "length")
        assert result.usage.completion <= 5
        assert result.first_token is not None


async def test_what_the_server_refuses_is_said_in_its_words(
    provider: Provider, train: Path
) -> None:
    sent = await files.upload(provider, train)
    with pytest.raises(Problem) as caught:
        await jobs.create(provider, LaunchSpec("no-such-model", sent.id))
    assert caught.value.detail["status"] in (400, 404)
    assert "no-such-model" in caught.value.why
    with pytest.raises(Problem) as caught:
        await jobs.retrieve(provider, "ftjob-nope")
    assert caught.value.detail["status"] == 404
    stream = chat.stream(provider, "ft:gone", [{"role": "user", "content": "x"}])
    with pytest.raises(Problem) as caught:
        async for _ in stream:
            pass
    assert "ft:gone" in caught.value.what


async def test_a_job_is_paused_resumed_and_cancelled(provider: Provider, train: Path) -> None:
    sent = await files.upload(provider, train)
    spec = LaunchSpec("tiny", sent.id, hyperparameters={"n_epochs": 50, "batch_size": 1})
    job = await jobs.create(provider, spec)

    async def reach(*wanted: str) -> None:
        async with asyncio.timeout(SECONDS):
            while (await jobs.retrieve(provider, job.id)).status not in wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    await reach("running")
    await jobs.pause(provider, job.id)
    await reach("paused")
    await jobs.resume(provider, job.id)
    await reach("queued", "running")
    assert (await jobs.cancel(provider, job.id)).id == job.id
    await reach("cancelled")


async def test_a_killed_server_is_started_again_by_the_next_request(provider: Provider) -> None:
    await jobs.listing(provider)
    first = launch.running()
    os.kill(first.pid, signal.SIGKILL)
    await jobs.listing(provider)
    assert launch.running().pid != first.pid


async def test_a_watcher_that_asks_once_a_look_brings_a_killed_server_back(
    provider: Provider,
) -> None:
    await jobs.listing(provider)
    first = launch.running()
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(Problem):
        await jobs.listing(provider, attempts=1)
    await jobs.listing(provider, attempts=1)  # the next look finds a new one
    assert launch.running().pid != first.pid
