"""Everything about jobs in a folder: what is in it, going on after an end, and what is never in it."""

from __future__ import annotations

import asyncio
import base64
import json
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui import secrets
from fttui.problem import Problem
from fttui.service import uploads
from fttui.service.provider import Provider
from fttui.service.types import Job
from fttui.state import State
from fttui.ui.export import folder as export_folder
from fttui.ui.export import run
from fttui.ui.jobs.track import Track

KEY = "sk-test-0123456789abcdefSECRET"
CSV = "step,train_loss,valid_loss\n" + "".join(f"{n},{2 / n},{2.2 / n}\n" for n in range(1, 21))
DATA = b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n' * 50


def keep(server: Any, file_id: str, raw: bytes, name: str = "") -> str:
    server.files[file_id] = {"id": file_id, "filename": name or file_id, "bytes": len(raw)}
    server.contents[file_id] = raw
    return file_id


def add_job(server: Any, number: int, **more: Any) -> Job:
    """A finished job with 20 steps, three checkpoints, a results file and a training file."""
    job_id = f"ftjob-{number}"
    keep(server, "file-train", DATA, "support.jsonl")
    keep(server, f"res-{number}", base64.b64encode(CSV.encode()), "step_metrics.csv")
    body = {
        "id": job_id,
        "status": "succeeded",
        "model": "gpt-4.1-mini-2025-04-14",
        "fine_tuned_model": f"ft:mini:acme:s:{number}",
        "created_at": 1_790_000_000 + number,
        "finished_at": 1_790_000_900 + number,
        "user_provided_suffix": f"support-{number}",
        "training_file": "file-train",
        "result_files": [f"res-{number}"],
        "seed": 7,
        "metadata": {"note": f"made with {KEY}"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        **more,
    }
    server.jobs[job_id] = body
    server.events[job_id] = [
        {"id": f"ev-{number}-{n}", "created_at": 1_790_000_000 + n, "type": "metrics",
         "message": f"Step {n}/20: training loss={2 / n:.3f}", "level": "info",
         "data": {"step": n, "total_steps": 20, "train_loss": 2 / n}}
        for n in range(1, 21)
    ]  # fmt: skip
    server.events[job_id].append(
        {"id": f"ev-{number}-x", "created_at": 1_790_000_100, "message": f"Bearer {KEY} used"}
    )
    server.checkpoints[job_id] = [
        {"id": f"ck-{number}-{step}", "step_number": step, "created_at": 1_790_000_000 + step,
         "fine_tuned_model_checkpoint": f"ft:mini:acme:s:{number}:ckpt-step-{step}",
         "metrics": {"step": step, "train_loss": 2 / step, "full_valid_loss": valid}}
        for step, valid in ((5, 0.5), (10, 0.3), (20, 0.4))
    ]  # fmt: skip
    return Job.from_json(body)


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): p.read_text("utf-8", "replace") for p in files}


@pytest.fixture
def provider(server: Any, connect: Callable[..., Provider]) -> Provider:
    return connect(server.url)


async def test_all_of_a_job_is_there_and_reads_well(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1)
    state = State()
    chat = state.new_chat("test", "Where is my order?")
    state.add_message(chat, 1, "", "user", "Where is it?")
    state.add_message(chat, 1, "ft:mini:acme:s:1", "assistant", f"On its way. {KEY}")
    other = state.new_chat("test", "Another model")
    state.add_message(other, 1, "gpt-4.1", "assistant", "not of this job")
    known = Track(job, "test", "openai", asked={"n_epochs": "auto"})
    told: list[run.Progress] = []
    outcome = await run.export(
        [run.Chosen(provider, job, known)], tmp_path / "out", state=state, on_progress=told.append
    )
    state.close()
    assert outcome.missing == []
    assert outcome.words() == "1 job saved"
    found = texts(tmp_path / "out")
    place = "support-1-ftjob-1"
    assert {name.removeprefix(place + "/") for name in found if name.startswith(place)} == {
        "job.json", "settings.json", "events.jsonl", "metrics.csv", "checkpoints.json", "chats.json",
        "chats.md", "loss.svg", "report.md", "results/res-1.csv", "export.json",
    }  # fmt: skip
    report = found[f"{place}/report.md"]
    assert "| n_epochs | auto | 3 |" in report
    assert "step 10: lowest validation loss, 0.300" in report
    assert "validation turned after step 10" in report
    assert "![loss](loss.svg)" in report
    assert "support.jsonl" in report
    assert "[chats.md](chats.md)" in report
    xml.fromstring(found[f"{place}/loss.svg"])  # well-formed
    assert found[f"{place}/metrics.csv"].splitlines()[1] == "1,2.0,2.2"
    assert found[f"{place}/results/res-1.csv"] == CSV
    assert len(found[f"{place}/events.jsonl"].splitlines()) == 21
    best = [row["step"] for row in json.loads(found[f"{place}/checkpoints.json"]) if row["best"]]
    assert best == [10]
    assert found["data/file-train-support.jsonl"].encode() == DATA
    assert "Where is my order?" in found[f"{place}/chats.md"]
    assert "not of this job" not in found[f"{place}/chats.json"]
    assert f"[support-1]({place}/report.md)" in found["README.md"]
    assert "could not be saved" not in found["README.md"]
    assert told[-1].done == told[-1].total == 1
    for name, text in found.items():
        assert KEY not in text, name


async def test_the_same_export_again_asks_for_nothing_and_changes_nothing(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    chosen = [run.Chosen(provider, add_job(server, n)) for n in (1, 2)]
    await run.export(chosen, tmp_path)
    assert server.count("GET", "/files/file-train/content") == 1  # once for both
    before, asked = texts(tmp_path), len(server.requests)
    outcome = await run.export(chosen, export_folder.choose(tmp_path))
    assert (outcome.saved, sorted(outcome.skipped)) == ([], ["ftjob-1", "ftjob-2"])
    assert len(server.requests) == asked
    after = texts(tmp_path)
    assert {k: v for k, v in after.items() if k.startswith("support")} == {
        k: v for k, v in before.items() if k.startswith("support")
    }


async def test_what_failed_is_said_and_comes_the_next_time(
    server: Any, fault: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1)
    bad = fault.Fault(500, fault.error("out of order"))
    server.fail("GET", "/fine_tuning/jobs/ftjob-1/events", bad, times=4)
    server.fail("GET", "/files/file-train/content", bad, times=3)
    outcome = await run.export([run.Chosen(provider, job)], tmp_path)
    assert [part for _, part, _ in outcome.missing] == ["events", "training file file-train"]
    found = texts(tmp_path)
    assert "- support-1, events: " in found["README.md"]
    assert "## What could not be saved" in found["support-1-ftjob-1/report.md"]
    assert "support-1-ftjob-1/metrics.csv" in found  # from the results file
    again = await run.export([run.Chosen(provider, job)], export_folder.choose(tmp_path))
    assert (again.saved, again.missing) == (["ftjob-1"], [])
    assert "could not be saved" not in texts(tmp_path)["README.md"]
    assert (tmp_path / "data" / "file-train-support.jsonl").read_bytes() == DATA


async def test_nothing_that_was_changed_or_is_not_ours_is_overwritten(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1, status="running", finished_at=None)
    out = tmp_path / "out"
    await run.export([run.Chosen(provider, job)], out)
    report = out / "support-1-ftjob-1" / "report.md"
    report.write_text("my notes")
    add_job(server, 1)  # it has ended since
    await run.export([run.Chosen(provider, job)], export_folder.choose(out))
    assert report.read_text() == "my notes"
    assert "status: succeeded" in (report.parent / "report-2.md").read_text()
    assert '"status": "succeeded"' in (report.parent / "job.json").read_text()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    assert export_folder.choose(mine) == tmp_path / "mine-2"
    with pytest.raises(Problem, match="is a file"):
        export_folder.choose(mine / "README.md")


async def test_cancelled_it_keeps_what_it_has_and_goes_on(
    server: Any, fault: Any, provider: Provider, tmp_path: Path
) -> None:
    first, second = add_job(server, 1), add_job(server, 2)
    server.fail("GET", "/fine_tuning/jobs/ftjob-2/events", fault.Fault(stall=True))
    ready = asyncio.Event()

    def told(now: run.Progress) -> None:
        if now.done == 1:
            ready.set()

    chosen = [run.Chosen(provider, first), run.Chosen(provider, second)]
    task = asyncio.create_task(run.export(chosen, tmp_path, on_progress=told))
    await asyncio.wait_for(ready.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "The export was not finished." in (tmp_path / "README.md").read_text()
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]  # nothing half-written
    outcome = await run.export(chosen, export_folder.choose(tmp_path))
    assert (outcome.saved, outcome.skipped) == (["ftjob-2"], ["ftjob-1"])
    assert "not finished" not in (tmp_path / "README.md").read_text()


async def test_a_job_the_provider_forgot_comes_from_our_own_record(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1)
    known = Track(job, "test", "openai")
    server.jobs.clear()
    server.events.clear()
    server.checkpoints.clear()
    outcome = await run.export([run.Chosen(provider, job, known)], tmp_path)
    report = (tmp_path / "support-1-ftjob-1" / "report.md").read_text()
    assert "fttui's own records" in report
    assert "settings" in [part for _, part, _ in outcome.missing]
    assert "ft:mini:acme:s:1" in report


async def test_where_the_file_is_not_given_out_our_own_copy_is_taken(
    server: Any, fault: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1)
    mine = tmp_path / "mine.jsonl"
    mine.write_bytes(DATA)
    from fttui.service.types import FileInfo

    uploads.remember(provider, mine, FileInfo("file-train", "support.jsonl"))
    refused = fault.Fault(400, fault.error("Not allowed to download files of purpose: fine-tune"))
    server.fail("GET", "/files/file-train/content", refused, times=9)
    outcome = await run.export([run.Chosen(provider, job)], tmp_path / "a")
    assert outcome.missing == []
    assert (tmp_path / "a" / "data" / "file-train-support.jsonl").read_bytes() == DATA
    mine.write_bytes(b"changed since")
    outcome = await run.export([run.Chosen(provider, job)], tmp_path / "b")
    assert [part for _, part, _ in outcome.missing] == ["training file file-train"]
    settings = json.loads((tmp_path / "b" / "support-1-ftjob-1" / "settings.json").read_text())
    assert len(settings["datasets"][0]["sha256"]) == 64  # what it was can still be told


async def test_a_dataset_with_a_key_in_it_is_not_kept(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    job = add_job(server, 1)
    secrets.Secret(KEY)
    server.contents["file-train"] = b"x" * (1 << 20) + KEY.encode() + DATA
    outcome = await run.export([run.Chosen(provider, job)], tmp_path)
    assert "holds a key" in outcome.missing[0][2]
    assert not list((tmp_path / "data").iterdir())


async def test_a_provider_without_events_and_checkpoints_says_so(
    server: Any, connect: Callable[..., Provider], tmp_path: Path
) -> None:
    job = add_job(server, 1)
    provider = connect(server.url, "custom", overrides={
        "lacks": {"events": "It shows no events.", "checkpoints": "It keeps no checkpoints."}
    })  # fmt: skip
    outcome = await run.export([run.Chosen(provider, job)], tmp_path)
    assert ("ftjob-1", "events", "It shows no events.") in outcome.missing
    again = await run.export([run.Chosen(provider, job)], tmp_path)
    assert again.skipped == ["ftjob-1"]  # it will never have them: nothing to try again


async def test_hostile_names_stay_inside_and_are_only_text(
    server: Any, provider: Provider, tmp_path: Path
) -> None:
    nasty = "../../up | <img src=x> \x1b[2J [/]"
    job = add_job(server, 1, user_provided_suffix=nasty, result_files=["..\\..\\res"])
    server.contents["..\\..\\res"] = CSV.encode()
    out = tmp_path / "deep" / "out"
    outcome = await run.export([run.Chosen(provider, job)], out)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    (report,) = out.glob("*/report.md")
    text = report.read_text()
    assert "\x1b" not in text
    assert "<img" not in text
    xml.fromstring((report.parent / "loss.svg").read_text())
    assert outcome.saved == ["ftjob-1"]
    assert [path.name for path in report.parent.glob("results/*")] == ["res.csv"]
    with pytest.raises(ValueError, match="leads out"):
        export_folder.Folder(out).put("../res", "x")
