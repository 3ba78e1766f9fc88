"""Chat, turn by turn: branches, going on, waiting, blind ratings, what is kept and what is taken away."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_help import ask, chat, settled, talking
from scripted import Script, Scripted
from ui_help import screen_text, wait_for_text, wait_until

from fttui.service.chat import ChatResult
from fttui.state import State
from fttui.ui.chat import view
from fttui.ui.chat.answers import GO_ON
from fttui.ui.chat.blind import pairs, tally
from fttui.ui.chat.conversation import Conversation, Reply, Turn
from fttui.ui.chat.talk import Talk, format_of, stops_of, stops_text, tools_of
from fttui.ui.chat.voices import Voice
from fttui.ui.text import say

TUNED = "ft:gpt-4.1-mini-2025-04-14:acme:support:8Q2abc"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "chats.db")
    yield made
    made.close()


def told(conversation: Conversation, prompt: str, answer: str, at: int | None = None) -> None:
    """A question and its answer."""
    conversation.ask(Turn(prompt), instead_of=at)
    reply = conversation.begin(0, "m")
    reply.text, reply.end = answer, "stop"
    conversation.keep(reply, now=True)


def prompts(conversation: Conversation) -> list[str]:
    return [turn.prompt for turn in conversation.turns]


# -- the tree


def test_an_edited_question_is_a_branch_and_the_old_one_stays(state: State) -> None:
    made = Conversation(state, "p")
    for prompt in ("one", "two", "three"):
        told(made, prompt, prompt.upper())
    told(made, "zwei", "ZWEI", at=1)
    told(made, "drei", "DREI")
    assert prompts(made) == ["one", "zwei", "drei"]
    assert [m["content"] for m in made.messages(0, "")] == ["one", "ONE", "zwei", "ZWEI", "drei"]
    assert [turn.prompt for turn in made.branches(1)] == ["two", "zwei"]
    assert made.switch(1, -1)
    assert prompts(made) == ["one", "two", "three"]
    assert not made.switch(1, -1)
    assert not made.switch(0, 1)
    again = Conversation.last(state, "p")
    assert prompts(again) == ["one", "two", "three"]  # as it was left
    assert again.switch(1, 1)
    assert prompts(again) == ["one", "zwei", "drei"]
    assert again.turns[2].replies[0].text == "DREI"


def test_conversations_of_before_branches_are_read_as_one_path(state: State) -> None:
    chat_id = state.new_chat("p", "old")
    for turn, (prompt, answer) in enumerate((("one", "ONE"), ("two", "TWO"))):
        state.add_message(chat_id, turn, "", "user", prompt, context=[], expected="", source="")
        state.add_message(chat_id, turn, "m", "assistant", answer, column=0, end="stop")
    made = Conversation.last(state, "p")
    assert prompts(made) == ["one", "two"]
    assert [turn.replies[0].text for turn in made.turns] == ["ONE", "TWO"]


def test_an_answer_that_is_found_brings_its_branch_back(state: State) -> None:
    made = Conversation(state, "p")
    told(made, "one", "a needle")
    told(made, "uno", "nothing", at=0)
    (hit,) = state.find_chats("NEEDLE")
    again = Conversation.saved(state, "p", hit["id"])
    assert prompts(again) == ["uno"]
    assert again.show(hit["message"]) == 0
    assert prompts(again) == ["one"]
    assert again.show(99_999) == -1


def test_after_a_tool_call_the_next_prompt_is_its_result(state: State) -> None:
    made = Conversation(state, "p")
    made.ask(Turn("weather?"))
    reply = made.begin(0, "m")
    result = ChatResult(end="tool_calls")
    result.tool_calls = [{"id": "c1", "name": "weather", "arguments": "{}"}]
    reply.take(result)
    reply.end = "tool_calls"
    made.keep(reply, now=True)
    made.ask(Turn("sunny"))
    sent = made.messages(0, "")
    assert sent[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": "{}"}
    assert sent[2] == {"role": "tool", "tool_call_id": "c1", "content": "sunny"}


# -- on the screen


def said(app: Any, text: str) -> bool:
    """A toast said it (and wrapped it as it liked)."""
    return any(text in notice.message for notice in app.notices)


async def test_branching_from_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["ok"])}) as (app, pilot, server):
        await ask(app, pilot, "first question")
        await ask(app, pilot, "second question")
        await pilot.press("ctrl+up")
        await wait_for_text(pilot, "▶ first question")
        await pilot.press("f6")
        await wait_for_text(pilot, "prompt 1 again, as a branch")
        assert chat(app).composer.text == "first question"
        await ask(app, pilot, "first question, better")
        assert [m["content"] for m in server.asked[-1]["messages"]] == ["first question, better"]
        text = screen_text(app)
        assert "branch 2 of 2" in text
        assert "second question" not in text
        await pilot.press("escape", "less_than_sign")
        await wait_for_text(pilot, "second question")
        assert "branch 1 of 2" in screen_text(app)
        await pilot.press("greater_than_sign")
        await wait_for_text(pilot, "first question, better")


async def test_esc_gives_an_edit_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["ok"])}) as (app, pilot, _):
        await ask(app, pilot, "first")
        await pilot.press("f6")
        await wait_for_text(pilot, "as a branch")
        await pilot.press("escape")
        assert chat(app).composer.text == ""
        await ask(app, pilot, "second")
        assert prompts(chat(app).conversation) == ["first", "second"]


async def test_asking_a_good_answer_again_keeps_it_as_a_branch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(monkeypatch, {"m": Script(["the first"])}) as (app, pilot, server):
        await ask(app, pilot, "go")
        server.models["m"] = Script(["the other"])
        await pilot.press("ctrl+r")
        await wait_for_text(pilot, "the other")
        await settled(app, pilot)
        assert "branch 2 of 2" in screen_text(app)
        assert [t.replies[0].text for t in chat(app).conversation.branches(0)] == [
            "the first",
            "the other",
        ]


async def test_a_cut_answer_can_be_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["Half of"], end="cut")}) as (app, pilot, server):
        await ask(app, pilot, "go")
        assert "f9 goes on where it broke off" in screen_text(app)
        server.models["m"] = Script([" it, and the rest."], usage=(20, 7))
        await pilot.press("f9")
        await wait_for_text(pilot, "Half of it, and the rest.")
        await settled(app, pilot)
        sent = server.asked[-1]["messages"]
        assert [m["content"] for m in sent] == ["go", "Half of", GO_ON]
        reply = chat(app).turns[0].replies[0]
        assert (reply.end, reply.facts["tokens"]) == ("stop", 8)  # 1 counted by its piece, and 7
        kept = Conversation.last(app.state, "openai").turns[0].replies[0]
        assert kept.text == "Half of it, and the rest."


async def test_a_busy_provider_is_waited_for_and_that_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {"m": Script(["At last"], first=["429"]), "n": Script(["Fresh"], first=["503"])}
    async with talking(monkeypatch, models) as (app, pilot, _):
        await ask(app, pilot, "go", until_done=False)
        await wait_for_text(pilot, "Too many requests: come back soon")
        assert "esc gives up" in screen_text(app)
        await settled(app, pilot)
        text = screen_text(app)
        assert "At last" in text
        assert "Fresh" in text
        assert "Too many" not in text


async def test_waiting_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(first=["429"] * 9)}) as (app, pilot, _):
        await ask(app, pilot, "go", until_done=False)
        await wait_for_text(pilot, "Asked again in")
        await pilot.press("escape")
        await settled(app, pilot)
        assert "stopped" in screen_text(app)


async def test_a_blind_comparison_hides_names_until_it_is_rated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = {"base-one": Script(["The base."]), TUNED: Script(["The tuned."])}
    async with talking(monkeypatch, models) as (app, pilot, _):
        await ask(app, pilot, "before")
        monkeypatch.setattr(random, "sample", lambda rows, count: [1, 0])
        await pilot.press("f7")
        await ask(app, pilot, "which one?")
        text = screen_text(app)
        assert "1 name hidden" in text
        assert "base-one" not in text
        assert "8Q2abc" not in text
        assert "tokens" not in text  # speed and length would give it away
        assert "before" not in text
        row = next(line for line in text.splitlines() if "The tuned." in line)
        assert row.index("The tuned.") < row.index("The base.")
        await pilot.press("escape", "R")
        await wait_for_text(pilot, "column 1 is the best")
        await pilot.press("enter")
        await wait_for_text(pilot, "1 support 8Q2abc")
        assert app.state.ratings() == [
            {
                "turn": chat(app).turns[-1].id,
                "winner": TUNED,
                "models": [TUNED, "base-one"],
                "blind": True,
            }
        ]
        await pilot.press("T")
        await wait_for_text(pilot, "1 won")


def test_ratings_are_counted() -> None:
    def rated(winner: str, *models: str, blind: bool = False) -> dict[str, Any]:
        return {"winner": winner, "models": list(models), "blind": blind}

    rows = [
        rated("a", "a", "b", blind=True),
        rated("a", "a", "b", "c"),
        rated("b", "a", "b"),
        rated("tie", "a", "b"),
        rated("none", "b", "c"),
    ]
    found = dict(tally(rows))
    assert [(s.won, s.tied, s.lost, s.blind) for s in (found["a"], found["b"], found["c"])] == [
        (2, 1, 1, 1),
        (1, 1, 3, 1),
        (0, 0, 2, 0),
    ]
    assert [name for name, _ in tally(rows)] == ["a", "b", "c"]
    assert pairs(rows)[("a", "b")] == 2
    assert pairs(rows)[("b", "a")] == 1


async def test_what_differs_between_columns_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    door = ["open the door"]
    models = {"a": Script(door), "b": Script(["open the **window**"]), "c": Script(door)}
    async with talking(monkeypatch, models) as (app, pilot, _):
        await ask(app, pilot, "go")
        assert "≡ the same answer as column 1" in screen_text(app)

        def marked(column: int) -> list[str]:
            blocks = chat(app).columns.transcripts[column].blocks
            return [
                block.text[a:b] for block in blocks for a, b, style in block.spans
                if style == view.DIFFERS
            ]  # fmt: skip

        assert (marked(0), marked(1), marked(2)) == ([], ["window"], [])
        await pilot.press("escape", "d")
        await pilot.pause()
        assert marked(1) == []


async def test_saved_conversations_are_searched_and_opened_where_it_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(monkeypatch, {"m": Script(["Paris, of course"])}) as (app, pilot, _):
        await ask(app, pilot, "capital of France?")
        await ask(app, pilot, "sure?")
        await pilot.press("ctrl+n")
        other = Conversation(app.state, "local")
        told(other, "capital of Peru?", "Lima")
        await pilot.press("f8")
        await wait_for_text(pilot, "capital of Peru?")
        await pilot.press(*"PARIS")
        await wait_until(pilot, lambda: "Peru" not in screen_text(app), "the search")
        assert "Paris, of course" in screen_text(app)
        await pilot.press("enter")
        await wait_for_text(pilot, "▌ capital of France?")
        await pilot.press("f8")
        await wait_for_text(pilot, "capital of Peru?")
        await pilot.press(*"lima")
        await wait_until(pilot, lambda: "France" not in screen_text(app).split("what was")[0], "")
        await pilot.press("enter")
        await wait_for_text(pilot, "▌ capital of Peru?")
        assert app.thread.chat_models == [str(Voice("m", "local"))]


async def test_an_earlier_prompt_is_found_by_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script()}) as (app, pilot, _):
        for prompt in ("translate this", "sum it up"):
            await ask(app, pilot, prompt)
        await pilot.press("ctrl+f")
        await pilot.pause()
        await pilot.press(*"transl", "enter")
        await wait_until(pilot, lambda: chat(app).composer.text == "translate this", "the prompt")


async def test_a_conversation_is_saved_as_markdown_and_as_examples(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {"a": Script(["I am **a**"]), "b": Script(["I am b"])}
    async with talking(monkeypatch, models) as (app, pilot, _):
        Talk("Be brief").remember(app.state, "a")
        await ask(app, pilot, "Who are you?")
        for choice in ([], ["down"]):
            await pilot.press("escape" if not choice else "e", *(["e"] if not choice else []))
            await wait_for_text(pilot, "Save this conversation as")
            await pilot.press(*choice, "enter")
            await wait_for_text(pilot, "Save as")
            await pilot.press("enter")
            await wait_until(pilot, lambda: said(app, "saved "), "the toast")
        made = (tmp_path / "chat-who-are-you.md").read_text()
        assert "> Who are you?" in made
        assert "### a\n\nI am **a**" in made
        assert "10 + 5 tokens" in made
        rows = [json.loads(line) for line in (tmp_path / "chat-who-are-you.jsonl").open()]
        assert [row["messages"][-1]["content"] for row in rows] == ["I am **a**", "I am b"]
        assert rows[0]["messages"][0] == {"role": "system", "content": "Be brief"}


async def test_a_reply_becomes_an_example_and_is_checked_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "train.jsonl"
    row = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    before = b"\n".join(
        json.dumps(row).replace("q", f"q{n}").encode() for n in range(12)
    )  # no newline at the end
    path.write_bytes(before)
    async with talking(monkeypatch, {"m": Script(["Nearly"])}, path=path) as (app, pilot, _):
        await wait_until(pilot, lambda: app.thread.report is not None, "the check")
        await ask(app, pilot, "What is it?")
        await pilot.press("escape", "a")
        await wait_for_text(pilot, "a new example with this answer")
        await pilot.press("enter")
        await wait_for_text(pilot, "Added as the last line of")
        await pilot.press("end", *" right", "f4")
        await wait_until(pilot, lambda: said(app, "line 13 of train.jsonl is written"), "the toast")
        added = json.loads(path.read_bytes().splitlines()[-1])
        assert added["messages"][-2:] == [
            {"role": "user", "content": "What is it?"},
            {"role": "assistant", "content": "Nearly right"},
        ]
        await wait_until(
            pilot, lambda: app.thread.report and app.thread.report.examples == 13, "checked again"
        )
        await pilot.press("u")
        await wait_until(pilot, lambda: said(app, "taken back"), "the toast")
        assert path.read_bytes() == before
        assert "nothing was added" in chat(app).why_not("chat.take_back")


async def test_two_answers_become_a_preference_pair(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    models = {"a": Script(["good"]), "b": Script(["bad"])}
    async with talking(monkeypatch, models) as (app, pilot, _):
        await ask(app, pilot, "q")
        await pilot.press("escape", "a")
        await wait_for_text(pilot, "this answer is better than column 2's")
        await pilot.press(*"better than col", "enter")
        await wait_for_text(pilot, "rejected")
        await pilot.press("f4")
        await wait_until(
            pilot, lambda: said(app, "line 1 of chat.pairs.jsonl is written"), "the toast"
        )
        made = json.loads((tmp_path / "chat.pairs.jsonl").read_text())
        assert made["preferred_output"][0]["content"] == "good"
        assert made["non_preferred_output"][0]["content"] == "bad"
        assert made["input"]["messages"] == [{"role": "user", "content": "q"}]


async def test_the_request_is_copied_as_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script(["ok"])}) as (app, pilot, server):
        Talk(None, 0.5).remember(app.state, "m")
        await ask(app, pilot, "say 'hi'")
        copied: list[str] = []
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
        await pilot.press("escape", "c")
        await wait_for_text(pilot, "Copy this request as")
        await pilot.press(*"Python", "enter")
        await wait_until(pilot, lambda: copied, "the copy")
        assert f"base_url='{server.url}'" in copied[0]
        assert 'os.environ["OPENAI_API_KEY"]' in copied[0]
        assert "sk-test" not in copied[0]
        assert "temperature=0.5" in copied[0]


async def test_a_column_is_shown_examples_of_the_training_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "train.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]}
        for n in range(20)
    ]  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows))
    async with talking(monkeypatch, {"m": Script(["ok"])}, path=path) as (app, pilot, server):
        await pilot.press("f3")
        await wait_for_text(pilot, "m + 3 examples")
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.thread.chat_models) == 2, "the column")
        await ask(app, pilot, "mine")
        plain, shown = sorted(server.asked, key=lambda body: len(body["messages"]))
        assert [m["content"] for m in plain["messages"]] == ["mine"]
        said = [m["content"] for m in shown["messages"]]
        assert len(said) == 7
        assert said[-1] == "mine"
        assert all(q[1:] == a[1:] for q, a in zip(said[:-1:2], said[1:-1:2], strict=True))
        assert "2 m + 3 examples ✓" in screen_text(app)


async def test_a_model_of_another_profile_stands_beside(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    from fttui import paths

    async with Scripted({"theirs": Script(["from there"])}) as other:
        config = paths.config_dir() / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(
            f'[profiles.other]\nprovider = "custom"\nbase_url = "{other.url}"\n'
            'key = { env = "OPENAI_API_KEY" }\n'
        )
        async with talking(monkeypatch, {"m": Script(["from here"])}) as (app, pilot, server):
            await pilot.press("f3")
            await wait_for_text(pilot, "models of other …")
            await pilot.press(*"models of other", "enter")
            await wait_for_text(pilot, "Add a column: models of other")
            await pilot.press("enter")
            await wait_until(pilot, lambda: len(app.thread.chat_models) == 2, "the column")
            await ask(app, pilot, "where?")
            text = screen_text(app)
            assert "2 theirs @ other ✓" in text
            assert "from there" in text
            assert len(server.asked) == len(other.asked) == 1
            await pilot.press("f2")
            await wait_for_text(pilot, "Model of column 1")
            await wait_for_text(pilot, "theirs @ other")


async def test_every_setting_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(monkeypatch, {"m": Script()}, size=(80, 24)) as (app, pilot, server):
        await pilot.press("f4")
        await wait_for_text(pilot, "Response format")
        assert "f4 save" in screen_text(app)
        keys = [*(["tab"] * 4), *"0.9", "tab", *"END|\\n", "tab", *"jsn", "tab", *"{}", "f4"]
        await pilot.press(*keys)
        await wait_for_text(pilot, "response format: json, or a JSON schema")
        await pilot.press(*"json", "f4")
        await wait_for_text(pilot, 'every function needs a "name"')
        tools = '[{"name": "f", "parameters": {}}]'
        app.screen.query_one("#tools").value = tools
        await pilot.press("f4")
        await wait_for_text(pilot, "top-p 0.9 · stop 2 · tools 1 · JSON")
        await ask(app, pilot, "go")
        body = server.asked[0]
        assert (body["top_p"], body["stop"]) == (0.9, ["END", "\n"])
        assert body["response_format"] == {"type": "json_object"}
        assert body["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {}}}]


def test_settings_as_they_are_typed() -> None:
    assert stops_of("a| b|\\n") == ("a", " b", "\n")
    assert stops_of(stops_text(("x\n", "y"))) == ("x\n", "y")
    with pytest.raises(ValueError, match="at most 4"):
        stops_of("a|b|c|d|e")
    schema = {"type": "object", "properties": {}}
    made = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert format_of(json.dumps(schema)) == made
    assert format_of(json.dumps(made)) == made
    assert format_of("text") is None
    assert tools_of("") == ()
    for bad in ("[1]", "{", '[{"function": 1}]'):
        with pytest.raises(ValueError, match="tools"):
            tools_of(bad)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"prompt_tokens": 10, "tokens": 77, "max_tokens": 77}, "cut at max tokens (77)"),
        ({"prompt_tokens": 480, "tokens": 32, "max_tokens": 77, "context": 512}, "480 + 32 of 512"),
        ({"prompt_tokens": 480, "tokens": 32, "max_tokens": 77}, "the context is full: 480 + 32 t"),
        ({"prompt_tokens": 480, "tokens": 32, "context": 512}, "480 + 32 of 512 tokens"),
        ({"prompt_tokens": 10, "tokens": 1024}, "cut after 1,024 tokens, the provider's own"),
        ({"prompt_tokens": None, "tokens": 4, "counted": False}, "max tokens or by the end of the"),
    ],
)
def test_max_tokens_and_the_end_of_the_context_are_told_apart(
    facts: dict[str, Any], said: str
) -> None:
    assert said in view.cut_short({"counted": True, **facts})


@pytest.mark.parametrize(
    ("end", "facts", "said"),
    [
        ("content_filter", {}, "stopped by the provider's content filter"),
        ("stop", {"refused": True}, "the model declined to answer"),
        ("tool_calls", {}, "what you write next is its result"),
        ("left", {}, "fttui was closed during this answer"),
        ("eos", {}, ""),
    ],
)
def test_how_an_answer_ended_is_said_under_it(end: str, facts: dict[str, Any], said: str) -> None:
    reply = Reply("m", 0, "text", end, facts)
    shown = view.of_turn(Turn("q"), reply, "m", view.Look())
    assert [block.text for block in shown][:3] == ["q", "", "text"]
    assert said in (shown[-1].text if len(shown) > 3 else "")


async def test_nothing_is_written_before_and_everything_after_sending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(monkeypatch, {"m": Script(["ok"])}) as (app, pilot, _):
        assert app.state.find_chats() == []
        await ask(app, pilot, "go")
        assert [row["turns"] for row in app.state.find_chats()] == [1]
        await pilot.press("f8")
        await wait_for_text(pilot, "1 prompt")
        await pilot.press("ctrl+x")
        await wait_for_text(pilot, "Delete this conversation?")
        await pilot.press("y")
        await wait_until(pilot, lambda: app.state.find_chats() == [], "deleted")


async def test_ctrl_j_is_named_where_a_new_line_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """alt+enter does not come through tmux."""
    async with talking(monkeypatch, {"m": Script()}, size=(80, 24)) as (app, pilot, _):
        await pilot.pause()
        assert "^j line" in screen_text(app)


async def test_a_model_in_the_making_is_offered_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from fttui.service.types import Job

    async with talking(monkeypatch, {"m": Script()}) as (app, pilot, _):
        job = Job("ftjob-1", "m", "running", suffix="support", total_steps=90, trained_steps=30)
        app.change(job=job)
        await pilot.press("f2")
        await wait_for_text(pilot, "result of support")
        assert "not ready: running, step 30 of 90" in screen_text(app)


def test_a_voice_is_kept_as_text() -> None:
    for voice in (Voice("m"), Voice("a/b:c", "p"), Voice("m", "", 3), Voice("m", "p", 10)):
        assert Voice.of(str(voice)) == voice
    assert str(Voice("plain")) == "plain"
    assert say(Voice("m", "p", 3).title).plain == "m + 3 examples @ p"
