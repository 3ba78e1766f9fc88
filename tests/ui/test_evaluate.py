"""Evaluate: the set-up, the run, what came of it, and that the command says the same."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eval_help import (
    BASE,
    HELD,
    TRAIN,
    TUNED,
    Answering,
    counted,
    evaluating,
    expected,
    finished,
    opened,
    page,
    start,
    tuned_knows,
)
from scripted import Script
from test_checkpoints import three_jobs
from ui_help import screen_text, wait_for_text, wait_until

from fttui import cli
from fttui.local import launch as local
from fttui.ui.app import FttuiApp
from fttui.ui.dialogs.choose import Choose
from fttui.ui.dialogs.confirm import Confirm
from fttui.ui.dialogs.prompt import Prompt
from fttui.ui.evaluate.advice import AdviceDialog
from fttui.ui.screens.data import DataScreen
from fttui.ui.screens.evaluate import EvaluateScreen

LONG = 90.0  # seconds a real model may take on a busy machine
TIMES = ("seconds_median", "seconds_p95", "first_token_median")


def flat(app: FttuiApp) -> str:
    """The screen's words, wherever a line was broken."""
    return " ".join(screen_text(app).replace("│", " ").split())


async def run_all(app: FttuiApp, pilot: Any) -> None:
    await start(app, pilot)
    await finished(app, pilot)


async def typed(app: FttuiApp, pilot: Any, text: str) -> None:
    """Answer the prompt that is open."""
    await wait_until(pilot, lambda: isinstance(app.screen, Prompt), "a prompt")
    from textual.widgets import Input

    app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await pilot.pause()


async def chosen(app: FttuiApp, pilot: Any, text: str) -> None:
    """Take the choice that begins so."""
    await wait_until(pilot, lambda: isinstance(app.screen, Choose), "a choice")
    dialog = app.screen
    assert isinstance(dialog, Choose)
    value = next(c.value for c in dialog._all if text in (c.title, c.value) or text in c.title)
    dialog.dismiss(value)
    await pilot.pause()


async def at_line(app: FttuiApp, pilot: Any, key: str) -> None:
    """Put the cursor of the form on a line, and open it."""
    place = [line.key for line in page(app)._lines].index(key)
    page(app).form.cursor = place
    await pilot.press("enter")
    await pilot.pause()


# -- the set-up


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_set_up_is_guessed_from_the_work_at_hand(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12), size=size) as (app, pilot, server):
        text = screen_text(app)
        assert "extraction-heldout.jsonl  the validation file" in text
        assert "all 16" in text
        assert "extraction.jsonl  60 examples" in text
        assert "base · m-base" in text
        assert "tuned · orders 8Q2" in text
        assert "auto → json  every answer is JSON" in text
        assert "32 questions" in text
        assert server.asked == []
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.current_mode == "data", "where it came from")


async def test_chat_and_checkpoints_lead_here_and_escape_leads_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, _):
        app.go("chat")
        await wait_for_text(pilot, "f12 evaluate")
        await pilot.press("f12")
        await wait_until(pilot, lambda: isinstance(app.screen, EvaluateScreen), "the page")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.current_mode == "chat", "Chat")
        app.go("checkpoints")
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "Checkpoints")
        app.run_by_id("app.evaluate")  # as the palette does
        await wait_until(pilot, lambda: isinstance(app.screen, EvaluateScreen), "the page")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "Checkpoints")


async def test_a_checkpoint_comes_with_its_base_and_the_final_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, _):
        await three_jobs(app, pilot)
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "Checkpoints")
        await wait_for_text(pilot, "Checkpoints 5")
        await pilot.press("home", "down", "V")
        await wait_until(pilot, lambda: isinstance(app.screen, EvaluateScreen), "the page")
        await counted(app, pilot)
        labels = [text.partition("=")[0] for text in page(app).setup.models]
        assert labels[:2] == ["base", "step 20"]
        assert "step 20 · " in screen_text(app)
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.current_mode == "checkpoints", "back")


async def test_graders_models_and_numbers_are_edited_line_by_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        await at_line(app, pilot, "grader:add")
        await chosen(app, pilot, "regex")
        await typed(app, pilot, "regex:(")
        assert "unterminated subpattern" in flat(app)
        await typed(app, pilot, "regex:customer")
        await at_line(app, pilot, "grader:add")
        await chosen(app, pilot, "text_similarity")
        await wait_for_text(pilot, '"pass_threshold": 0.8')
        await pilot.press("enter")
        await at_line(app, pilot, "grader:1")
        await chosen(app, pilot, "let it decide")
        assert page(app).setup.graders[0] == "regex:customer"
        await at_line(app, pilot, "sample")
        await typed(app, pilot, "5")
        await pilot.press("m")
        await chosen(app, pilot, "another name")
        await typed(app, pilot, "m-third")
        await counted(app, pilot)
        assert "15 questions" in screen_text(app)
        place = [line.key for line in page(app)._lines].index("model:0")
        page(app).form.cursor = place
        await pilot.press("x")
        await counted(app, pilot)
        assert "10 questions" in screen_text(app)
        server.models["m-third"] = Script()
        await run_all(app, pilot)
        assert {body["model"] for body in server.asked} == {TUNED, "m-third"}
        assert page(app).done.summary.graders[0] == "regex:customer"
        await pilot.press("d")
        assert "auto" not in screen_text(app)
        assert len({body["messages"][-1]["content"] for body in server.asked}) == 5


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_without_a_dataset_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with Answering({BASE: Script()}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        app = FttuiApp(profile="openai")
        async with app.run_test(size=size) as pilot:
            await wait_until(pilot, lambda: app.backend.profile_if_known, "the configuration")
            app.do_evaluate()
            await wait_for_text(pilot, "choose one")
            await pilot.press("s")
            await pilot.pause()
            assert "choose a held-out file first" in app.notices[-1].message
            await at_line(app, pilot, "file")
            await typed(app, pilot, str(HELD))
            await pilot.press("m")
            await chosen(app, pilot, BASE)
            await counted(app, pilot)
            page(app).form.cursor = len(page(app)._lines) - 1
            await wait_for_text(pilot, "16 questions")


async def test_a_rubric_asks_for_its_judge_who_also_compares_in_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reply(body: dict[str, Any]) -> Script:
        if body["model"] != "m-judge":
            return Script(["yes"] if body["model"] == TUNED else ["no"])
        said = str(body["messages"])
        if "Answer A" in said:
            return Script(['{"result": "A"}' if "Answer A:\\nyes" in said else '{"result": "B"}'])
        return Script(['{"result": 1}' if "The answer:\\nyes" in said else '{"result": 0.25}'])

    async with evaluating(monkeypatch, reply) as (app, pilot, server):
        server.models["m-judge"] = Script()
        await at_line(app, pilot, "grader:0")
        await chosen(app, pilot, "rubric")
        await typed(app, pilot, "rubric:Is it yes?")
        await chosen(app, pilot, "m-judge")
        await at_line(app, pilot, "pairwise")
        await pilot.press("enter")
        await pilot.pause()
        await at_line(app, pilot, "sample")
        await typed(app, pilot, "3")
        await counted(app, pilot)
        text = screen_text(app)
        assert "rubric:Is it yes?" in text
        assert "yes, by the usual rubric" in text
        await run_all(app, pilot)
        assert len(server.asked) == 6 + 6 + 6  # answers, scores, pairs both ways
        text = flat(app)
        assert "by the judge: " in text
        assert page(app).done.summary.of("tuned").scores["rubric"].mean == 1.0
        assert page(app).done.summary.of("base").scores["rubric"].mean == 0.25
        assert len(page(app).done.summary.judged[0].wins) == 3


async def test_a_file_that_was_trained_on_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, _):
        await at_line(app, pilot, "file")
        await typed(app, pilot, "/nowhere.jsonl")
        assert "no such file" in flat(app)
        await typed(app, pilot, str(TRAIN))
        await counted(app, pilot)
        assert "it was trained on: the score says nothing of new prompts" in screen_text(app)


async def test_what_cannot_be_planned_says_why_and_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = Path("bad.jsonl")
    bad.write_text('{"messages": []}\n')
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        await at_line(app, pilot, "file")
        await typed(app, pilot, str(bad))
        await wait_for_text(pilot, "holds nothing that can be asked")
        await pilot.press("s")
        await pilot.pause()
        assert server.asked == []
        assert "holds nothing that can be asked" in app.notices[-1].message


# -- a run and its results


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_table_the_sentence_and_the_prompt_in_full(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    wrong = '{"customer": "Nadia Quist", "item": "picture frames", "quantity": 57, "x": 1}'
    async with evaluating(monkeypatch, tuned_knows(12, wrong=wrong), size=size) as (app, pilot, _):
        await run_all(app, pilot)
        text = screen_text(app)
        rows = [line.replace("│", " ").split() for line in text.splitlines()]
        assert next(row for row in rows if row[:1] == ["base"])[1:4] == ["0", "of", "16"]
        tuned = next(row for row in rows if row[:2] == ["★", "tuned"])
        assert tuned[2:10] == ["12", "of", "16", "51", "to", "90", "%", "0.775"]
        assert "tuned is better than base on 12 of 16, worse on 0, p < 0.001" in text
        assert "tuned 12 of 16" in text.splitlines()[0]  # the thread says it too
        assert "tuned fails · 4 prompts" in text
        await pilot.press("enter")
        await wait_for_text(pilot, "line 13")
        view = page(app).report.text.text()
        assert "I do not know. [bold" in view
        assert "the answer is not JSON" in view
        assert "✓ customer" in view
        assert "✗ quantity  75 → 57" in view
        assert '✗ city      "Linz" → nothing' in view
        assert "+ x  was not asked for" in view
        await pilot.press("escape")
        await pilot.press("f")
        await chosen(app, pilot, "tuned better than base")
        assert "tuned better than base · 12 prompts" in screen_text(app)
        await pilot.press("f")
        await chosen(app, pilot, "tuned worse than base")
        await wait_for_text(pilot, "tuned worse than base · 0 prompts")


async def test_stopped_it_keeps_what_came_and_goes_on_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        server.free = 9
        await start(app, pilot)
        await wait_until(
            pilot, lambda: (page(app).runner.progress() or None) is not None, "progress"
        )
        await wait_until(pilot, lambda: page(app).runner.progress().done >= 9, "nine answers")
        await wait_for_text(pilot, "9 of 32 answers")
        assert "4 out" in screen_text(app)
        assert "An evaluation is running" in app.backend.busy()
        await wait_for_text(pilot, "evaluating 28%")  # in the thread's line
        await pilot.press("escape")
        await wait_for_text(pilot, "Not finished")
        assert "s asks the rest" in screen_text(app)
        assert "prompts without an answer, not counted" in screen_text(app)
        assert not app.backend.busy()
        server.free = None
        server.go.set()
        await counted(app, pilot)
        before = len(server.asked)
        await run_all(app, pilot)
        assert "12 of 16" in screen_text(app)
        assert len(server.asked) - before == 32 - 9


async def test_stopped_before_the_first_answer_there_is_nothing_to_show_and_nothing_kept(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        server.free = 0
        await start(app, pilot)
        await wait_for_text(pilot, "0 of 32 answers")
        await pilot.press("x")
        await wait_for_text(pilot, "Not finished")
        assert "16 prompts without an answer" in screen_text(app)
        assert list((home / "state").glob("evaluations/*")) == []
        await pilot.press("w")
        await wait_until(pilot, lambda: "no answer of tuned" in app.notices[-1].message, "nothing")
        await pilot.press("n")
        await wait_for_text(pilot, "Training examples like line 1")  # needs no answer
        server.go.set()


async def test_other_areas_can_be_visited_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        server.free = 3
        await start(app, pilot)
        await wait_for_text(pilot, "3 of 32 answers")
        await pilot.press("2")
        await wait_until(pilot, lambda: app.current_mode == "check", "Check")
        server.free = None
        server.go.set()
        await wait_for_text(pilot, "tuned 12 of 16")
        assert app.current_mode == "check"
        app.do_evaluate()
        await finished(app, pilot)
        assert "tuned is better than base" in screen_text(app)


async def test_too_many_requests_are_waited_for_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async with evaluating(monkeypatch, tuned_knows(16)) as (app, pilot, server):
        server.limited = 2
        await start(app, pilot)
        await wait_for_text(pilot, "too many requests: waits")
        await finished(app, pilot)
        assert "16 of 16" in screen_text(app)


async def test_a_wrong_key_ends_it_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async with evaluating(monkeypatch, lambda body: Script(end="401")) as (app, pilot, _):
        await start(app, pilot)
        await wait_for_text(pilot, "refused with [401]")
        await pilot.press("escape")
        await wait_for_text(pilot, "Not finished")
        assert not app.backend.busy()


async def test_a_baseline_is_one_key_and_asks_only_its_own_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        await run_all(app, pilot)
        assert len(server.asked) == 32
        await pilot.press("b")
        await counted(app, pilot)
        text = screen_text(app)
        assert "zero-shot; few-shot, 3 examples" in text
        assert "32 of 48 answers are known from before" in text
        await run_all(app, pilot)
        assert len(server.asked) == 48
        assert [len(body["messages"]) for body in server.asked[32:]] == [8] * 16
        text = screen_text(app)
        assert "base + 3 examples" in text
        assert "corrected for 3 comparisons" in text


async def test_money_is_asked_for_and_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    model = "gpt-4.1-mini-2025-04-14"
    async with evaluating(monkeypatch, tuned_knows(12), models=(model,)) as (app, pilot, server):
        assert "about $0.00" in screen_text(app)
        await pilot.press("s")
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        assert "16 questions to 127.0.0.1" in flat(app)
        await pilot.press("n")
        assert server.asked == []
        await start(app, pilot)
        await finished(app, pilot)
        row = app.state.journal_rows()[0]
        # 16 answers: 10 tokens in, 5 out, at 0.40 and 1.60 for a million
        assert (row["kind"], row["subject"]) == ("evaluation", model)
        assert Decimal(row["amount"]) == 16 * Decimal("0.000012")
        await counted(app, pilot)
        await run_all(app, pilot)  # graded again: nothing is asked, nothing is paid
        assert len(app.state.journal_rows()) == 1


# -- what is wrong with an answer by itself


async def test_cut_refused_and_ungraded_answers_are_shown_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = [("one", "1"), ("two", "2"), ("three", "none"), ("four", "4")]
    held = tmp_path / "held.jsonl"
    held.write_text("".join(
        json.dumps({"messages": [{"role": "user", "content": prompt},
                                 {"role": "assistant", "content": answer}]}) + "\n"
        for prompt, answer in rows
    ))  # fmt: skip
    ends = {"one": "length", "two": "content_filter"}

    def reply(body: dict[str, Any]) -> Script:
        said = body["messages"][-1]["content"]
        text = [] if ends.get(said) == "content_filter" else ["4"]
        return Script(text, end=ends.get(said, "stop"))

    async with evaluating(monkeypatch, reply, models=(BASE,), data=(TRAIN, held)) as (
        app,
        pilot,
        _,
    ):
        await at_line(app, pilot, "grader:0")
        await chosen(app, pilot, "number")
        await typed(app, pilot, "number")
        await counted(app, pilot)
        await run_all(app, pilot)
        text = flat(app)
        assert "1 answer cut at the token limit" in text
        assert "1 answer taken away by the provider's content filter" in text
        assert "1 row could not be graded" in text
        assert "1 of 4" in text
        await pilot.press("f")
        await chosen(app, pilot, "not graded")
        await wait_for_text(pilot, "not graded: the reference 'none' holds no number")
        await pilot.press("f")
        await chosen(app, pilot, "cut, refused or filtered")
        await wait_for_text(pilot, "⚠ cut at the token limit")
        await pilot.press("tab", "down")
        await pilot.press("w")
        await wait_until(pilot, lambda: isinstance(app.screen, AdviceDialog), "the advice")
        assert "raise the token limit first" in flat(app) or "cut at the token limit" in flat(app)


async def test_labels_get_a_confusion_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = tmp_path / "held.jsonl"
    labels = ["refund", "delivery", "refund", "delivery", "refund", "refund"]
    held.write_text("".join(
        json.dumps({"messages": [{"role": "user", "content": f"mail {at} about {label}"},
                                 {"role": "assistant", "content": label}]}) + "\n"
        for at, label in enumerate(labels)
    ))  # fmt: skip

    def reply(body: dict[str, Any]) -> Script:
        return Script(
            ["delivery" if "mail 0" in str(body) else body["messages"][-1]["content"][13:]]
        )

    async with evaluating(monkeypatch, reply, models=(BASE,), data=(TRAIN, held)) as (
        app,
        pilot,
        _,
    ):
        assert "2 labels come again and again" in screen_text(app)
        await run_all(app, pilot)
        await pilot.press("c")
        await wait_for_text(pilot, "expected down, said across")
        rows = [line.split() for line in page(app).report.text.text().splitlines()]
        assert ["refund", "3", "1", "75", "%"] in rows
        assert ["delivery", "0", "2", "100", "%"] in rows
        await pilot.press("escape")
        await pilot.press("w")
        await wait_for_text(pilot, "“refund” is said to be something else")


# -- onwards


async def test_the_nearest_training_example_is_opened_in_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, _):
        await run_all(app, pilot)
        await pilot.press("n")
        await wait_for_text(pilot, "Training examples like line 13")
        dialog = app.screen
        assert isinstance(dialog, Choose)
        line = int(dialog._all[0].value)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, DataScreen), "Data")
        assert app.thread.row == line - 1
        assert app.thread.path == TRAIN
        await wait_for_text(pilot, "line 40" if line == 40 else f"{line}")


async def test_what_to_add_next_shows_a_group_and_its_prompts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = expected()

    def reply(body: dict[str, Any]) -> Script:
        prompt = body["messages"][-1]["content"]
        right = json.loads(known[prompt])
        place = list(known).index(prompt)
        if place in (1, 4, 6):
            right["city"] = "Nowhere"
        if place == 6:
            del right["quantity"]
        return Script([json.dumps(right)])

    async with evaluating(monkeypatch, reply, models=(TUNED,)) as (app, pilot, _):
        await run_all(app, pilot)
        await pilot.press("w")
        await wait_for_text(pilot, "What to add next, by 3 failing prompts")
        text = flat(app)
        assert "3 × “city” is another" in text
        assert "1 × “quantity” is missing" in text
        assert "Grouped by what is wrong" in text
        assert "60 of 60 training examples have it" in text
        await pilot.press("enter")
        await wait_for_text(pilot, "“city” is another · 3 prompts")
        shown = page(app).report.prompts
        assert [shown.row_text(at).split()[1] for at in range(3)] == ["2", "5", "7"]


async def test_past_ones_are_reopened_as_they_were_and_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        await run_all(app, pilot)
        said = page(app).done.summary.as_dict()
        await pilot.press("escape")
        await at_line(app, pilot, "settings")
        await typed(app, pilot, "temperature 0.5, seed 0, tokens auto")
        await counted(app, pilot)
        page(app)._path = None  # a file of its own, as after a restart
        await at_line(app, pilot, "sample")
        await typed(app, pilot, "8")
        await counted(app, pilot)
        server.free = 5
        await start(app, pilot)
        await wait_for_text(pilot, "5 of 16 answers")
        await pilot.press("x")
        await wait_for_text(pilot, "Not finished")
        async with opened(monkeypatch, server) as (other, second):
            asked = len(server.asked)
            await second.press("h")
            await wait_until(second, lambda: isinstance(other.screen, Choose), "the past")
            text = screen_text(other)
            assert "tuned 12 of 16, base 0" in text
            assert "not finished" in text
            await chosen(other, second, "tuned 12 of 16")
            await wait_for_text(second, "tuned is better than base on 12 of 16")
            assert page(other).done.summary.as_dict() == said
            await second.press("h")
            await chosen(other, second, "not finished")
            await wait_for_text(second, "Not finished")
            assert len(server.asked) == asked
            assert page(other).setup.temperature == 0.5
            server.free = None
            server.go.set()
            await counted(other, second)
            await start(other, second)
            await wait_for_text(second, "Results")
            assert len(server.asked) - asked == 16 - 5
            assert {body["temperature"] for body in server.asked[asked:]} == {0.5}


async def test_it_is_saved_and_nothing_is_overwritten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, _):
        await run_all(app, pilot)
        await pilot.press("e")
        await typed(app, pilot, str(tmp_path / "out.txt"))
        assert "end it in .md, .csv or .json" in flat(app)
        await pilot.press("escape")
        made = {}
        for kind in ("md", "csv", "json"):
            path = tmp_path / f"out.{kind}"
            await pilot.press("e")
            await typed(app, pilot, str(path))
            await wait_until(pilot, path.exists, "the file")
            made[kind] = path.read_text(encoding="utf-8")
        rows = list(csv.DictReader(made["csv"].splitlines()))
        assert len(rows) == 32
        assert sum(int(row["passed"]) for row in rows) == 12
        found = json.loads(made["json"])
        assert found["candidate"] == "tuned"
        assert found["models"][1]["scores"]["json"]["right"] == 12
        assert found["add_next"]["groups"][0]["count"] == 4
        assert "| tuned | 12 of 16 | 51 to 90 % |" in made["md"]
        assert "## tuned: 4 failing prompts" in made["md"]
        await pilot.press("e")
        await typed(app, pilot, str(tmp_path / "out.md"))
        assert "is there already" in flat(app)
        assert (tmp_path / "out.md").read_text(encoding="utf-8") == made["md"]


# -- the same numbers as the command


def without_times(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in models]


def same(pane: dict[str, Any], command: dict[str, Any]) -> None:
    """Everything but the seconds."""
    assert without_times(pane["models"]) == without_times(command["models"])
    for name in ("comparisons", "graders", "judged"):
        assert pane[name] == command[name]


async def by_command(argv: list[str]) -> dict[str, Any]:
    """What `fttui eval` prints as JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert await asyncio.to_thread(cli.main, argv) == 0
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


async def test_the_command_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with evaluating(monkeypatch, tuned_knows(12)) as (app, pilot, server):
        await pilot.press("b")
        await counted(app, pilot)
        await run_all(app, pilot)
        pane = page(app).done
        argv = ["eval", str(HELD), "--models", f"base={BASE},tuned={TUNED}", "--baseline",
                "zero-shot", "--baseline", "few-shot:3", "--train", str(TRAIN), "--yes",
                "--json"]  # fmt: skip
        command = await by_command(argv)
        same(pane.summary.as_dict(), command)
        assert pane.as_dict()["add_next"] == command["add_next"]
        assert pane.as_dict()["failing"] == command["failing"]
        asked = len(server.asked)
        await pilot.press("h")
        await wait_until(pilot, lambda: isinstance(app.screen, Choose), "the past")
        dialog = app.screen
        assert isinstance(dialog, Choose)
        assert len(dialog._all) == 2
        await chosen(app, pilot, command["output"])  # the command's own file, opened in the pane
        await finished(app, pilot)
        same(page(app).done.summary.as_dict(), command)
        assert len(server.asked) == asked


@pytest.fixture
def server(home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A local server of the test's own, started by the app itself, with a tiny base model."""
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(tiny_model))
    yield
    local.stop(home / "data")


def write_short(path: Path, count: int, first: int = 0) -> Path:
    """Examples short enough for the tiny model's context."""
    with path.open("w", encoding="utf-8") as file:
        for at in range(first, first + count):
            turns = [{"role": "user", "content": f"say {at}"},
                     {"role": "assistant", "content": f"the {at} as a user asked"}]  # fmt: skip
            file.write(json.dumps({"messages": turns}) + "\n")
    return path


async def evaluate_here(
    data: tuple[Path, Path], graders: tuple[str, ...], **changes: Any
) -> tuple[dict[str, Any], str]:
    """On the local profile, the base and a one-shot baseline, in the pane: (summary, the screen)."""
    from dataclasses import replace

    app = FttuiApp(*data, "local")
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "the scan")
        app.do_evaluate(["smollm2-135m-instruct"])
        await wait_until(pilot, lambda: isinstance(app.screen, EvaluateScreen), "the page")
        await counted(app, pilot)
        page(app).set_up(
            replace(page(app).setup, graders=graders, baselines=("few-shot:1",), **changes)
        )
        await counted(app, pilot)
        assert "cost           free" in screen_text(app)
        await start(app, pilot)
        await finished(app, pilot, LONG)
        return page(app).done.summary.as_dict(), screen_text(app)


async def by_command_here(data: tuple[Path, Path], *argv: str) -> dict[str, Any]:
    """The same by `fttui eval`."""
    model = "smollm2-135m-instruct"
    return await by_command(
        ["eval", str(data[1]), "--models", f"base={model}", "--baseline", "few-shot:1",
         "--train", str(data[0]), "--profile", "local", "--json", *argv],
    )  # fmt: skip


async def test_the_local_server_answers_the_pane_and_the_command_alike(
    server: None, tmp_path: Path
) -> None:
    data = write_short(tmp_path / "train.jsonl", 12), write_short(tmp_path / "held.jsonl", 6, 50)
    graders = ("fuzzy_match", "exact")
    pane, shown = await evaluate_here(data, graders, max_tokens=12)
    command = await by_command_here(
        data, "--grader", "fuzzy_match", "--grader", "exact", "--max-tokens", "12"
    )
    same(pane, command)
    means = [row["scores"]["fuzzy_match"]["mean"] for row in pane["models"]]
    assert all(0 < mean < 1 for mean in means)
    for mean in means:
        assert f"{mean:.3f}" in shown
    assert "base + 1 example" in shown


@pytest.mark.real_model
async def test_the_real_model_on_the_shipped_sample_in_the_pane_and_by_the_command(
    home: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two held-out prompts: numbers, sentences and failures agree."""
    monkeypatch.setenv("FTTUI_BASE_MODEL", str(base_model))
    try:
        pane, shown = await evaluate_here((TRAIN, HELD), ("auto",), sample=2, max_tokens=40)
        command = await by_command_here((TRAIN, HELD), "--sample", "2", "--max-tokens", "40")
        same(pane, command)
        assert pane["models"][1]["scores"]["json"]["mean"] > 0  # one example teaches it the shape
        assert "of 2" in shown
    finally:
        local.stop(home / "data")
