"""`fttui deployments` as it is typed, against the emulated Azure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from fttui_test_emulators import ACCOUNT, ARM_TOKEN, GROUP, SUBSCRIPTION

from fttui import cli, paths
from fttui.service import deployments

MODEL = "gpt-4.1-mini-2025-04-14.ft-0123456789abcdef-support"
KEY = "data-plane-key-0123456789"
Run = Callable[..., Any]


@pytest.fixture
def run(
    azure: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Any
) -> Run:
    monkeypatch.setenv("AZURE_KEY", KEY)
    monkeypatch.setenv("ARM_TOKEN", ARM_TOKEN)
    monkeypatch.setattr(deployments, "POLL_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(deployments, "PROBE_SECONDS", 0.01)
    paths.config_dir().mkdir(parents=True, exist_ok=True)
    (paths.config_dir() / "config.toml").write_text(
        f"""default_profile = "work"
[profiles.work]
provider = "azure"
base_url = "{azure.root}"
key = {{ env = "AZURE_KEY" }}
[profiles.work.azure]
subscription = "{SUBSCRIPTION}"
resource_group = "{GROUP}"
account = "{ACCOUNT}"
management_url = "{azure.root}"
management_key = {{ env = "ARM_TOKEN" }}
"""
    )

    async def go(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        command = [] if argv[:1] == ("run",) else ["deployments"]
        code = await asyncio.to_thread(cli.main, [*command, *argv])
        out, err = capsys.readouterr()
        for text in (out, err):
            assert KEY not in text
            assert ARM_TOKEN not in text
        return code, out, err

    return go


async def test_from_nothing_to_an_answer_and_back(azure: Any, run: Run) -> None:
    assert "nothing is deployed, so nothing costs" in (await run())[1]
    code, _, err = await run("--create", MODEL)
    assert (code, "Add: --yes" in err, azure.deployments) == (2, True, {})
    code, out, err = await run("--create", MODEL, "--yes")
    assert code == 0
    assert "it costs $1.70 an hour, $40.80 a day, $1,224.00 a month, used or not" in out
    assert "fttui deployments --delete gpt-41-mini-support" in out
    assert [line.split(" after")[0] for line in err.splitlines()] == [
        "being made …",
        "made",
        "answers",
    ]
    head, row = (await run())[1].splitlines()
    assert head.split()[0] == "NAME"
    assert row.split()[:3] == ["gpt-41-mini-support", "ready", "global"]
    code, out, _ = await run("--scale", "gpt-41-mini-support", "--capacity", "200")
    assert "capacity 100 → 200" in out
    code, out, _ = await run("--json")
    (listed,) = json.loads(out)["deployments"]
    assert (listed["capacity"], listed["hosting"]["hour"], listed["so_far"]) == (
        200,
        "1.70",
        "0.00",
    )
    code, _, err = await run("--delete", "gpt-41-mini-support")
    assert (code, "Add: --yes" in err) == (2, True)
    code, out, _ = await run("--delete", "gpt-41-mini-support", "--yes")
    assert (code, azure.deployments) == (0, {})
    written = b"".join(p.read_bytes() for p in paths.state_dir().rglob("*") if p.is_file())
    assert b"gpt-41-mini-support" in written  # the journal of what was paid for
    assert ARM_TOKEN.encode() not in written


async def test_a_free_tier_is_not_asked_about_and_need_not_be_waited_for(
    azure: Any, run: Run
) -> None:
    code, out, _ = await run("--create", MODEL, "--tier", "developer", "--no-wait", "--json")
    made = json.loads(out)["deployment"]
    assert (code, made["state"], made["sku"]) == (0, "creating", "DeveloperTier")
    assert made["hosting"]["hour"] == "0.00"
    code, _, err = await run("--create", MODEL, "--tier", "big")
    assert (code, "global, regional, developer" in err) == (2, True)


async def test_where_nothing_is_deployed_the_reason_is_told(run: Run) -> None:
    code, _, err = await run("--profile", "openai")
    assert (code, "needs no deployment" in err) == (2, True)


async def test_a_run_ends_by_saying_how_to_deploy(
    azure: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that costs by the hour is made unasked, and nothing is asked that cannot answer."""
    from fttui.commands import run as command

    monkeypatch.setattr(command, "POLL_SECONDS", 0.01)
    azure.moves = True
    code, out, err = await run("run", "--sample", "extraction", "--model", "gpt-4.1-mini", "--yes")
    assert (code, err) == (0, "")
    assert "it answers once deployed: $1.70 an hour" in out
    (job,) = azure.jobs.values()
    assert f"fttui deployments --create {job['fine_tuned_model']} --profile work" in out
    assert not azure.deployments
    assert azure.count("POST", "/chat/completions") == 0
