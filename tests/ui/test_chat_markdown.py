"""Markdown as styled rows: what is rendered, what is left alone, and that nothing makes it slow."""

from __future__ import annotations

import time
from typing import Any

import pytest
from chat_help import ask, chat, talking
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Script
from ui_help import screen_text, wait_for_text

from fttui.ui.chat.markdown import Growth, flat, inline, render
from fttui.ui.widgets.transcript import Transcript
from fttui.ui.widgets.wrapping import Block, lines_of, pieces


def styled(text: str) -> list[tuple[str, str]]:
    """(text, style) of one line of Markdown."""
    (block,) = render(text)
    (line,) = lines_of(0, block, 200)
    return pieces(block, line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b** c", [("a ", ""), ("b", "bold"), (" c", "")]),
        ("a *b* _c_", [("a ", ""), ("b", "italic"), (" ", ""), ("c", "italic")]),
        ("***x***", [("x", "bold italic")]),
        ("`a*b*c`", [("a*b*c", "accent")]),
        ("**a `b` c**", [("a ", "bold"), ("b", "accent"), (" c", "bold")]),
        ("~~no~~", [("no", "strike")]),
        ("[t](http://u)", [("t", "link"), (" (http://u)", "faint")]),
        ("## A *b*", [("A ", "heading"), ("b", "italic")]),
        # what only looks like it
        ("snake_case_name 2*3*4 a * b", [("snake_case_name 2*3*4 a * b", "")]),
        ("**open `and [so](on", [("**open `and [so](on", "")]),
        (r"\*not\* C:\dir", [(r"*not* C:\dir", "")]),
        ("#hashtag", [("#hashtag", "")]),
        ("[/red] [1, [bold", [("[/red] [1, [bold", "")]),
    ],
)
def test_one_line(text: str, shown: list[tuple[str, str]]) -> None:
    assert styled(text) == shown


def test_blocks_have_their_signs() -> None:
    made = render(
        "- a\n  - [x] b\n3. c\n> d\n---\n```py\n# *x*\n```\n| a | b |\n|--|--|\n| `1` | 2 |"
    )
    assert [(block.gutter.strip(), block.text) for block in made] == [
        ("•", "a"),
        ("☑", "b"),
        ("3.", "c"),
        ("▎", "d"),
        ("", "─" * 24),
        ("▏", "py"),
        ("▏", "# *x*"),
        ("", "a  b"),
        ("", "─  ─"),
        ("", "1  2"),
    ]
    assert made[0].hang is not None
    assert len(made[0].hang) == len(made[0].gutter)


_PARTS = (
    "# h\n",
    "\n",
    "- *a*\n",
    "| a | b |\n",
    "|--|--|\n",
    "```\n",
    "````\n",
    "~~~\n",
    "x `y` ",
    "z\n",
)


@given(st.lists(st.sampled_from(_PARTS), max_size=14), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_what_is_rendered_piece_by_piece_is_what_the_whole_is(parts: list[str], step: int) -> None:
    text = "".join(parts)
    made, rest, growth = [], "", Growth()
    for at in range(0, len(text), step):
        rest += text[at : at + step]
        end = growth.finished(rest)
        if end:
            made += render(rest[:end])
            rest, growth = rest[end:], Growth()
            growth.finished(rest)
    made += render(rest) if rest else ()
    assert made == list(render(text) if text else ())


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("one\ntwo", "one\n"),
        ("one\n```\ncode\n", "one\n"),
        ("```\ncode\n```\nnext", "```\ncode\n```\n"),
        ("````\n```\nstill code\n", ""),
        ("| a |\n|---|\n| b |\n", ""),
        ("| a |\n|---|\nend\nx", "| a |\n|---|\nend\n"),
    ],
)
def test_what_is_finished_is_known_at_once(text: str, finished: str) -> None:
    assert text[: Growth().finished(text)] == finished


@given(st.text("ab*_`~[]()\\ !|#>-", max_size=60))
@settings(max_examples=300, deadline=None)
def test_emphasis_never_overlaps_nor_leaves_the_text(text: str) -> None:
    shown, spans = inline(text)
    at = 0
    for begin, end, _ in spans:
        assert at <= begin < end <= len(shown)
        at = end


def test_marks_win_over_emphasis() -> None:
    assert flat([(0, 10, "bold")], [(2, 4, "mark"), (8, 12, "mark")]) == [
        (0, 2, "bold"),
        (2, 4, "mark"),
        (4, 8, "bold"),
        (8, 12, "mark"),
    ]


@pytest.mark.parametrize(
    "unit",
    [
        "*a",
        "**a ",
        "`",
        "[",
        "![",
        "_a b",
        "> ",
        "#",
        "| a ",
        "|\n",
        "```\n",
        "- **a** `b`\n",
        "é ",
        "\\",
    ],
)
def test_200_kb_of_anything_is_rendered_quickly(unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    began = time.process_time()
    made = render(text)
    lines = sum(1 for number, block in enumerate(made) for _ in lines_of(number, block, 100))
    Growth().finished(text)
    assert time.process_time() - began < 4.0
    assert lines


async def test_an_answer_is_rendered_and_shown_raw_on_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "# Steps\n\n1. Do **this**\n\n```sh\nls *\n```\n"
    async with talking(monkeypatch, {"m": Script([*text])}) as (app, pilot, _):
        await ask(app, pilot, "go")
        shown = screen_text(app)
        assert " 1. Do this" in shown
        assert "**" not in shown
        assert "```" not in shown
        await pilot.press("escape", "v")
        await wait_for_text(pilot, "1. Do **this**")
        await pilot.press("y")
        assert chat(app)._text() == text


async def test_a_paragraph_is_rendered_while_the_next_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script(["One **bold** word.\n", "\nTwo **open"], end="hang")
    async with talking(monkeypatch, {"m": script}) as (app, pilot, _):
        await ask(app, pilot, "go", until_done=False)
        await wait_for_text(pilot, "Two **open")
        assert "One bold word." in screen_text(app)


@pytest.mark.parametrize(
    "text", ["```\n" + "x = 1\n" * 33_000, "word " * 40_000, "[/]**`" * 33_000]
)
async def test_200_kb_stream_in_without_holding_up_the_screen(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    pieces = [text[at : at + 2_000] for at in range(0, len(text), 2_000)]
    async with talking(monkeypatch, {"m": Script(pieces)}, size=(80, 24)) as (app, pilot, _):
        began = time.process_time()
        await ask(app, pilot, "go")
        assert time.process_time() - began < 8.0
        transcript: Any = chat(app).query_one(Transcript)
        assert sum(len(block.text) for block in transcript.blocks) > 150_000
        await pilot.press("escape", "g", "G")


def test_what_shrinks_leaves_nothing_behind() -> None:
    block = Block("**" + "a " * 100 + "**\n", rich=True)
    raw = len(list(lines_of(0, block, 20)))
    (made,) = render(block.text)
    assert len(list(lines_of(0, made, 20))) <= raw
