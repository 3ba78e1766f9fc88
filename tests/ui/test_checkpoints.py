"""Checkpoints of one job and of all: ranked, marked, compared, shared, saved, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jobs_help import feed_by_hand, make_events, make_job, tell
from textual.widgets import Input
from ui_help import screen_text, wait_for_text, wait_until

from fttui.service import models, permissions, weights
from fttui.service.permissions import Permission
from fttui.service.types import Checkpoint
from fttui.ui.app import FttuiApp
from fttui.ui.checkpoints import acts
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.share import Share
from fttui.ui.jobs import ranking
from fttui.ui.jobs.track import Track


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FttuiApp:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")  # nobody answers there
    return FttuiApp(profile="openai")


def checkpoint(job: str, step: int, train: float, valid: float | None, **more: Any) -> Checkpoint:
    return Checkpoint.from_json(
        {
            "id": f"ck-{job}-{step}",
            "fine_tuned_model_checkpoint": f"ft:mini:acme:{job}:1:ckpt-step-{step}",
            "fine_tuning_job_id": job,
            "step_number": step,
            "created_at": 1_790_000_000 + step,
            "metrics": {"step": step, "train_loss": train, "full_valid_loss": valid},
            **more,
        }
    )


def flat(app: FttuiApp) -> str:
    return " ".join(screen_text(app).replace("│", " ").split())


async def three_jobs(app: FttuiApp, pilot: Any) -> Any:
    """Two finished jobs with checkpoints (the first over-fits), one without, on the checkpoints area."""
    await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
    feed = await feed_by_hand(app)
    jobs = [
        make_job(1, "succeeded", "support-v7", validation_file="file-v"),
        make_job(2, "succeeded", "support-v6", validation_file="file-v"),
        make_job(3, "succeeded", "bare", validation_file="file-v"),
    ]
    tell(feed, jobs, events={job.id: make_events(30, 30) for job in jobs[:2]})
    first, second, bare = (feed.tracks[job.id] for job in jobs)
    first.checkpoints = [
        checkpoint(first.id, *row) for row in ((30, 0.2, 0.45), (20, 0.4, 0.41), (10, 0.6, 0.5))
    ]
    second.checkpoints = [checkpoint(second.id, 30, 0.3, 0.39), checkpoint(second.id, 15, 0.5, 0.6)]
    bare.checkpoints = []
    await pilot.press("5")
    await pilot.pause()
    return feed


async def test_of_all_jobs_the_best_comes_first_with_the_reason(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5 · all jobs · by validation loss")
        text = flat(app)
        assert (
            "★ support-v6 step 30: lowest validation loss, 0.390 "
            "(next: 0.410 at support-v7 step 20)" in text
        )
        rows = [line for line in screen_text(app).splitlines() if "ckpt-step-" in line]
        assert "support-v6" in rows[0]
        assert "★" in rows[0]
        assert [line for line in rows if "↑" in line] == [
            line for line in rows if "support-v7" in line and "ckpt-step-30" in line
        ]
        assert "↑ marks those made after validation turned" in text
        await pilot.press("down")
        await wait_until(pilot, lambda: app.thread.checkpoint is not None, "chosen")
        assert app.thread.job is not None
        assert app.thread.job.suffix == "support-v7"
        assert "Checkpoints 5" in screen_text(app)  # the table stays that of all jobs
        await pilot.press("a")
        await wait_for_text(pilot, "Checkpoints 3 · support-v7 · by validation loss")
        assert "over-fitting: validation turned after step 20" in flat(app)
        await pilot.press("a", "4", "c")  # a job opened in Jobs: its own checkpoints
        await wait_for_text(pilot, "Checkpoints 3 · support-v7 · by validation loss")


async def test_filter_rank_and_compare_the_marked(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5")
        await pilot.press("slash", *"v7", "enter")
        await wait_for_text(pilot, "Checkpoints 3 · all jobs · by validation loss · v7")
        await pilot.press("s")
        await wait_for_text(pilot, "by training loss")
        assert "lowest training loss, 0.200" in flat(app)
        await pilot.press("home", "space", "space")
        rows = [line for line in screen_text(app).splitlines() if "ckpt-step-" in line]
        assert sum("●" in line for line in rows) == 2
        await pilot.press("c")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert [name[-12:] for name in app.thread.chat_models] == ["ckpt-step-30", "ckpt-step-20"]


async def test_figures_of_different_validation_files_are_not_compared_silently(
    app: FttuiApp,
) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await three_jobs(app, pilot)
        tell(feed, [make_job(2, "succeeded", "support-v6", validation_file="file-w")])
        await wait_for_text(pilot, "validated on 2 different files")


def test_reinforcement_is_ranked_by_reward() -> None:
    track = Track(make_job(1, "succeeded", "rft", method={"type": "reinforcement"}))
    track.checkpoints = [
        Checkpoint.from_json({"id": f"c{n}", "step_number": n, "fine_tuned_model_checkpoint": f"m{n}",
                              "metrics": {"step": n, "valid_reward_mean": reward}})
        for n, reward in ((10, 0.4), (20, 0.7), (30, 0.6))
    ]  # fmt: skip
    rows = ranking.of_job(track)
    metric = ranking.usable(rows)[0]
    assert ranking.reason(rows, metric) == (
        "step 20: highest validation reward, 0.700 (next: 0.600 at step 30)"
    )


async def test_sharing_lists_gives_and_takes(
    app: FttuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = [Permission("cp_1", "proj_one", 1_721_764_867)]

    async def listing(provider: Any, model: str) -> list[Permission]:
        assert model == "ft:mini:acme:ftjob-0002:1:ckpt-step-30"
        return list(shared)

    async def create(provider: Any, model: str, projects: Any) -> list[Permission]:
        shared.extend(Permission(f"cp_{name}", name) for name in projects)
        return shared

    async def delete(provider: Any, model: str, permission: str) -> None:
        shared[:] = [row for row in shared if row.id != permission]

    for name, call in (("listing", listing), ("create", create), ("delete", delete)):
        monkeypatch.setattr(permissions, name, call)
    async with app.run_test(size=(100, 30)) as pilot:
        feed = await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5")
        await pilot.press("S")
        assert "needs the organization's admin key" in app.notices[-1].message
        monkeypatch.setattr(permissions, "why_not", lambda provider: "")
        assert feed is not None
        await pilot.press("S")
        await wait_for_text(pilot, "proj_one")
        assert isinstance(app.screen, Share)
        app.screen.query_one(Input).value = "nonsense"
        await pilot.press("enter")
        await wait_for_text(pilot, "nonsense is no project id")
        app.screen.query_one(Input).value = "proj_two, proj_three"
        await pilot.press("enter")
        await wait_for_text(pilot, "shared with proj_two, proj_three")
        assert "proj_three" in screen_text(app)
        await pilot.press("down", "delete")
        await wait_for_text(pilot, "no longer shared with proj_two")
        assert [row.project for row in shared] == ["proj_one", "proj_three"]


async def test_deleting_names_the_model_and_says_so_afterwards(
    app: FttuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []

    async def delete(provider: Any, model: str) -> None:
        gone.append(model)

    monkeypatch.setattr(models, "delete", delete)
    async with app.run_test(size=(120, 40)) as pilot:
        await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5")
        await pilot.press("x")
        await wait_for_text(pilot, "Delete this model?")
        assert "the checkpoint at step 30 of support-v6" in flat(app)
        assert "never answers again" in flat(app)
        assert gone == []
        await wait_until(pilot, lambda: not app.screen._too_soon(), "yes is taken")
        await pilot.press("y")
        await wait_until(pilot, lambda: gone, "deleted")
        await wait_until(pilot, lambda: not isinstance(app.screen, Confirm), "closed")
        assert gone == ["ft:mini:acme:ftjob-0002:1:ckpt-step-30"]
        await pilot.press("t")
        assert "its model was deleted" in app.notices[-1].message


async def test_weights_are_saved_where_they_are_given_out(
    app: FttuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def save(provider: Any, job: str, row: Checkpoint, folder: Path, told: Any) -> list[Path]:
        folder.mkdir(parents=True)
        told("adapter_model.safetensors", 50, 100)
        (folder / "adapter_model.safetensors").write_bytes(b"w")
        return [folder / "adapter_model.safetensors"]

    async with app.run_test(size=(120, 40)) as pilot:
        await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5")
        await pilot.press("d")
        assert "does not give out the weights" in app.notices[-1].message
        monkeypatch.setattr(weights, "why_not", lambda provider, row: "")
        monkeypatch.setattr(weights, "save", save)
        await pilot.press("d")
        await wait_for_text(pilot, "Save the weights to")
        await pilot.press("enter")
        said = lambda: any("saved adapter_model" in row.message for row in app.notices)  # noqa: E731
        await wait_until(pilot, said, "saved")
        assert acts.BUSY not in app.backend.unfinished
    assert [path.name for path in (tmp_path / "weights").rglob("*.safetensors")]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_a_narrow_screen_has_it_all(app: FttuiApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=size) as pilot:
        await three_jobs(app, pilot)
        await wait_for_text(pilot, "Checkpoints 5")
        assert "0.390" in screen_text(app)
        await pilot.press("down", "a")
        await wait_for_text(pilot, "support-v7 · by validation")
