"""Profiles in the app: the first start, adding and changing one, whose money it is, read-only, and closed doors."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobs_help import feed_by_hand, make_job, tell, write_dataset
from textual.widgets import Input
from ui_help import screen_text, wait_for_text, wait_until

from fttui import config
from fttui.config import Profile
from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import probe
from fttui.ui import doors
from fttui.ui.actions import ACTIONS, BY_ID, SPENDS
from fttui.ui.app import FttuiApp
from fttui.ui.crash import write_report
from fttui.ui.dialogs.choose import Choose
from fttui.ui.dialogs.closed_door import ClosedDoor
from fttui.ui.dialogs.profile import AddProfile

KEY = "sk-proj-0123456789abcdefghijSECRET"


def _load() -> Any:
    path = Path(__file__).parents[1] / "service" / "door_server.py"
    spec = importlib.util.spec_from_file_location("fttui_test_door_server", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fttui_test_door_server"] = module
    spec.loader.exec_module(module)
    return module


door_server = _load()


@pytest.fixture
def server() -> Iterator[Any]:
    with door_server.DoorServer() as found:
        yield found


@pytest.fixture
def configured(home: Path, server: Any) -> Path:
    """Profiles at the door server: `work` is open, `other` too, `guarded` is read-only."""
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    key = path.parent / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    path.write_text(
        "# mine\ndefault_profile = 'work'\n"
        + "".join(
            f"[profiles.{name}]\nprovider = 'openai'\nbase_url = '{server.url('open')}'\n"
            f"key = {{ file = '{key}' }}  # kept\norganization = 'org-{name}'\n{more}\n"
            for name, more in (("work", ""), ("other", ""), ("guarded", "read_only = true"))
        )
    )
    return path


async def press(pilot: Any, text: str) -> None:
    for char in text:
        names = {"-": "minus", ":": "colon", "/": "slash", ".": "full_stop", "_": "underscore"}
        await pilot.press(names.get(char, char))


# ---- the first start ----


async def test_the_first_start_asks_once_where_to_train(home: Path) -> None:
    app = FttuiApp(first_start=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "Where do you want to train?")
        assert "Nebius" in screen_text(app)
        await pilot.press("enter")
        await wait_until(pilot, lambda: not isinstance(app.screen, Choose))
        assert app.backend.profile.name == "local"
        assert app.state.recall("first-start")
    again = FttuiApp(first_start=True)
    async with again.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: again.backend.profile_if_known)
        await pilot.pause()
        assert not isinstance(again.screen, Choose)


async def test_nothing_is_asked_where_a_key_or_a_file_says_it(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = FttuiApp(first_start=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known)
        await pilot.pause()
        assert not isinstance(app.screen, Choose)
        assert "work org-work" in screen_text(app)


# ---- adding and changing ----


async def test_a_profile_is_added_by_keys_and_its_key_is_nowhere_to_be_seen(
    home: Path, server: Any
) -> None:
    app = FttuiApp()
    async with app.run_test(size=(100, 32)) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known)
        app.run_by_id("app.add_profile")
        await wait_for_text(pilot, "Whose service is it?")
        await press(pilot, "another")
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, AddProfile) and app.focused)
        app.screen.query_one("#name", Input).value = "lab"
        app.screen.query_one("#base_url", Input).value = "lab:1"
        await pilot.press("ctrl+s")
        await wait_for_text(pilot, "✗ address: begin with https://")
        app.screen.query_one("#base_url", Input).value = server.url("open")
        app.screen.query_one("#given").focus()
        await pilot.press("enter")
        await wait_for_text(pilot, "Where is the key?")
        await press(pilot, "filefile")
        await pilot.press(*["backspace"] * 4, "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, AddProfile))
        app.screen.query_one("#key", Input).value = KEY
        await pilot.press("ctrl+t")
        await wait_for_text(pilot, "key accepted, 5 models")
        shown = screen_text(app) + app.export_screenshot()
        assert KEY not in shown
        assert KEY[-12:] not in shown
        assert "••••" in shown
        assert not (home / "config" / "config.toml").exists()  # a try keeps nothing
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: app.backend.profile.name == "lab")
        await wait_for_text(pilot, "lab 127.0.0.1")
        assert KEY not in screen_text(app) + app.export_screenshot()
    assert KEY not in (home / "config" / "config.toml").read_text()
    profile = config.load(env={}).profile("lab")
    assert profile.key.resolve().reveal() == KEY
    leaks = [
        one for one in home.rglob("*")
        if one.is_file() and one != Path(profile.key.value) and KEY in one.read_text("utf-8", "replace")
    ]  # fmt: skip
    assert leaks == []


async def test_a_profile_in_hand_gets_another_key_and_keeps_the_rest(configured: Path) -> None:
    app = FttuiApp()
    async with app.run_test(size=(100, 32)) as pilot:
        await wait_for_text(pilot, "work org-work")
        app.run_by_id("app.change_profile")
        await wait_for_text(pilot, "Profile work")
        await pilot.press("left")  # from "in a file already" to "in the keyring already" or before
        await pilot.press("left")
        app.screen._given = "env"
        app.screen._sync_key("TEAM_KEY")
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: app.backend.profile.key.value == "TEAM_KEY")
    text = configured.read_text()
    assert 'key = { env = "TEAM_KEY" }  # kept' in text
    assert text.startswith("# mine\n")
    assert config.load(env={}).profile("work").organization == "org-work"


# ---- whose money ----


async def test_the_header_says_whose_money_and_one_key_goes_to_the_next_open_profile(
    configured: Path,
) -> None:
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "work org-work")
        await pilot.press("P")
        await wait_for_text(pilot, "whose money is at stake")
        assert "read-only" in screen_text(app)
        await press(pilot, "other")
        await pilot.press("enter")
        await wait_for_text(pilot, "other org-other")
        await pilot.press("backslash")
        await wait_for_text(pilot, "work org-work")
        await pilot.press("backslash")
        await wait_for_text(pilot, "other org-other")
        for area in "1436":
            await pilot.press(area)  # in Jobs it is that of the job, and the one in hand beside it
            await wait_until(pilot, lambda: "other" in screen_text(app).splitlines()[0])


# ---- read-only ----


async def test_a_read_only_profile_dims_what_spends_and_says_why(
    configured: Path, tmp_path: Path
) -> None:
    app = FttuiApp(write_dataset(tmp_path / "t.jsonl"), profile="guarded")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for_text(pilot, "read-only")
        await wait_until(pilot, lambda: app.thread.report is not None)
        await pilot.press("4")
        await wait_for_text(pilot, "orders")
        for key, action in (("n", "jobs.new"), ("x", "jobs.cancel")):
            assert "read-only" in app.screen.reason(action)
            await pilot.press(key)
            assert app.screen.query("HintBar")
        assert any("profile guarded is read-only" in one.message for one in app.notices)
        await pilot.press("3")
        await wait_until(pilot, lambda: app.current_mode == "cost")
        assert app.screen.reason("cost.launch") == "profile guarded is read-only"
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen.SCOPE == "cost"
        await pilot.press("6")
        await wait_until(pilot, lambda: app.focused is not None and app.focused.id == "composer")
        await press(pilot, "hi")
        await pilot.press("enter")
        await wait_until(pilot, lambda: "read-only" in screen_text(app).split("guarded", 1)[1][40:])


def test_what_spends_names_actions_that_exist_and_misses_none_by_its_name() -> None:
    assert set(SPENDS) <= set(BY_ID)
    verbs = {
        "new",
        "launch",
        "cancel",
        "pause",
        "delete",
        "deploy",
        "scale",
        "share",
        "start",
        "again",
    }
    harmless = {"chat.new"}  # a new conversation, nothing sent
    named = {one.id for one in ACTIONS if one.name in verbs} - harmless
    assert named <= set(SPENDS)


async def test_read_only_is_switched_in_the_app_and_kept(configured: Path) -> None:
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "work org-work")
        app.run_by_id("app.read_only")
        await wait_for_text(pilot, "read-only")
        assert app.guard("jobs.new") == "profile work is read-only"
        assert config.load(env={}).profile("work").read_only
        app.run_by_id("app.read_only")
        await wait_until(pilot, lambda: app.guard("jobs.new") == "")
    assert not config.load(env={}).profile("work").read_only
    assert configured.read_text().count("# kept") == 3


async def test_what_a_provider_lacks_is_asked_once_and_dimmed(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def missing(provider: Any) -> probe.Probed:
        asked.append(provider.profile.name)
        return probe.Probed(2e9, {"jobs": "host has no fine-tuning jobs."})

    monkeypatch.setattr(probe, "probe", missing)
    for _ in range(2):
        app = FttuiApp()
        async with app.run_test(size=(80, 24)) as pilot:
            await wait_until(pilot, lambda app=app: app.backend.feed and app.backend.feed.read_at)
            await wait_until(
                pilot, lambda app=app: app.guard("jobs.new") == "host has no fine-tuning jobs."
            )
    assert asked == ["work"]


# ---- closed doors ----


def problems(server: Any) -> dict[str, tuple[Problem, Profile]]:
    """Every refusal of the door server, as the service layer gives it."""
    import asyncio

    from fttui.service import chat, jobs
    from fttui.service.provider import Provider
    from fttui.service.types import LaunchSpec

    async def one(name: str, scenario: Any) -> tuple[Problem, Profile]:
        profile = Profile(name, scenario.kind, server.url(name), SecretSource("env", "DOOR_KEY"))
        provider = Provider(profile)
        try:
            if scenario.where == door_server.LAUNCH:
                await jobs.create(provider, LaunchSpec("gpt-4.1-mini-2025-04-14", "f"))
            elif scenario.where == door_server.CHAT:
                await chat.answer(provider, "gpt-4.1-mini-2025-04-14", [])
            else:
                await jobs.listing(provider)
        except Problem as problem:
            return problem, profile
        finally:
            await provider.close()
        raise AssertionError(name)

    async def every() -> dict[str, tuple[Problem, Profile]]:
        import os

        found = {}
        for name, scenario in door_server.SCENARIOS.items():
            if scenario.door:
                os.environ["DOOR_KEY"] = scenario.key
                found[name] = await one(name, scenario)
        return found

    return asyncio.run(every())


@pytest.fixture(scope="module")
def met() -> dict[str, tuple[Problem, Profile]]:
    with door_server.DoorServer() as server:
        return problems(server)


EACH = {one.door: name for name, one in door_server.SCENARIOS.items() if one.door}.values()
FEW = ("training-closed", "missing-role", "wrong-endpoint", "unverified")  # with the most to say


@pytest.mark.parametrize("size", [(80, 24), (104, 34), (60, 15)])
async def test_every_door_fits_the_screen_with_all_its_ways(
    size: tuple[int, int], met: dict[str, tuple[Problem, Profile]]
) -> None:
    app = FttuiApp()
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known)
        for problem, profile in [met[name] for name in (EACH if size == (80, 24) else FEW)]:
            app.backend.config.profiles[profile.name] = profile  # type: ignore[index]
            app.show_problem(problem)
            await wait_until(pilot, lambda: isinstance(app.screen, ClosedDoor))
            await pilot.pause()
            door, shown = app.screen.door, screen_text(app)
            assert door.title[:40] in shown
            for way in door.ways:
                assert way.title in shown, (door.kind, way.title, shown)
            assert "enter take this way" in shown
            if size[1] >= 24:
                assert "Why " in shown
            if problem.why and door.kind != "no_key" and size[1] > 30:
                assert " ".join(problem.why.split()[:4]) in shown
            key = door_server.SCENARIOS[profile.name].key
            assert not key or key not in shown + app.export_screenshot()
            await pilot.press("escape")
            await wait_until(pilot, lambda: not isinstance(app.screen, ClosedDoor))


async def test_the_ways_of_a_closed_training_lead_out(
    configured: Path, tmp_path: Path, met: dict[str, tuple[Problem, Profile]]
) -> None:
    app = FttuiApp(write_dataset(tmp_path / "t.jsonl"))
    problem, _ = met["training-closed"]
    async with app.run_test(size=(104, 34)) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None and app.thread.model)
        feed = await feed_by_hand(app)
        tell(feed, [make_job(1, suffix="one"), make_job(2, "failed", suffix="two")])

        async def meet() -> None:
            app.show_problem(problem)
            await wait_until(pilot, lambda: isinstance(app.screen, ClosedDoor))

        await meet()
        await pilot.press("e")
        await wait_for_text(pilot, "Export 2 jobs")
        await pilot.press("escape")
        await meet()
        await pilot.press("t")
        await wait_for_text(pilot, "elsewhere: the same file")
        assert "GPT-4.1 mini at Azure OpenAI" in screen_text(app)
        await press(pilot, "smollm")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.backend.profile.name == "local")
        await wait_until(pilot, lambda: app.thread.model.id == "smollm2-135m-instruct")
        app.backend.use("work")
        await meet()
        await pilot.press("l")
        await wait_until(pilot, lambda: app.backend.profile.name == "local")
        await wait_until(pilot, lambda: app.current_mode == "cost")
        await wait_for_text(pilot, "local")


async def test_a_role_that_is_missing_is_asked_for_in_a_letter(
    configured: Path, met: dict[str, tuple[Problem, Profile]]
) -> None:
    app = FttuiApp()
    copied: list[str] = []
    async with app.run_test(size=(104, 34)) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known)
        app.copy = lambda text, what: copied.append(text)  # type: ignore[method-assign]
        app.show_problem(met["missing-role"][0])
        await wait_until(pilot, lambda: isinstance(app.screen, ClosedDoor))
        await pilot.press("w")
        await wait_until(pilot, lambda: copied)
    assert "permission: api.fine_tuning.jobs.write" in copied[0]
    assert "request id: req_" in copied[0]


async def test_w_opens_the_door_the_job_list_met_and_another_key_goes_through_it(
    home: Path, server: Any
) -> None:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(server.config(path.parent))
    app = FttuiApp(profile="key-refused")
    async with app.run_test(size=(104, 34)) as pilot:
        await wait_until(pilot, lambda: app.backend.feed and app.backend.feed.problem)
        await pilot.press("4")
        await wait_for_text(pilot, "why, and the ways out")
        await pilot.press("W")
        await wait_for_text(pilot, "OpenAI does not accept the key of profile key-refused")
        await pilot.press("d")
        await wait_for_text(pilot, '"status": 401')
        await pilot.press("n")
        await wait_for_text(pilot, "Profile key-refused")
        assert isinstance(app.screen, AddProfile)
        await pilot.press("escape", "W", "p")
        await wait_for_text(pilot, "whose money is at stake")
        await press(pilot, "open")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.backend.profile.name == "open")
        await wait_for_text(pilot, "orders")


async def test_nothing_refused_and_ordinary_failures_have_no_door(home: Path) -> None:
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known)
        assert not doors.is_door(Problem("x", code="rate_limit", detail={"status": 429}))
        app.show_problem(Problem("it failed", "because", "do that", detail={"status": 500}))
        await wait_for_text(pilot, "it failed")
        assert not isinstance(app.screen, ClosedDoor)


# ---- no key anywhere ----


async def test_no_key_in_a_door_its_letter_a_screenshot_an_export_or_a_crash_report(
    home: Path, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        f"Missing scopes: x.write. Incorrect API key provided: {KEY}. Authorization: Bearer {KEY}"
    )
    echo = door_server.Scenario(("GET|POST", "/fine_tuning/jobs"), 403, said, None, key=KEY)
    monkeypatch.setitem(door_server.SCENARIOS, "echo", echo)
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(server.config(path.parent))
    app = FttuiApp(profile="echo")
    found: list[str] = []
    async with app.run_test(size=(104, 34)) as pilot:
        await wait_until(pilot, lambda: app.backend.feed and app.backend.feed.problem)
        app.copy = lambda text, what: found.append(text)  # type: ignore[method-assign]
        await pilot.press("4", "W")
        await wait_until(pilot, lambda: isinstance(app.screen, ClosedDoor))
        await pilot.press("d", "y")
        found += [screen_text(app), app.export_screenshot(), repr(app.screen.door)]
        await pilot.press("w")
        await wait_until(pilot, lambda: len(found) == 5)
        found += [one.message for one in app.notices]
        await export_into(app, tmp_path / "export")
        found.append(str(write_report(RuntimeError(f"the key is {KEY}"))))
    assert "Missing scopes" in found[0]
    assert any(one.is_file() for one in (tmp_path / "export").rglob("*"))
    keys = path.parent / "keys"
    written = [one for one in (*home.rglob("*"), *tmp_path.rglob("*"))
               if one.is_file() and keys not in one.parents]  # fmt: skip
    found += [one.read_text("utf-8", "replace") for one in written]
    leaks = [text for text in found if KEY in text or KEY[-12:] in text]
    assert [text[max(0, text.find(KEY[-12:]) - 300) :][:400] for text in leaks] == []


async def export_into(app: FttuiApp, folder: Path) -> None:
    from fttui.service.provider import Provider
    from fttui.ui.export import run
    from fttui.ui.export.collect import Chosen
    from fttui.ui.export.folder import choose

    provider = Provider(app.backend.config.profile("open"))
    job = make_job(
        1, "failed", error={"code": "x", "message": f"Incorrect API key provided: {KEY}"}
    )
    await run.export([Chosen(provider, job, None)], choose(folder), state=app.state)
    await provider.close()
