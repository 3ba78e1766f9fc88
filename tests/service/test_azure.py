"""The whole loop on an emulated Azure: files with a mark, trainingType, its statuses, deployments, chat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import chat, checkpoints, deployments, files, jobs, models, results
from fttui.service.deployments import DeploySpec, Progress
from fttui.service.provider import Provider
from fttui.service.types import LaunchSpec

BASE = "gpt-4.1-mini-2025-04-14"
CHAT = ({"role": "user", "content": "Hi"},)


@pytest.mark.parametrize("version", ["", "2025-04-01-preview"])
async def test_the_whole_loop(
    azure: Any, on_azure: Callable[..., Provider], jsonl: Path, version: str
) -> None:
    provider = on_azure(api_version=version)
    sent = await files.upload(provider, jsonl)
    assert azure.contents[sent.id] == b"\xef\xbb\xbf" + jsonl.read_bytes()
    assert (await files.wait_processed(provider, sent.id)).status == "processed"

    spec = LaunchSpec(BASE, sent.id, hyperparameters={"n_epochs": 2}, suffix="support", seed=7)
    job = await jobs.create(provider, spec)
    assert job.status == "queued"  # Azure says "pending"
    asked = azure.jobs[job.id]
    assert asked["trainingType"] == "GlobalStandard"
    assert asked["method"]["supervised"]["hyperparameters"] == {"n_epochs": 2}
    seen: list[str] = []
    for _ in range(3):
        azure.look(job.id)
        job = await jobs.retrieve(provider, job.id)
        seen.append(job.status)
    assert seen == ["running", "running", "succeeded"]
    told = await jobs.events_since(provider, job.id)
    assert [event.metrics.step for event in told if event.metrics] == [1, 2, 3]
    kept = await checkpoints.listing(provider, job.id)
    assert [row.step for row in kept] == [3, 2, 1]
    figures = await results.read(provider, job)
    assert figures

    with pytest.raises(Problem) as closed:  # a tuned model does not answer by its name
        await chat.answer(provider, job.fine_tuned_model, CHAT)
    assert closed.value.code.lower() == "deploymentnotfound"
    assert "Deploy the model first" in closed.value.remedy

    heard: list[Progress] = []
    name = deployments.name_for(job.fine_tuned_model)
    made = await deployments.create(
        provider, DeploySpec(name, job.fine_tuned_model, "GlobalStandard", 100, BASE, job.id)
    )
    assert (made.state, made.base, made.job) == ("creating", BASE, job.id)
    ready = await deployments.wait_ready(provider, name, heard.append)
    assert [step.phase for step in heard] == ["making", "making", "starting", "starting", "ready"]
    assert (ready.made, ready.requests_per_minute, ready.tokens_per_minute) == (True, 30, 100_000)
    answer = await chat.answer(provider, name, CHAT)
    assert answer.text == "Hello there."

    (listed,) = await deployments.models_to_chat(provider)
    assert (listed.id, listed.deployed) == (name, job.fine_tuned_model)
    await deployments.delete(provider, name)
    assert not azure.deployments


async def test_the_older_api_has_other_words_and_other_paths(
    azure: Any, on_azure: Callable[..., Provider]
) -> None:
    azure.words = ["notRunning", "running", "running", "Succeeded"]
    provider = on_azure(api_version="2024-10-21")
    job = await jobs.create(provider, LaunchSpec(BASE, "file-1"))
    assert job.status == "queued"
    assert (await jobs.cancel(provider, job.id)).status == "cancelled"  # it says "canceled"
    azure.deploy("support", f"{BASE}.ft-01")
    assert (await chat.answer(provider, "support", CHAT)).text
    request = azure.requests[-1]
    assert request.query["api-version"] == "2024-10-21"
    assert request.headers["api-key"] == provider._key.reveal()
    assert "authorization" not in request.headers


async def test_a_dated_client_on_the_v1_address_is_told_the_way_out(
    azure: Any, connect: Callable[..., Provider]
) -> None:
    right = connect(azure.url, "azure")
    with pytest.raises(Problem) as caught:
        await right.request("GET", "/models", doing="Asking", query={"api-version": "2024-10-21"})
    assert caught.value.code == "wrong_endpoint"


async def test_what_azure_documents_as_different(
    azure: Any, on_azure: Callable[..., Provider], jsonl: Path
) -> None:
    """Each rule of the emulator refuses what was made for another provider; ours passes."""
    provider = on_azure()
    can = provider.capabilities
    assert (can.wants_bom, can.needs_deploy, can.placement) == (True, True, "method")
    plain = on_azure(overrides={"wants_bom": False})
    with pytest.raises(Problem, match="byte-order mark"):
        await files.upload(plain, jsonl)
    on_top = on_azure(overrides={"placement": "top"})
    with pytest.raises(Problem, match="belong under method"):
        await jobs.create(on_top, LaunchSpec(BASE, "f", hyperparameters={"n_epochs": 1}))
    with pytest.raises(Problem, match="18 characters"):
        await jobs.create(provider, LaunchSpec(BASE, "f", suffix="much-too-long-a-suffix"))
    small = on_azure(overrides={"total_limit": 1000})
    with pytest.raises(Problem, match="too large"):
        await files.upload(small, jsonl)
    parts = on_azure(overrides={"file_limit": 1000, "total_limit": 10**9})
    with pytest.raises(Problem, match="too large for one upload"):  # it has no uploads in parts
        await files.upload(parts, jsonl)
    job = await jobs.create(provider, LaunchSpec(BASE, "f"))
    with pytest.raises(Problem, match="with a step done"):
        await jobs.pause(provider, job.id)
    azure.look(job.id)
    assert (await jobs.pause(provider, job.id)).paused
    assert (await jobs.resume(provider, job.id)).status == "queued"
    assert "between projects" in provider.lacks("permissions")
    await models.delete(provider, f"{BASE}.ft-01")
    assert azure.count("DELETE", "/models/.*") == 1


async def test_the_whole_loop_on_nebius(
    nebius: Any, connect: Callable[..., Provider], jsonl: Path
) -> None:
    model = "meta-llama/Llama-3.3-70B-Instruct"
    provider = connect(nebius.url, "nebius")
    sent = await files.upload(provider, jsonl)
    assert nebius.contents[sent.id] == jsonl.read_bytes()  # no mark here
    chosen = {"n_epochs": 2, "batch_size": "auto", "lora": True}
    job = await jobs.create(provider, LaunchSpec(model, sent.id, hyperparameters=chosen))
    assert nebius.jobs[job.id]["hyperparameters"] == {"n_epochs": 2, "lora": True}
    for _ in range(3):
        nebius.look(job.id)
    job = await jobs.retrieve(provider, job.id)
    assert (job.status, job.trained_steps, job.total_steps) == ("succeeded", 3, 3)
    told = await jobs.events_since(provider, job.id)
    assert [event.metrics.train_loss for event in told if event.metrics] == [1.0, 0.5, 1 / 3]
    kept = await checkpoints.listing(provider, job.id)
    assert [row.step for row in kept] == [3, 2, 1]
    assert await files.content(provider, kept[0].result_files[0]) == b"weights 3"
    assert [row.id for row in await deployments.models_to_chat(provider)] == [job.fine_tuned_model]
    assert (await chat.answer(provider, job.fine_tuned_model, CHAT)).text == "Hello there."


async def test_what_nebius_documents_as_different(
    nebius: Any, connect: Callable[..., Provider]
) -> None:
    provider = connect(nebius.url, "nebius")
    spec = LaunchSpec("m", "f", hyperparameters={"n_epochs": 30})
    with pytest.raises(Problem, match="invalid n_epochs"):
        await jobs.create(provider, spec)
    under = connect(nebius.url, "nebius", overrides={"placement": "method"})
    with pytest.raises(Problem, match="Only one of"):
        await jobs.create(under, LaunchSpec("m", "f"))
    tagged = connect(nebius.url, "nebius", overrides={"metadata": True})
    with pytest.raises(Problem, match="Only one of"):
        await jobs.create(tagged, LaunchSpec("m", "f"))
    job = await jobs.create(provider, LaunchSpec("m", "f", hyperparameters={"n_epochs": 3}))
    for feature in ("pause", "delete", "permissions"):
        assert "Nebius" in provider.lacks(feature)
    with pytest.raises(Problem, match="cannot pause"):
        await jobs.pause(provider, job.id)
    with pytest.raises(Problem, match="does not delete"):
        await models.delete(provider, "m")
    with pytest.raises(Problem, match="not possible here") as caught:
        await deployments.listing(provider)
    assert "POST /v0/models" in caught.value.why
    assert (await jobs.cancel(provider, job.id)).status == "cancelled"
