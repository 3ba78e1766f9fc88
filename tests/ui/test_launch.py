"""From a dataset to a job: the form, its draft, its price, and the real thing on the local server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jobs_help import feed_by_hand, tell, write_dataset
from textual.events import Key
from textual.widgets import Button, Input, Static
from ui_help import screen_text, wait_for_text, wait_until

from fttui.local import launch as local
from fttui.problem import Problem
from fttui.service import files, jobs
from fttui.service.types import Job
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.launch import LaunchDialog
from fttui.ui.launch import plan as launch_plan
from fttui.ui.launch import price
from fttui.ui.launch import run as launch_run
from fttui.ui.launch.draft import Draft
from fttui.ui.screens.jobs import JobsScreen

LONG = 90.0  # seconds a real job may take on a busy machine


@pytest.fixture
def server(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local server of the test's own, started by the app itself, with a tiny base model."""
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(tiny_model))
    yield
    local.stop(home / "data")


def dialog(app: FttuiApp) -> LaunchDialog:
    assert isinstance(app.screen, LaunchDialog)
    return app.screen


def why(app: FttuiApp) -> str:
    return str(dialog(app).query_one("#why", Static).content)


async def checked(app: FttuiApp, pilot: Any) -> None:
    await wait_until(
        pilot, lambda: app.thread.report is not None and app.backend.feed is not None, "checked"
    )


async def by_hand(app: FttuiApp, pilot: Any) -> Any:
    """Jobs, on a feed that only the test feeds, with the dataset checked."""
    await checked(app, pilot)
    feed = await feed_by_hand(app)
    tell(feed)
    await pilot.press("4")
    await wait_for_text(pilot, "no jobs yet")
    return feed


async def set_field(app: FttuiApp, pilot: Any, name: str, text: str) -> None:
    dialog(app).query_one(f"#{name}", Input).value = text
    field = name.removeprefix("field-")

    def taken() -> bool:
        return dialog(app).draft.fields.get(field, "") == text

    await wait_until(pilot, taken, f"{name} in the draft")


async def confirm(app: FttuiApp, pilot: Any) -> None:
    """Review, wait until the dialog can be answered, and say yes."""
    dialog(app).query_one("#launch", Button).press()
    await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
    await pilot.press("y")


# -- the real thing


async def test_from_a_dataset_to_a_checkpoint(server: None, tmp_path: Path) -> None:
    """Launched in a narrow terminal, looked at in a wide one."""
    data = write_dataset(tmp_path / "support.jsonl")
    held = write_dataset(tmp_path / "held.jsonl", 6, "another")
    app = FttuiApp(data, held, "local")
    async with app.run_test(size=(80, 24)) as pilot:
        await checked(app, pilot)
        await pilot.press("4")
        await wait_for_text(pilot, "n launches one on support.jsonl", LONG)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        text = screen_text(app)
        assert "smollm2-135m-instruct" in text
        assert "file held.jsonl" in text
        assert "free · trains on this machine" in text
        await set_field(app, pilot, "field-suffix", "demo")
        await set_field(app, pilot, "field-n_epochs", "2")
        await confirm(app, pilot)
        await wait_until(pilot, lambda: isinstance(app.screen, JobsScreen), "Jobs", LONG)
        assert app.thread.job is not None
        await wait_for_text(pilot, "demo")
        await wait_until(
            pilot, lambda: app.thread.job and app.thread.job.status == "succeeded", "done", LONG
        )
        await wait_for_text(pilot, "✓ succeeded  demo")
        await pilot.resize_terminal(120, 40)
        await pilot.press("enter")
        await wait_for_text(pilot, "The job has successfully completed", LONG)
        track = app.backend.feed and app.backend.feed.get(app.thread.job.id)
        assert track is not None
        assert len(track.curves.series["train"]) >= 10
        assert track.asked["n_epochs"] == 2
        losses = track.curves.series["train"].values
        assert losses[-1] < losses[0]
        await pilot.press("escape", "c")
        await wait_for_text(pilot, "★ step", LONG)
        await wait_for_text(pilot, "final ft:smollm2")
        await wait_for_text(pilot, "last 3 epochs")
        await pilot.press("t")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert app.thread.chat_models == [track.job.fine_tuned_model]
        assert app.state.journal_rows()[0]["subject"] == track.job.id


async def test_files_are_sent_once_a_split_is_made_in_copies_and_a_running_job_is_cancelled(
    server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_dataset(tmp_path / "support.jsonl", 50)
    before = data.read_bytes()
    app = FttuiApp(data, None, "local")
    sent: list[str] = []
    upload = files.upload

    async def counted(provider: Any, path: Path, **more: Any) -> Any:
        sent.append(path.name)
        return await upload(provider, path, **more)

    monkeypatch.setattr(files, "upload", counted)
    async with app.run_test(size=(120, 40)) as pilot:
        await checked(app, pilot)
        await pilot.press("4")
        await wait_for_text(pilot, "no jobs yet", LONG)
        for number, epochs, batch in ((1, "1", ""), (2, "1", "16"), (3, "50", "1")):
            await pilot.press("n")
            await wait_until(pilot, lambda: isinstance(app.screen, LaunchDialog), "the form")
            if number == 1:
                dialog(app).query_one("#validation").focus()
                await pilot.press("right", "right")
                await wait_for_text(pilot, "hold out 20% of the examples (about 10)")
            await set_field(app, pilot, "field-n_epochs", epochs)
            await set_field(app, pilot, "field-batch_size", batch)
            await confirm(app, pilot)
            await wait_until(pilot, lambda: isinstance(app.screen, JobsScreen), "Jobs", LONG)
            await wait_for_text(pilot, f"Jobs {number}", LONG)
            if number == 1:
                assert app.thread.job is not None
                held = app.thread.job.validation_file
        assert sent == ["support.train.jsonl", "support.validation.jsonl", "support.jsonl"]
        provider = await app.backend.provider()
        assert len((await files.content(provider, held)).splitlines()) == 10
        screen = app.screen
        assert isinstance(screen, JobsScreen)
        await wait_until(
            pilot, lambda: screen.track and screen.track.job.status == "running", "runs", LONG
        )
        await pilot.press("x")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("y")
        await wait_for_text(pilot, "⊘ cancelled", LONG)
        assert "cancelled" in screen.why_not("jobs.cancel")
    assert data.read_bytes() == before


# -- the form


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FttuiApp:
    """An app on a paid provider that never answers."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    return FttuiApp(write_dataset(tmp_path / "support.jsonl"), None, "openai")


async def test_a_dataset_with_errors_is_not_launched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    data = write_dataset(tmp_path / "broken.jsonl")
    with data.open("a") as file:
        file.write('{"messages": [{"role": "user", "content": "no answer"}]}\n')
    app = FttuiApp(data, None, "openai")
    async with app.run_test(size=(80, 24)) as pilot:
        await by_hand(app, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "✗ line 41:")
        assert dialog(app).query_one("#launch", Button).disabled


async def test_wrong_values_are_named_and_price_and_lifetime_follow_the_plan(
    paid: FttuiApp,
) -> None:
    async with paid.run_test(size=(80, 24)) as pilot:
        await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        await set_field(paid, pilot, "field-n_epochs", "51")
        await wait_for_text(pilot, "✗ epochs: auto or 1 to 50")
        await set_field(paid, pilot, "field-n_epochs", "many")
        await wait_for_text(pilot, "✗ epochs: a whole number")
        await set_field(paid, pilot, "field-n_epochs", "3")
        await set_field(paid, pilot, "field-seed", "x")
        await wait_for_text(pilot, "✗ seed: a whole number")
        await set_field(paid, pilot, "field-seed", "")
        await wait_until(pilot, lambda: "✗" not in why(paid), "all well")
        assert not dialog(paid).query_one("#launch", Button).disabled
        thrice = dialog(paid).quote().amount
        await set_field(paid, pilot, "field-n_epochs", "1")
        await wait_for_text(pilot, "× 1 epoch ×")
        once = dialog(paid).quote().amount
        assert once is not None
        assert thrice == once * 3
        assert "until 20" in screen_text(paid)  # the day the model stops answering
        dialog(paid).query_one("#field-n_epochs", Input).focus()
        await pilot.pause()
        for key in ("4", "down", "8"):  # faster than the screen follows
            paid.post_message(Key(key, key if len(key) == 1 else None))
        fields = dialog(paid).draft.fields
        await wait_until(pilot, lambda: fields.get("batch_size") == "8", "typed where it belongs")
        assert fields["n_epochs"] == "4"


async def test_a_draft_survives_a_closed_dialog_and_a_new_start(paid: FttuiApp) -> None:
    path = paid._asked[0]
    async with paid.run_test(size=(80, 24)) as pilot:
        await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        await set_field(paid, pilot, "field-suffix", "not-lost")
        await set_field(paid, pilot, "field-batch_size", "16")
        await pilot.press("escape")
    again = FttuiApp(path, None, "openai")
    async with again.run_test(size=(80, 24)) as pilot:
        await by_hand(again, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "not-lost")
        assert again.screen.query_one("#field-batch_size", Input).value == "16"


async def test_above_the_limit_the_amount_is_typed(
    paid: FttuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[launch_plan.Order] = []

    async def run(app: Any, feed: Any, orders: list[launch_plan.Order], *_: Any) -> list[Job]:
        went.extend(orders)
        return [Job("ftjob-new", orders[0].model, "queued")]

    monkeypatch.setattr(launch_run, "run", run)
    dear = price.Quote((), Decimal("1234.5"), each=((Decimal("1234.5"), "USD"),))
    async with paid.run_test(size=(80, 24)) as pilot:
        await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        monkeypatch.setattr(LaunchDialog, "quote", lambda self: dear)
        dialog(paid).query_one("#launch", Button).press()
        await wait_until(pilot, lambda: isinstance(paid.screen, Confirm), "the question")
        assert "Launch for $1,234.50?" in screen_text(paid)
        await wait_until(pilot, lambda: paid.screen.query("#typed"), "the amount is asked for")
        await pilot.press("y", "enter")
        assert went == []
        paid.screen.query_one("#typed", Input).value = "1234.50"
        question = paid.screen
        assert isinstance(question, Confirm)
        await wait_until(pilot, lambda: not question._too_soon(), "it can be answered")
        question.query_one("#yes", Button).press()
        await wait_until(pilot, lambda: bool(went), "launched")
        assert went[0].amount == Decimal("1234.5")


async def test_a_refused_job_keeps_its_form_with_the_reason(
    paid: FttuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known(*_: Any) -> str:
        return "file-1"

    async def refused(*_: Any, **__: Any) -> Job:
        await asyncio.sleep(0)
        raise Problem(
            "Launching the job failed.",
            "Your organization can no longer create jobs.",
            "Train on this machine.",
            code="training_not_available",
        )

    monkeypatch.setattr(launch_run, "_known", known)
    monkeypatch.setattr(jobs, "create", refused)
    async with paid.run_test(size=(80, 24)) as pilot:
        feed = await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        await set_field(paid, pilot, "field-suffix", "keep-me")
        await confirm(paid, pilot)
        await wait_for_text(pilot, "Your organization can no longer create jobs.")
        text = screen_text(paid)
        assert "keep-me" in text
        assert "→ Train on this machine." in text
        assert feed.tracks == {}
        assert not dialog(paid).query_one("#launch", Button).disabled
        tag = dialog(paid).draft.tag
        assert dialog(paid).draft.sent
        await set_field(paid, pilot, "field-suffix", "another")  # another plan is another launch
        assert dialog(paid).draft.tag != tag


async def test_a_job_on_its_way_is_shown_and_an_upload_can_be_stopped(
    paid: FttuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    made = Job("ftjob-real", "gpt-4o-mini-2024-07-18", "queued", suffix="demo")

    async def unknown(*_: Any) -> str:
        return ""

    async def slow(provider: Any, path: Path, *, on_progress: Any, **_: Any) -> Any:
        on_progress(30, 100)
        await gate.wait()
        return files.FileInfo("file-1", path.name)

    async def ready(*_: Any, **__: Any) -> None: ...

    second = asyncio.Event()

    async def create(*_: Any, **__: Any) -> Job:
        await second.wait()
        return made

    monkeypatch.setattr(launch_run, "_known", unknown)
    monkeypatch.setattr(files, "upload", slow)
    monkeypatch.setattr(files, "wait_processed", ready)
    monkeypatch.setattr(jobs, "create", create)
    async with paid.run_test(size=(80, 24)) as pilot:
        feed = await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        await confirm(paid, pilot)
        await wait_for_text(pilot, "uploading support.jsonl")
        assert "30 %" in screen_text(paid)
        assert paid.backend.busy()
        await pilot.press("escape")
        await wait_for_text(pilot, "The launch was stopped.")
        assert not paid.backend.busy()
        gate.set()
        await confirm(paid, pilot)
        await wait_until(pilot, lambda: bool(feed.tracks), "the job on its way")
        (track,) = feed.tracks.values()
        assert track.job.status == "submitting"
        await pilot.press("escape")  # too late to stop: the dialog stays
        assert isinstance(paid.screen, LaunchDialog)
        second.set()
        await wait_until(pilot, lambda: isinstance(paid.screen, JobsScreen), "Jobs")
        assert list(feed.tracks) == ["ftjob-real"]
        await wait_for_text(pilot, "◌ queued     demo")


async def test_what_changed_since_the_check_is_not_sent(paid: FttuiApp) -> None:
    path = paid._asked[0]
    assert path is not None
    async with paid.run_test(size=(80, 24)) as pilot:
        await by_hand(paid, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Launch a fine-tuning job")
        path.write_text(path.read_text() + json.dumps({"messages": []}) + "\n")
        await confirm(paid, pilot)
        await wait_for_text(pilot, "changed since it was checked")


def test_a_draft_of_an_earlier_version_is_restored_as_far_as_it_goes() -> None:
    assert Draft.recall(None) is None
    assert Draft.recall({"model": "x"}) is None
    draft = Draft(model="m", validation="split:0.2", fields={"n_epochs": "1, 2"}, made={"t-1": "j"})
    assert Draft.recall(json.loads(json.dumps(draft.keep()))) == draft
    assert draft.share == 0.2
    assert draft.validation_path is None
    older = {
        "model": "m", "validation": "", "hyperparameters": {"n_epochs": "3"}, "suffix": "mine",
        "seed": "", "tag": "t", "sent": True, "more": 1,
    }  # fmt: skip
    restored = Draft.recall(older)
    assert restored is not None
    assert restored.fields == {"n_epochs": "3", "suffix": "mine"}
    assert (restored.tag, restored.sent) == ("t", True)
