"""What is kept of an evaluation: listed, reopened without asking anybody, and written to files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fttui import samples
from fttui.evaluate.records import Answer
from fttui.pricing.catalog import load_or_shipped
from fttui.problem import Problem
from fttui.service import eval_export, eval_history, eval_ready, eval_result, eval_store
from fttui.service.eval_planner import Planner
from fttui.service.eval_setup import Setup
from fttui.service.eval_store import Kept, Store
from fttui.service.evaluation import Evaluation
from fttui.service.provider import Provider

CHAT = "/chat/completions"
HELD, TRAIN = samples.heldout("extraction"), samples.path("extraction")
SETUP = Setup(HELD, ("base=m-base", "tuned=m-tuned"), sample=6, train=TRAIN)


@pytest.fixture
def planner(provider: Provider) -> Planner:
    return Planner(lambda name: provider, ())


async def run(planner: Planner, path: Path, setup: Setup = SETUP) -> eval_result.Result:
    plan = planner.plan(setup)
    store = Store(path, resume=True)
    try:
        eval_history.begun(store, setup, plan)
        outcome = await Evaluation(plan, store).run()
        done = eval_result.result(setup, plan, outcome, load_or_shipped())
        eval_history.ended(store, done.note())
    finally:
        store.close()
    return done


def test_a_set_up_survives_the_way_through_json(tmp_path: Path) -> None:
    whole = Setup(
        tmp_path / "a.jsonl", ("a=b@c",), ("json", "rubric:x"), "j", "", ("zero-shot", "few-shot:3"),
        "b", tmp_path / "t.jsonl", 5, 1, 0.5, 99, 7, "p",
    )  # fmt: skip
    assert Setup.from_dict(json.loads(json.dumps(whole.as_dict()))) == whole
    assert Setup.from_dict({**whole.as_dict(), "of_a_later_version": 1}) == whole
    with pytest.raises(Problem):
        Setup.from_dict({"models": ["a"]})


async def test_it_is_listed_with_its_figures_and_reopened_without_a_question(
    server: Any, planner: Planner
) -> None:
    done = await run(planner, eval_store.folder() / "a.jsonl")
    asked = server.count("POST", CHAT)
    (past,) = eval_history.listing()
    assert past.setup == SETUP
    assert past.complete
    assert [row["model"] for row in past.figures["models"]] == ["base", "tuned"]
    again = eval_ready.make(planner, past.setup, load_or_shipped(), past.path)
    assert (again.left, again.cost) == (0, "free")
    store = Kept(past.path)
    before = past.path.read_bytes()
    outcome = await Evaluation(again.plan, store).review()
    store.close()
    assert outcome.rows == done.outcome.rows
    assert server.count("POST", CHAT) == asked
    assert past.path.read_bytes() == before


async def test_what_was_not_asked_stays_open_and_is_not_asked_by_looking(
    server: Any, planner: Planner
) -> None:
    path = eval_store.folder() / "a.jsonl"
    await run(planner, path)
    asked = server.count("POST", CHAT)
    wider = replace(SETUP, sample=None, models=(*SETUP.models, "m-third"))
    ready = eval_ready.make(planner, wider, load_or_shipped(), path)
    assert ready.left == 48 - 12
    outcome = await Evaluation(ready.plan, Kept(path)).review()
    assert sum(row.answer is not None for row in outcome.rows) == 12
    assert not outcome.complete
    assert server.count("POST", CHAT) == asked


async def test_a_judge_that_was_not_asked_fails_its_row_with_that(
    server: Any, planner: Planner
) -> None:
    path = eval_store.folder() / "a.jsonl"
    await run(planner, path)
    judged = replace(SETUP, graders=("rubric:Is it right?",), judge="m-judge")
    outcome = await Evaluation(planner.plan(judged), Kept(path)).review()
    assert {row.grades["rubric"].error for row in outcome.rows} == {"the judge was not asked yet"}


async def test_the_last_set_up_of_a_file_counts_and_figures_only_after_it(
    planner: Planner,
) -> None:
    path = eval_store.folder() / "a.jsonl"
    await run(planner, path)
    store = Store(path, resume=True)
    later = replace(SETUP, seed=4)
    eval_history.begun(store, later, planner.plan(later))
    store.close()
    (past,) = eval_history.listing()
    assert past.setup.seed == 4
    assert not past.complete
    assert past.figures == {}


def test_files_of_others_are_not_listed(tmp_path: Path) -> None:
    for name, text in (("empty", b""), ("text", b"hello"), ("odd", b'{"evaluation": [1]}\n'),
                       ("bare", b'{"key": "k", "answer": {"text": "\\"evaluation\\""}}\n'),
                       ("bin", bytes(range(256)))):  # fmt: skip
        (tmp_path / f"{name}.jsonl").write_bytes(text)
    assert eval_history.listing(tmp_path) == []
    assert eval_history.listing(tmp_path / "nowhere") == []


def test_a_run_without_an_answer_leaves_no_file(tmp_path: Path, planner: Planner) -> None:
    path = tmp_path / "a.jsonl"
    store = Store(path)
    eval_history.begun(store, SETUP, planner.plan(SETUP))
    store.close()
    assert not path.exists()
    store = Store(path)
    store.put("k", Answer("x"))
    store.close()
    assert path.exists()


async def test_markdown_escapes_what_comes_from_outside(
    server: Any, planner: Planner, tmp_path: Path
) -> None:
    server.answers = ["# [a](b) | <b>\x1b[31m"]
    done = await run(planner, tmp_path / "a.jsonl")
    eval_export.write(tmp_path / "out.md", done)
    text = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\\# \\[a\\](b) \\| \\<b\\>" in text
    assert "| tuned | 0 of 6 | 0 to 39 % |" in text
    assert "## What to add next" in text
    assert "6 × the answer is not JSON" in text
    with pytest.raises(Problem, match="is there already"):
        eval_export.write(tmp_path / "out.md", done)
    with pytest.raises(Problem, match="no kind of file"):
        eval_export.write(tmp_path / "out.txt", done)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl", "out.md"]
