"""Jobs and Checkpoints: what is on the screen, what follows the job, what a tick costs on the wire."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from jobs_help import NOW, feed_by_hand, make_events, make_job, tell, write_dataset
from ui_help import screen_text, wait_for_text, wait_until

from fttui.problem import Problem
from fttui.service.types import Checkpoint, JobEvent
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.jobs import filter as job_filter
from fttui.ui.jobs import ranking
from fttui.ui.jobs.track import Track
from fttui.ui.screens.checkpoints import CheckpointsScreen
from fttui.ui.screens.jobs import JobsScreen
from fttui.ui.widgets.event_log import EventLog


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> FttuiApp:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")  # nobody answers there
    return FttuiApp(profile="openai")


def jobs_screen(app: FttuiApp) -> JobsScreen:
    assert isinstance(app.screen, JobsScreen)
    return app.screen


def flat(app: FttuiApp) -> str:
    """The screen's words, wherever a line was broken."""
    return " ".join(screen_text(app).replace("│", " ").split())


class Wire:
    """What would go to the terminal: the text of every update."""

    def __init__(self, app: FttuiApp) -> None:
        self.sent: list[str] = []
        display = app._display

        def counted(screen: Any, renderable: Any) -> None:
            if renderable is not None and hasattr(renderable, "render_segments"):
                self.sent.append(renderable.render_segments(app.console))
            display(screen, renderable)

        app._display = counted  # type: ignore[method-assign]

    @property
    def bytes(self) -> int:
        return sum(len(text.encode()) for text in self.sent)


async def quiet(pilot: Any, wire: Wire, looks: int = 3) -> None:
    """Wait until several turns of the event loop in a row sent nothing."""
    still = 0

    def look() -> bool:
        nonlocal still, before
        still = still + 1 if wire.bytes == before else 0
        before = wire.bytes
        return still >= looks

    before = wire.bytes
    await wait_until(pilot, look, "nothing more is drawn")


async def begin(app: FttuiApp, pilot: Any) -> Any:
    await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
    feed = await feed_by_hand(app)
    await pilot.press("4")
    await pilot.pause()
    return feed


async def test_rows_say_status_progress_loss_and_rest(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        running = make_job(1, "running", "support-v7")
        error = {"code": "invalid_training_file", "message": "Line 5 must include content"}
        failed = make_job(3, "failed", "support-v5", error=error)
        done = make_job(2, "succeeded", "support-v6", finished_at=make_job(2).created_at + 125)
        tell(feed, [running, done, failed], events={running.id: make_events(100, 400)})
        await wait_for_text(pilot, "support-v7")
        text = screen_text(app)
        assert "● running    support-v7" in text
        assert "100/400" in text
        assert "0.020" in text  # the last loss, 2 / 100
        assert "5m left" in text  # 300 steps at one a second
        assert "✓ succeeded  support-v6" in text
        assert "2m 05s" in text
        assert "✗ failed     support-v5" in text
        assert "Jobs 3" in text
        await wait_for_text(pilot, "train 0.020")  # the chart of the first


async def test_the_detail_of_a_failure_says_what_to_do(app: FttuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        feed = await begin(app, pilot)
        error = {"code": "invalid_training_file", "message": "Line 5 must include content"}
        tell(feed, [make_job(3, "failed", "support-v5", error=error)])
        await wait_for_text(pilot, "support-v5")
        await pilot.press("enter")
        await wait_for_text(pilot, "The job failed.")
        assert "Line 5 must include content" in screen_text(app)
        assert "→ " in screen_text(app)
        await pilot.press("escape")
        await wait_for_text(pilot, "✗ failed     support-v5")


async def test_a_tick_with_nothing_new_sends_nothing(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        jobs = [make_job(n, "running" if n < 50 else "succeeded") for n in range(1000)]
        tell(feed, jobs)
        await wait_for_text(pilot, "Jobs 1,000")
        wire = Wire(app)
        await quiet(pilot, wire)
        wire.sent.clear()
        tell(feed, jobs)
        await quiet(pilot, wire)
        assert wire.bytes == 0


async def test_a_tick_that_changes_five_rows_sends_at_most_3_kb(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        jobs = [make_job(n, "running" if n < 50 else "succeeded") for n in range(1000)]
        tell(feed, jobs)
        await wait_for_text(pilot, "Jobs 1,000")
        wire = Wire(app)
        await quiet(pilot, wire)
        wire.sent.clear()
        tell(feed, events={jobs[n].id: make_events(20, 100) for n in range(5, 10)})
        await wait_for_text(pilot, "20/100")
        await quiet(pilot, wire)
        assert 0 < wire.bytes <= 3000


async def test_selection_follows_the_job(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        tell(feed, [make_job(n) for n in range(5, 9)])
        await wait_for_text(pilot, "job-8")
        await pilot.press("down", "down")
        await wait_until(pilot, lambda: app.thread.job and app.thread.job.suffix == "job-7")
        tell(feed, [make_job(n) for n in range(1, 5)])  # newer ones arrive on top
        await wait_for_text(pilot, "Jobs 8")
        assert jobs_screen(app).rows.cursor == 6
        assert app.thread.job is not None
        assert app.thread.job.suffix == "job-7"
        assert "job-7 · ftjob-0007" in screen_text(app)
        await pilot.press("s", "s")  # by status, by name
        assert jobs_screen(app).track is not None
        assert jobs_screen(app).track.name == "job-7"  # type: ignore[union-attr]


async def test_a_filter_shows_its_chip_and_escape_clears_it(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        tell(feed, [make_job(1, "running"), make_job(2, "failed"), make_job(3, "succeeded")])
        await wait_for_text(pilot, "Jobs 3")
        await pilot.press("slash", *"status:failed", "enter")
        await wait_for_text(pilot, "Jobs 1 of 3 · status:failed")
        assert "job-1" not in screen_text(app)
        assert app.state.recall("jobs.filter") == "status:failed"
        await pilot.press("escape")
        await wait_for_text(pilot, "Jobs 3")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "abc"),
        ("status:running", "a"),
        ("-status:running", "bc"),
        ("status:running,failed", "ab"),
        ("model:nano", "b"),
        ("suffix:C", "c"),
        ("loss<1.5", "a"),
        ("loss>=1.5", "c"),
        ("-model:nano status:succeeded", "c"),
        ("nothing", ""),
        ("[/] \\", ""),
        ("-zzz", "abc"),
    ],
)
def test_the_filter_language(text: str, names: str) -> None:
    tracks = [
        Track(make_job(1, "running", "a")),
        Track(make_job(2, "failed", "b", model="gpt-4.1-nano")),
        Track(make_job(3, "succeeded", "c")),
    ]
    tracks[0].add_events(make_events(2, 9, start=2.0))  # loss 1.0
    tracks[2].add_events(make_events(2, 9, start=4.0))  # loss 2.0
    found = job_filter.matching(tracks, job_filter.parse(text))
    assert "".join(track.job.suffix for track in found) == names


async def test_remembered_jobs_are_there_before_the_first_look(app: FttuiApp) -> None:
    track = Track(make_job(1, "running", "from-before"))
    track.add_events(make_events(30, 90))
    app.state.saw_jobs("openai", [track.body()])
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
        await pilot.press("4")
        await wait_for_text(pilot, "from-before")
        text = screen_text(app)
        assert "30/90" in text
        assert "remembered from just now" in flat(app)
        assert "▁" in text  # its curve as well


async def test_offline_is_said_and_what_is_known_stays(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        tell(feed, [make_job(1, "running", "support")])
        tell(feed, problem=Problem("Reading the jobs failed.", "Nobody answers.", code="refused"))
        at = time.strftime("%H:%M:%S", time.localtime(NOW))
        await wait_for_text(pilot, f"not read since {at}: Nobody answers")
        assert "support" in screen_text(app)
        tell(feed)
        await wait_until(pilot, lambda: "not read" not in screen_text(app), "back again")


async def test_actions_say_why_not(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        screen = jobs_screen(app)
        assert screen.why_not("jobs.cancel") == "no job is selected"
        assert screen.why_not("jobs.new") == "open a dataset first (o)"
        tell(feed, [make_job(1, "succeeded", fine_tuned_model="")])
        await wait_for_text(pilot, "job-1")
        assert "succeeded" in screen.why_not("jobs.cancel")
        assert "made no model" in screen.why_not("jobs.chat")
        await pilot.press("x")
        assert app.notices[-1].message == "Cancel the job: The job has succeeded."
        assert not isinstance(app.screen, Confirm)


async def test_cancel_names_the_job_and_what_is_lost(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "running", "support-v7")
        tell(feed, [job], events={job.id: make_events(10, 40)})
        feed.tracks[job.id].checkpoints = [Checkpoint("c1", "m:ckpt-step-8", job.id, 8)]
        await wait_for_text(pilot, "support-v7")
        await pilot.press("x")
        await wait_for_text(pilot, "Cancel support-v7?")
        text = flat(app)
        assert "step 10 of 40" in text
        assert "Checkpoints at step 8 stay" in text
        await pilot.press("escape")
        await wait_until(pilot, lambda: not isinstance(app.screen, Confirm), "closed")


async def test_the_log_follows_until_you_scroll_up(app: FttuiApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "running")
        tell(feed, [job], events={job.id: make_events(200, 900)})
        await wait_for_text(pilot, "Step 200/900")
        log = app.screen.query_one(EventLog)
        log.focus()
        await pilot.press("pageup", "pageup")
        await wait_for_text(pilot, "more · G follows")
        more = tuple(JobEvent(f"x{n}", 0, "info", f"later {n}") for n in range(30))
        before = int(log.scroll_offset.y)
        tell(feed, events={job.id: more})
        await wait_for_text(pilot, "Events 230")
        assert int(log.scroll_offset.y) == before
        assert "later 29" not in screen_text(app)
        await pilot.press("G")
        await wait_for_text(pilot, "later 29")
        tell(feed, events={job.id: (JobEvent("y", 0, "error", "the end [/]"),)})
        await wait_for_text(pilot, "the end [/]")


async def test_hostile_text_from_a_provider_is_only_text(app: FttuiApp) -> None:
    nasty = "[/red] \x1b[2J ‮ 漢字 " + "x" * 300
    async with app.run_test(size=(80, 24)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "a-new-status", nasty, model=nasty, error={"message": nasty})
        tell(feed, [job], events={job.id: (JobEvent("e", 0, "odd", nasty, "moderation"),)})
        await wait_for_text(pilot, "a-new-sta")
        await pilot.press("enter")
        await wait_for_text(pilot, "moderation: [/red]")
        assert "\x1b" not in screen_text(app)
        await pilot.press("5")
        await pilot.pause()
        assert "\x1b" not in screen_text(app)


async def test_the_report_is_saved_and_overwrites_nothing(
    app: FttuiApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "support-ftjob-0001.md").write_text("mine")
    async with app.run_test(size=(120, 40)) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "running", "support")
        tell(feed, [job], events={job.id: make_events(30, 90)})
        feed.tracks[job.id].checkpoints = [checkpoint(20, 0.1, 0.2)]
        await wait_for_text(pilot, "30/90")
        await pilot.press("e")
        await wait_until(pilot, lambda: (tmp_path / "support-ftjob-0001-2.md").exists(), "saved")
    page = (tmp_path / "support-ftjob-0001-2.md").read_text()
    assert "# support" in page
    assert "Step 30/90: training loss=0.07" in page
    assert "| 20 | 0.100 | 0.200 | `ft:mini:acme:s:1:ckpt-step-20` |" in page
    assert (tmp_path / "support-ftjob-0001.md").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "support-ftjob-0001-2.md",
        "support-ftjob-0001.md",
    ]


# -- checkpoints


def checkpoint(step: int, train: float, valid: float | None) -> Checkpoint:
    metrics = {"step": step, "train_loss": train, "full_valid_loss": valid}
    return Checkpoint.from_json(
        {
            "id": f"ck-{step}",
            "fine_tuned_model_checkpoint": f"ft:mini:acme:s:1:ckpt-step-{step}",
            "fine_tuning_job_id": "ftjob-0001",
            "step_number": step,
            "metrics": metrics,
        }
    )


def ranked(*steps: tuple[int, float, float | None], **job: Any) -> list[ranking.Kept]:
    track = Track(make_job(1, "succeeded", "support-v7", **job))
    track.checkpoints = [checkpoint(*step) for step in steps]
    return ranking.of_job(track)


def test_the_best_is_the_lowest_validation_loss_and_says_so() -> None:
    rows = ranked((200, 0.6, 0.5), (400, 0.4, 0.41), (600, 0.3, 0.45))
    metric = ranking.METRICS[0]
    best = ranking.best(rows, metric)
    assert best is not None
    assert best.step == 400
    assert ranking.reason(rows, metric) == (
        "step 400: lowest validation loss, 0.410 (next: 0.450 at step 600)"
    )
    assert "validation turned after step 400 (0.410 → 0.450)" in ranking.turned(rows)
    assert "training loss fell on" in ranking.turned(rows)


def test_no_validation_no_verdict_on_over_fitting() -> None:
    rows = ranked((200, 0.6, None), (400, 0.4, None))
    assert ranking.turned(rows) == ""
    assert [metric.name for metric in ranking.usable(rows)] == ["train_loss", "step"]


def test_the_result_is_among_the_checkpoints_once() -> None:
    rows = ranked((200, 0.6, 0.5), (400, 0.4, 0.4), fine_tuned_model="ft:mini:acme:s:1")
    assert [(row.step, row.final, row.model) for row in rows] == [
        (400, True, "ft:mini:acme:s:1"),
        (200, False, "ft:mini:acme:s:1:ckpt-step-200"),
    ]
    assert rows[0].valid_loss == 0.4


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_checkpoints_are_ranked_chosen_and_compared(
    app: FttuiApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        feed = await begin(app, pilot)
        job = make_job(1, "succeeded", "support-v7", fine_tuned_model="ft:mini:acme:s:1")
        tell(feed, [job], events={job.id: make_events(30, 30)})
        feed.tracks[job.id].checkpoints = [
            checkpoint(step, 1.0 - step / 50, valid)
            for step, valid in ((30, 0.45), (20, 0.41), (10, 0.5))
        ]
        await wait_for_text(pilot, "support-v7")
        await pilot.press("c")
        await wait_for_text(pilot, "Checkpoints 3 · support-v7 · by validation loss")
        text = screen_text(app)
        assert "★ step 20: lowest validation loss, 0.410" in text
        assert "validation turned after step 20" in text
        assert "final ft:mini" in text
        assert "last 3 epochs" in text
        await pilot.press("down")
        await wait_until(pilot, lambda: app.thread.checkpoint is not None)
        assert app.thread.checkpoint is not None
        assert app.thread.checkpoint.step == 10
        await pilot.press("s")
        await wait_for_text(pilot, "by training loss")
        assert isinstance(app.screen, CheckpointsScreen)
        await pilot.press("c")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert app.thread.chat_models == [
            "gpt-4.1-mini-2025-04-14",
            "ft:mini:acme:s:1:ckpt-step-10",
            "ft:mini:acme:s:1",
        ]


async def test_a_job_without_checkpoints_says_what_is_going_on(app: FttuiApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        feed = await begin(app, pilot)
        await pilot.press("5")
        await wait_for_text(pilot, "no checkpoints yet")
        job = make_job(1, "running")
        tell(feed, [job])
        feed.tracks[job.id].checkpoints = []
        app.change(job=job)
        await wait_for_text(pilot, "the first comes at the end of an epoch")
        feed.provider.learned["checkpoints"] = "This provider has no checkpoints."
        app.change(job=job)
        await wait_for_text(pilot, "This provider has no checkpoints.")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_the_empty_list_tells_what_to_do(
    app: FttuiApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    app._asked = (write_dataset(tmp_path / "extraction.jsonl"), None)
    async with app.run_test(size=size) as pilot:
        feed = await begin(app, pilot)
        tell(feed)
        await wait_for_text(pilot, "n launches one on extraction.jsonl")
