"""Cost: every line follows every key, sums are those of the catalogue, and the plan lives without the pane."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ui_help import screen_text, wait_for_text, wait_until

from fttui.pricing import catalog
from fttui.pricing.money import show
from fttui.pricing.use import Traffic, monthly
from fttui.pricing.workload import Workload
from fttui.problem import Problem
from fttui.ui.app import FttuiApp
from fttui.ui.cost import facts as cost_facts
from fttui.ui.cost import view as cost_view
from fttui.ui.planner import held_out
from fttui.ui.screens.cost import CostScreen
from fttui.ui.screens.guide import GuideScreen
from fttui.ui.widgets.cost_chart import CostChart

TODAY = date(2026, 11, 21)


def write(path: Path, count: int = 40) -> Path:
    rows = [
        [
            {"role": "system", "content": "You answer [briefly]."},
            {"role": "user", "content": f"What is {n} plus {n}? Say it in words, please."},
            {"role": "assistant", "content": f"It is {2 * n}, which is twice {n}."},
        ]
        for n in range(count)
    ]
    path.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    return path


@asynccontextmanager
async def costing(
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
    *,
    profile: str = "openai",
    size: tuple[int, int] = (120, 60),
) -> AsyncIterator[tuple[FttuiApp, Any]]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    app = FttuiApp(path, profile=profile)
    async with app.run_test(size=size) as pilot:
        app.backend.begin = lambda: None  # type: ignore[method-assign] # nobody is asked for jobs
        app.go("cost")
        await wait_until(pilot, lambda: app.thread.report and app.thread.estimate, "the sum")
        await wait_for_text(pilot, "epochs")
        await pilot.pause()
        yield app, pilot


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "sums.jsonl")


async def test_the_bill_is_itemised_dated_and_honest(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, _):
        estimate, report = app.thread.estimate, app.thread.report
        assert estimate is not None
        assert report is not None
        tokens = report.tokens.total
        assert estimate.total == Decimal(tokens * 3) * 5 / 1_000_000
        text = screen_text(app)
        for said in (
            "GPT-4.1 mini",
            f"Training: {tokens:,} tokens × 3 epochs",
            "× $5.00 per 1M tokens",
            f"{show(estimate.total)} ?",
            "price of 2025-10-31",
            "not included: tax",
            "a model trained today lives",
            "auto → 3",
        ):
            assert said in text


async def test_every_line_follows_the_epochs(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        before = app.thread.estimate.total  # type: ignore[union-attr]
        await pilot.press("plus", "plus")
        await wait_for_text(pilot, "× 5 epochs")
        assert app.thread.estimate.total * 3 == before * 5  # type: ignore[union-attr]
        assert show(app.thread.estimate.total) in screen_text(app)  # type: ignore[union-attr]
        await pilot.press("minus")
        await wait_for_text(pilot, "× 4 epochs")
        await pilot.press("a")
        await wait_for_text(pilot, "auto → 3")


async def test_a_split_moves_tokens_to_validation(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        total = app.thread.report.tokens.total  # type: ignore[union-attr]
        await pilot.press("v", "v")
        await wait_for_text(pilot, "20% of the examples")
        text = screen_text(app)
        assert f"Validation: {round(total * 0.2):,} tokens" in text
        assert f"Training: {total - round(total * 0.2):,} tokens" in text
        assert "32 examples" in text
        await pilot.press("v", "v")
        await wait_for_text(pilot, "40 examples")


async def test_local_is_free_and_does_not_invent_a_time(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data, profile="local") as (app, pilot):
        text = screen_text(app)
        assert "free, on this machine" in text
        assert "how long it takes is not known" in text
        assert "▸ free ▸" in text
        tokens = app.thread.estimate.tokens  # type: ignore[union-attr]
        job = {"id": "ftjob-1", "model": "smollm2-135m-instruct", "trained_tokens": tokens}
        app.state.saw_jobs("local", [job | {"created_at": 1_000, "finished_at": 1_090}])
        app.change()
        await wait_for_text(pilot, "about 1m 30s, by the last job here")


async def test_a_model_is_chosen_with_its_price_and_a_retired_one_says_why(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        await pilot.press("b")
        await wait_for_text(pilot, "$5.00/1M tokens ?")
        await pilot.press(*"nano openai")
        await pilot.pause()
        await wait_for_text(pilot, "retired: tuned models stopped")
        await pilot.press("escape", "b")
        await pilot.pause()
        await pilot.press(*"GPT-4o mini", "enter")
        await wait_for_text(pilot, "× $3.00 per 1M tokens")
        assert app.thread.model.id == "gpt-4o-mini-2024-07-18"  # type: ignore[union-attr]
        assert app.state.recall("plan.model.openai") == "gpt-4o-mini-2024-07-18"


async def test_traffic_changes_the_month(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        tuned = catalog.load().find("gpt-4.1-mini", "openai")
        assert show(monthly(tuned, "tuned", app.planner.traffic).total) in screen_text(app)
        await pilot.press("t")
        await wait_for_text(pilot, "Requests a month")
        await pilot.press(*"-5", "enter")
        await wait_for_text(pilot, "requests cannot be negative")
        for _ in range(2):
            await pilot.press("backspace")
        await pilot.press(*"2000000", "enter")
        await wait_for_text(pilot, "2,000,000 a month")
        now = monthly(tuned, "tuned", replace(app.planner.traffic, requests=2_000_000))
        assert show(now.total) in screen_text(app)
        assert "Month, 2,000,000 requests" in screen_text(app)


async def test_plans_are_kept_to_compare(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        assert "On other bases" in screen_text(app)
        await pilot.press("c", "plus", "c")
        await wait_for_text(pilot, "Plans kept")
        await wait_for_text(pilot, "GPT-4.1 mini · 4 epochs")
        assert "GPT-4.1 mini · auto" in screen_text(app)
        await pilot.press("c")
        await pilot.pause()
        assert "GPT-4.1 mini · 4 epochs" not in screen_text(app)
        for _ in range(6):
            await pilot.press("plus", "c")
        assert len(cost_facts.kept(app.state)) == cost_facts.MAX_KEPT


@pytest.mark.parametrize("kind", ["md", "csv", "json"])
async def test_the_estimate_is_saved_beside_and_never_over(
    monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with costing(monkeypatch, data) as (app, pilot):
        total = app.thread.estimate.total  # type: ignore[union-attr]
        for _ in range(2):
            await pilot.press("e")
            await pilot.pause()
            await pilot.press(*f".{kind}", "enter")
            await pilot.pause()
    first, second = sorted(folder.iterdir(), key=lambda path: len(path.name))
    assert second.stem == f"{first.stem}-2"
    text = first.read_text()
    assert text == second.read_text()
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        training = [row for row in rows if row["part"] == "training"]
        assert sum(Decimal(row["amount"]) for row in training) == total
    elif kind == "json":
        plans = json.loads(text)["plans"]
        tuned = next(plan for plan in plans if plan["kind"] == "tuned")
        assert Decimal(tuned["training"]["total"]) == total
    else:
        assert f"| {show(total)} |" in text


async def test_the_guide_answers_for_this_dataset(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        await pilot.press("w")
        await wait_until(pilot, lambda: isinstance(app.screen, GuideScreen), "the guide")
        await wait_for_text(pilot, "For sums.jsonl, GPT-4.1 mini")
        assert "40 examples" in screen_text(app)
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, CostScreen), "back")


async def test_the_chart_marks_where_training_is_paid_back(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        app.planner.set_traffic(Traffic(200, 400, 100))
        await wait_for_text(pilot, "▲ break-even after")
        drawn = app.screen.query(CostChart).first().render().plain
        assert any("\u2800" < letter <= "\u28ff" for letter in drawn)
        app.planner.set_traffic(Traffic(0, 400, 100))
        await wait_until(pilot, lambda: "break-even after" not in screen_text(app), "no crossing")


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40)])
async def test_the_sum_is_on_the_first_screen_of_any_size(
    monkeypatch: pytest.MonkeyPatch, data: Path, size: tuple[int, int]
) -> None:
    async with costing(monkeypatch, data, size=size) as (app, _):
        text = screen_text(app)
        assert "Total" in text
        assert show(app.thread.estimate.total) in text  # type: ignore[union-attr]
        assert all(len(line) <= size[0] for line in text.splitlines())


async def test_the_plan_is_kept_without_the_pane(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    app = FttuiApp(data, profile="openai")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.thread.report and app.thread.estimate, "the sum")
        await wait_for_text(pilot, f"▸ {show(app.thread.estimate.total)} ▸")  # type: ignore[union-attr]
        app.backend.use("local")
        await wait_until(
            pilot, lambda: app.thread.model and app.thread.model.provider == "local", "its model"
        )
        await wait_for_text(pilot, "▸ free ▸")


async def test_an_unread_file_gives_a_sum_marked_as_a_guess(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        exact = app.thread.estimate.total  # type: ignore[union-attr]
        app.change(report=None)
        await wait_for_text(pilot, "the file is still being scanned")
        guess = app.thread.estimate.total  # type: ignore[union-attr]
        assert exact / 3 < guess < exact * 3
        assert f"▸ ~{show(guess)} ▸" in screen_text(app)
        assert app.screen.why_not("cost.launch") == "the file is still being checked"


async def test_the_providers_own_shutdown_date_wins(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, _):
        app.planner.told({"gpt-4.1-mini-2025-04-14": date(2031, 1, 1)})
        assert app.thread.model.tuned_ends == date(2031, 1, 1)  # type: ignore[union-attr]


async def test_a_model_without_a_price_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    async with costing(monkeypatch, data) as (app, pilot):
        app.planner.choose(app.backend.catalog.find("gpt-oss-20b", "azure"))
        await wait_for_text(pilot, "no training price is known for azure/gpt-oss-20b")
        assert app.thread.estimate is None
        assert "prices.toml" in screen_text(app).replace("\n", " ")


def test_held_out_loses_no_token() -> None:
    whole = Workload(examples=10, tokens=1_001, trained_tokens=400, system_tokens=100)
    part = held_out(whole, 0.3)
    assert part.tokens + part.validation_tokens == whole.tokens
    assert (part.examples, part.trained_tokens, part.system_tokens) == (7, 280, 70)
    assert held_out(whole, 0.0) is whole


def test_the_next_larger_model_is_of_the_same_family() -> None:
    prices = catalog.load()
    found = cost_facts.larger(prices, prices.find("gpt-4.1-mini", "openai"), TODAY)
    assert found is not None
    assert found.id == "gpt-4.1-2025-04-14"


def test_a_full_disk_or_closed_folder_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be written"):
        cost_facts.write_new(tmp_path / "missing", "cost", ".md", "text")


def test_what_was_spent_adds_up_by_currency() -> None:
    rows = [{"amount": "0.10", "currency": "USD"}, {"amount": "0.20", "currency": "USD"}]
    rows += [{"amount": "1.00", "currency": "EUR"}, {"amount": "", "currency": "USD"}]
    assert cost_view.spent(rows) == "$0.30, €1.00"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_chart_has_room_at_any_size(
    monkeypatch: pytest.MonkeyPatch, data: Path, size: tuple[int, int]
) -> None:
    async with costing(monkeypatch, data, size=size) as (app, pilot):
        chart = next(chart for chart in app.screen.query(CostChart) if chart.display)
        await wait_until(pilot, lambda: chart.size.height >= 8, "the chart is tall enough")
        assert "┤" in chart.render().plain


async def test_a_job_launched_here_becomes_the_job_of_the_thread(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    from fttui.ui.launch import launcher

    opened: list[Any] = []
    monkeypatch.setattr(launcher, "launch", opened.append)
    async with costing(monkeypatch, data) as (app, pilot):
        await pilot.press("enter")
        await wait_until(pilot, lambda: opened, "the launcher that follows the new job")
        assert opened == [app]
