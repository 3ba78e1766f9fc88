"""What to add next: what is wrong decides the group, and what is said about a group is counted by hand."""

from __future__ import annotations

import json
from typing import Any

from fttui.evaluate import clusters, spec
from fttui.evaluate.cases import Cases
from fttui.evaluate.clusters import Advice, Group
from fttui.evaluate.graders import grade
from fttui.evaluate.records import Answer, Case
from fttui.evaluate.summary import Row

LONG = "hello to you too, dear customer of ours"


def case(line: int, prompt: str, expected: str = "", **more: Any) -> Case:
    return Case(line, (), {"prompt": prompt, "expected": expected}, expected, **more)


def rows(kind: str, *pairs: tuple[Case, Answer]) -> list[Row]:
    grader = spec.parse(kind)
    return [Row(c, "m", answer, {kind: grade(grader, c, answer)}) for c, answer in pairs]


def found(advice: Advice) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(group.kind, group.subject, group.lines) for group in advice.groups]


def as_json(**fields: Any) -> str:
    return json.dumps(fields)


def test_a_failure_is_in_the_group_of_each_field_that_is_wrong() -> None:
    wanted = as_json(city="Oxford", items=[{"price": 1}, {"price": 2}])
    made = rows(
        "json",
        (case(1, "a", wanted), Answer(wanted)),
        (case(2, "b", wanted), Answer(as_json(city="Linz", items=[{"price": 3}, {"price": 4}]))),
        (case(3, "c", wanted), Answer(as_json(items=[{"price": 1}, {"price": 2}], x=1))),
        (case(4, "d", wanted), Answer("no")),
        (case(5, "e", wanted), Answer(as_json(city="Graz", items=[{"price": 1}, {"price": 2}]))),
    )
    advice = clusters.advise(made, "json")
    assert advice.failures == 4
    assert found(advice) == [
        ("field", "city", (2, 5)),
        ("added", "x", (3,)),
        ("field", "items[].price", (2,)),  # one group, though two prices are wrong
        ("missing", "city", (3,)),
        ("not_json", "", (4,)),
    ]
    assert advice.groups[0].sample == "Oxford → Linz"


def test_what_is_wrong_with_the_answer_itself_comes_before_what_it_says() -> None:
    wanted = as_json(a=1)
    made = rows(
        "json",
        (case(1, "a", wanted), Answer('{"a"', end="length")),
        (case(2, "b", wanted), Answer("", refusal="I will not", end="stop")),
        (case(3, "c", wanted), Answer("", end="content_filter", error="taken away")),
        (case(4, "d", wanted), Answer("", error="too long", end="failed")),
        (case(5, "e", "no json"), Answer("{}")),
    )
    assert found(clusters.advise(made, "json")) == [
        ("cut", "", (1,)), ("failed", "", (4,)), ("filtered", "", (3,)), ("grader", "", (5,)),
        ("refused", "", (2,)),
    ]  # fmt: skip


def test_labels_are_grouped_by_the_expected_one_and_counted_in_the_training_file() -> None:
    made = rows("exact", *[
        (case(at, f"mail {at}", label), Answer(said))
        for at, (label, said) in enumerate(
            [("refund", "delivery"), ("refund", "refund"), ("delivery", "delivery"),
             ("refund", "other"), ("delivery", "delivery")], 1)
    ])  # fmt: skip
    training = Cases(tuple(case(at, "mail", label) for at, label in enumerate(
        ["delivery", "delivery", "Refund "], 1)))  # fmt: skip
    group = clusters.advise(made, "exact", training).groups[0]
    assert (group.kind, group.subject, group.lines) == ("label", "refund", (1, 4))
    assert group.advice == ("add examples labelled “refund” (1 of 3 training examples has it)")


def test_tool_calls_are_grouped_by_the_function() -> None:
    call = {"function": {"name": "find", "arguments": '{"q": "x"}'}}
    one = case(1, "a", expected_tools=(call,))
    two = case(2, "b", expected_tools=(call,))
    made = rows(
        "tool_calls",
        (one, Answer("", ({"name": "find", "arguments": '{"q": "y"}'},))),
        (two, Answer("I cannot")),
    )
    assert found(clusters.advise(made, "tool_calls")) == [("tool", "find", (1, 2))]


def test_words_are_those_of_the_group_and_not_of_all() -> None:
    wanted = as_json(city="x")
    right, wrong = Answer(wanted), Answer(as_json(city="y"))
    made = rows(
        "json",
        (case(1, "please send chairs to harbour street", wanted), wrong),
        (case(2, "please send lamps to harbour square", wanted), wrong),
        (case(3, "please send lamps to a hill", wanted), right),
        (case(4, "please send chairs to a lake", wanted), right),
        (case(5, "please send rugs to a forest", wanted), right),
        (case(6, "please send rugs to a tower", wanted), right),
    )
    assert clusters.advise(made, "json").groups[0].words == ("harbour", "square", "street")


def test_texts_that_differ_are_grouped_by_their_prompts_and_near_lines_are_named() -> None:
    made = rows(
        "exact",
        (case(1, "where is my parcel from yesterday", "on its way, so it will come soon"), Answer("a")),
        (case(2, "what colour has the sofa", "it is green, as all of them are"), Answer("b")),
        (case(3, "my parcel from yesterday is late", "it is late for reasons of snow"), Answer("c")),
        (case(4, "hello", LONG), Answer(LONG)),
    )  # fmt: skip
    training = Cases((case(7, "a sofa in another colour"), case(9, "the parcel is not here")))
    advice = clusters.advise(made, "exact", training)
    assert found(advice) == [("text", "", (1, 3)), ("text", "", (2,))]
    assert [group.near for group in advice.groups] == [(9,), (7, 9)]
    assert advice.likeness is not None
    failed, passed = advice.likeness
    assert failed > passed == 0.0
    assert "about as like" in advice.sentence()


def test_failures_far_from_the_training_file_are_said_to_be() -> None:
    advice = Advice((), 3, (0.1, 0.5))
    assert "less like the training examples than those that pass" in advice.sentence()


def test_nothing_failed_nothing_to_add() -> None:
    wanted = as_json(a=1)
    assert clusters.advise(rows("json", (case(1, "a", wanted), Answer(wanted))), "json") == Advice(
        (), 0
    )
    assert clusters.advise([], "json") == Advice((), 0)


def test_every_kind_of_group_has_its_advice() -> None:
    for kind in clusters._ADVICE:
        group = Group(kind, "s", "w", (1,))
        assert group.advice
        assert group.as_dict()["count"] == 1
