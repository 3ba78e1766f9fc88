"""Sweeps: made one job after another on a real socket, stopped, resumed without doubles, and compared."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jobs_help import feed_by_hand, make_job, tell, write_dataset
from textual.widgets import Button, Input
from ui_help import screen_text, wait_for_text, wait_until

from fttui.service.types import JobEvent
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.launch import LaunchDialog
from fttui.ui.dialogs.launch_json import JsonEditor
from fttui.ui.dialogs.launch_sweep import SweepDialog
from fttui.ui.launch import grader
from fttui.ui.screens.jobs import JobsScreen


def _faults() -> ModuleType:
    """The fault server of the service's tests: a small fine-tuning service on a real socket."""
    name = "fttui_test_faults"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "service" / "faults.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None  # noqa: PT018
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


faults = _faults()


@pytest.fixture
async def cloud() -> AsyncIterator[Any]:
    async with faults.FaultServer() as server:
        yield server


@pytest.fixture
def paid(cloud: Any, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FttuiApp:
    """An app on a paid provider: the fault server under OpenAI's name."""
    monkeypatch.setenv("FTTUI_TEST_KEY", "sk-test")
    config = home / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.toml").write_text(
        f'[profiles.cloud]\nprovider = "openai"\nbase_url = "{cloud.url}"\n'
        'key = { env = "FTTUI_TEST_KEY" }\n'
    )
    return FttuiApp(write_dataset(tmp_path / "support.jsonl"), None, "cloud")


def dialog(app: FttuiApp) -> LaunchDialog:
    assert isinstance(app.screen, LaunchDialog)
    return app.screen


async def form(app: FttuiApp, pilot: Any) -> LaunchDialog:
    """The launch form over Jobs, with the dataset checked."""
    await wait_until(
        pilot, lambda: app.thread.report is not None and app.backend.feed is not None, "checked"
    )
    await pilot.press("4")
    await wait_for_text(pilot, "n launches one")
    await pilot.press("n")
    await wait_for_text(pilot, "Launch a fine-tuning job")
    await wait_until(pilot, lambda: dialog(app).report is not None, "checked for the plan")
    return dialog(app)


async def put(pilot: Any, at: LaunchDialog, **typed: str) -> None:
    for name, text in typed.items():
        at.query_one(f"#field-{name}", Input).value = text
    await wait_until(
        pilot, lambda: all(at.draft.fields.get(n, "") == t for n, t in typed.items()), "typed"
    )


async def confirm(app: FttuiApp, pilot: Any, question: str) -> None:
    dialog(app).query_one("#launch", Button).press()
    await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
    assert question in screen_text(app)
    await pilot.press("y")


def refuse_at(cloud: Any, many: int, answer: tuple[int, Any]) -> None:
    """Answer so, once, when `many` jobs are there."""
    make, told = cloud._post_job, []

    def picky(request: Any) -> Any:
        if len(cloud.jobs) == many and not told:
            told.append(request)
            return answer
        return make(request)

    cloud._post_job = picky


async def test_a_sweep_that_is_refused_half_way_goes_on_where_it_stopped(
    paid: FttuiApp, cloud: Any
) -> None:
    refuse_at(cloud, 2, (400, faults.error("seed 1 is out of luck", "bad", param="seed")))
    async with paid.run_test(size=(100, 34)) as pilot:
        at = await form(paid, pilot)
        await put(pilot, at, n_epochs="1, 2", seed="1,2", suffix="grid")
        await wait_for_text(pilot, "4 jobs: epochs 1, 2 × seed 1, 2")
        assert "for all 4 jobs" in screen_text(paid)
        await confirm(paid, pilot, "Launch 4 jobs")
        await wait_for_text(pilot, "2 of 4 jobs were made.")
        text = screen_text(paid)
        assert "only the 2 jobs that are missing" in text
        assert "✗ seed" in text  # the offending field is marked, and has the focus
        assert "seed 1 is out of luck" in text
        assert paid.focused is not None
        assert paid.focused.id == "field-seed"
        assert len(cloud.jobs) == len(dialog(paid).draft.made) == 2
        await confirm(paid, pilot, "2 are made already")
        await wait_until(pilot, lambda: isinstance(paid.screen, JobsScreen), "Jobs")
        sent = [job["metadata"] for job in cloud.jobs.values()]
        assert sorted(row["fttui_varied"] for row in sent) == [
            f"n_epochs={epochs} seed={seed}" for epochs in (1, 2) for seed in (1, 2)
        ]
        assert len({row["fttui_sweep"] for row in sent}) == 1
        assert sorted(job["suffix"] for job in cloud.jobs.values()) == [
            f"grid-{number}" for number in (1, 2, 3, 4)
        ]
        assert len(cloud.files) == 1  # the dataset was sent once
        assert len(paid.state.journal_rows()) == 4
        assert paid.state.recall(f"launch:{paid.thread.path}") is None


async def test_a_sweep_survives_a_closed_terminal(paid: FttuiApp, cloud: Any) -> None:
    """The second job is made, but its answer never comes; the next start makes no job twice."""
    path = paid._asked[0]
    make = cloud._post_job

    def first_only(request: Any) -> Any:
        if not cloud.jobs:
            cloud.fail("POST", "/fine_tuning/jobs", faults.Fault(stall=True, done=True))
        return make(request)

    cloud._post_job = first_only
    async with paid.run_test(size=(80, 24)) as pilot:
        at = await form(paid, pilot)
        await put(pilot, at, n_epochs="1, 2, 3")
        await wait_for_text(pilot, "3 jobs: epochs 1, 2, 3")
        await confirm(paid, pilot, "Launch 3 jobs")
        await wait_until(pilot, lambda: len(cloud.jobs) == 2, "the second is made")
    again = FttuiApp(path, None, "cloud")
    async with again.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: again.thread.report is not None, "checked")
        await pilot.press("4")
        await wait_for_text(pilot, "Jobs ")
        await wait_until(pilot, lambda: again.backend.feed is not None, "the feed")
        await pilot.press("n")
        await wait_for_text(pilot, "3 jobs: epochs 1, 2, 3")
        await wait_until(pilot, lambda: dialog(again).report is not None, "checked for the plan")
        dialog(again).query_one("#launch", Button).press()
        await wait_until(pilot, lambda: isinstance(again.screen, Confirm), "the question")
        await pilot.press("y")
        await wait_until(pilot, lambda: isinstance(again.screen, JobsScreen), "Jobs")
    varied = sorted(job["metadata"]["fttui_varied"] for job in cloud.jobs.values())
    assert varied == ["n_epochs=1", "n_epochs=2", "n_epochs=3"]


async def test_escape_stops_a_sweep_after_the_job_that_is_being_made(
    paid: FttuiApp, cloud: Any
) -> None:
    async with paid.run_test(size=(80, 24)) as pilot:
        at = await form(paid, pilot)
        await put(pilot, at, n_epochs="1, 2, 3")
        make = cloud._post_job

        def stop_then_make(request: Any) -> Any:
            paid.call_later(at.action_close)
            return make(request)

        cloud._post_job = stop_then_make
        await confirm(paid, pilot, "Launch 3 jobs")
        await wait_for_text(pilot, "of 3 jobs were made. The launch was stopped.")
        assert 0 < len(cloud.jobs) < 3
        assert len(at.draft.made) == len(cloud.jobs)


async def test_another_model_and_a_file_chosen_here_are_checked(
    paid: FttuiApp, tmp_path: Path
) -> None:
    held = write_dataset(tmp_path / "held.jsonl", 12, "other")
    with held.open("a") as file:
        file.write('{"messages": [{"role": "user", "content": "no answer"}]}\n')
    async with paid.run_test(size=(100, 34)) as pilot:
        at = await form(paid, pilot)
        first = at.report
        at._choose("validation", str(held))
        await wait_for_text(pilot, "validation: line 13: no assistant message")
        assert "13 examples · ✗ 2 errors" in screen_text(paid)
        assert at.query_one("#launch", Button).disabled
        at._choose("validation", "")
        await wait_until(pilot, lambda: at.report is first, "the check of before")
        at._choose("model", "gpt-4o-2024-08-06")
        await wait_until(
            pilot, lambda: at.report is not None and at.report is not first, "checked again"
        )
        await wait_until(pilot, lambda: not at.query_one("#launch", Button).disabled, "may launch")


async def test_the_method_follows_the_file_and_says_what_cannot_be(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Reinforcement: the grader is written in an editor, checked, and kept in the draft."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://example.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "none")
    path = tmp_path / "rft.jsonl"
    path.write_text(
        "".join(
            f'{{"messages": [{{"role": "user", "content": "q {n}"}}], "expected": "{n}"}}\n'
            for n in range(20)
        )
    )
    app = FttuiApp(path, None, "azure")
    async with app.run_test(size=(100, 34)) as pilot:
        await wait_until(pilot, lambda: app.thread.report and app.backend.feed, "checked")
        tell(await feed_by_hand(app, "azure"))
        await pilot.press("4", "n")
        await wait_for_text(pilot, "reinforcement: a grader scores the answers")
        text = screen_text(app)
        assert "✗ grader" in text
        assert "compute" in text
        assert "training type" in text
        at = dialog(app)
        at.query_one("#field-grader").focus()
        await pilot.press("enter")
        await wait_for_text(pilot, "Start from")
        await pilot.press("enter")  # the first shape
        await wait_for_text(pilot, "✓ nothing wrong with it")
        editor = app.screen
        assert isinstance(editor, JsonEditor)
        assert "item.expected" in editor.area.text  # as the dataset calls it
        editor._write(editor.area.text.replace('"eq"', '"same"'))
        await wait_for_text(pilot, "✗ line 4, column 3: operation is 'same'")
        await pilot.press("f3")
        assert editor.area.cursor_location == (3, 2)
        fault = editor.area.fault
        assert fault is not None
        marked = editor.area.get_line(3).spans
        assert [(span.start, span.end) for span in marked] == [(2, 13)]
        await pilot.press("escape")
        await wait_for_text(pilot, "✗ grader: line 4, column 3")
        at.draft.fields["grader"] = grader.start("string_check", "expected")
        at._choose("validation", "split:0.2")
        await wait_for_text(pilot, "string_check same · ✓")
        await wait_until(pilot, lambda: not at.query_one("#launch", Button).disabled, "all well")
        assert "$100.00 to $800.00" in screen_text(app)
        at._choose("method", "supervised")
        await wait_for_text(pilot, "it takes chat data, the file is reinforcement")


async def test_a_sweep_is_compared_and_the_best_is_marked(paid: FttuiApp) -> None:
    def job(number: int, varied: str, **more: Any) -> Any:
        metadata = {
            "fttui_sweep": "grid-1", "fttui_varied": varied, "fttui_launch": f"t-{number}",
        }  # fmt: skip
        return make_job(9 - number, metadata=metadata, suffix=f"grid-{number}", **more)

    def events(losses: list[float]) -> tuple[JobEvent, ...]:
        return tuple(
            JobEvent(f"e{loss}-{step}", 1, "info", "", "metrics",
                     {"step": step, "total_steps": 30, "train_loss": 3 - step / 20,
                      "full_valid_loss": loss})
            for step, loss in zip((10, 20, 30), losses, strict=True)
        )  # fmt: skip

    async with paid.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: paid.backend.feed is not None, "a feed")
        feed = await feed_by_hand(paid)
        rows = [job(1, "seed=1"), job(2, "seed=2", trained_tokens=100_000), make_job(20)]
        tell(feed, rows)
        await pilot.press("4")
        await wait_for_text(pilot, "grid-1")
        tell(feed, [], events={rows[0].id: events([1.0, 0.6, 0.9])})
        tell(feed, [], events={rows[1].id: events([1.0, 0.8, 0.7])})
        paid.change(job=rows[1])
        await pilot.press("S")
        await wait_until(pilot, lambda: isinstance(paid.screen, SweepDialog), "compared")
        await wait_for_text(pilot, "★ seed 1: lowest validation loss")
        lines = screen_text(paid).splitlines()
        assert "Sweep grid-1 · 2 jobs" in lines[1]
        assert "0.600 at step 20; next: seed 2, 0.700" in "".join(lines[2:4])
        table = [line for line in lines if "✓ succeeded" in line]
        assert len(table) == 2  # the job of no sweep is not among them
        assert "1 ★" in table[0]
        assert "0.900" in table[0]
        assert "0.600" in table[0]
        assert "$0.50" in table[1]
        await pilot.press("s")
        await wait_for_text(pilot, "as launched")
        tell(feed, [], events={rows[1].id: (JobEvent("late", 2, "info", "", "metrics",
             {"step": 31, "full_valid_loss": 0.1}),)})  # fmt: skip
        await wait_for_text(pilot, "★ seed 2: lowest validation loss")
        await pilot.press("end", "enter")
        await wait_until(pilot, lambda: isinstance(paid.screen, JobsScreen), "back")
        assert paid.thread.job is not None
        assert paid.thread.job.suffix == "grid-2"
        paid.change(job=rows[2])
        screen = paid.screen
        assert isinstance(screen, JobsScreen)
        await wait_until(
            pilot, lambda: screen.track is not None and screen.track.id == rows[2].id, "selected"
        )
        assert "part of no sweep" in screen.why_not("jobs.sweep")


async def test_what_was_tuned_may_be_gone_on_from(paid: FttuiApp, cloud: Any) -> None:
    tuned = "ft:gpt-4.1-mini-2025-04-14:org:mine:abc"
    elsewhere = "ft:gpt-4.1-mini-2025-04-14:org:theirs:xyz"
    job = {
        "id": "ftjob-old", "status": "succeeded", "model": "gpt-4.1-mini-2025-04-14",
        "created_at": 5, "fine_tuned_model": tuned, "user_provided_suffix": "mine",
    }  # fmt: skip
    cloud.jobs["ftjob-old"] = job
    cloud.checkpoints["ftjob-old"] = [
        {"id": "c1", "created_at": 4, "step_number": 88,
         "fine_tuned_model_checkpoint": f"{tuned}:ckpt-step-88"}
    ]  # fmt: skip
    listed = [{"id": name, "object": "model"} for name in (elsewhere, "gpt-4o", "whisper-1")]
    cloud.fixed[("GET", "/models")] = {"object": "list", "data": listed}
    async with paid.run_test(size=(110, 34)) as pilot:
        await wait_until(
            pilot,
            lambda: paid.thread.report and paid.backend.feed and paid.backend.feed.tracks,
            "read",
        )
        await pilot.press("4", "n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        at = dialog(paid)
        await wait_until(pilot, lambda: len(at.picks._models()) > 6, "all of them are known")
        at.picks.ask("model", lambda name: at._choose("model", name))
        await wait_for_text(pilot, "go on from mine, step 88")
        text = screen_text(paid)
        assert elsewhere in text
        assert "whisper-1" not in text
        await pilot.press(*"88", "enter")
        await wait_for_text(pilot, "ckpt-step-88 · goes on from")
        assert "5.00 USD/1M" in screen_text(paid)  # priced as its base
        await confirm(paid, pilot, "ckpt-step-88")
        await wait_until(pilot, lambda: len(cloud.jobs) == 2, "made")
        assert [job["model"] for job in cloud.jobs.values()][1] == f"{tuned}:ckpt-step-88"
