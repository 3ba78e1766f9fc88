from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fttui import samples
from fttui.evaluate import cases, confusion, diff, nearest
from fttui.evaluate.records import Case
from fttui.problem import Problem


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def turn(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def test_every_format_gives_a_prompt_and_what_is_expected(tmp_path: Path) -> None:
    chat = {"messages": [turn("system", "s"), turn("user", "q"), turn("assistant", "first", weight=0),
                         turn("user", "q2"), turn("assistant", "a")]}  # fmt: skip
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    tool = {"messages": [turn("user", "q"), {"role": "assistant", "tool_calls": calls}],
            "tools": [{"type": "function"}]}  # fmt: skip
    preference = {"input": {"messages": [turn("user", "p")]},
                  "preferred_output": [turn("assistant", "good")],
                  "non_preferred_output": [turn("assistant", "bad")]}  # fmt: skip
    rft = {"messages": [turn("user", "r")], "reference_answer": {"n": 1}, "kind": "x"}
    old = {"prompt": "p", "completion": " c"}
    made = cases.read(write(tmp_path / "f.jsonl", chat, tool, preference, rft, old)).rows
    assert [row.expected for row in made] == ["a", "", "good", '{"n": 1}', " c"]
    assert [row.prompt for row in made] == ["q2", "q", "p", "r", "p"]
    assert made[0].messages[2] == turn("assistant", "first")  # no weight in a request
    assert made[1].expected_tools[0]["function"]["name"] == "f"
    assert made[1].tools == ({"type": "function"},)
    assert made[3].item["kind"] == "x"
    assert made[3].item["reference_answer"] == {"n": 1}


def test_what_cannot_be_asked_is_named(tmp_path: Path) -> None:
    good = {"messages": [turn("user", "q"), turn("assistant", "a")]}
    path = write(tmp_path / "f.jsonl", good, {"messages": [turn("user", "q")]}, {"question": 1})
    with path.open("a", encoding="utf-8") as file:
        file.write("not json\n\n")
    found = cases.read(path)
    assert [row.line for row in found.rows] == [1]
    assert [line for line, _ in found.skipped] == [2, 3, 4]
    assert "does not end with an assistant message" in found.skipped[0][1]
    with pytest.raises(Problem, match="nothing that can be asked"):
        cases.read(write(tmp_path / "g.jsonl", {"question": 1}))
    with pytest.raises(Problem):
        cases.read(tmp_path / "missing.jsonl")


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    whole = cases.read(samples.path("extraction"))
    one, two, other = whole.sample(10, 1), whole.sample(10, 1), whole.sample(10, 2)
    assert one == two
    assert one != other
    assert [row.line for row in one.rows] == sorted(row.line for row in one.rows)
    assert len({row.line for row in one.rows}) == 10
    assert whole.sample(1000).rows == whole.rows


def test_shots_are_the_same_for_all_but_never_the_question_itself() -> None:
    pool = cases.read(samples.path("style")).rows
    held = cases.read(samples.heldout("style")).rows
    first = cases.shots(pool, held[0], 3, seed=4)
    assert [row["role"] for row in first] == ["user", "assistant"] * 3
    assert first == cases.shots(pool, held[1], 3, seed=4)
    shown = next(row for row in pool if row.prompt == first[0]["content"])
    without = cases.shots(pool, shown, 3, seed=4)
    assert shown.prompt not in [row["content"] for row in without]
    assert len(without) == 6
    asked = cases.with_shots(held[0], first)
    assert [row["role"] for row in asked] == ["system", *["user", "assistant"] * 3, "user"]


def labelled(*expected: str) -> list[Case]:
    return [Case(i, (), {}, label) for i, label in enumerate(expected, 1)]


def test_confusion_by_hand() -> None:
    rows = labelled(*["spam"] * 3, *["ham"] * 3)
    assert confusion.labels_of(rows) == ("spam", "ham")
    said = ["spam", "SPAM.", "ham", "ham", "ham", "a poem"]
    table = confusion.table(
        ("spam", "ham"), [(r.expected, s) for r, s in zip(rows, said, strict=True)]
    )
    assert table.as_dict()["rows"] == [[2, 1, 0], [0, 2, 1]]
    assert table.recall("spam") == 2 / 3
    assert table.precision("spam") == 1.0
    assert table.f1("spam") == pytest.approx(0.8)
    assert table.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)


def test_free_text_is_no_classification() -> None:
    assert confusion.labels_of(labelled("a", "b", "c", "d")) == ()
    assert confusion.labels_of(labelled("a", "a", "a", "a")) == ()
    assert confusion.labels_of(labelled("x" * 80, "x" * 80, "y", "y")) == ()
    assert confusion.labels_of(cases.read(samples.heldout("style")).rows) == ()


@pytest.mark.parametrize(
    ("expected", "answer", "shown"),
    [
        ("same", "same", ""),
        ("the cat sat", "the dog sat", "the [-cat-]{+dog+} sat"),
        ("a", "a b", "a{+ b+}"),
        ("", "b", "{+b+}"),
        ("cat" + " x" * 50, "dog" + " x" * 50, "[-cat-]{+dog+} x x x …"),
        ("x " * 50 + "end", "x " * 50 + "END", "… x x x [-end-]{+END+}"),
    ],
)
def test_a_difference_is_marked(expected: str, answer: str, shown: str) -> None:
    assert diff.inline(expected, answer) == shown


def test_the_nearest_texts_share_rare_words() -> None:
    texts = ["please refund my order", "please ship my order", "what is the weather", ""]
    index = nearest.Nearest(texts)
    found = index.find("a refund please")
    assert [at for at, _ in found] == [0, 1]
    assert 0 < found[1][1] < found[0][1] <= 1
    assert index.find("xyzzy") == []
    rare = nearest.Nearest(["my order my order", "my refund here", *["my order is late"] * 6])
    assert rare.find("my order refund")[0][0] == 1  # one rare word tells more than two common ones
    assert index.find(texts[2])[0] == (2, pytest.approx(1.0))


def test_failures_that_are_alike_are_together() -> None:
    texts = ["refund for order one", "weather in Paris", "refund for order two", "refund for order six",
             "weather in Rome", "quantum chromodynamics"]  # fmt: skip
    groups = nearest.clusters(texts)
    assert [group.members for group in groups] == [(0, 2, 3), (1, 4), (5,)]
    assert "refund" in groups[0].words
    assert nearest.clusters([]) == []
