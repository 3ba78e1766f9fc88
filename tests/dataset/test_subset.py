"""Some of the lines: by number, by seed, by what is wrong with them; the rest is copied as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fttui.cli import main
from fttui.dataset import affected, framing, rewrite, subset
from fttui.dataset.report import KEEP
from fttui.dataset.scan import Cancelled, scan
from fttui.problem import Problem

from .cases import GOOD, ONE, chat
from .conftest import as_bytes
from .test_each_check import WHOLE
from .test_rewrite import MIXED

SINGLE = [case for case in ONE if case[0] not in affected.WIDE]


def write(path: Path, lines: list[Any]) -> Path:
    path.write_bytes(as_bytes(lines))
    return path


@pytest.mark.parametrize(("code", "kind", "line", "path"), SINGLE, ids=[c[0] for c in SINGLE])
def test_without_the_examples_that_have_a_finding_it_is_gone(
    tmp_path: Path, code: str, kind: str, line: Any, path: str
) -> None:
    lines: list[Any] = [GOOD[kind](i) for i in range(1, 13)]
    lines[5] = line
    source = write(tmp_path / "data.jsonl", lines)
    report = scan(source, cached=False, workers=0)
    assert affected.why_not(report, code) == ""
    found, complete = affected.lines_with(source, report, code)
    assert (list(found), complete) == ([6], True)
    subset.drop(source, tmp_path / "out.jsonl", found)
    assert code not in scan(tmp_path / "out.jsonl", cached=False, workers=0).counts


@pytest.mark.parametrize(("code", "content", "line", "options"), WHOLE, ids=[c[0] for c in WHOLE])
def test_what_is_about_the_whole_file_names_no_examples(
    tmp_path: Path, code: str, content: Any, line: int, options: Any
) -> None:
    """Either dropping its lines cures it, or it is said why there are none."""
    options = dict(options)
    source = tmp_path / options.pop("name", "data.jsonl")
    source.write_bytes(content if isinstance(content, bytes) else as_bytes(content))
    report = scan(source, cached=False, workers=0, **options)
    if affected.why_not(report, code):
        assert code in affected.WIDE or not line
        return
    found, _ = affected.lines_with(source, report, code)
    subset.drop(source, tmp_path / "out.jsonl", found)
    after = scan(tmp_path / "out.jsonl", cached=False, workers=0, **options)
    assert code not in after.counts


def test_all_examples_are_found_where_the_report_names_only_some(tmp_path: Path) -> None:
    n = 3 * KEEP
    lines = [{**chat(i), "id": 1} if i % 2 else chat(i) for i in range(n)]
    lines += [lines[1]] * (KEEP + 5)
    source = write(tmp_path / "data.jsonl", lines)
    report = scan(source, cached=False, workers=0)
    assert len(report.of("S004")) == KEEP
    told: list[int] = []
    found, complete = affected.lines_with(source, report, "S004", on_progress=told.append)
    assert complete
    assert list(found) == [*range(2, n + 1, 2), *range(n + 1, len(lines) + 1)]
    assert told[-1] == len(lines)
    same, complete = affected.lines_with(source, report, "Q001")
    assert (list(same), complete) == (list(range(n + 1, len(lines) + 1)), True)
    with pytest.raises(Cancelled):
        affected.lines_with(source, report, "S004", cancelled=lambda: True)


def test_a_sample_is_what_was_chosen_before(tmp_path: Path) -> None:
    """What is shown before and what is written are the same lines, blank ones never among them."""
    lines = [chat(i) if i % 3 else "  " for i in range(300)]
    source = write(tmp_path / "data.jsonl", lines)
    numbers = subset.examples(source)
    assert list(numbers) == [i + 1 for i in range(300) if i % 3]
    chosen = subset.choose(numbers, 20, 7)
    assert len(chosen) == 20
    assert chosen == subset.choose(numbers, 20, 7) != subset.choose(numbers, 20, 8)
    subset.sample(source, tmp_path / "out.jsonl", 20, 7)
    written = (tmp_path / "out.jsonl").read_bytes()
    assert written == as_bytes([lines[number - 1] for number in sorted(chosen)])
    assert len(subset.choose(numbers, 1_000, 7)) == 200


def test_only_the_lines_asked_for_are_fixed(tmp_path: Path) -> None:
    bad = {"messages": [*chat(1)["messages"]], "id": 1}
    source = write(tmp_path / "data.jsonl", [bad, chat(2), {**chat(3), "id": 2}, "", chat(2)])
    output = tmp_path / "out.jsonl"
    plan = rewrite.fix(source, output, lines=frozenset({3, 5}))
    assert (plan.fixed["S004"], plan.fixed["Q001"], plan.fixed["J003"]) == (1, 1, 0)
    lines = output.read_text().split("\n")
    assert [json.loads(line) for line in lines[:3]] == [bad, chat(2), chat(3)]
    assert lines[3:] == ["", ""]
    assert [change.line for change in plan.preview] == [3, 5]


def test_a_copy_that_is_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    source = write(tmp_path / "data.jsonl", [chat(i) for i in range(5_000)])
    told: list[int] = []
    for work in (
        lambda: subset.drop(source, tmp_path / "out.jsonl", [1], on_progress=told.append,
                            cancelled=lambda: len(told) == 2),
        lambda: rewrite.fix(source, tmp_path / "out.jsonl", on_progress=told.append,
                            cancelled=lambda: len(told) == 2),
    ):  # fmt: skip
        told.clear()
        with pytest.raises(Cancelled):
            work()
        assert told == [1_024, 2_048]
        assert list(tmp_path.iterdir()) == [source]


def test_lines_have_numbers_only_in_a_file_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'[{"messages": []}, {"messages": []}]')
    assert subset.reshaped(path) == "F020"
    assert subset.reshaped(write(path, [chat(1)])) == ""


def test_drop_takes_codes_and_lines(tmp_path: Path, capsys: Any) -> None:
    source = write(
        tmp_path / "data.jsonl", [chat(i, " " if i in (3, 5) else "y") for i in range(9)]
    )
    assert main(["split", str(source), "--drop", "M010,1,8-9", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["examples"] == 4
    kept = (tmp_path / "data.dropped.jsonl").read_bytes()
    assert kept == as_bytes([chat(i, "y") for i in (1, 2, 4, 6)])
    assert main(["split", str(source), "--drop", "S005", "--output", str(tmp_path / "x")]) == 2
    assert "whole file" in capsys.readouterr().err
    assert main(["split", str(source), "--drop", "M099", "--output", str(tmp_path / "x")]) == 2
    assert "no check has the code M099" in capsys.readouterr().err


def test_fixes_are_narrowed_to_codes_and_lines(tmp_path: Path, capsys: Any) -> None:
    rows = [{**chat(i, f"answer {i} "), "id": i} for i in range(4)]
    source = write(tmp_path / "data.jsonl", rows)
    args = ["check", str(source), "--fix", "--only", "M022", "--lines", "2-3", "--json"]
    assert main(args) == 0
    assert json.loads(capsys.readouterr().out)["fixed"] == {"M022": 2}
    lines = (tmp_path / "data.fixed.jsonl").read_text().splitlines()
    trimmed = [json.loads(line)["messages"][-1]["content"] for line in lines]
    assert trimmed == ["answer 0 ", "answer 1", "answer 2", "answer 3 "]
    assert all("id" in json.loads(line) for line in lines)
    assert main(["check", str(source), "--fix", "--only", "M99"]) == 2
    assert "no check has the code M99" in capsys.readouterr().err


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=st.lists(st.sampled_from(MIXED) | st.sampled_from([as_bytes([chat(1)])[:-1], b""])),
    chosen=st.frozensets(st.integers(1, 8)),
)
def test_lines_that_are_not_asked_for_stay_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], chosen: frozenset[int]
) -> None:
    source = tmp_path_factory.mktemp("some") / "data.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in lines))
    if not lines or subset.reshaped(source):
        return
    output = source.with_name("out.jsonl")
    try:
        plan = rewrite.fix(source, output, lines=chosen)
        looked = rewrite.fix(source, None, lines=chosen)
    except Problem:
        return
    assert looked.preview == plan.preview
    others = [framing.escaped(b) for n, b in enumerate(lines, 1) if n not in chosen]
    written = iter(output.read_bytes().split(b"\n"))
    assert all(line in written for line in others)  # all of them, in their order
