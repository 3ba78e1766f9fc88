"""The Data area, driven as a person drives it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ui_help import screen_text, wait_for_text, wait_until

from fttui.problem import Problem
from fttui.state import State
from fttui.ui import edit_file
from fttui.ui.app import FttuiApp
from fttui.ui.widgets.example_list import ExampleList
from fttui.ui.widgets.example_view import ExampleView


def chat(*turns: Any, **more: Any) -> str:
    messages = [t if isinstance(t, dict) else {"role": t[0], "content": t[1]} for t in turns]
    return json.dumps({"messages": messages, **more}, ensure_ascii=False)


def plain(number: int) -> str:
    return chat(("user", f"question {number}?"), ("assistant", f"answer {number}."))


CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'},
}
PNG = "data:image/png;base64," + "iVBORw0KGgo=" * 3000
SPECIAL = {
    3: chat(("user", "The export fails"), ("assistant", "")),
    5: chat(
        ("system", "You are brief."),
        ("user", "Weather?"),
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "-4"},
        {"role": "assistant", "content": "Cold.", "weight": 1},
        ("user", "ta"),
        {"role": "assistant", "content": "Bye.", "weight": 0},
        tools=[
            {
                "type": "function",
                "function": {"name": "get_weather", "parameters": {"type": "object"}},
            }
        ],
    ),
    7: chat(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PNG}},
            ],
        },
        ("assistant", "A cat."),
    ),
    9: '{"messages": [{"role": "user", "content": "cut',
    11: json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": "Which?"}]},
            "preferred_output": [{"role": "assistant", "content": "This one."}],
            "non_preferred_output": [{"role": "assistant", "content": "That one."}],
        }
    ),
    13: chat(("user", "How many?"), target=[42]),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(
        "".join(SPECIAL.get(n, plain(n)) + "\n" for n in range(1, 41)), encoding="utf-8"
    )
    return path


Open = Callable[..., Any]


@asynccontextmanager
async def opened(path: Path | None, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Any]:
    app = FttuiApp(path, profile="local")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


async def checked(pilot: Any) -> None:
    await wait_until(pilot, lambda: pilot.app.thread.report is not None, "the file is checked", 30)
    await pilot.pause()


async def at_line(pilot: Any, number: int) -> str:
    """Go to a line and read the example beside it."""
    await pilot.press("L", *str(number), "enter")
    await wait_until(pilot, lambda: pilot.app.thread.row == number - 1, f"line {number}")
    await pilot.pause()
    return pilot.app.screen.query_one(ExampleView).text()


# -- no file


async def test_the_welcome_says_how_to_start() -> None:
    async with opened(None, (80, 24)) as pilot:
        text = screen_text(pilot.app)
        for words in (
            "Fine-tune language models",
            "d  try it",
            "o  open your own",
            "6  chat",
            "?  ",
        ):
            assert words in text


async def test_a_recent_file_opens_with_enter(file: Path) -> None:
    state = State()
    state.opened(file, examples=40)
    state.close()
    async with opened(None, (80, 24)) as pilot:
        assert "support.jsonl" in screen_text(pilot.app)
        assert "40 examples" in screen_text(pilot.app)
        await pilot.press("enter")
        await wait_for_text(pilot, "question 1?")


async def test_d_opens_the_sample() -> None:
    async with opened(None, (80, 24)) as pilot:
        await pilot.press("d")
        await wait_for_text(pilot, "begins with")


# -- the list


async def test_the_first_frame_has_rows(file: Path) -> None:
    app = FttuiApp(file, profile="local")
    async with app.run_test(size=(120, 40)):
        text = screen_text(app)
        assert "question 1?" in text
        assert "support.jsonl" in text


async def test_the_check_adds_verdicts_tokens_and_the_format(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        rows = pilot.app.screen.query_one(ExampleList)
        assert rows.row_text(2).split()[:2] == ["✗", "3"]
        assert rows.row_text(0).split()[:3] == ["✓", "1", "2"]
        assert int(rows.row_text(0).split()[3]) > 3  # tokens
        assert rows.row_text(8).lstrip().startswith("✗")
        assert "40 examples" in screen_text(pilot.app)


async def test_columns_line_up(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        rows = pilot.app.screen.query_one(ExampleList)
        header = rows.header()[0]
        at = header.index("begins with")
        assert rows.row_text(0)[at:].startswith("question 1?")
        assert rows.row_text(6)[at:].startswith("What is this? [image png 27")


async def test_a_step_draws_two_lines_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        rows = pilot.app.screen.query_one(ExampleList)
        drawn: list[Any] = []
        refresh = rows.refresh

        def spy(*regions: Any, **options: Any) -> Any:
            drawn.append(regions)
            return refresh(*regions, **options)

        monkeypatch.setattr(rows, "refresh", spy)
        rows.action_move(1)
        assert [region.height for regions in drawn for region in regions] == [1, 1]


# -- the example


async def test_a_conversation_reads_well(file: Path) -> None:
    async with opened(file) as pilot:
        text = await at_line(pilot, 5)
        assert "○ system     You are brief." in text
        assert "▎◆ assistant  → get_weather  call_1" in text
        assert '{"city": "Oslo"}' in text
        assert "■ tool       -4" in text
        assert "answers call_1" in text
        assert "▎◆ assistant  Cold." in text
        assert "weight 1 — trained" in text
        assert "\n  ◆ assistant" not in text
        assert " ◆ assistant  Bye." in text  # no bar: it is not trained
        assert "▎◆ assistant  Bye." not in text
        assert "weight 0 — not trained" in text
        assert "1 declared: get_weather" in text


async def test_images_pairs_and_extras_are_shown(file: Path) -> None:
    async with opened(file) as pilot:
        assert "[image png 27.0 kB]" in await at_line(pilot, 7)
        pair = await at_line(pilot, 11)
        preferred, other = pair.index("✓ preferred ──"), pair.index("✗ non-preferred ──")
        assert preferred < pair.index("▎◆ assistant  This one.") < other
        assert other < pair.index(" ◆ assistant  That one.")
        assert "◇ target     [42]" in await at_line(pilot, 13)


async def test_a_finding_stands_where_it_belongs(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        lines = (await at_line(pilot, 3)).split("\n")
        answer = next(i for i, line in enumerate(lines) if "(empty)" in line)
        assert "✗ M010" in lines[answer + 1]
        assert "→" in lines[answer + 2]


async def test_a_broken_line_is_shown_as_it_is(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        text = await at_line(pilot, 9)
        assert "J001" in text
        assert '"content": "cut' in text


async def test_v_goes_round_the_views(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        await at_line(pilot, 3)
        view = pilot.app.screen.query_one(ExampleView)
        await pilot.press("v")
        assert '  "messages": [' in view.text()
        lines = view.text().split("\n")
        place = next(i for i, line in enumerate(lines) if "M010" in line)
        assert '"content": ""' in lines[place - 1]
        await pilot.press("v")
        assert view.text().startswith('{"messages": [{"role": "user"')
        await pilot.press("v")
        assert "▸ user" in view.text()


async def test_a_giant_line_is_capped_and_cheap(tmp_path: Path) -> None:
    path = tmp_path / "giant.jsonl"
    path.write_text(chat(("user", "x" * 6_000_000), ("assistant", "y")) + "\n" + plain(2) + "\n")
    async with opened(path) as pilot:
        view = pilot.app.screen.query_one(ExampleView)
        await wait_until(pilot, lambda: view.text(), "the example is shown")
        assert "6.0 MB on one line" in view.text()
        assert "MB more" in view.text()
        assert len(view.text()) < 400_000


# -- small terminals


async def test_narrow_enter_opens_the_example_and_escape_closes_it(file: Path) -> None:
    async with opened(file, (80, 24)) as pilot:
        assert "▸ user" not in screen_text(pilot.app)
        await pilot.press("enter")
        await wait_for_text(pilot, "▸ user       question 1?")
        await pilot.press("right")
        await wait_for_text(pilot, "▸ user       question 2?")
        await pilot.press("escape")
        await wait_for_text(pilot, "begins with")


@pytest.mark.parametrize("size", [(60, 15), (80, 50), (200, 60)])
async def test_other_sizes_hold(file: Path, size: tuple[int, int]) -> None:
    async with opened(file, size) as pilot:
        await pilot.press("down", "enter", "v", "v", "escape")
        assert "question 1?" in screen_text(pilot.app)


# -- finding


async def test_search_moves_among_the_hits(file: Path) -> None:
    async with opened(file) as pilot:
        await pilot.press("slash", *"answer 2", "enter")
        await wait_for_text(pilot, "/answer 2 1 of 11 lines")  # 2 and 20 to 29
        assert pilot.app.thread.row == 1
        await pilot.press("n")
        assert pilot.app.thread.row == 19
        await pilot.press("N", "N")
        await wait_for_text(pilot, "11 of 11 lines")
        await pilot.press("escape")
        assert "/answer" not in screen_text(pilot.app)


async def test_filter_narrows_and_shows_its_words(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        await pilot.press("f", *"issue:error", "enter")
        await wait_for_text(pilot, "issue:error")
        rows = pilot.app.screen.query_one(ExampleList)
        lines = [rows.line_of(row) for row in range(rows.count)]
        assert 2 in lines
        assert 0 not in lines
        await pilot.press("escape")
        assert rows.count == 40


async def test_a_filter_that_cannot_be_understood_says_so(file: Path) -> None:
    async with opened(file) as pilot:
        await pilot.press("f", *"tokens>many", "enter")
        await wait_for_text(pilot, "a number belongs there")


async def test_i_goes_from_issue_to_issue_and_round(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        screen: Any = pilot.app.screen
        seen = []
        for _ in screen.issues:
            await pilot.press("i")
            seen.append(pilot.app.thread.row + 1)
        assert seen[0] == 3
        assert seen == screen.issues
        await pilot.press("i")
        assert pilot.app.thread.row == 2
        await pilot.press("I")
        assert pilot.app.thread.row + 1 == screen.issues[-1]


async def test_n_without_a_search_gives_the_reason(file: Path) -> None:
    async with opened(file) as pilot:
        await pilot.press("n")
        assert any("search first with /" in notice.message for notice in pilot.app.notices)


# -- the file on disk, the editor, the other areas


async def test_a_change_on_disk_is_offered_and_read_again(file: Path) -> None:
    async with opened(file) as pilot:
        await checked(pilot)
        await at_line(pilot, 20)
        with file.open("a") as more:
            more.write(plain(41) + "\n")
        pilot.app.screen._look_at_disk()
        await wait_for_text(pilot, "changed on disk")
        await pilot.press("r")
        await wait_for_text(pilot, "41 ")
        assert pilot.app.thread.row == 19
        assert "changed on disk" not in screen_text(pilot.app)
        await wait_for_text(pilot, "41 examples")


@pytest.mark.parametrize(
    ("editor", "expected"),
    [
        ("vi", ["vi", "+7", "F"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "F"]),
        ("code", ["code", "--wait", "-g", "F:7"]),
        ("code -w", ["code", "-w", "-g", "F:7"]),
        ("hx", ["hx", "F:7"]),
    ],
)
def test_editors_are_told_the_line(
    editor: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / editor.split()[0]
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    assert edit_file.words(Path("F"), 7) == expected


def test_a_missing_editor_is_a_problem_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor")
    with pytest.raises(Problem) as caught:
        edit_file.words(Path("F"), 1)
    assert "EDITOR" in caught.value.remedy


async def test_s_hands_the_example_to_chat(file: Path) -> None:
    async with opened(file) as pilot:
        await at_line(pilot, 5)
        await pilot.press("s")
        await wait_until(pilot, lambda: pilot.app.current_mode == "chat", "chat is shown")
        assert pilot.app.thread.row == 4


async def test_y_says_what_was_copied(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr("fttui.ui.clipboard.copy_native", lambda text: taken.append(text) or "test")
    async with opened(file) as pilot:
        await pilot.press("down", "y")
        assert taken == [plain(2)]
        assert any("line 2" in notice.message for notice in pilot.app.notices)


async def test_a_place_to_mark_opens_the_example_in_a_narrow_terminal(file: Path) -> None:
    async with opened(file, (80, 24)) as pilot:
        await checked(pilot)
        finding = pilot.app.thread.report.of("M010")[0]
        await pilot.press("2")
        pilot.app.change(row=finding.line - 1, place=finding)
        pilot.app.go("data")
        await wait_for_text(pilot, "✗ M010")
        await pilot.press("escape")
        await wait_for_text(pilot, "begins with")


# -- files that cannot be used


async def test_a_missing_file_is_a_page_not_a_crash(tmp_path: Path) -> None:
    async with opened(tmp_path / "nowhere.jsonl", (80, 24)) as pilot:
        text = screen_text(pilot.app)
        assert "nowhere.jsonl" in text
        assert "✗" in text
        assert "o open another" in text


async def test_an_unusable_file_is_explained_and_can_still_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\x1f\x8b\x08\x00" + os.urandom(400))
    async with opened(path, (80, 24)) as pilot:
        await checked(pilot)
        await wait_for_text(pilot, "F018")
        assert "o open another" in screen_text(pilot.app)
        await pilot.press("enter")
        await wait_for_text(pilot, "begins with")
