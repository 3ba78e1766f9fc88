"""Copies made in the app: marked examples dropped, kept or fixed, a sample; the file itself never changes."""

from __future__ import annotations

import json
import threading
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ui_help import screen_text, wait_for_text, wait_until

from fttui.dataset import rewrite, subset
from fttui.dataset.lines import LineIndex
from fttui.dataset.scan import Cancelled
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs import working
from fttui.ui.dialogs.copy import CopyDialog
from fttui.ui.dialogs.draw import SampleDialog, amount
from fttui.ui.marks import Marks


def chat(question: str, answer: str, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns, **more}


def rows_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


ROWS = [chat(f"question {n}?", f"answer number {n}.") for n in range(1, 31)]
ROWS[4] = chat("question 5?", "")
ROWS[9] = chat("question 10?", "", id=3)
ROWS[14] = chat("question 15?", "answer number 15. ", id=4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@asynccontextmanager
async def opened(
    path: Path, size: tuple[int, int] = (120, 40), validation: Path | None = None, area: str = "1"
) -> AsyncIterator[tuple[Any, Any]]:
    """The app with the file checked; the file is as it was when the app is left."""
    before = path.read_bytes()
    app = FttuiApp(path, validation, profile="local")
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "the file is checked", 30)
        await pilot.press(area)
        await pilot.pause()
        yield pilot, app.screen
    assert path.read_bytes() == before


async def dialog(pilot: Any) -> str:
    """The preview, once it is there."""
    await wait_until(pilot, lambda: isinstance(pilot.app.screen, CopyDialog), "the preview")
    await pilot.pause()
    return screen_text(pilot.app)


async def to_code(pilot: Any, screen: Any, code: str) -> None:
    screen.groups.cursor = [group.code for group in screen._shown].index(code)
    await wait_until(pilot, lambda: screen.group.code == code, code)


def said(app: Any, text: str) -> bool:
    return any(text in notice.message for notice in app.notices)


# -- in Data


async def test_with_marks_the_narrow_bottom_line_names_what_is_done_with_them(file: Path) -> None:
    async with opened(file, size=(80, 24)) as (pilot, _):
        assert "x drop" not in screen_text(pilot.app)
        await pilot.press("space")
        await wait_for_text(pilot, "x drop   X keep   F fix")
        await pilot.press("escape")
        await wait_until(pilot, lambda: "x drop" not in screen_text(pilot.app), "as before")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_marked_examples_are_dropped_in_a_copy(file: Path, size: tuple[int, int]) -> None:
    async with opened(file, size) as (pilot, screen):
        await pilot.press("space", "down", "space")
        await wait_for_text(pilot, "2 marked")
        assert [screen.rows.row_text(row)[0] for row in range(4)] == ["┃", " ", "┃", " "]
        assert screen.rows.cursor == 3
        await pilot.press("x")
        text = await dialog(pilot)
        assert "Leave out 2 marked examples from support.jsonl" in text
        assert "28 examples stay" in text
        assert "3 examples with errors" in " ".join(text.replace("│", " ").split())
        assert "question 3?" in text
        assert "question 2?" not in text.split("Leave out")[1]
        assert "support.dropped.jsonl" in text
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.dropped.jsonl now?")
        copy = file.with_name("support.dropped.jsonl")
        assert rows_of(copy) == [row for n, row in enumerate(ROWS, 1) if n not in (1, 3)]
        await pilot.press("y")
        await wait_until(pilot, lambda: pilot.app.thread.path == copy, "the copy is open")
        await wait_until(pilot, lambda: pilot.app.screen.rows.marks is None, "nothing is marked")


async def test_without_marks_it_is_the_example_under_the_cursor(file: Path) -> None:
    async with opened(file) as (pilot, _):
        await pilot.press("down", "x")
        assert "Leave out line 2 from support.jsonl" in await dialog(pilot)
        await pilot.press("escape")
        await pilot.press("X")
        assert said(pilot.app, "mark the examples first")
    assert list(file.parent.glob("*.jsonl")) == [file]


async def test_what_a_filter_shows_is_marked_and_only_that_is_copied(file: Path) -> None:
    async with opened(file) as (pilot, screen):
        await pilot.press("f", *"code:M010", "enter")
        await wait_until(pilot, lambda: screen.rows.count == 2, "the filter")
        await pilot.press("M")
        await wait_for_text(pilot, "2 marked")
        await pilot.press("escape")  # the filter goes, the marks stay
        await wait_until(pilot, lambda: screen.rows.count == 30, "all lines")
        assert list(screen.rows.marks) == [4, 9]
        await pilot.press("X")
        text = await dialog(pilot)
        assert "Only 2 marked examples of support.jsonl" in text
        assert "at least 10 are needed" in text
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.picked.jsonl now?")
        assert rows_of(file.with_name("support.picked.jsonl")) == [ROWS[4], ROWS[9]]
        await pilot.press("n", "M")
        await wait_for_text(pilot, "30 marked")
        await pilot.press("escape")
        await wait_until(pilot, lambda: screen.rows.marks is None, "escape unmarks")


async def test_only_the_marked_examples_are_fixed(file: Path) -> None:
    async with opened(file) as (pilot, screen):
        screen.rows.go_to(14)
        await pilot.press("space", "F")
        text = await dialog(pilot)
        assert "1 × S004" in text
        assert "1 × M022" in text
        assert "line 10" not in text
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.fixed.jsonl now?")
        fixed = rows_of(file.with_name("support.fixed.jsonl"))
        assert fixed[14] == chat("question 15?", "answer number 15.")
        assert fixed[9] == ROWS[9]
        await pilot.press("n", "escape", "home", "F")
        await wait_until(pilot, lambda: said(pilot.app, "no safe fix is left to do here"), "why")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_sample_that_is_shown_is_written(file: Path, size: tuple[int, int]) -> None:
    async with opened(file, size) as (pilot, _):
        await pilot.press("S")
        await dialog(pilot)
        shown = pilot.app.screen
        assert isinstance(shown, SampleDialog)
        await pilot.press(*"20%")
        await wait_until(pilot, lambda: shown.drawn == (6, 42), "six of thirty")
        before = [one.line for one in shown._shown]
        await pilot.press("tab", "7")
        await wait_until(pilot, lambda: shown.drawn == (6, 7), "another seed")
        assert [one.line for one in shown._shown] != before
        lines = [one.line for one in shown._shown]
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.sample.jsonl now?")
        copy = file.with_name("support.sample.jsonl")
        assert rows_of(copy) == [ROWS[line - 1] for line in lines]
        subset.sample(file, file.with_name("again.jsonl"), 6, 7)  # as fttui split --sample does
        assert file.with_name("again.jsonl").read_bytes() == copy.read_bytes()


async def test_a_sample_of_nonsense_is_not_drawn_and_no_file_overwritten(file: Path) -> None:
    taken = file.with_name("mine.jsonl")
    taken.write_text("mine")
    async with opened(file) as (pilot, _):
        await pilot.press("S")
        await dialog(pilot)
        await pilot.press(*"31", "enter")
        await wait_for_text(pilot, "a number from 1 to 30")
        await wait_until(pilot, lambda: not pilot.app.screen._shown, "nothing is shown")
        await pilot.press("home", "shift+end", "5")
        pilot.app.screen.query_one("#name").value = str(taken)
        await pilot.press("enter")
        await wait_for_text(pilot, "nothing is overwritten")
        assert isinstance(pilot.app.screen, SampleDialog)
    assert taken.read_text() == "mine"


def test_amounts() -> None:
    assert [amount(text, 1_200) for text in ("5", " 1,200 ", "10%", "0.5 %", "100%")] == [
        5, 1_200, 120, 6, 1_200,
    ]  # fmt: skip
    wrong = ("", "0", "1201", "0%", "101%", "-3", "1.5", "ten", "%", "1e3", "9" * 13)
    assert [amount(text, 1_200) for text in wrong] == [None] * len(wrong)


async def test_lines_of_a_file_that_changed_are_not_gone_by(file: Path) -> None:
    before = file.read_bytes()
    async with opened(file) as (pilot, screen):
        await pilot.press("space")
        file.write_bytes(b"".join(reversed(before.splitlines(keepends=True))))
        await pilot.press("x")
        await wait_for_text(pilot, "changed on disk")
        assert not isinstance(pilot.app.screen, CopyDialog)
        await pilot.press("escape")
        await pilot.press("r")
        await wait_until(pilot, lambda: screen.rows.marks is None, "the marks are gone")
        assert said(pilot.app, "nothing is marked any more")
        await wait_until(pilot, lambda: pilot.app.thread.report is not None, "checked", 30)
        await pilot.press("space", "r")  # nothing changed: they stay
        await wait_until(pilot, lambda: screen._index is pilot.app.thread.index, "read again")
        assert list(screen.rows.marks) == [1]
        file.write_bytes(before)


async def test_a_file_of_one_array_is_put_right_first(tmp_path: Path) -> None:
    path = tmp_path / "array.jsonl"
    path.write_text(json.dumps(ROWS))
    async with opened(path) as (pilot, _):
        await pilot.press("S")
        await wait_for_text(pilot, "no file of one example a line")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_examples_are_split_off_for_validation(file: Path, size: tuple[int, int]) -> None:
    async with opened(file, size) as (pilot, _):
        await pilot.press("H")
        await dialog(pilot)
        shown = pilot.app.screen
        await wait_for_text(pilot, "24 examples to train on, 6 to validate with")
        await pilot.press(*"10%", "tab", "7")
        await wait_for_text(pilot, "27 examples to train on, 3 to validate with")
        await wait_until(pilot, lambda: shown.drawn == (3, 7), "the three")
        lines = [one.line for one in shown._shown]
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.train.jsonl now?")
        train, held = (file.with_name(f"support.{n}.jsonl") for n in ("train", "validation"))
        assert rows_of(held) == [ROWS[line - 1] for line in lines]
        assert rows_of(train) == [row for n, row in enumerate(ROWS, 1) if n not in lines]
        await pilot.press("y")
        await wait_until(pilot, lambda: pilot.app.thread.path == train, "the part to train on")
        assert pilot.app.thread.validation == held


async def test_a_split_overwrites_neither_file(file: Path) -> None:
    taken = file.with_name("mine.validation.jsonl")
    taken.write_text("mine")
    async with opened(file) as (pilot, _):
        await pilot.press("H")
        await dialog(pilot)
        pilot.app.screen.query_one("#name").value = str(file.with_name("mine"))
        await pilot.press("enter")
        await wait_for_text(pilot, "mine.validation.jsonl exists already")
        assert isinstance(pilot.app.screen, CopyDialog)
    assert taken.read_text() == "mine"
    assert not file.with_name("mine.train.jsonl").exists()


async def test_a_table_is_converted_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "prompt,completion\n" + "".join(f"ask {n},say {n}\n" for n in range(12)) + ",\n"
    )
    async with opened(path, (80, 24)) as (pilot, _):
        await pilot.press("S")
        await wait_for_text(pilot, "C converts it, in a copy")
        await pilot.press("escape")
        await pilot.press("C")
        text = await dialog(pilot)
        assert "13 rows of table.csv to chat JSONL" in text
        assert "12 examples from 12 prompt/answer" in text
        assert "1 row of no known shape" in text
        await pilot.press(*"Hi.")
        await wait_for_text(pilot, '"role":"system","content":"Hi."')
        await pilot.press("enter")
        await wait_for_text(pilot, "Open table.chat.jsonl now?")
        copy = rows_of(tmp_path / "table.chat.jsonl")
        system = {"role": "system", "content": "Hi."}
        assert copy == [
            {"messages": [system, *chat(f"ask {n}", f"say {n}")["messages"]]} for n in range(12)
        ]


async def test_two_answers_become_pairs_and_f_in_check_does_it(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"ask {n}", "chosen": "yes", "rejected": "no"} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with opened(path, area="2") as (pilot, screen):
        code = next(g.code for g in screen._shown if g.code in rewrite.CONVERTED)
        await to_code(pilot, screen, code)
        await pilot.press("f")
        assert "12 rows of pairs.jsonl to preference JSONL" in await dialog(pilot)


async def test_chat_needs_no_conversion(file: Path) -> None:
    async with opened(file) as (pilot, _):
        await pilot.press("C")
        await wait_until(pilot, lambda: said(pilot.app, "chat examples already"), "why")
    assert list(file.parent.glob("*.jsonl")) == [file]


# -- in Check


async def test_all_examples_with_a_finding_are_dropped(file: Path) -> None:
    async with opened(file, area="2") as (pilot, screen):
        await to_code(pilot, screen, "M010")
        await pilot.press("x")
        assert "Leave out 2 examples with M010 from support.jsonl" in await dialog(pilot)
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.dropped.jsonl now?")
        kept = rows_of(file.with_name("support.dropped.jsonl"))
        assert kept == [row for n, row in enumerate(ROWS, 1) if n not in (5, 10)]


async def test_one_finding_is_fixed_alone(file: Path) -> None:
    async with opened(file, area="2") as (pilot, screen):
        await to_code(pilot, screen, "S004")
        await pilot.press("f")
        text = await dialog(pilot)
        assert "2 safe fixes for support.jsonl" in text
        assert "M022" not in text.split("safe fixes for")[1]
        await pilot.press("enter")
        await wait_for_text(pilot, "Open support.fixed.jsonl now?")
        fixed = rows_of(file.with_name("support.fixed.jsonl"))
        assert fixed == [{"messages": row["messages"]} for row in ROWS]
        await pilot.press("n")
        await to_code(pilot, screen, "M010")  # done only when it is asked for
        await pilot.press("f")
        assert "2 fixes for support.jsonl" in await dialog(pilot)


async def test_a_finding_is_marked_and_the_marks_are_there_in_data(file: Path) -> None:
    async with opened(file, area="2") as (pilot, screen):
        await to_code(pilot, screen, "M010")
        await pilot.press("space")
        await wait_until(pilot, lambda: said(pilot.app, "2 examples marked"), "said")
        row = screen.groups.cursor
        assert screen.groups.row_text(row).startswith("┃✗ M010")
        await pilot.press("enter", "down")
        await wait_until(pilot, lambda: screen.places.has_focus, "the places")
        await pilot.press("space")
        await wait_until(pilot, lambda: said(pilot.app, "1 example no longer marked"), "one less")
        assert [screen.places.row_text(n)[0] for n in (0, 1)] == ["┃", " "]
        assert screen.groups.row_text(row).startswith(" ✗ M010")
        await pilot.press("1")
        await wait_for_text(pilot, "1 marked")
        rows = pilot.app.screen.rows
        assert list(rows.marks) == [4]
        await pilot.press("home", "space", "f", *"is:marked", "enter")
        await wait_until(pilot, lambda: rows.count == 2, "only the marked are shown")
        assert list(rows.shown()) == [0, 4]
        await pilot.press("f", "home", "shift+end", *"-is:marked", "enter")
        await wait_until(pilot, lambda: rows.count == 28, "all but the marked")


async def test_what_leaks_is_dropped_from_the_validation_file(file: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.jsonl"
    rows = [ROWS[6], *(chat(f"other {n}?", f"reply {n}.") for n in range(12))]
    held.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with opened(file, validation=held, area="2") as (pilot, screen):
        await to_code(pilot, screen, "X001")
        await pilot.press("space")
        assert said(pilot.app, "it is in the validation file")
        await pilot.press("x")
        text = await dialog(pilot)
        assert "Leave out 1 example with X001 from held.jsonl" in text
        assert "12 examples stay" in text
        await pilot.press("enter")
        await wait_for_text(pilot, "Validate with held.dropped.jsonl from now on?")
        copy = tmp_path / "held.dropped.jsonl"
        assert rows_of(copy) == rows[1:]
        await pilot.press("y")
        await wait_until(pilot, lambda: pilot.app.thread.validation == copy, "it is used")
        assert pilot.app.thread.path == file


async def test_why_nothing_is_dropped_fixed_or_marked(tmp_path: Path) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text(json.dumps(chat("a?", "b.")) + "\n\n{broken\n")
    async with opened(path, area="2") as (pilot, screen):
        await to_code(pilot, screen, "S005")
        await pilot.press("x")
        assert said(pilot.app, "it is about the whole file")
        await pilot.press("f")
        assert said(pilot.app, "nothing mends it by itself")
        await to_code(pilot, screen, "J003")
        await pilot.press("space")
        assert said(pilot.app, "it is about lines together")
        assert not pilot.app.thread.marks
        await pilot.press("m")
        await wait_until(pilot, lambda: screen._shown[-1].muted, "muted")
        await wait_until(pilot, lambda: pilot.app.thread.report is not None, "checked", 30)
        await to_code(pilot, screen, "J003")
        await pilot.press("f")
        assert said(pilot.app, "this check is muted")


# -- what they share


async def test_long_work_shows_how_far_it_is_and_escape_stops_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = threading.Event()

    def endless(
        source: Path, output: Path, keep: Any, *,
        on_progress: Callable[[int], None], cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        on_progress(15)
        while not cancelled():
            reached.wait(0.01)
        raise Cancelled

    monkeypatch.setattr(working, "PATIENCE", 0.0)
    async with opened(file) as (pilot, _):
        await pilot.press("x")
        await dialog(pilot)
        monkeypatch.setattr(subset, "select", endless)
        await pilot.press("enter")
        await wait_for_text(pilot, "Writing support.dropped.jsonl")
        await wait_for_text(pilot, " 50%")
        assert pilot.app.backend.busy()
        await pilot.press("escape")
        await wait_until(pilot, lambda: said(pilot.app, "was not written"), "said")
        assert not pilot.app.backend.busy()
        assert not isinstance(pilot.app.screen, working.Working)
    assert list(file.parent.glob("*.jsonl")) == [file]


def test_marks_are_a_set_of_lines(file: Path) -> None:
    with LineIndex.open(file) as index:
        marks = Marks(index)
        assert marks.toggle([7, 3])
        assert (list(marks), len(marks), 3 in marks, 4 in marks) == ([3, 7], 2, True, False)
        assert marks.toggle(array("I", [3, 4]))  # not all were: now all are
        assert list(marks) == [3, 4, 7]
        assert not marks.toggle([4])
        assert marks.toggle(range(5))
        assert list(marks) == [0, 1, 2, 3, 4, 7]
        assert not marks.toggle(range(5))
        version = marks.version
        marks.clear()
        assert (list(marks), bool(marks), 7 in marks) == ([], False, False)
        assert marks.version != version
        assert marks.toggle(range(1_000_000))
        assert len(marks) == 1_000_000
