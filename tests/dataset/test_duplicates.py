"""Lines compared with one another: in memory or from disk, short answers and long."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from fttui.dataset import duplicates
from fttui.dataset.checks.sketch import sketches
from fttui.dataset.scan import scan

from .cases import chat
from .conftest import Check, as_bytes

SENTENCES = [
    f"Sentence {i} speaks of the {name}" for i, name in enumerate(["sea", "sky", "sun", "ice"] * 10)
]


def test_long_answers_that_differ_little_are_nearly_the_same(check: Check) -> None:
    said = ". ".join(SENTENCES)
    # The last word is not among what is chosen; a tenth of all sentences would be, more often than not.
    report = check(
        [chat(0, said + ". One"), *(chat(i) for i in range(1, 12)), chat(12, said + ". Two")]
    )
    assert [(f.line, f.severity) for f in report.of("Q003")] == [(13, "note")]
    assert "line 1" in report.of("Q003")[0].message


def test_other_long_answers_are_not(check: Check) -> None:
    half = SENTENCES[:20]
    others = [f"Quite another remark, number {i}, is made here" for i in range(20)]
    report = check([chat(0, ". ".join(SENTENCES)), chat(1, ". ".join(half + others))])
    assert not report.of("Q003")


def test_a_sketch_does_not_depend_on_its_neighbours() -> None:
    random_ = random.Random(4)
    answers = [
        ". ".join(random_.sample(SENTENCES, random_.randrange(1, 40))).encode() for _ in range(60)
    ]
    answers += [b"", b"\n" * 700, b"x" * 700, b"a\nb\n" * 300, b"same line\n" * 100]
    together = sketches(answers)
    assert together == [sketches([answer])[0] for answer in answers]
    assert sum(map(bool, together)) > 20
    assert together[-5:] == [0] * 5


def test_equal_sentences_in_another_order_and_short_ones_count() -> None:
    lines = [
        f"{word}{i}" for i in range(40) for word in ("a", "longer word ", "one of more than eight ")
    ]
    one = "\n".join(lines).encode()
    two = "\n".join(reversed(lines)).encode()
    assert len(one) > 600
    assert sketches([one]) == sketches([two]) != [0]
    assert sketches([one.replace(b"\na", b"\nb")]) != sketches([one])


@pytest.fixture
def repeating(tmp_path: Path) -> Path:
    """Lines of which some are equal, nearly equal, or ask the same and answer otherwise."""
    random_ = random.Random(7)
    rows = [chat(i, f"It is {i}. " * 5) for i in range(300)]
    rows += [random_.choice(rows) for _ in range(200)]
    rows += [chat(i, f"It IS {i} . " * 5) for i in range(50)]
    rows += [chat(i, f"No, it is {i + 1}.") for i in range(60)]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(as_bytes(rows))
    return path


def test_digests_on_disk_say_the_same(repeating: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scan(repeating, cached=False, workers=0).as_dict()
    assert {"Q001", "Q002", "Q003"} <= whole["counts"].keys()
    assert whole["counts"]["Q001"] == 200
    monkeypatch.setattr(duplicates, "SPILL", 1_000)
    spilled = scan(repeating, cached=False, workers=0).as_dict()
    assert spilled["issues"] == whole["issues"]


def test_two_files_are_compared_the_same_from_disk(
    repeating: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.jsonl"
    new = [chat(1_000 + i, f"So it is: {i}.") for i in range(30)]
    same = [json.loads(line) for line in repeating.read_bytes().splitlines()[5:25]]
    nearly = [chat(i, f"it is {i}! " * 5) for i in range(100, 110)]
    asked = [chat(i, f"I do not know {i}.") for i in range(200, 210)]
    other.write_bytes(as_bytes([*new, *same, *nearly, *asked]))

    def found() -> object:
        report = scan(repeating, validation=other, cached=False, workers=0).validation
        assert report is not None
        return report.counts, [(f.code, f.line, f.message) for f in report.findings]

    counts, _ = in_memory = found()  # type: ignore[misc]
    assert (counts["X001"], counts["X003"], counts["X002"]) == (20, 10, 10)
    monkeypatch.setattr(duplicates, "SPILL", 1_000)
    assert found() == in_memory


@pytest.mark.parametrize("spill", [duplicates.SPILL, 500])
def test_a_long_answer_on_many_lines(
    check: Check, monkeypatch: pytest.MonkeyPatch, spill: int
) -> None:
    monkeypatch.setattr(duplicates, "SPILL", spill)
    said = (
        "I would love to answer this, but not before tomorrow morning, when the office opens again."
    )
    rows = [
        chat(i, said if i % 4 == 2 else f"Answer {i} has a length of its own. " * 4)
        for i in range(200)
    ]
    (finding,) = check(rows).of("Q004")
    assert (finding.line, finding.count) == (3, 50)
    assert finding.message == "the same answer on 50 of 200 lines"
    assert not check([row for i, row in enumerate(rows) if i % 8 != 2]).of("Q004")


def test_what_goes_to_disk_needs_few_open_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal program may have 256 of them on some systems."""
    import numpy as np

    monkeypatch.setattr(duplicates, "SPILL", 1_000)
    before = len(os.listdir("/dev/fd"))
    records = duplicates.Records()
    try:
        numbers = np.random.default_rng(1).integers(1, 1 << 40, (5_000, 3)).astype(np.uint64)
        for at in range(0, 5_000, 70):
            records.add(*numbers[at : at + 70].T)
        assert len(os.listdir("/dev/fd")) == before + 1
        of = records.parts()
        assert of == duplicates.PARTS
        for i in range(of):
            expected = numbers[numbers[:, 0] % of == i]
            assert records.part(i, of).tolist() == expected.tolist()
    finally:
        records.close()
    assert len(os.listdir("/dev/fd")) == before
