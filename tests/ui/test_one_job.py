"""One job: its curves, its log, its settings and files, the example it failed on, its results, its export."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobs_help import NOW, feed_by_hand, make_events, make_job, tell, write_dataset
from textual.widgets import Input
from ui_help import screen_text, wait_for_text, wait_until

from fttui import cli
from fttui.local import launch as local
from fttui.service import files, jobs, uploads
from fttui.service.provider import Provider
from fttui.service.types import FileInfo, JobEvent, LaunchSpec
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.export import ExportDialog
from fttui.ui.screens.jobs import JobsScreen
from fttui.ui.widgets.event_log import EventLog


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FttuiApp:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")  # nobody answers there
    return FttuiApp(profile="openai")


async def begin(app: FttuiApp, pilot: Any) -> Any:
    await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
    feed = await feed_by_hand(app)
    await pilot.press("4")
    await pilot.pause()
    return feed


def screen(app: FttuiApp) -> JobsScreen:
    assert isinstance(app.screen, JobsScreen)
    return app.screen


def flat(app: FttuiApp) -> str:
    return " ".join(screen_text(app).replace("│", " ").split())


def accurate(count: int) -> tuple[JobEvent, ...]:
    """Events that tell loss and accuracy."""
    return tuple(
        JobEvent(f"a{n}", NOW + n, "info", f"Step {n}/{count}", "metrics",
                 {"step": n, "total_steps": count, "train_loss": 2 / n,
                  "train_mean_token_accuracy": n / count})
        for n in range(1, count + 1)
    )  # fmt: skip


# -- the chart


async def test_accuracy_zoom_and_back(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "succeeded", "support")
        tell(feed, [job], events={job.id: accurate(80)})
        await wait_for_text(pilot, "train 0.025")
        await pilot.press("m")
        await wait_for_text(pilot, "train acc 1.000")
        assert f"{job.id} · accuracy" in screen_text(app)
        await pilot.press("plus", "plus")
        await wait_for_text(pilot, "steps 60–80")
        await pilot.press("minus")
        await wait_for_text(pilot, "steps 40–80")
        await pilot.press("0")
        await wait_until(pilot, lambda: "steps 40–80" not in screen_text(app), "all of it")
        await pilot.press("m")
        await wait_for_text(pilot, "train 0.025")


async def test_other_jobs_are_drawn_beside_it_chosen_or_marked(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        many = [make_job(n, "succeeded", f"lr-{n}") for n in (1, 2, 3)]
        tell(feed, many, events={job.id: make_events(30, 30, start=job_no) for job_no, job in
                                 enumerate(many, 1)})  # fmt: skip
        await wait_for_text(pilot, "lr-3")
        await pilot.press("C")
        await wait_for_text(pilot, "Draw beside this job")
        await pilot.press(*"lr-3", "enter")
        await wait_for_text(pilot, "lr-1 and lr-3")
        assert "1 lr-1 0.033" in screen_text(app)
        assert "2 lr-3 0.100" in screen_text(app)
        assert screen(app).compared == {many[2].id}
        await pilot.press("C")
        await wait_for_text(pilot, "only this job")
        await pilot.press("enter")
        await wait_for_text(pilot, f"lr-1 · {many[0].id}")
        await pilot.press("M", "C")  # all are marked
        await wait_for_text(pilot, "3 lr-3 0.100")
        assert "2 lr-2 0.067" in screen_text(app)


async def test_a_provider_without_events_says_so_in_the_chart(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        feed.provider.learned["events"] = "This provider has no events."
        tell(feed, [make_job(1, "running", "support")])
        await wait_for_text(pilot, "This provider has no events.")


# -- the log


async def test_the_log_is_searched_and_left_again(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "running", "support")
        odd = JobEvent("w", NOW, "warn", "Moderation [/] it", "moderation_checks", {"n": 1})
        tell(feed, [job], events={job.id: (*make_events(50, 90), odd, *make_events(90, 90)[50:])})
        await wait_for_text(pilot, "Step 90/90")
        log = app.screen.query_one(EventLog)
        log.focus()
        await pilot.press("slash", *"moderation", "enter")
        await wait_for_text(pilot, "Events 91 · 1 of 1 · moderation")
        assert "moderation_checks: Moderation [/] it" in screen_text(app)
        await pilot.press("enter")  # all of the event
        await wait_for_text(pilot, '"n": 1')
        await pilot.press("escape", "slash")
        app.screen.query_one("FilterBar Input", Input).value = "step 1"
        await pilot.press("enter")
        await wait_for_text(pilot, "of 11 · step 1")
        await pilot.press("n")
        await wait_for_text(pilot, "1 of 11 · step 1")  # round the end
        await pilot.press("N")
        await wait_for_text(pilot, "11 of 11 · step 1")
        await pilot.press("slash", "z", "enter")
        await wait_for_text(pilot, "none · z")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "none ·" not in screen_text(app), "search ended")
        assert app.screen.query_one(EventLog).has_focus
        await pilot.press("escape")
        await wait_until(pilot, lambda: screen(app).rows.has_focus, "back in the list")


async def test_the_log_is_at_its_end_also_when_it_came_behind_a_dialog(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        every = [make_job(n, "succeeded") for n in (1, 2, 3)]
        tell(feed, every, events={every[0].id: make_events(500, 500)})
        await wait_for_text(pilot, "Step 500/500")
        for _ in range(2):  # past one without events, to another
            await pilot.press("down")
            await pilot.pause()
        await pilot.press("C")
        await wait_for_text(pilot, "Draw beside")
        tell(feed, events={every[2].id: make_events(99, 99)})
        await pilot.pause()
        await pilot.press("enter")
        await wait_for_text(pilot, "Step 99/99")


# -- settings and files


async def test_settings_asked_and_resolved_files_and_the_raw_body(
    app: FttuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def retrieve(provider: Provider, file_id: str) -> FileInfo:
        return FileInfo(file_id, "support.jsonl", 4321)

    monkeypatch.setattr(files, "retrieve", retrieve)
    async with app.run_test(size=(120, 50)) as pilot:
        feed = await begin(app, pilot)
        auto = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}}
        tell(feed, [make_job(1, "running", "support", method=auto)])
        leak = {"k": "Bearer sk-secret-0123456789"}
        mine = write_dataset(tmp_path / "support.jsonl")
        job = make_job(1, "running", "support", training_file="file-1", metadata=leak)
        uploads.remember(feed.provider, mine, FileInfo("file-1"))
        tell(feed, [job])
        await wait_for_text(pilot, "support")
        await pilot.press("f")
        await wait_for_text(pilot, "4,321 bytes")
        text = flat(app)
        assert "n_epochs auto 3" in text
        assert f"here: {mine}" in " ".join(text.split())
        assert '"id": "ftjob-0001"' in text
        assert "sk-secret" not in text.partition("As the provider tells it")[2]
        await pilot.press("escape")
        await wait_for_text(pilot, "Jobs 1")


# -- the example of an error


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Invalid file format. Example 7, message 2 Discriminator 'role' is missing", 9),
        ("This file failed moderation safety checks. Flagged lines: 4, 6, 9", 4),
    ],
)
async def test_the_error_leads_to_its_example_in_data(
    app: FttuiApp, tmp_path: Path, message: str, line: int
) -> None:
    path = write_dataset(tmp_path / "train.jsonl", 20)
    rows = path.read_text().splitlines(keepends=True)
    path.write_text(rows[0] + "\n\n" + "".join(rows[1:]))  # two empty lines: no examples
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        uploads.remember(feed.provider, path, FileInfo("file-t", "train.jsonl"))
        error = {"code": "invalid_training_file", "message": message, "param": "training_file"}
        tell(feed, [make_job(1, "failed", "bad", error=error, training_file="file-t")])
        await wait_for_text(pilot, "i goes to the example it names")
        await pilot.press("i")
        await wait_until(pilot, lambda: app.current_mode == "data", "Data")
        await wait_until(pilot, lambda: app.thread.row == line - 1, "the row")
        await wait_for_text(pilot, f"line {line}")
        assert app.thread.path == path
        if "Flagged" in message:
            assert "1 of 3" in app.notices[-1].message
            await pilot.press("4", "i")
            await wait_until(pilot, lambda: app.thread.row == 5, "the next one")


async def test_without_the_file_the_way_is_said(app: FttuiApp, monkeypatch: Any) -> None:
    async def retrieve(provider: Provider, file_id: str) -> FileInfo:
        return FileInfo(file_id, "elsewhere.jsonl")

    monkeypatch.setattr(files, "retrieve", retrieve)
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        tell(feed, [make_job(1, "failed", "bad", error={"message": "Example 3 is wrong"})])
        await wait_for_text(pilot, "i goes to the example")
        await pilot.press("i")
        await wait_for_text(pilot, "elsewhere.jsonl is not among the files")
        await pilot.press("enter")
        tell(feed, [make_job(1, "failed", "bad", error={"message": "billing"})])
        await wait_until(pilot, lambda: "i goes to" not in screen_text(app), "no example")
        await pilot.press("i")
        assert "names no example" in app.notices[-1].message


# -- results


async def test_the_results_file_makes_the_chart_and_is_saved(
    app: FttuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    csv = "Iteration;Train Loss;Eval Loss\n" + "".join(
        f"{n};{4 / n};{5 / n}\n" for n in range(1, 21)
    )

    async def content(provider: Provider, file_id: str) -> bytes:
        return base64.b64encode(csv.encode())

    monkeypatch.setattr(files, "content", content)
    monkeypatch.setattr("fttui.ui.jobs.one_job.WAIT", 0.05)
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        tell(feed, [make_job(1, "succeeded", "azure", result_files=["file-r"])])
        await wait_for_text(pilot, "train 0.200")  # without a key: there were no events
        assert "valid 0.250" in screen_text(app)
        await pilot.press("R")
        await wait_until(pilot, lambda: list(tmp_path.iterdir()), "saved")
    saved = tmp_path / "azure-ftjob-0001-results.csv"
    assert saved.read_text() == csv


# -- the real thing


@pytest.fixture
def server(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(tiny_model))
    yield
    local.stop(home / "data")


async def trained(folder: Path) -> list[str]:
    """Two jobs on the local server: one succeeds, one fails on an example without a role."""
    from fttui import config

    provider = Provider(config.load().profile("local"))
    good = write_dataset(folder / "good.jsonl", 12)
    bad = folder / "bad.jsonl"
    lines = good.read_text().splitlines(keepends=True)
    bad.write_text("".join([*lines[:4], '{"messages":[{"content":"x"}]}\n', *lines[4:]]))
    ids = []
    try:
        for path in (good, bad):
            sent = await files.upload(provider, path)
            spec = LaunchSpec(
                "smollm2-135m-instruct", sent.id, sent.id, suffix=path.stem, seed=1,
                hyperparameters={"n_epochs": 2, "batch_size": 4},
            )  # fmt: skip
            ids.append((await jobs.create(provider, spec)).id)
        async with asyncio.timeout(90):
            while not all([(await jobs.retrieve(provider, job)).ended for job in ids]):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        await provider.close()
    return ids


async def test_two_real_jobs_are_exported_by_key_and_by_command(
    server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    await trained(tmp_path)
    app = FttuiApp(profile="local")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
        await pilot.press("4")
        await wait_until(pilot, lambda: len(screen(app).feeds.tracks()) == 2, "both", seconds=30)
        await pilot.press("M", "X")
        await wait_for_text(pilot, "Export 2 jobs")
        await pilot.press("enter")
        await wait_for_text(pilot, "2 jobs saved", seconds=60)
        await pilot.press("enter")
        await wait_until(pilot, lambda: not isinstance(app.screen, ExportDialog), "closed")
    (out,) = tmp_path.glob("fttui-export-*")
    (good,) = out.glob("good-*")
    (bad,) = out.glob("bad-*")
    assert "![loss](loss.svg)" in (good / "report.md").read_text()
    assert "Example 5, message 1" in (bad / "report.md").read_text()
    assert len(list((out / "data").iterdir())) == 2
    code = await asyncio.to_thread(
        cli.main, ["export", "--all", "--profile", "local", "--to", str(out), "--json"]
    )
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == 0
    assert (last["export"]["saved"], len(last["export"]["skipped"])) == ([], 2)
