"""The Check area: verdict, findings, places, explanations, mutes and fixes."""

from __future__ import annotations

import json
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ui_help import screen_text, wait_for_text, wait_until

from fttui.dataset.rewrite import Change
from fttui.dataset.scan import Progress
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.fix import FixDialog, copy_name, excerpts
from fttui.ui.widgets.example_view import ExampleView
from fttui.ui.widgets.histogram import bars, bins


def chat(question: str, answer: str, **more: Any) -> str:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns, **more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    rows = [chat(f"question {n}?", f"answer number {n}.") for n in range(1, 31)]
    rows[4] = chat("question 5?", "")
    rows[9] = chat("question 10?", "", id=3)
    rows[14] = chat("question 15?", "answer number 15. ")
    rows[19] = "{broken"
    path.write_text("\n".join(rows) + "\n")
    return path


@asynccontextmanager
async def checked(
    path: Path, size: tuple[int, int] = (120, 40), validation: Path | None = None
) -> AsyncIterator[tuple[Any, Any]]:
    app = FttuiApp(path, validation, profile="local")
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        await wait_until(pilot, lambda: app.thread.report is not None, "the file is checked", 30)
        await pilot.pause()
        yield pilot, app.screen


def codes(screen: Any) -> list[str]:
    return [group.code for group in screen._shown]


async def to_code(pilot: Any, screen: Any, code: str) -> None:
    screen.groups.cursor = codes(screen).index(code)
    await wait_until(pilot, lambda: screen.group.code == code, code)
    await pilot.pause()


async def test_the_verdict_comes_first(file: Path) -> None:
    async with checked(file) as (pilot, _):
        text = screen_text(pilot.app)
        assert "would refuse this file: 4 errors" in text
        assert "30 examples" in text


async def test_findings_are_grouped_the_worst_first_with_exact_counts(file: Path) -> None:
    async with checked(file) as (_, screen):
        severities = [group.severity for group in screen._shown]
        rank = {"error": 0, "warning": 1, "note": 2}
        assert severities == sorted(severities, key=rank.__getitem__)
        counts = {group.code: group.count for group in screen._shown}
        assert (counts["M010"], counts["J001"], counts["S004"]) == (2, 1, 1)


async def test_explanation_and_example_follow_the_cursor(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        await to_code(pilot, screen, "M010")
        text = screen_text(pilot.app)
        assert "An empty answer teaches the model to say nothing" in text
        assert "would refuse this" in text
        assert "question 5?" in text
        await pilot.press("i")
        await wait_for_text(pilot, "question 10?")


async def test_enter_goes_to_the_example_with_the_place_marked(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        await to_code(pilot, screen, "M010")
        await pilot.press("enter")
        await wait_until(pilot, lambda: screen.places.has_focus, "the places")
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: pilot.app.current_mode == "data", "Data is shown")
        await wait_until(pilot, lambda: pilot.app.thread.row == 9, "line 10")
        view = pilot.app.screen.query_one(ExampleView)
        await wait_until(pilot, lambda: view.find("match") >= 0, "the place is marked")
        assert "M010" in view.text().split("\n")[view.find("match")]


async def test_a_single_place_is_one_enter_away(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        await to_code(pilot, screen, "J001")
        await pilot.press("enter")
        await wait_until(pilot, lambda: pilot.app.thread.row == 19, "line 20")


async def test_m_mutes_for_this_file_and_again_unmutes(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        await to_code(pilot, screen, "M010")
        await pilot.press("m")
        await wait_for_text(pilot, "would refuse this file: 2 errors")
        assert "M010" in pilot.app.state.muted(file)
        assert screen._shown[-1].muted
        await to_code(pilot, screen, "M010")
        await pilot.press("m")
        await wait_for_text(pilot, "would refuse this file: 4 errors")


async def test_the_filter_narrows_and_escape_undoes_it(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        before = codes(screen)
        await pilot.press("slash", *"empty", "enter")
        assert codes(screen) == ["M010"]
        await pilot.press("escape")
        assert codes(screen) == before


async def test_narrow_shows_findings_then_places_then_the_explanation(file: Path) -> None:
    async with checked(file, (80, 24)) as (pilot, screen):
        assert "Findings" in screen_text(pilot.app)
        await to_code(pilot, screen, "M010")
        await pilot.press("enter")
        await wait_for_text(pilot, "Places of M010")
        await pilot.press("e")
        await wait_for_text(pilot, "An empty answer teaches")
        await pilot.press("escape", "escape")
        await wait_for_text(pilot, "Findings")


async def test_findings_appear_while_the_check_runs(file: Path) -> None:
    async with checked(file) as (pilot, screen):
        progress = Progress(500, 1000, 12, {"M010": 7})
        pilot.app.change(report=None, progress=progress)
        await wait_for_text(pilot, "50%")
        assert codes(screen) == ["M010"]
        assert "7 findings so far" in screen_text(pilot.app)


async def test_tokens_are_counted_and_drawn(file: Path) -> None:
    async with checked(file) as (pilot, _):
        text = screen_text(pilot.app)
        assert "median" in text
        assert "o200k_base" in text
        assert "█" in text


async def test_what_leaks_into_the_validation_file_is_told(file: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.jsonl"
    held.write_text(chat("question 7?", "answer number 7.") + "\n")
    async with checked(file, validation=held) as (pilot, screen):
        leak = next(group for group in screen._shown if group.code == "X001")
        assert leak.validation
        await to_code(pilot, screen, "X001")
        assert "line 7 of the training file" in screen_text(pilot.app)


async def test_fixes_are_shown_written_to_a_copy_and_offered(file: Path) -> None:
    before = file.read_bytes()
    async with checked(file) as (pilot, _):
        await pilot.press("F")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, FixDialog), "the preview")
        text = screen_text(pilot.app)
        assert "1 × S004" in text
        assert "support.fixed.jsonl" in text
        await pilot.press("enter")
        copy = file.with_name("support.fixed.jsonl")
        await wait_for_text(pilot, "Open support.fixed.jsonl now?")
        assert b'"id"' not in copy.read_bytes()
        await pilot.press("y")
        await wait_until(pilot, lambda: pilot.app.thread.path == copy, "the copy is open")
    assert file.read_bytes() == before


async def test_an_existing_file_is_never_the_copy(file: Path) -> None:
    async with checked(file) as (pilot, _):
        await pilot.press("F")
        await wait_until(pilot, lambda: isinstance(pilot.app.screen, FixDialog), "the preview")
        copy_name(file).write_text("mine")
        await pilot.press("enter")
        await wait_for_text(pilot, "nothing is overwritten")
    assert file.with_name("support.fixed.jsonl").read_text() == "mine"


def test_the_copy_gets_a_free_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert copy_name(path).name == "a.fixed.jsonl"
    (tmp_path / "a.fixed.jsonl").touch()
    assert copy_name(path).name == "a.fixed-2.jsonl"


def test_a_change_is_shown_where_it_happens() -> None:
    long = "x" * 300
    before, after = excerpts(
        Change(1, ("M022",), f'["{long}b "]'.encode(), f'["{long}b"]'.encode())
    )
    assert before.endswith('xb "]')
    assert after.endswith('xb"]')
    assert len(before) < 60


def test_any_count_shows_as_a_bar() -> None:
    assert bars([0, 0], 2) == ["  ", "  "]
    assert bars([8, 4, 1], 1) == ["█▄▁"]
    assert bars([1, 1000], 1)[0][0] == "▁"  # any count shows


def test_one_giant_does_not_flatten_the_histogram() -> None:
    values = array("I", [*range(100, 200), 90_000])
    counts, low, high, over = bins(values, 50)
    assert (low, over) == (100, 1)
    assert high < 400
    assert sum(counts) == len(values)
    assert sum(1 for count in counts if count) > 15


async def test_no_file_is_a_page_that_says_how_to_begin() -> None:
    app = FttuiApp(None, profile="local")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await wait_for_text(pilot, "No file is open")
        await pilot.press("m")
        assert any("no file is open" in notice.message for notice in app.notices)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_clean_file_has_no_empty_panes(tmp_path: Path, size: tuple[int, int]) -> None:
    from fttui import samples

    async with checked(samples.path("extraction"), size) as (pilot, _):
        await wait_for_text(pilot, "Nothing was found")
        text = screen_text(pilot.app)
        assert "Tokens per example" in text
        assert "Findings" not in text
        assert "Places" not in text


async def test_a_finding_of_the_validation_file_opens_that_file(file: Path, tmp_path: Path) -> None:
    validation = tmp_path / "valid.jsonl"
    rows = [chat(f"other {n}?", f"reply {n}.") for n in range(1, 12)]
    rows[6] = "{broken"
    validation.write_text("\n".join(rows) + "\n")
    async with checked(file, validation=validation) as (pilot, screen):
        app = pilot.app
        screen.groups.cursor = next(
            n
            for n, group in enumerate(screen._shown)
            if group.validation and group.places[0].line == 7
        )
        await pilot.pause()
        await pilot.press("enter")
        await wait_for_text(pilot, "Open valid.jsonl?")
        await pilot.press("y")
        await wait_until(pilot, lambda: app.thread.path == validation, "the other file is open")
        assert (app.thread.row, app.current_mode) == (6, "data")


async def test_counts_that_are_estimated_are_said(tmp_path: Path) -> None:
    path = tmp_path / "blanks.jsonl"
    path.write_text("\n".join([chat("a" + " " * 600_000 + "b", "ok"), chat("c", "d")]) + "\n")
    async with checked(path) as (pilot, _):
        await wait_for_text(pilot, "Tokens per example · 1 text estimated")
        assert ", 1 text estimated" in screen_text(pilot.app)
