"""The frame: areas, help and palette made of one table, dialogs that cannot be hurried, errors in words."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from ui_help import screen_text, wait_for_text, wait_until

from fttui import config, config_raw
from fttui.problem import Problem
from fttui.ui.actions import ACTIONS, AREAS, BY_ID, bindings, clashes
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.problem import ProblemDialog

UI = Path(__file__).resolve().parents[2] / "src" / "fttui" / "ui"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"question {n} [/]"},
                      {"role": "assistant", "content": f"answer {n}"}]}
        for n in range(40)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_every_area_opens_by_its_digit(dataset: Path, size: tuple[int, int]) -> None:
    app = FttuiApp(dataset, profile="openai")
    async with app.run_test(size=size) as pilot:
        for number, (area, _, _) in enumerate(AREAS, 1):
            if app.focused is not None and app.current_mode == "chat":
                await pilot.press("escape")
            await pilot.press(str(number))
            await wait_until(pilot, lambda area=area: app.current_mode == area, area)
            assert "support.jsonl" in screen_text(app) or "…" in screen_text(app)


async def test_the_first_frame_shows_the_data(dataset: Path) -> None:
    app = FttuiApp(dataset, profile="openai")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "question 0 [/]" in screen_text(app)


async def test_help_lists_the_keys_of_the_pane_and_runs_one(dataset: Path) -> None:
    app = FttuiApp(dataset, profile="openai")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        await wait_for_text(pilot, "what is in this file?")
        assert "Search the file" in screen_text(app)
        await pilot.press(*"gotocost")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current_mode == "cost", "help ran the action")


async def test_the_palette_finds_actions_and_recent_files(dataset: Path) -> None:
    app = FttuiApp(dataset, profile="openai")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "scanned")
        await pilot.press("ctrl+p")
        await pilot.press(*"support")
        await wait_for_text(pilot, "Open support.jsonl")


async def test_a_confirmation_cannot_be_hurried() -> None:
    app = FttuiApp(profile="local")
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(
            Confirm("Cancel support-v7?", ["612 steps are lost"], yes="Cancel it"), answers.append
        )
        await pilot.press("enter")  # held down from the key that opened it: must be ignored
        await pilot.pause()
        assert answers == []
        assert "612 steps are lost" in screen_text(app)
        await wait_until(pilot, lambda: not app.screen._too_soon(), "the dead time is over")  # type: ignore[attr-defined]
        await pilot.press("enter")  # No has the focus
        await wait_until(pilot, lambda: answers == [False], "answered no")


async def test_money_asks_for_the_amount_to_be_typed() -> None:
    app = FttuiApp(profile="local")
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm("Launch?", ["$42.00"], type_this="42"), answers.append)
        await wait_until(
            pilot, lambda: isinstance(app.screen, Confirm) and not app.screen._too_soon(), "open"
        )
        await pilot.press("4", "1", "enter")
        await pilot.pause()
        assert answers == []
        await pilot.press("backspace", "2", "enter")
        await wait_until(pilot, lambda: answers == [True], "confirmed")


async def test_an_error_has_three_lines_and_its_details_on_a_key() -> None:
    app = FttuiApp(profile="local")
    problem = Problem(
        "the job was refused", "[/] quota", "add credit", detail={"request_id": "req_1"}
    )
    async with app.run_test(size=(80, 24)) as pilot:
        app.show_problem(problem)
        await wait_until(pilot, lambda: isinstance(app.screen, ProblemDialog), "shown")
        await wait_for_text(pilot, "add credit")
        assert "[/] quota" in screen_text(app)
        assert "req_1" not in screen_text(app)
        await pilot.press("d")
        await wait_for_text(pilot, "req_1")
        await pilot.press("enter", "exclamation_mark")
        await wait_for_text(pilot, "the job was refused; [/] quota")


async def test_quitting_is_one_key_when_nothing_is_lost() -> None:
    app = FttuiApp(profile="openai")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await wait_until(pilot, lambda: not app.is_running or app._exit, "quit")


def test_every_action_is_done_somewhere() -> None:
    """A row of the table without its method would be a key that crashes."""
    from importlib import import_module

    for action in ACTIONS:
        if action.scope == "app":
            owner: type = FttuiApp
        else:
            module = import_module(f"fttui.ui.screens.{action.scope}")
            owner = getattr(module, f"{action.scope.title()}Screen")
        assert callable(getattr(owner, f"do_{action.name}", None)), action.id


def test_ids_and_keys_do_not_clash() -> None:
    assert len(BY_ID) == len(ACTIONS)
    assert clashes({}) == []
    assert clashes({"jobs.cancel": "p"}) == ["p is both jobs.cancel and jobs.pause"]
    assert all(binding.id for area, _, _ in AREAS for binding in bindings(area))  # type: ignore[union-attr]


def test_text_from_outside_is_never_markup() -> None:
    """Widgets that take markup are given Content made by `say`, or a literal of ours."""
    takers = {"Static", "Label", "update", "notify"}
    loose = []
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in takers - {"notify"} and isinstance(first, ast.JoinedStr):
                loose.append(f"{path.name}:{node.lineno}")
    assert loose == []


async def test_settings_of_the_file_are_in_force(dataset: Path, home: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": " a "}]}
    ]
    dataset.write_text("".join(json.dumps(row) + "\n" for row in rows * 12))
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(
        '[settings]\ntheme = "fttui-light"\nmute = ["Q001", "Q002", "M022"]\n'
        '[settings.keys]\n"app.go_cost" = "9"\n'
    )
    app = FttuiApp(dataset, profile="openai", theme=config_raw.settings()["theme"])
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.theme == "fttui-light"
        await wait_until(pilot, lambda: app.thread.report is not None, "scanned")
        assert app.thread.report is not None
        assert not {"Q001", "Q002", "M022"} & set(app.thread.report.counts)
        await wait_until(pilot, lambda: app.keymap_in_force, "configured")
        await pilot.press("9")
        await wait_until(pilot, lambda: app.current_mode == "cost", "the remapped key")


async def test_the_sample_opened_from_the_welcome_has_a_plan() -> None:
    """`d` is the newcomer's first key: the local profile is already in use, its plan must stay."""
    app = FttuiApp(profile="local")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.thread.model is not None, "a base model is planned")
        await pilot.press("d")
        await wait_until(pilot, lambda: app.thread.report is not None, "the sample is checked", 30)
        await wait_until(pilot, lambda: app.thread.estimate is not None, "there is an estimate")
        assert app.thread.model is not None
        assert app.thread.model.provider == "local"
        assert "local engine" in app.thread.report.summary


async def test_a_file_is_checked_once_for_the_planned_model(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fttui.dataset import scan

    asked: list[str] = []
    real = scan.scan

    def counting(path: Path, **options: object) -> object:
        asked.append(options["target"].title)  # type: ignore[attr-defined]
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(scan, "scan", counting)
    app = FttuiApp(dataset, profile="local")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "the file is checked", 30)
        await pilot.pause()
    assert len(asked) == 1, asked
    assert "local" in asked[0]


async def test_a_broken_configuration_still_checks_the_file(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise Problem("config.toml line 3", "not TOML", "mend it", code="config")

    monkeypatch.setattr(config, "load", broken)
    app = FttuiApp(dataset, profile="local")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "config.toml line 3")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.thread.report is not None, "the file is checked", 30)
        await pilot.press("P")
        await wait_for_text(pilot, "config.toml line 3")  # said, and the app goes on


def test_of_the_top_lines_only_what_differs_is_written_again() -> None:
    from fttui.ui.widgets.thread_line import _differs

    assert _differs("a ▸ b   read 16:29", "a ▸ b   read 16:31") == (16, 0, 2, 1)
    assert _differs("文 b c", "文 x c") == (3, 0, 1, 1)  # two cells wide
    assert _differs("aa", "ab") == (1, 0, 1, 1)
    assert _differs("aab", "aaab") == (0, 0, 4, 1)  # another width: all of it
