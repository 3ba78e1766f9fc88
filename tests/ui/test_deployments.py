"""Deployments as they are used: the price said before, the bill that runs on every line, No as the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure_help import emulators, finished_job, write_config
from ui_help import screen_text, wait_for_text, wait_until

from fttui.service import deployments
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs import confirm

DAY = 24 * 3600


@pytest.fixture
async def azure(monkeypatch: pytest.MonkeyPatch, home: Any) -> AsyncIterator[Any]:
    monkeypatch.setattr(deployments, "POLL_SECONDS", (0.02, 0.02))
    monkeypatch.setattr(deployments, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(confirm, "DEAD_SECONDS", 0.0)
    async with emulators.AzureServer() as found:
        yield found


async def open_page(app: FttuiApp, pilot: Any, text: str) -> None:
    await wait_until(pilot, lambda: app.backend.profile_if_known is not None, "configured")
    app.run_by_id("app.deployments")
    await wait_for_text(pilot, text)


async def test_from_a_checkpoint_to_a_chat_and_back_to_nothing(
    azure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(azure, monkeypatch)
    model = finished_job(azure, 0, "support")
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.backend.profile_if_known is not None, "configured")
        await pilot.press("5")
        await wait_for_text(pilot, "final")
        await wait_until(pilot, lambda: app.deployed.of("work") is not None, "the list is read")
        assert "deployed:" not in screen_text(app)  # nothing costs anything yet
        assert "answers once deployed (D)" in app.screen.why_not("checkpoints.chat")

        await pilot.press("D")
        await wait_for_text(pilot, "Deploy a model")
        assert "$1.70 an hour, $40.80 a day, $1,224.00 a month" in screen_text(app)
        assert "deleted after 15 days without a request" in screen_text(app)
        await pilot.press("down", "left")  # the tier before the first is the last: Developer
        await wait_for_text(pilot, "nothing by the hour")
        assert "deleted 24 hours after it was made" in screen_text(app)
        await pilot.press("right")
        await wait_for_text(pilot, "$1.70 an hour")
        await pilot.press("down", "enter", "enter")
        await wait_for_text(pilot, "Deploy gpt-41-mini-support for $1.70 an hour?")
        assert "used or not, from now until it is deleted" in screen_text(app)
        await pilot.press("enter")  # the amount is not typed
        await pilot.pause()
        assert azure.count("PUT", ".*") == 0
        await pilot.press(*"40.80", "enter")

        await wait_for_text(pilot, "Deployments of res-1")
        await wait_for_text(pilot, "ready")
        await wait_until(pilot, lambda: "answers now" in str(app.notices), "it is said")
        sent = azure.seen("PUT", ".*")[0].json
        assert sent["sku"] == {"name": "GlobalStandard", "capacity": 100}
        assert sent["properties"]["model"] == {"format": "OpenAI", "name": model, "version": "1"}
        assert sent["tags"] == {"fttui-base": emulators.BASE, "fttui-job": "ftjob-0"}
        assert "1 deployment costs $1.70 an hour" in screen_text(app)
        assert "⚠ deployed: $1.70/h" in screen_text(app).splitlines()[1]
        assert "30 requests and 100,000 tokens a minute" in screen_text(app)

        await pilot.press("escape")
        assert app.current_mode == "checkpoints"
        await pilot.press("4")
        await wait_for_text(pilot, "support")
        await pilot.press("D")  # it is deployed already: shown, not asked again
        await wait_for_text(pilot, "Deployments of res-1")
        await pilot.press("escape")
        assert app.current_mode == "jobs"
        assert not app.screen.why_not("jobs.chat")
        await pilot.press("t")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert app.thread.chat_models == ["gpt-41-mini-support"]  # its base is not deployed
        await pilot.press("escape", "escape", "5")
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "back")
        assert not app.screen.why_not("checkpoints.chat")
        await pilot.press("t")
        await wait_until(pilot, lambda: app.current_mode == "chat", "chat")
        assert app.thread.chat_models == ["gpt-41-mini-support"]
        await wait_until(pilot, lambda: app.screen.listed, "listed")
        app.screen.composer.focus()
        await pilot.press(*"Hi", "enter")
        await wait_for_text(pilot, "Hello there.")
        await wait_for_text(pilot, "<$0.0001")  # priced as the model it serves
        assert app.state.last_answer("work", "gpt-41-mini-support") > 0

        await open_page(app, pilot, "gpt-41-mini-support")
        await pilot.press("x")
        await wait_for_text(pilot, "Delete gpt-41-mini-support?")
        await pilot.press("enter")  # No has the focus
        await pilot.pause()
        assert azure.count("DELETE", ".*") == 0
        await pilot.press("x")
        await wait_for_text(pilot, "Delete gpt-41-mini-support?")
        await pilot.press("y")
        await wait_for_text(pilot, "nothing is deployed, so nothing costs by the hour")
        assert not azure.deployments
        assert "deployed:" not in screen_text(app)
        kinds = [row["kind"] for row in app.state.journal_rows()]
        assert kinds == ["hosting", "chat", "deploy"]  # what was paid for, the last first


async def test_the_bill_the_ends_and_an_earlier_step(
    azure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(azure, monkeypatch)
    finished_job(azure, 0, "support")
    azure.deploy("old", f"{emulators.BASE}.ft-01-old", age=14 * DAY)
    azure.deploy("trial", f"{emulators.BASE}.ft-02-trial", "DeveloperTier", age=23 * 3600)
    azure.deploy("gpt-4o", "gpt-4o-2024-08-06", age=DAY)
    azure.deploy("zz-new", f"{emulators.BASE}.ft-03", "DeveloperTier", age=60)  # not made from here
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "⚠ $1.70/h")  # on the first pane, before anybody asked
        await open_page(
            app, pilot, "1 deployment costs $1.70 an hour, $40.80 a day: $571.20 so far"
        )
        await wait_for_text(pilot, "14 without one from here")
        assert "◌ zz-new" in screen_text(app)  # "Succeeded", and too young to answer
        await pilot.press("j")
        await wait_for_text(pilot, "deleted in 59 min")
        assert "no hosting fee" in screen_text(app)
        await pilot.press("j")
        await wait_for_text(pilot, "it answers about 5 minutes later")
        await pilot.press("j")
        await wait_for_text(pilot, "by the token only")
        await pilot.press("n")
        await wait_for_text(pilot, "Deploy which model?")
        await pilot.press("enter")
        await wait_for_text(pilot, "Deploy a model")
        assert "gpt-41-mini-support" in screen_text(app)
        assert "Review and deploy" in screen_text(app)  # all of it fits 80 × 24
        name = app.screen.query_one("#name")
        name.value = "old"
        await wait_for_text(pilot, "a deployment has this name")
        name.value = "step two"
        await wait_for_text(pilot, "letters, digits")
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert type(app.screen).__name__ == "DeployDialog"  # not taken while something is wrong
        await pilot.press("escape", "s")
        await pilot.pause()
        await pilot.press("escape", "5")
        await wait_for_text(pilot, "ckpt-step-1")
        await pilot.press("end", "D")
        await wait_for_text(pilot, "ftchkpt-0000")
        assert "-step-1" in app.screen.query_one("#name").value


async def test_scaling(azure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(azure, monkeypatch)
    azure.deploy("one", f"{emulators.BASE}.ft-01", age=DAY)
    app = FttuiApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_page(app, pilot, "● one")
        await pilot.resize_terminal(60, 15)  # too low for the details: the list stays
        await wait_until(pilot, lambda: "capacity" not in screen_text(app), "short")
        assert "● one" in screen_text(app)
        await pilot.resize_terminal(120, 40)
        await wait_for_text(pilot, "capacity")
        await pilot.press("s")
        await wait_for_text(pilot, "Capacity of one")
        await pilot.press("end", "0", "0", "enter")  # 100 → 10000: more than there is
        await wait_for_text(pilot, "exceeds the quota")
        assert "Ask for less capacity" in screen_text(app)
        await pilot.press("escape", "s")
        await wait_for_text(pilot, "Capacity of one")
        await pilot.press("end", "backspace", "backspace", "5", "0", "enter")
        await wait_until(
            pilot, lambda: azure.deployments["one"]["sku"]["capacity"] == 150, "scaled"
        )
        await wait_for_text(pilot, "150,000 tokens a minute")


async def test_doors_that_are_closed_say_why(azure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(azure, monkeypatch, managed=False)
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_page(app, pilot, "the profile names no subscription")
        assert "[profiles.work.azure]" in screen_text(app)
        assert "subscription" in app.screen.why_not("deployments.new")
        app.backend.use("openai")
        await wait_for_text(pilot, "OpenAI needs no deployment")
        assert "answers by its name" in app.screen.why_not("deployments.delete")


async def test_a_read_only_profile_and_a_missing_role(
    azure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(azure, monkeypatch, more="read_only = true")
    azure.deploy("one", f"{emulators.BASE}.ft-01", age=DAY)
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_page(app, pilot, "● one")
        for name in ("new", "scale", "delete"):
            assert "read-only" in app.screen.why_not(f"deployments.{name}")
        assert not app.screen.why_not("deployments.chat")
        monkeypatch.setattr(emulators, "ARM_TOKEN", "another-token")
        await pilot.press("r")
        await wait_for_text(pilot, "not since: Sign in again: az login")
        assert "● one" in screen_text(app)  # what was read stays
    write_config(azure, monkeypatch)
    monkeypatch.setenv("ARM_TOKEN", "a-token-that-ended-0123")
    app = FttuiApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_page(app, pilot, "Sign in again: az login")
        assert "that-ended" not in screen_text(app)
