from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from fttui.evaluate import graders, spec
from fttui.evaluate.model_graders import Pairwise, judge_pair
from fttui.evaluate.records import Answer, Case, Grade, Steps
from fttui.problem import Problem


def case(expected: str = "", **item: Any) -> Case:
    return Case(1, ({"role": "user", "content": "q"},), {"expected": expected, **item}, expected)


def grade(grader: str | dict[str, Any], text: str, expected: str = "", **item: Any) -> Grade:
    made = spec.parse(grader if isinstance(grader, str) else json.dumps(grader))
    return graders.grade(made, case(expected, **item), Answer(text))


@pytest.mark.parametrize(
    ("grader", "text", "expected", "right"),
    [
        ("exact", " Paris\n", "Paris", True),
        ("exact", "paris", "Paris", False),
        ("normalised", "ＰＡＲＩＳ", "paris", True),
        ("contains", "It is PARIS.", "paris", True),
        ("match", '{"b":1,"a":2}', '{"a": 2, "b": 1}', True),
        (r"regex:^\d{4}$", "2026", "", True),
        (r"regex:^\d{4}$", "20261", "", False),
        ("number", "The answer is 1,234.50 in all", "1234.5", True),
        ("number", "first 7, then 8", "7", False),
        ("number", "none", "7", False),
        ("number:0.1", "0.2", "0.1", True),
        ("number:0.1", "1.1", "1.0", True),  # 1.1 - 1.0 is a little more than 0.1 in floats
        ("number:0.1", "0.21", "0.1", False),
        ("number:1%", "-101", "-100", True),
        ("number:1%", "-101.5", "-100", False),
        ("number", "−3", "-3", True),
        ("number", "2e3", "2000", True),
    ],
)
def test_right_or_wrong(grader: str, text: str, expected: str, right: bool) -> None:
    found = grade(grader, text, expected)
    assert (found.passed, found.score, found.error) == (right, float(right), "")


@pytest.mark.parametrize(
    ("operation", "text", "right"),
    [("eq", "Cat", True), ("eq", "cat", False), ("ne", "cat", True), ("neq", "Cat", False),
     ("like", "a Cat sat", True), ("like", "a cat sat", False), ("ilike", "a cAT sat", True)],
)  # fmt: skip
def test_string_check(operation: str, text: str, right: bool) -> None:
    found = grade(
        {"type": "string_check", "name": "s", "input": "{{ sample.output_text }}",
         "reference": "{{item.answer}}", "operation": operation}, text, answer="Cat",
    )  # fmt: skip
    assert found.passed is right


def test_text_similarity_passes_from_its_threshold_on() -> None:
    body = {"type": "text_similarity", "name": "t", "input": "{{sample.output_text}}",
            "reference": "{{item.expected}}", "evaluation_metric": "fuzzy_match"}  # fmt: skip
    assert grade(body, "abcd", "abxd") == Grade(0.75, None)
    assert grade(body | {"pass_threshold": 0.75}, "abcd", "abxd").passed is True
    assert grade(body | {"pass_threshold": 0.76}, "abcd", "abxd").passed is False
    assert grade("rouge_l:0.5", "the cat", "the cat").passed is True


def test_json_fields() -> None:
    expected = '{"name": "Ann", "order": {"n": 4, "items": ["a", "b"]}}'
    right = grade(
        "json", '```json\n{"order":{"items":["a","b"],"n":4.0},"name":"Ann"}\n```', expected
    )
    assert (right.score, right.passed) == (1.0, True)
    wrong = grade("json", '{"name": "Ann", "order": {"n": true, "items": ["a"]}}', expected)
    assert (wrong.score, wrong.passed) == (2 / 4, False)
    assert wrong.detail["wrong"] == {
        "order.n": {"expected": 4, "got": True}, "order.items[1]": {"expected": "b", "got": None},
    }  # fmt: skip
    added = grade(
        "json", '{"name": "Ann", "x": 1, "order": {"n": 4, "items": ["a", "b"]}}', expected
    )
    assert (added.score, added.passed, added.detail["added"]) == (4 / 5, False, ["x"])
    some = grade(
        "json:name,order.items", '{"name": "Ann", "order": {"items": ["a", "c"]}}', expected
    )
    assert some.score == 2 / 3
    assert grade("json", "no json", expected).detail["valid"] is False
    assert "not JSON" in grade("json", "{}", "no json").error
    assert grade("json", "[" * 100_000, expected).score == 0


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": json.dumps(arguments)}}


@pytest.mark.parametrize(
    ("wanted", "got", "score"),
    [
        ([call("f", a=1, b="x"), call("g")], [call("g"), call("f", b="x", a=1)], 1.0),
        ([call("f", a=1, b="x")], [call("f", a=1, b="y")], 0.25),
        ([call("f", a=1)], [call("h", a=1)], 0.0),
        ([call("f", a=1)], [call("f", a=1), call("f", a=1)], 0.5),
        ([call("f", a=1), call("f", a=2)], [call("f", a=2), call("f", a=3)], 0.5),
        ([], [], 1.0),
        ([], [call("f")], 0.0),
    ],
)
def test_tool_calls(wanted: list[Any], got: list[Any], score: float) -> None:
    asked = Case(1, (), {}, "", tuple(wanted))
    answer = Answer("", tuple(row["function"] for row in got))
    found = graders.grade(spec.parse("tool_calls"), asked, answer)
    assert found.score == pytest.approx(score)
    assert found.passed is (score == 1.0)


def test_templates_reach_into_item_and_sample() -> None:
    body = {"type": "string_check", "name": "s", "operation": "eq",
            "input": "{{sample.output_json.lines[1].city}}/{{ sample.output_json['n'] }}",
            "reference": "{{item.wanted[0]}}/{{item.deep.n}}"}  # fmt: skip
    text = '{"lines": [0, {"city": "Oxford"}], "n": 4}'
    assert grade(body, text, wanted=["Oxford"], deep={"n": 4}).passed
    tool = {**body, "input": "{{sample.output_tools[0].function.name}}", "reference": "f"}
    asked = spec.parse(json.dumps(tool))
    assert graders.grade(asked, case(), Answer("", ({"name": "f", "arguments": "{}"},))).passed


@pytest.mark.parametrize(
    ("place", "why"),
    [("item.nothing", "item has no 'nothing'"), ("sample.output_json.a", "the answer is not JSON"),
     ("item.expected.deeper", "item.expected has no 'deeper'"), ("item.a..b", "is no path")],
)  # fmt: skip
def test_a_place_that_cannot_be_filled_fails_its_row_with_the_reason(place: str, why: str) -> None:
    body = {"type": "exact", "name": "e", "reference": "{{" + place + "}}"}
    try:
        found = grade(body, "text", "x", a={}).error
    except Problem as problem:  # what can never be filled is found before anything is asked
        found = str(problem)
    assert why in found


def test_a_grader_that_breaks_fails_its_row() -> None:
    class Broken(graders.Pure):
        def _grade(self, case: Case, answer: Answer) -> Grade:
            raise RuntimeError("boom")

    assert graders.grade(Broken("b"), case(), Answer("x")) == Grade(
        0.0, False, {}, "RuntimeError: boom"
    )
    assert graders.grade(spec.parse("exact"), case(), Answer(error="too long")).error == "too long"


# ---- those that ask a model


def answered(steps: Steps, *replies: str) -> tuple[Grade, list[Any]]:
    """Drive a grader with these replies; the grade, and what it asked."""
    asked, given = [], iter(replies)
    try:
        ask = next(steps)
        while True:
            asked.append(ask)
            ask = steps.send(next(given))
    except StopIteration as end:
        return end.value, asked


SCORE = {"type": "score_model", "name": "s", "model": "judge", "range": [1, 5],
         "input": [{"role": "user", "content": "Rate {{sample.output_text}} for {{item.expected}}"}],
         "sampling_params": {"max_completions_tokens": 9, "top_p": 0.5}}  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "score", "error"),
    [
        ('{"reason": "good", "result": 4}', 0.75, ""),
        ('```json\n{"result": 5}\n```', 1.0, ""),
        ('I think {"result": "2"} fits', 0.25, ""),
        ("3", 0.5, ""),
        ("Between 3 and 4", 0.0, "gave no score"),
        ("very good", 0.0, "gave no score"),
        ('{"result": 7}', 0.0, "outside 1 to 5"),
    ],
)
def test_score_model(reply: str, score: float, error: str) -> None:
    made = spec.from_json(SCORE)
    steps = made.steps(case("gold"), Answer("said"))
    if error:
        with pytest.raises(Exception, match=error):
            answered(steps, reply)
        return
    found, asked = answered(steps, reply)
    assert (found.score, found.passed) == (score, score >= 0.5)
    assert asked[0].model == "judge"
    assert asked[0].messages[0]["content"] == "Rate said for gold"
    assert asked[0].settings["max_completion_tokens"] == 9


def test_label_model() -> None:
    body = {"type": "label_model", "name": "l", "model": "judge", "labels": ["good", "bad", "not good"],
            "passing_labels": ["good"], "input": [{"role": "user", "content": "x"}]}  # fmt: skip
    made = spec.from_json(body)
    for reply, label in (('{"result": "GOOD"}', "good"), ("**bad**", "bad"), ("It is bad.", "bad")):
        found, _ = answered(made.steps(case(), Answer("a")), reply)
        assert found.detail["label"] == label
        assert found.passed is (label == "good")
    with pytest.raises(Exception, match="named 2"):
        answered(made.steps(case(), Answer("a")), "good or bad")


def test_multi_combines_and_names_what_failed() -> None:
    body = {"type": "multi", "name": "m", "calculate_output": "0.5 * same + 0.5 * max(like, 0.2)",
            "graders": {"same": {"type": "exact"},
                        "like": {"type": "text_similarity", "evaluation_metric": "fuzzy_match",
                                 "input": "{{sample.output_text}}", "reference": "{{item.expected}}"}}}  # fmt: skip
    found = grade(body, "abcd", "abxd")
    assert found.score == pytest.approx(0.375)
    assert found.detail["scores"] == {"same": 0.0, "like": 0.75}
    broken = json.loads(json.dumps(body).replace("item.expected", "item.gone"))
    assert "like: {{item.gone}}: item has no 'gone'" in grade(broken, "a", "b").error
    assert grade(body | {"calculate_output": "3 * like"}, "abcd", "abxd").score == 1.0
    assert "division by zero" in grade(body | {"calculate_output": "1 / same"}, "a", "b").error


def test_a_judge_is_asked_both_ways_and_must_agree_with_itself() -> None:
    judge = Pairwise("judge", "the kinder")
    first, second = Answer("one"), Answer("two")
    for replies, score in (
        (('{"result": "A"}', '{"result": "B"}'), 1.0),
        (("B", "A"), 0.0),
        (("A", "A"), 0.5),  # it prefers the place, not the answer
        (("tie", "tie"), 0.5),
    ):
        found, asked = answered(judge.steps(case("gold"), first, second), *replies)
        assert found.score == score
    texts = [ask.messages[1]["content"] for ask in asked]
    assert texts[0].index("one") < texts[0].index("two")
    assert texts[1].index("two") < texts[1].index("one")
    assert "the kinder" in texts[0]
    assert "gold" in texts[0]
    same, asked = answered(judge.steps(case(), first, Answer("one")))
    assert (same.score, asked) == (0.5, [])
    gone, asked = answered(judge_pair(judge, case(), Answer(error="x"), second))
    assert (gone.score, asked) == (0.0, [])


# ---- what cannot be used says so before anything is asked


@pytest.mark.parametrize(
    ("grader", "why"),
    [
        ("nonsense", "Known: auto, exact"),
        ("cosine", "embedding"),
        ('{"type": "python", "source": "def grade(): ..."}', "runs no code"),
        ('{"type": "text_similarity", "evaluation_metric": "cosine", "name": "c"}', "embedding"),
        ('{"type": "text_similarity", "evaluation_metric": "x", "name": "c"}', "must be fuzzy_match"),
        ('{"type": "string_check", "operation": "x", "name": "c"}', "must be eq"),
        ('{"type": "string_check", "operation": "eq", "name": "c"}', "input must be a text"),
        ('{"type": "exact", "reference": "{{other.x}}"}', "must begin with item. or sample."),
        ('{"type": "regex", "pattern": "("}', "unterminated"),
        ("regex:", "a pattern is needed"),
        ("number:x", "no number from 0 up"),
        ("rubric:be kind", "a judge"),
        ('{"type": "what"}', "Known: string_check"),
        ("{", "Expecting"),
        ("[1]", "Known"),
        ('{"type": "multi", "graders": {}, "calculate_output": "a"}', "name → grader"),
        ('{"type": "multi", "graders": {"a": {"type": "exact"}}, "calculate_output": "b"}', "there are a"),
        ('{"type": "multi", "graders": {"a": {"type": "multi"}}, "calculate_output": "a"}', "another"),
        ('{"type": "label_model", "labels": ["a", "b"], "passing_labels": ["c"], "model": "m", '
         '"input": [{"role": "user", "content": "x"}]}', "among labels"),
        ('{"type": "score_model", "model": "m", "range": [1, 0], '
         '"input": [{"role": "user", "content": "x"}]}', "smaller to the larger"),
        ('{"type": "score_model", "model": "m", "input": [{"role": "user", '
         '"content": {"type": "input_image", "image_url": "x"}}]}', "no images"),
    ],
)  # fmt: skip
def test_a_grader_that_cannot_be_used(grader: str, why: str) -> None:
    with pytest.raises(Problem) as found:
        spec.parse(grader)
    assert why in str(found.value)
    assert found.value.code == "grader"


def test_a_grader_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps(SCORE), encoding="utf-8")
    assert spec.parse(str(path)).name == "s"
    assert spec.parse(f"@{path}").kind == "score_model"


def test_what_fits_a_file_is_chosen() -> None:
    calls = Case(1, (), {}, "", ({"function": {"name": "f", "arguments": "{}"}},))
    assert spec.automatic([case('{"a": 1}'), case("[1]")]).kind == "json"
    assert spec.automatic([case("a"), case("b")]).kind == "exact"
    assert spec.automatic([calls]).kind == "tool_calls"
    mixed = spec.automatic([calls, case("a"), case("{}")])
    assert mixed == spec.parse("auto")
    called = Answer("", ({"name": "f", "arguments": "{}"},))
    assert graders.grade(mixed, calls, called).passed is True
    assert (
        graders.grade(mixed, calls, Answer("")).passed is False
    )  # nothing is not what was expected
    assert graders.grade(mixed, case("a"), Answer("a")).passed is True
    assert graders.grade(mixed, case('{"a": 1}'), Answer('{ "a":1 }')).passed is True
    assert calls.wanted == called.said == "f({})"


def test_a_pattern_without_end_fails_its_row() -> None:
    grader = spec.parse("regex:(a+)+$")
    started = monotonic()
    found = graders.grade(grader, Case(1, (), {"expected": ""}), Answer("a" * 40 + "b"))
    assert monotonic() - started < 20
    assert "took longer than 2 s" in found.error
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert graders.grade(grader, Case(1, (), {"expected": ""}), Answer("aaa")).passed


def test_elsewhere_than_in_the_main_thread_a_pattern_is_tried_without_a_limit() -> None:
    found: list[Grade] = []
    case, grader = Case(1, (), {"expected": ""}), spec.parse("regex:a+$")
    thread = threading.Thread(
        target=lambda: found.append(graders.grade(grader, case, Answer("aaa")))
    )
    thread.start()
    thread.join()
    assert found[0].passed
