"""The runner against a real socket: how many at once, what is kept, what is asked again, what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fttui import samples
from fttui.evaluate import cases, spec
from fttui.evaluate.model_graders import Pairwise
from fttui.evaluate.records import Answer
from fttui.pricing.catalog import load_or_shipped
from fttui.problem import Problem
from fttui.service import chat, eval_cost
from fttui.service.eval_gate import Gate
from fttui.service.eval_plan import Contestant, Plan, Progress, baseline
from fttui.service.eval_store import Store, path_for
from fttui.service.evaluation import ATTEMPTS, IN_A_ROW, Evaluation
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings

CHAT = "/chat/completions"


@pytest.fixture
def plan(provider: Provider) -> Plan:
    return make_plan(provider)


def make_plan(provider: Provider, **changes: Any) -> Plan:
    both = (Contestant("base", "m-base", provider), Contestant("tuned", "m-tuned", provider))
    made = Plan(
        cases.read(samples.heldout("extraction")), both, (spec.parse("json"),),
        ChatSettings(temperature=0.0, max_tokens=64), concurrency=4,
    )  # fmt: skip
    return replace(made, **changes)


def reply_by(server: Any, choose: Callable[[dict[str, Any]], str]) -> None:
    """The server answers with what `choose` makes of the request."""
    original = server._chat

    def chat(request: Any) -> Any:
        server.answers = [choose(request.json)]
        return original(request)

    server._chat = chat


def right_for_tuned(plan: Plan) -> Callable[[dict[str, Any]], str]:
    expected = {row.prompt: row.expected for row in plan.cases.rows}
    return lambda body: (
        expected[body["messages"][-1]["content"]] if body["model"] == "m-tuned" else "no"
    )


async def run(plan: Plan, path: Path, **options: Any) -> Any:
    store = Store(path, resume=True)
    try:
        return await Evaluation(plan, store, **options).run()
    finally:
        store.close()


async def test_every_model_is_asked_every_prompt(server: Any, plan: Plan, tmp_path: Path) -> None:
    reply_by(server, right_for_tuned(plan))
    seen: list[Progress] = []
    outcome = await run(plan, tmp_path / "a.jsonl", on_progress=seen.append)
    assert outcome.complete
    assert server.count("POST", CHAT) == 32
    assert [row.model for row in outcome.rows] == ["base"] * 16 + ["tuned"] * 16
    assert [row.case.line for row in outcome.rows[:16]] == list(range(1, 17))
    assert all(row.grades["json"].passed is (row.model == "tuned") for row in outcome.rows)
    assert seen[-1].done == seen[-1].total == 32
    assert seen[-1].scores == {"base": (0.0, 16), "tuned": (16.0, 16)}
    body = server.seen("POST", CHAT)[0].json
    assert (body["temperature"], body["max_tokens"]) == (0.0, 64)
    assert outcome.rows[0].answer.prompt_tokens == 5


async def test_what_was_answered_is_not_asked_again(
    server: Any, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    first = await run(plan, path)
    again = await run(plan, path)
    assert server.count("POST", CHAT) == 32
    assert again.rows == first.rows
    await run(replace(plan, settings=ChatSettings(temperature=0.5)), path)
    assert server.count("POST", CHAT) == 64  # other settings are other questions
    other = spec.parse("rouge_l")
    graded = await run(replace(plan, graders=(other,)), path)
    assert server.count("POST", CHAT) == 64  # another grader is not
    assert "rouge_l" in graded.rows[0].grades


async def test_the_same_prompt_twice_is_asked_twice(
    server: Any, plan: Plan, tmp_path: Path
) -> None:
    twice = cases.Cases((plan.cases.rows[0], replace(plan.cases.rows[0], line=2)))
    await run(replace(plan, cases=twice, concurrency=1), tmp_path / "a.jsonl")
    await run(replace(plan, cases=twice), tmp_path / "a.jsonl")
    assert server.count("POST", CHAT) == 4


async def test_cancelled_and_torn_it_goes_on_with_the_rest(
    server: Any, plan: Plan, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    store = Store(path)
    evaluation = Evaluation(plan, store)
    task = asyncio.create_task(evaluation.run())
    await server.until(lambda: len(store.answers) >= 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = len(store.answers)
    partial = evaluation.partial()
    assert len(partial.rows) == 32
    assert not partial.complete
    store.close()
    with path.open("ab") as file:
        file.write(b'{"key": "torn", "answ')  # killed while writing
    before = server.count("POST", CHAT)
    outcome = await run(plan, path)
    assert outcome.complete
    assert server.count("POST", CHAT) - before == 32 - kept


async def test_as_many_are_out_as_allowed_and_no_more(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out: list[int] = [0]
    original = chat.answer

    async def counted(*args: Any) -> Any:
        out.append(out[-1] + 1)
        try:
            return await original(*args)
        finally:
            out.append(out[-1] - 1)

    monkeypatch.setattr(chat, "answer", counted)
    await run(replace(plan, concurrency=3), tmp_path / "a.jsonl")
    assert max(out) == 3


async def test_too_many_requests_are_waited_for_as_told(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    limited = fault.Fault(
        429, fault.error("slow down", "rate_limit_exceeded"), {"retry-after": "0.3"}
    )
    server.fail("POST", CHAT, limited, times=6)
    seen: list[Progress] = []
    outcome = await run(plan, tmp_path / "a.jsonl", on_progress=seen.append)
    assert outcome.complete
    assert max(now.waiting for now in seen) > 0.1
    assert server.count("POST", CHAT) == 32 + 6


async def test_a_lost_connection_is_asked_again(
    server: Any, fault: Any, provider: Provider, plan: Plan, tmp_path: Path
) -> None:
    server.fail("POST", CHAT, fault.Fault(cut=True, body="x"), times=2)
    server.fail("POST", CHAT, fault.Fault(500, "broken"), times=2)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    outcome = await run(plan, tmp_path / "a.jsonl", sleep=sleep)
    assert outcome.complete
    assert len(slept) == 4


async def test_a_prompt_that_never_got_an_answer_is_missing_and_asked_by_the_next_run(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    async def sleep(seconds: float) -> None:
        pass

    path = tmp_path / "a.jsonl"
    server.fail("POST", CHAT, fault.Fault(500, "broken"), times=ATTEMPTS)
    outcome = await run(replace(plan, concurrency=1), path, sleep=sleep)
    assert not outcome.complete
    assert [row.case.line for row in outcome.rows if row.answer is None] == [1]
    assert outcome.problem.detail["status"] == 500
    before = server.count("POST", CHAT)
    assert (await run(plan, path)).complete
    assert server.count("POST", CHAT) == before + 1


async def test_a_wrong_key_ends_it_at_once(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    server.fail("POST", CHAT, fault.Fault(401, fault.error("bad key", "invalid_api_key")), times=99)
    with pytest.raises(Problem) as found:
        await run(plan, tmp_path / "a.jsonl")
    assert found.value.detail["status"] == 401
    assert server.count("POST", CHAT) <= plan.concurrency


async def test_a_prompt_that_is_refused_fails_its_row_only(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    server.fail("POST", CHAT, fault.Fault(400, fault.error("too long", "context_length_exceeded")))
    outcome = await run(replace(plan, concurrency=1), tmp_path / "a.jsonl")
    assert outcome.complete
    first = outcome.rows[0]
    assert first.grades["json"].error.startswith("Asking m-base failed. too long. Shorten")
    assert first.grades["json"].passed is False
    assert not any(row.answer.error for row in outcome.rows[1:])
    await run(plan, tmp_path / "a.jsonl")
    assert server.count("POST", CHAT) == 32  # it would be refused again: not asked again


async def test_a_model_that_refuses_everything_is_given_up(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    server.fail("POST", CHAT, fault.Fault(400, fault.error("no chat model", "bad")), times=99)
    with pytest.raises(Problem) as found:
        await run(replace(plan, concurrency=1), tmp_path / "a.jsonl")
    assert found.value.code == "refuses_all"
    assert server.count("POST", CHAT) <= 2 * IN_A_ROW


async def test_a_provider_that_is_gone_ends_it_and_keeps_what_came(
    server: Any, fault: Any, plan: Plan, tmp_path: Path
) -> None:
    async def sleep(seconds: float) -> None:
        pass

    path = tmp_path / "a.jsonl"
    store = Store(path)

    def break_it(now: Progress) -> None:
        if now.done == 8 and not server.faults:
            server.fail("POST", CHAT, fault.Fault(503, "down"), times=999)

    with pytest.raises(Problem) as found:
        await Evaluation(plan, store, on_progress=break_it, sleep=sleep).run()
    store.close()
    assert found.value.detail["status"] == 503
    assert 8 <= len(store.answers) < 32
    server.faults.clear()
    assert (await run(plan, path)).complete


async def test_a_judge_is_asked_through_the_same_door(
    server: Any, plan: Plan, tmp_path: Path
) -> None:
    def verdict(body: dict[str, Any]) -> str:
        if body["model"] != "judge":
            return "good" if body["model"] == "m-tuned" else "bad"
        return "A" if "Answer A:\ngood" in body["messages"][-1]["content"] else "B"

    reply_by(server, verdict)
    judged = replace(plan, pairwise=Pairwise("judge"), graders=(spec.parse("exact"),))
    outcome = await run(judged, tmp_path / "a.jsonl")
    grades = outcome.judged["base", "tuned"]
    assert sorted(grades) == list(range(1, 17))
    assert {grade.score for grade in grades.values()} == {1.0}
    assert server.count("POST", CHAT) == 32 + 32
    await run(judged, tmp_path / "a.jsonl")
    assert server.count("POST", CHAT) == 64  # verdicts are kept too


async def test_a_judge_that_talks_nonsense_fails_its_rows(
    server: Any, plan: Plan, tmp_path: Path
) -> None:
    body = {"type": "score_model", "name": "s", "model": "judge",
            "input": [{"role": "user", "content": "{{sample.output_text}}"}]}  # fmt: skip
    server.answers = ["hm"]
    outcome = await run(replace(plan, graders=(spec.from_json(body),)), tmp_path / "a.jsonl")
    assert outcome.complete
    assert all("gave no score" in row.grades["s"].error for row in outcome.rows)


async def test_shots_are_sent_before_the_question(server: Any, plan: Plan, tmp_path: Path) -> None:
    few = replace(plan.contestants[0], label="few", shots=2)
    training = cases.read(samples.path("extraction"))
    await run(replace(plan, contestants=(few,), training=training), tmp_path / "a.jsonl")
    roles = [row["role"] for row in server.seen("POST", CHAT)[0].json["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


def test_a_baseline_is_the_base_of_the_tuned_one(provider: Provider) -> None:
    named = [Contestant("a", "other", provider), Contestant("t", "ft:m-base:o::1", provider),
             Contestant("b", "third", provider)]  # fmt: skip
    assert baseline(named, 3).model == "m-base"
    assert baseline(named, 3).label == "m-base + 3 examples"
    assert baseline(named, 1, "other").label == "a + 1 example"
    assert baseline(named[:1], 0).model == "other"


async def test_tools_of_an_example_are_offered(server: Any, plan: Plan, tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    row = replace(plan.cases.rows[0], tools=(tool,))
    await run(replace(plan, cases=cases.Cases((row,))), tmp_path / "a.jsonl")
    assert server.seen("POST", CHAT)[0].json["tools"] == [tool]


def test_nothing_is_overwritten_and_only_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first = Store(path)
    first.note(x=1)
    with pytest.raises(Problem, match="is there already"):
        Store(path)
    with pytest.raises(Problem) as found:
        Store(path, resume=True)
    assert "another evaluation" in found.value.why
    first.close()
    Store(path, resume=True).close()
    empty = tmp_path / "empty.jsonl"
    Store(empty).close()
    assert not empty.exists()


def test_a_line_that_was_torn_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"key": "torn", "answ')
    store = Store(path, resume=True)
    store.put("whole", Answer("x"))
    store.close()
    again = Store(path, resume=True)
    assert list(again.answers) == ["whole"]
    again.close()


def test_resume_finds_the_newest_of_the_same_file_and_provider(tmp_path: Path, home: Path) -> None:
    data = tmp_path / "held [1].jsonl"
    first = path_for(data, "p", resume=True)
    store = Store(first)
    store.put("k", Answer("x"))
    store.close()
    assert path_for(data, "p", resume=True) == first
    assert path_for(data, "p", resume=False) != first
    assert path_for(data, "other", resume=True) != first


async def test_a_gate_halves_and_grows() -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    gate = Gate(8, sleep=sleep, clock=lambda: now)
    gate.refused(5)
    gate.refused(5)  # of the same burst: one step
    assert gate.limit == 4
    async with gate.slot():
        assert now == 5
        assert gate.out == 1
    for _ in range(4 * 4):
        gate.answered()
    assert gate.limit == 5
    inside: list[int] = []

    async def hold(leave: asyncio.Event) -> None:
        async with gate.slot():
            inside.append(gate.out)
            await leave.wait()

    leave = asyncio.Event()
    tasks = [asyncio.create_task(hold(leave)) for _ in range(7)]
    await asyncio.sleep(0)
    assert inside == [1, 2, 3, 4, 5]
    leave.set()
    await asyncio.gather(*tasks)
    assert len(inside) == 7
    assert max(inside) == 5
    for _ in range(1000):
        gate.answered()
    assert gate.limit == 8


def test_the_price_is_exact(provider: Provider) -> None:
    catalog = load_or_shipped()
    plan = make_plan(
        provider,
        contestants=(Contestant("b", "gpt-4.1-mini-2025-04-14", provider),
                     Contestant("t", "ft:gpt-4.1-mini-2025-04-14:o::x", provider),
                     Contestant("u", "unheard-of", provider)),
        settings=ChatSettings(max_tokens=100),
    )  # fmt: skip
    left = [(who, case) for who in plan.contestants for case in plan.cases.rows]
    base, tuned, unknown = eval_cost.prices(plan, left, catalog)
    millionth = Decimal("0.000001")
    assert base.least == millionth * (
        base.prompt_tokens * Decimal("0.4") + base.answer_tokens * Decimal("1.6")
    )
    assert tuned.most == millionth * (tuned.prompt_tokens * Decimal("0.8") + 1600 * Decimal("3.2"))
    assert unknown.least is None
    assert "no price is listed" in eval_cost.cost_text([base, unknown])
    assert eval_cost.cost_text(eval_cost.prices(plan, [], catalog)) == ""


def test_store_lines_are_json_with_the_answer_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.jsonl")
    answer = Answer("x\ud800\n", ({"name": "f", "arguments": "{}"},), seconds=1.5)
    store.put("k", answer, model="m")
    store.close()
    row = json.loads((tmp_path / "a.jsonl").read_bytes().decode("utf-8", "surrogatepass"))
    assert Answer.from_dict(row["answer"]) == answer
