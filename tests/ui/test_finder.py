"""The search language: parsed, and answered as a plain reading of every line answers it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fttui.dataset import scan
from fttui.dataset.lines import LineIndex
from fttui.ui import finder


def chat(*turns: tuple[str, str], **more: Any) -> str:
    messages = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": messages, **more})


def lines_of(path: Path, query: str, report: Any = None) -> list[int]:
    with LineIndex.open(path) as index:
        index.extend(1 << 30)
        return list(finder.find(finder.parse(query), index, report, lambda: False))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.jsonl"
    lines = [
        chat(("user", "Refund please"), ("assistant", "Sure")),
        chat(("user", "übergröße é"), ("assistant", "ok " * 50)),
        "",
        chat(("user", 'he says "role": "tool"'), ("assistant", "")),
        json.dumps(
            {"messages": [{"role": "tool", "content": "refund urgent"}]}, separators=(",", ":")
        ),
        json.dumps({"messages": [{"role": "user", "content": "ÜBERGRÖSSE"}]}, ensure_ascii=False),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("refund", [0, 4]),
        ("REFUND -urgent", [0]),
        ("-refund", [1, 2, 3, 5]),
        ("übergröße", [1, 5]),
        ("ÜBERGRÖSSE", [5]),
        ("é", [1]),
        ('"refund please"', [0]),
        ("role:tool", [4]),
        ("role:user -refund", [1, 3, 5]),
        ("line:2-4", [1, 2, 3]),
        ("line>4", [4, 5]),
        ("refund line:1", [0]),
        ("nowhere", []),
    ],
)
def test_words_roles_and_lines(file: Path, query: str, expected: list[int]) -> None:
    assert lines_of(file, query) == expected


def test_facts_come_from_the_report(file: Path) -> None:
    report = scan.scan(file, cached=False)
    assert lines_of(file, "code:M010", report) == [3]
    assert 3 in lines_of(file, "issue:error", report)
    assert 3 not in lines_of(file, "issue:none", report)
    assert lines_of(file, "tokens>40", report) == [1]
    assert lines_of(file, "tokens>40 -übergröße", report) == []
    assert 0 in lines_of(file, "messages:2 refund", report)


def test_facts_without_a_report_are_refused_in_words(file: Path) -> None:
    with pytest.raises(finder.QueryError, match="still running"):
        lines_of(file, "tokens>40")


@pytest.mark.parametrize("query", ["issue:bad", "is:here", "role:", "tokens>many", '""', "code:"])
def test_what_cannot_be_understood_is_said(query: str) -> None:
    with pytest.raises(finder.QueryError):
        finder.parse(query)


def test_blocks_agree_with_reading_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the block size, the answer is that of a plain loop."""
    chance = random.Random(4)
    rows = ["".join(chance.choices("abc \u00e9", k=chance.randint(0, 40))) for _ in range(400)]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    for block in (1, 64, 1 << 20):
        monkeypatch.setattr(finder, "BLOCK", block)
        for words in (["ab"], ["ab", "ca"], ["\u00e9a"]):
            expected = [i for i, row in enumerate(rows) if all(word in row for word in words)]
            assert lines_of(path, " ".join(words)) == expected
        expected = [i for i, row in enumerate(rows) if "ab" not in row]
        assert lines_of(path, "-ab") == expected


def test_it_stops_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("word\n" * 1000)
    monkeypatch.setattr(finder, "BLOCK", 50)
    asked = iter([False, False, False, *[True] * 1000])
    with LineIndex.open(path) as index:
        index.extend()
        found = finder.find(finder.parse("word"), index, None, lambda: next(asked))
    assert 0 < len(found) < 100
