"""Chat: one prompt to several models, every way an answer can end, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from chat_help import ask, chat, opened, talking
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scripted import Script
from ui_help import screen_text, wait_for_text, wait_until

from fttui.pricing import catalog
from fttui.state import State
from fttui.ui.app import FttuiApp
from fttui.ui.chat import models as chat_models
from fttui.ui.chat import rows as chat_rows
from fttui.ui.chat.conversation import Conversation, Turn
from fttui.ui.chat.differences import marks
from fttui.ui.chat.talk import Talk
from fttui.ui.widgets.transcript import Transcript
from fttui.ui.widgets.wrapping import Block, grown, lines_of

TUNED = "ft:gpt-4.1-mini-2025-04-14:acme:support:8Q2abc"


async def test_the_same_prompt_goes_to_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"gpt-4.1-mini": Script(["The ", "base."]), TUNED: Script(["The ", "tuned."])}
    async with talking(monkeypatch, models) as (app, pilot, server):
        await ask(app, pilot, "Who are you?")
        text = screen_text(app)
        assert "1 gpt-4.1-mini ✓" in text
        assert "2 support 8Q2abc ← gpt-4.1-mini" in text
        assert text.count("Who are you?") == 2
        assert "The base." in text
        assert "The tuned." in text
        assert "5 tokens" in text
        assert [body["model"] for body in server.asked] == list(models)
        assert server.asked[0]["messages"] == server.asked[1]["messages"]
        assert server.asked[0]["seed"] == server.asked[1]["seed"] is not None
        await ask(app, pilot, "And now?")
        assert server.asked[3]["messages"][1] == {"role": "assistant", "content": "The tuned."}


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("stop", "5 tokens"),
        ("length", "cut after 5 tokens, the provider's own limit"),
        ("content_filter", "content filter"),
        ("cut", "The stream ended before the answer did."),
        ("error", "the engine stopped"),
    ],
)
async def test_every_end_keeps_what_came_and_says_so(
    monkeypatch: pytest.MonkeyPatch, end: str, said: str
) -> None:
    async with talking(monkeypatch, {"m": Script(["Half ", "of it"], end=end)}) as (app, pilot, _):
        await ask(app, pilot, "go")
        assert "Half of it" in screen_text(app)
        assert said in screen_text(app)
        again = Conversation.last(app.state, "openai")
        assert again.turns[0].replies[0].text == "Half of it"
        assert again.turns[0].replies[0].end


async def test_one_column_fails_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"bad": Script(end="400"), "good": Script(["All is well"])}
    async with talking(monkeypatch, models) as (app, pilot, server):
        await ask(app, pilot, "go")
        text = screen_text(app)
        assert "refused with [400]" in text
        assert "^r asks again" in text
        assert "All is well" in text
        server.models["bad"] = Script(["Now it works"])
        await pilot.press("ctrl+r")
        await wait_for_text(pilot, "Now it works")
        assert [body["model"] for body in server.asked] == ["bad", "good", "bad"]


async def test_escape_stops_then_leaves_the_composer_then_goes_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(monkeypatch, {"m": Script(["So far"], end="hang")}) as (app, pilot, _):
        await ask(app, pilot, "go", until_done=False)
        await wait_for_text(pilot, "So far")
        assert "An answer is being written" in app.backend.busy()
        await pilot.press("escape")
        await wait_for_text(pilot, "stopped; what came is kept")
        assert not app.backend.busy()
        assert "So far" in screen_text(app)
        assert chat(app).composer.has_focus
        await pilot.press("escape")
        assert not chat(app).composer.has_focus
        await pilot.press("i")
        assert chat(app).composer.has_focus
        await pilot.press("escape", "escape")
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "one link left")


async def test_digits_are_text_in_the_composer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script()}) as (app, pilot, _):
        await pilot.press("1", "q", "question_mark", "ctrl+j", "2", "backslash", "enter", "3")
        assert chat(app).composer.text == "1q?\n2\n3"
        assert app.current_mode == "chat"
        await pilot.press("enter")
        await wait_until(pilot, lambda: chat(app).turns, "sent")
        await wait_until(pilot, lambda: not chat(app).answers.running, "the answer")
        await pilot.press("up")
        assert chat(app).composer.text == "1q?\n2\n3"


async def test_the_last_conversation_is_there_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["An answer to keep"])}) as (app, pilot, _):
        await ask(app, pilot, "a question to keep")
        path = app.state.path
        chat(app).conversation.ask(Turn("unanswered"))
        chat(app).conversation.begin(0, "m")  # as if fttui was killed now
    async with talking(monkeypatch, {"m": Script()}, state=State(path)) as (app, pilot, _):
        await wait_for_text(pilot, "An answer to keep")
        text = screen_text(app)
        assert "a question to keep" in text
        assert "fttui was closed during this answer" in text
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert "An answer to keep" not in screen_text(app)


async def test_settings_are_kept_per_model_and_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(), "n": Script()}) as (app, pilot, server):
        await pilot.press("f4")
        await pilot.pause()
        await pilot.press(*"Be brief", "tab", *"0.5", "tab", *"77", "tab", *"x")
        await pilot.press("enter")
        await wait_for_text(pilot, "seed: a whole number")
        await pilot.press("backspace", "4", "enter")
        await wait_for_text(pilot, "temp 0.5 · max 77 · seed 4")
        await ask(app, pilot, "go")
        for body in server.asked:
            assert body["messages"][0] == {"role": "system", "content": "Be brief"}
            assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.5, 77, 4)
        assert Talk.recall(app.state, "n").seed == 4


async def test_a_row_of_the_dataset_brings_its_context_and_what_is_expected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {
        "messages": [
            {"role": "system", "content": "Extract."},
            {"role": "user", "content": "Anna is 30"},
            {"role": "assistant", "content": '{"name": "Anna", "age": 30}'},
        ]
    }
    turn = chat_rows.turn_of(json.dumps(row).encode(), "train.jsonl line 7")
    assert turn is not None
    models = {"right": Script(['{"age": 30, "name": "Anna"}']), "wrong": Script(["Anna is old"])}
    async with talking(monkeypatch, models) as (app, pilot, server):
        chat(app).take(turn)
        await wait_for_text(pilot, "train.jsonl line 7 · sent with it: system")
        await pilot.press("enter")
        await wait_for_text(pilot, "not as expected")
        assert "✓ as expected" in screen_text(app)
        assert [said["role"] for said in server.asked[0]["messages"]] == ["system", "user"]


async def test_scrolling_up_stays_and_offers_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    script = Script([f"line {number}\n" for number in range(120)], gate=gate)
    async with talking(monkeypatch, {"m": script}, size=(80, 24)) as (app, pilot, _):
        await ask(app, pilot, "go", until_done=False)
        await wait_for_text(pilot, "line 59")
        await pilot.press("pageup", "pageup")
        before = [line[:40] for line in screen_text(app).splitlines()[3:10]]
        gate.set()
        await wait_until(pilot, lambda: not chat(app).answers.running, "the answer")
        await wait_for_text(pilot, "more · end")
        assert [line[:40] for line in screen_text(app).splitlines()[3:10]] == before
        assert "line 119" not in screen_text(app)
        await pilot.press("escape", "G")
        await wait_for_text(pilot, "line 119")


async def test_nothing_in_an_answer_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = ["[/red] [1, [bold", "\x1b[31m \x07", "```\nno end [/]", "\ud83d"]
    async with talking(monkeypatch, {"[m]": Script(wild)}) as (app, pilot, _):
        await ask(app, pilot, "[/] prompt \\[")
        text = screen_text(app)
        assert "[/red] [1, [bold␛[31m ␇" in text
        assert "\x1b" not in text


async def test_models_are_chosen_by_letters_and_columns_come_and_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(monkeypatch, {"alpha": Script(["A"])}) as (app, pilot, server):
        server.models |= {"beta-chat": Script(["B"]), "text-embedding-3": Script()}
        chat(app)._listed_at = -1000
        app.go("checkpoints")
        await pilot.pause()
        app.go("chat")
        await wait_until(pilot, lambda: len(chat(app).listed) == 3, "the models again")
        await ask(app, pilot, "one")
        await pilot.press("f3")
        await pilot.pause()
        assert "not a chat model" in screen_text(app)
        await pilot.press(*"bet", "enter")
        await wait_until(pilot, lambda: app.thread.chat_models == ["alpha", "beta-chat"], "two")
        await ask(app, pilot, "two")
        assert "2 beta-chat ✓" in screen_text(app)
        assert server.asked[-1]["messages"] == [{"role": "user", "content": "two"}]
        await pilot.press("f3")
        await pilot.pause()
        await pilot.press(*"remove", "enter")
        await wait_until(pilot, lambda: app.thread.chat_models == ["alpha"], "one again")


@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_three_columns_become_tabs_where_they_are_narrow(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    models = {name: Script([f"I am {name}"]) for name in ("one", "two", "three")}
    async with talking(monkeypatch, models, size=size) as (app, pilot, _):
        await ask(app, pilot, "go")
        assert "I am one" in screen_text(app)
        assert "I am two" not in screen_text(app)
        assert "tab next" in screen_text(app)
        await pilot.press("tab")
        await wait_for_text(pilot, "I am two")
        assert chat(app).composer.has_focus


async def test_nobody_there_is_said_in_the_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    app = FttuiApp(profile="openai")
    async with app.run_test(size=(100, 30)) as pilot:
        app.change(chat_models=["m"])
        app.go("chat")
        await opened(app, pilot)
        await ask(app, pilot, "go")
        assert "✗" in screen_text(app)
        assert "^r asks again" in screen_text(app)


# -- with the real server


@pytest.fixture
def tiny_server(home: Path, tiny_model: Path) -> Iterator[str]:
    from fttui.local import launch

    launch.ensure(models={"tiny": tiny_model})
    yield "tiny"
    launch.stop()


async def test_a_real_local_model_answers(tiny_server: str) -> None:
    app = FttuiApp(profile="local")
    async with app.run_test(size=(100, 30)) as pilot:
        app.change(chat_models=[tiny_server, tiny_server])
        app.go("chat")
        await opened(app, pilot)
        Talk(None, 0.0, 12, 1).remember(app.state, tiny_server)
        chat(app).composer.fill("hello")
        await pilot.press("enter")
        await wait_until(
            pilot, lambda: chat(app).turns and not chat(app).answers.running, "answers", 60
        )
        first, second = (chat(app).turns[0].replies[place] for place in (0, 1))
        assert not first.problem
        assert first.text == second.text
        assert 0 < first.facts["tokens"] <= 12
        assert first.facts["counted"]


async def test_the_ends_of_a_real_local_model_are_told_apart(tiny_server: str) -> None:
    """Its context is 512 tokens; the server says `length` for both reasons."""
    app = FttuiApp(profile="local")
    async with app.run_test(size=(100, 30)) as pilot:
        app.change(chat_models=[tiny_server])
        app.go("chat")
        await opened(app, pilot)
        Talk("", 0.0, 8, 1, response_format={"type": "json_object"}).remember(
            app.state, tiny_server
        )
        await ask(app, pilot, "hello", until_done=False)
        await wait_for_text(pilot, "cut at max tokens (8)", 60)
        assert "response_format was left out" in screen_text(app)
        await pilot.press("f9")
        await wait_until(pilot, lambda: not chat(app).answers.running, "the rest", 60)
        assert chat(app).turns[0].replies[0].facts["tokens"] == 16
        Talk("", 0.0, 400, 1).remember(app.state, tiny_server)
        chat(app).do_new()
        await ask(app, pilot, "word " * 80, until_done=False)
        await wait_for_text(pilot, "the context is full: ", 60)
        await ask(app, pilot, "word " * 800, until_done=False)
        await wait_for_text(pilot, "maximum context length is 512 tokens", 60)


# -- the parts


@given(st.lists(st.text("ab 漢\n`#́", max_size=12), max_size=12), st.integers(1, 9))
@example(["\n", "```"], 5)  # an empty line before a fence is not one
@settings(max_examples=150, deadline=None)
def test_growing_text_wraps_as_the_whole_does(pieces: list[str], width: int) -> None:
    block = Block("", rich=True)
    lines = list(lines_of(0, block, width))
    for piece in pieces:
        block.text += piece
        grown(lines, block, width)
    whole = list(lines_of(0, Block("".join(pieces), rich=True), width))
    assert lines == whole
    kept = "".join(block.text[line.start : line.end] for line in lines)
    assert kept.replace(" ", "") == block.text.replace(" ", "").replace("\n", "")


def test_differences_are_marked_word_by_word() -> None:
    assert marks("age 31 here", "age 30 here", "mark") == [(4, 6, "mark")]
    assert marks("all other words", "1 2 3", "mark") == []


def test_what_an_answer_cost() -> None:
    facts = {"prompt_tokens": 1_000, "cached_tokens": 400, "tokens": 200}
    found = chat_models.cost(catalog.load(), "openai", TUNED, facts)
    # 600 × 0.80 + 400 × 0.20 + 200 × 3.20, for a million
    assert (Decimal(found[0]), found[1]) == (Decimal("0.00120"), "USD")
    assert chat_models.cost(catalog.load(), "openai", "unheard-of", facts) == ("", "")


async def test_a_huge_answer_is_drawn_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["x" * 200_000])}) as (app, pilot, _):
        await ask(app, pilot, "go")
        column = chat(app).query_one(Transcript)
        assert sum(len(block.text) for block in column.blocks) > 200_000
        assert "xxxxxxxx" in screen_text(app)
