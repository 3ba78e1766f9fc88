"""The list of jobs at its real size: several profiles at once, a thousand jobs, history, marks, watched jobs."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jobs_help import NOW, feed_by_hand, make_events, make_job, tell, write_dataset
from ui_help import screen_text, wait_for_text, wait_until

from fttui import paths
from fttui.local import launch as local
from fttui.problem import Problem
from fttui.service import files, jobs, notify, pace
from fttui.service.types import JobEvent, LaunchSpec
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.jobs import actions as job_actions
from fttui.ui.jobs import feed as jobs_feed
from fttui.ui.jobs import filter as job_filter
from fttui.ui.jobs import words
from fttui.ui.jobs.compare import best, differences
from fttui.ui.jobs.track import Track
from fttui.ui.screens.jobs import JobsScreen
from fttui.ui.widgets import job_table

JOBS = "/fine_tuning/jobs"
LONG = 90.0  # seconds a real job may take on a busy machine


def _faults() -> ModuleType:
    place = Path(__file__).resolve().parents[1] / "service" / "faults.py"
    spec = importlib.util.spec_from_file_location("fttui_list_faults", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


faults = _faults()


@pytest.fixture
async def servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, Any]]:
    """Two services, `work` and `other` in the configuration; looked at often."""
    monkeypatch.setenv("TEST_KEY", "sk-list-0123456789")
    monkeypatch.setattr(jobs_feed, "FILL_PAUSE", 0.0)
    for name in ("FASTEST", "SEEN_SLOWEST", "UNSEEN_SLOWEST", "IDLE", "IDLE_SLOWEST"):
        monkeypatch.setattr(pace, name, 0.1)
    async with faults.FaultServer() as one, faults.FaultServer() as two:
        config = 'default_profile = "work"\n'
        for name, server in (("work", one), ("other", two)):
            config += f'[profiles.{name}]\nprovider = "custom"\nbase_url = "{server.url}"\n'
            config += 'key = { env = "TEST_KEY" }\n'
        paths.config_dir().mkdir(parents=True, exist_ok=True)
        (paths.config_dir() / "config.toml").write_text(config)
        yield one, two


def put(server: Any, number: int, status: str = "succeeded", name: str = "job", **more: Any) -> str:
    job_id = f"ftjob-{name}-{number:04d}"
    server.jobs[job_id] = {
        "id": job_id, "status": status, "created_at": NOW - 100_000 + number * 10, "model": "m",
        "user_provided_suffix": f"{name}-{number}", **more,
    }  # fmt: skip
    return job_id


def screen(app: FttuiApp) -> JobsScreen:
    assert isinstance(app.screen, JobsScreen)
    return app.screen


async def show(app: FttuiApp, pilot: Any, text: str) -> None:
    await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
    await pilot.press("4")
    await wait_for_text(pilot, text)


def title(app: FttuiApp) -> str:
    return screen_text(app).splitlines()[2]


# -- several profiles


async def test_jobs_of_two_profiles_each_with_its_own_provider(servers: tuple[Any, Any]) -> None:
    one, two = servers
    put(one, 1, name="mine")
    theirs = put(two, 2, "running", "theirs")
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "mine-1")
        assert "theirs-2" not in screen_text(app)
        await pilot.press("A")
        await wait_for_text(pilot, "Jobs of these profiles are in the list")
        await pilot.press("down", "down", "space")  # local, openai, other
        await wait_for_text(pilot, "[x] other")
        await pilot.press("escape")
        await wait_for_text(pilot, "theirs-2")
        await wait_for_text(pilot, "Jobs 2")
        row = next(line for line in screen_text(app).splitlines() if "theirs-2" in line)
        assert " other " in row
        await pilot.press("end", "home")
        await wait_until(
            pilot, lambda: app.thread.job is not None and app.thread.job.id == theirs, "selected"
        )
        await wait_for_text(
            pilot, "(in hand: work)"
        )  # whose money this job is, and what n would use
        assert "other" in screen_text(app).splitlines()[0]
        await pilot.press("x")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("y")
        await wait_for_text(pilot, "⊘ cancelled")
        assert two.count("POST", f"{JOBS}/{theirs}/cancel") == 1
        assert one.count("POST", f"{JOBS}/.*") == 0
    again = FttuiApp()  # still open at the next start
    async with again.run_test(size=(120, 40)) as pilot:
        await show(again, pilot, "theirs-2")
        await pilot.press("A")
        await wait_for_text(pilot, "[x] other")
        await pilot.press("down", "down", "space")
        await wait_for_text(pilot, "[ ] other")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "theirs-2" not in screen_text(again), "closed")
        assert "mine-1" in screen_text(again)


async def test_chat_with_a_job_of_another_profile_works_on_that_profile(
    servers: tuple[Any, Any],
) -> None:
    one, two = servers
    put(one, 1, name="mine")
    put(two, 2, name="theirs", fine_tuned_model="ft:m:theirs")
    app = FttuiApp()
    app.state.remember("jobs.profiles", ["other", "no-longer-configured"])
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "theirs-2")
        await wait_for_text(pilot, "Jobs 2")
        assert app.thread.job is None
        await wait_for_text(pilot, "(in hand: work)")  # said although nothing was chosen yet
        assert app.backend.profile.name == "work"
        await pilot.press("t")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert app.backend.profile.name == "other"
        assert app.thread.chat_models == ["m", "ft:m:theirs"]
        assert len(app.backend.feeds) == 2  # the one before stays in the list


async def test_two_profiles_of_one_account_show_a_job_once(servers: tuple[Any, Any]) -> None:
    _one, _two = servers
    for server in servers:
        put(server, 1, name="same")
    app = FttuiApp()
    app.state.remember("jobs.profiles", ["other"])
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "same-1")
        await wait_until(pilot, lambda: all(feed.read_at for feed in app.backend.feeds), "read")
        await wait_for_text(pilot, "Jobs 1")
        assert screen(app).rows.count == 1


async def test_the_local_server_is_not_started_to_be_looked_at(
    servers: tuple[Any, Any], home: Path
) -> None:
    one, _ = servers
    put(one, 1, name="mine")
    app = FttuiApp()
    app.state.saw_jobs("local", [Track(make_job(7, "succeeded", "on-this-machine")).body()])
    app.state.remember("jobs.profiles", ["local"])
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "on-this-machine")
        await wait_for_text(pilot, "mine-1")
        await wait_for_text(pilot, "asleep, as remembered (r asks)")
    assert not (home / "data" / "server.json").exists()


# -- a thousand, and what changes meanwhile


async def test_a_thousand_jobs_are_read_in_pages_and_none_twice(servers: tuple[Any, Any]) -> None:
    one, _ = servers
    for number in range(1050):
        put(one, number, "running" if number > 1000 else "succeeded")
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await show(app, pilot, "Jobs 1,050")
        pages = {r.query.get("after", "") for r in one.seen("GET", JOBS)} - {""}
        assert len(pages) == 10
        put(one, 1050)  # a new one on top
        await wait_for_text(pilot, "Jobs 1,051")
        await pilot.press("end")
        await wait_for_text(pilot, "job-0 ")
        ids = [row.id for row in screen(app)._rows]
        assert len(ids) == len(set(ids)) == 1051
        assert one.count("GET", JOBS) < 200


async def test_older_pages_stop_and_go_on_at_the_end_of_the_list(
    servers: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_feed, "FILL_PAGES", 2)
    one, _ = servers
    for number in range(450):
        put(one, number)
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await show(app, pilot, "Jobs 300+")
        await pilot.press("end")
        await wait_for_text(pilot, "Jobs 400+")
        await pilot.press("end")
        await wait_for_text(pilot, "Jobs 450 ")


async def test_a_job_deleted_elsewhere_stays_marked_and_the_selection_with_it(
    servers: tuple[Any, Any],
) -> None:
    one, _ = servers
    ids = [put(one, number, "running") for number in range(5)]
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "job-4")
        await pilot.press("home", "down", "down")
        await wait_until(pilot, lambda: screen(app).track and screen(app).track.id == ids[2], "it")
        del one.jobs[ids[2]]
        await wait_for_text(pilot, "no longer listed by the provider")
        assert screen(app).track is not None
        assert screen(app).track.id == ids[2]  # type: ignore[union-attr]
        assert "no longer" in screen(app).why_not("jobs.cancel")
        assert screen(app).why_not("jobs.forget") == ""
    again = FttuiApp()  # from our own record
    async with again.run_test(size=(120, 40)) as pilot:
        await show(again, pilot, "no longer listed")
        await wait_for_text(pilot, "Jobs 5")
        await pilot.press("slash", *"is:gone", "enter")
        await wait_for_text(pilot, "Jobs 1 of 5")
        await pilot.press("delete")
        await wait_for_text(pilot, "Forget job-2?")
        await wait_until(pilot, lambda: isinstance(again.screen, Confirm), "the question")
        await pilot.press("y")
        await wait_for_text(pilot, "Jobs 0 of 4")
        assert ids[2] not in [body["id"] for body, _ in again.state.seen_jobs("work")]


async def test_a_remembered_job_the_provider_never_lists_is_marked(
    servers: tuple[Any, Any],
) -> None:
    one, _ = servers
    put(one, 3)
    app = FttuiApp()
    app.state.saw_jobs("work", [Track(make_job(9, "running", "from-before")).body()])
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "job-3")
        await wait_for_text(pilot, "no longer listed by the provider")
        row = next(line for line in screen_text(app).splitlines() if "running    from-b" in line)
        assert "no longer listed" in row
        assert "left" not in row  # nothing is going on there


async def test_offline_says_since_when_and_when_it_tries_again(servers: tuple[Any, Any]) -> None:
    one, _ = servers
    put(one, 1, "running")
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "job-1")
        one.fail("GET", JOBS, faults.Fault(429, faults.error("Slow down"), {"retry-after": "900"}))
        await wait_for_text(pilot, "Slow down")
        assert "not read since " in screen_text(app)
        assert "next try " in screen_text(app)
        asked = one.count("GET", JOBS)
        await pilot.press("r")  # a person may ask all the same
        await wait_until(pilot, lambda: "not read" not in screen_text(app), "read again")
        assert one.count("GET", JOBS) > asked


# -- marks and sweeps


async def test_marked_jobs_are_cancelled_together(servers: tuple[Any, Any]) -> None:
    one, _ = servers
    put(one, 1)
    running = [put(one, number, "running") for number in (2, 3)]
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "job-3")
        await pilot.press("home", "M")
        await wait_for_text(pilot, "3 marked")
        assert screen_text(app).count("┃") == 3
        await pilot.press("x")
        await wait_for_text(pilot, "Cancel 2 jobs?")
        assert "1 job of those marked cannot be cancelled" in screen_text(app)
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("y")
        await wait_until(
            pilot, lambda: all(one.jobs[i]["status"] == "cancelled" for i in running), "cancelled"
        )
        assert one.count("POST", f"{JOBS}/.*/cancel") == 2
        await pilot.press("escape")
        await wait_until(pilot, lambda: "marked" not in title(app), "marks are gone")


async def test_marked_jobs_pause_and_resume(servers: tuple[Any, Any]) -> None:
    one, _ = servers
    ids = [put(one, number, "running") for number in (1, 2)]
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await show(app, pilot, "job-2")
        await pilot.press("home", "space", "space", "p")
        await wait_until(
            pilot, lambda: all(one.jobs[i]["status"] == "paused" for i in ids), "paused"
        )
        await wait_for_text(pilot, "‖ paused")
        assert "resumed" not in screen(app).why_not("jobs.pause")
        await pilot.press("p")
        await wait_until(
            pilot, lambda: all(one.jobs[i]["status"] == "queued" for i in ids), "resumed"
        )


async def test_sweeps_are_grouped_folded_and_marked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    app = FttuiApp(profile="openai")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.backend.feed is not None, "the feed")
        feed = await feed_by_hand(app)
        await pilot.press("4")
        swept = {"metadata": {"fttui_sweep": "lr-abc"}}
        jobs = [make_job(1), make_job(2, **swept), make_job(3), make_job(4, "running", **swept)]
        events = {jobs[1].id: make_events(4, 9, 2.0), jobs[3].id: make_events(4, 9, 1.0)}
        tell(feed, jobs, events=events)
        await wait_for_text(pilot, "job-4")
        await pilot.press("v")
        await wait_for_text(pilot, "by sweep")
        names = [row.name for row in screen(app)._rows]
        assert names == ["job-1", "lr-abc", "job-2", "job-4", "job-3"]
        text = screen_text(app)
        assert "▾ lr-abc  2 jobs" in text
        assert "●1" in text
        assert "best 0.250 job-4" in text
        await pilot.press("home", "down", "space")
        await wait_for_text(pilot, "2 marked")
        assert {track.name for track in screen(app).picked()} == {"job-2", "job-4"}
        await pilot.press("up", "enter")
        await wait_for_text(pilot, "▸ lr-abc")
        assert len(screen(app)._rows) == 3
        await pilot.press("d")
        await wait_for_text(pilot, "2 jobs compared")
        assert "★" in screen_text(app)


def test_compared_jobs_show_what_differs_and_which_is_best() -> None:
    def job(number: int, epochs: int, seed: int) -> Track:
        method = {"supervised": {"hyperparameters": {"n_epochs": epochs, "batch_size": 8}}}
        return Track(make_job(number, method={"type": "supervised", **method}, seed=seed))

    one, two = job(1, 2, 1), job(2, 4, 1)
    differ, same = differences([one, two])
    assert dict(differ) == {"epochs": {one.id: "2", two.id: "4"}}
    assert same["seed"] == "1"
    assert same["batch"] == "8"
    assert best([one, two]) is None
    one.add_events(make_events(3, 9, 1.0))
    two.add_events(make_events(3, 9, 2.0))
    assert best([one, two]) is one  # by training loss
    data = {"step": 2, "valid_loss": 0.4}
    two.add_events([JobEvent("v", NOW, "info", "", "metrics", data)])
    assert best([one, two]) is two  # validated beats not validated


# -- watched jobs


async def test_a_watched_job_is_announced_when_it_ends(
    servers: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one, _ = servers
    config = paths.config_dir() / "config.toml"
    line = f'printf %s "$FTTUI_JOB_TEXT" > {tmp_path}/told'
    settings = f'[settings]\nnotify_desktop = "osc9"\nnotify_command = {json.dumps(line)}\n'
    config.write_text(config.read_text() + settings)
    monkeypatch.delenv("TMUX", raising=False)
    written: list[str] = []
    job = put(one, 1, "running")
    one.events[job] = [
        {
            "id": "e",
            "created_at": 1,
            "type": "metrics",
            "data": {"step": 3, "total_steps": 12, "train_loss": 1.0},
        }
    ]
    app = FttuiApp()
    app.backend.announcer.write = written.append  # type: ignore[method-assign]
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "job-1")
        await wait_for_text(pilot, "3/12")
        assert written == []  # nobody asked for it
        await pilot.press("w")
        await wait_for_text(pilot, "◉")
        await wait_until(pilot, lambda: notify.title("25% job-1 · fttui") in written, "the title")
        assert written[0] == notify.PUSH
    again = FttuiApp()  # watched over a restart
    again.backend.announcer.write = written.append  # type: ignore[method-assign]
    assert written[-1] == notify.POP
    async with again.run_test(size=(120, 40)) as pilot:
        await show(again, pilot, "job-1")
        one.jobs[job] |= {"status": "succeeded", "finished_at": one.jobs[job]["created_at"] + 70}
        await wait_until(pilot, lambda: (tmp_path / "told").exists(), "the command ran")
        said = "job-1 succeeded in 1m 10s, loss 1"
        await wait_until(pilot, lambda: (tmp_path / "told").read_text() == said, said)
        titles = [text for text in written if text.startswith("\x1b]0;")]
        assert titles[-1] == notify.title("✓ job-1 succeeded · fttui")
        assert notify.desktop("osc9", said) in written
        assert again.notices[-1].message == said
        assert again.state.recall("jobs.watched.work") == []
        written.clear()
        await pilot.press("r")
        await wait_until(pilot, lambda: again.backend.last_read > 0, "read")
    assert [text for text in written if "succeeded" in text] == []  # said once


# -- figures


@pytest.mark.parametrize(
    ("step", "total", "text"),
    [
        (612, 1204, "612/1,204"),
        (1204, 3612, "1204/3612"),
        (10_234, 36_120, "10k/36k"),
        (9_950, 100_000, "10k/100k"),
        (123_456, 1_234_567, "123k/1.2M"),
        (19, 1_000_000, "19/1.0M"),
    ],
)
def test_step_counts_are_never_cut(step: int, total: int, text: str) -> None:
    track = Track(make_job(1, "running", total_steps=total, trained_steps=step))
    assert job_table.progress(track) == text
    for width in (46, 60, 78):
        row = "".join(p if isinstance(p, str) else p[0] for p in job_table.row(
            track, width, job_table.Look(tag=8)))  # fmt: skip
        assert text in row
        assert len(row) <= width


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("age<2h", "a"),
        ("age>1d", "c"),
        ("-age<2h", "bc"),
        ("took>10m", "b"),
        ("cost>1.5", "b"),
        ("cost<$1", "a"),
        ("tokens>=1k", "b"),
        ("profile:azure", "b"),
        ("sweep:lr", "c"),
        ("is:sweep", "c"),
        ("is:live", "a"),
        ("is:gone", "c"),
        ("is:watched", "b"),
        ("seed=7", "b"),
        ("epochs=3", "abc"),
        ('"one two"', "a"),
        ('-"one two"', "bc"),
        ("file:file-9", "c"),
        ("loss>1.2.3", ""),
        ("age<2x", ""),
    ],
)
def test_the_filter_language_in_full(text: str, names: str) -> None:
    tracks = [
        Track(make_job(1, "running", "a", metadata={"note": "one two"})),
        Track(make_job(2, suffix="b", created_at=NOW - 20_000, finished_at=NOW - 19_000, seed=7,
                       trained_tokens=1_000), profile="azure-eu"),
        Track(make_job(3, suffix="c", created_at=NOW - 200_000, training_file="file-9",
                       metadata={"fttui_sweep": "lr-1"}), gone=True),
    ]  # fmt: skip
    costs = {"a": 0.5, "b": 2.0}
    facts = job_filter.Facts(
        lambda t: costs.get(t.name), lambda t: t.name == "b", lambda: float(NOW)
    )
    found = job_filter.matching(tracks, job_filter.parse(text, facts))
    assert "".join(track.name for track in found) == names


def test_the_rest_is_measured_without_the_time_a_job_stood_still() -> None:
    track = Track(make_job(1, "running"))
    moving = [(at, at) for at in range(1, 11)] + [(at + 5000, at) for at in range(11, 21)]
    track.add_events(
        JobEvent(f"e{step}", NOW + at, "info", f"Step {step}/100: training loss=1.0", "metrics")
        for at, step in moving
    )
    assert track.rate() == pytest.approx(1.0)
    assert track.seconds_left() == pytest.approx(80)


def test_a_clock_that_is_ahead_does_not_lengthen_the_rest() -> None:
    job = make_job(1, "running", estimated_finish=NOW + 3600 + 60)
    track = Track(job)
    track.add_events([JobEvent("e", NOW + 3600)])  # the provider's clock is an hour ahead
    assert track.seconds_left(now=float(NOW)) == pytest.approx(60)


def test_each_profile_that_cannot_be_read_says_so() -> None:
    class Feed:
        def __init__(self, profile: str, problem: Problem | None) -> None:
            self.profile, self.problem = profile, problem
            self.read_at, self.next_in, self.asleep = 0.0, 0.0, False
            self.tracks: dict[str, Track] = {}

    bad = Problem("Reading failed.", "Nobody answers.", code="refused")
    said = words.reading([Feed("work", None), Feed("other", bad)])  # type: ignore[list-item]
    assert "".join(p if isinstance(p, str) else p[0] for p in said) == (
        "other: not read: Nobody answers"
    )


async def test_thousands_of_remembered_jobs_are_shown_newest_first(
    servers: tuple[Any, Any],
) -> None:
    one, _ = servers
    ids = [put(one, number) for number in range(3)]
    app = FttuiApp()
    bodies = [Track(make_job(number, suffix=f"old-{number}")).body() for number in range(700)]
    app.state.saw_jobs("work", [*bodies, one.jobs[ids[0]]])
    async with app.run_test(size=(80, 24)) as pilot:
        await show(app, pilot, "old-0 ")
        await wait_for_text(pilot, "Jobs 703")
        await wait_until(pilot, lambda: app.backend.feed.tracks["ftjob-0699"].gone, "the last")
        assert not app.backend.feed.tracks[ids[0]].gone


# -- the real thing


@pytest.fixture
def local_server(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A local server of the test's own, started by the app itself, with a tiny base model."""
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(tiny_model))
    yield home / "data"
    local.stop(home / "data")


async def test_real_jobs_are_paused_and_resumed_over_a_crash_of_the_server(
    local_server: Path, tmp_path: Path
) -> None:
    app = FttuiApp(profile="local")
    async with app.run_test(size=(120, 40)) as pilot:
        await show(app, pilot, "no jobs yet")
        provider = app.backend.feed.provider  # type: ignore[union-attr]
        data = await files.upload(provider, write_dataset(tmp_path / "data.jsonl"))
        made = [
            await jobs.create(provider, LaunchSpec(
                "smollm2-135m-instruct", data.id, suffix=name,
                hyperparameters={"n_epochs": epochs, "batch_size": batch},
            ))
            # The long one must still run after all that is done to it, on any machine.
            for name, epochs, batch in (("long", 50, 1), ("short", 1, 4))
        ]  # fmt: skip
        long, _short = (job.id for job in made)
        await pilot.press("r")
        await wait_for_text(pilot, "◌ queued     short")
        app.change(job=made[0])
        await wait_until(pilot, lambda: screen(app).track.progress()[0] >= 2, "it trains", LONG)  # type: ignore[union-attr]
        assert "Only a running job" in why_not_pause(app, "short")
        await pilot.press("p")
        await wait_for_text(pilot, "‖ paused     long", LONG)
        await wait_for_text(pilot, "✓ succeeded  short", LONG)  # its turn came
        os.kill(local.running(local_server).pid, signal.SIGKILL)  # type: ignore[union-attr]
        step = screen(app).track.progress()[0]  # type: ignore[union-attr]
        await pilot.press("p")  # brings the server back
        await wait_for_text(pilot, "● running    long", LONG)
        await wait_until(pilot, lambda: screen(app).track.progress()[0] > step, "goes on", LONG)  # type: ignore[union-attr]
        assert screen(app).track.id == long  # type: ignore[union-attr]
        await pilot.press("x")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        assert "It stops at step" in screen_text(app)
        await pilot.press("y")
        await wait_for_text(pilot, "⊘ cancelled  long", LONG)


def why_not_pause(app: FttuiApp, name: str) -> str:
    track = next(track for track in app.backend.feeds.tracks() if track.name == name)
    return job_actions.why_not(app, "pause", track)
