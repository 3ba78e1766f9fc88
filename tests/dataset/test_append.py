"""One more example at the end of a file, and back again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fttui.dataset import append as adding
from fttui.dataset import formats
from fttui.problem import Problem

ASKED = [{"role": "user", "content": "What is “it”?\u2028"}]
ROW = adding.example(ASKED, "An ä")
PAIR = adding.pair(ASKED, "good", "bad")
OLD = json.dumps(adding.example([{"role": "user", "content": "old"}], "x")).encode()


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (b"", b"%b\n", 1),
        (OLD + b"\n", OLD + b"\n%b\n", 2),
        (OLD, OLD + b"\n%b\n", 2),
        (OLD + b"\r\n" + OLD + b"\r\n", OLD + b"\r\n" + OLD + b"\r\n%b\r\n", 3),
        (OLD + b"\r\n" + OLD, OLD + b"\r\n" + OLD + b"\r\n%b\r\n", 3),
        (b"\xef\xbb\xbf" + OLD + b"\n", b"\xef\xbb\xbf" + OLD + b"\n%b\n", 2),
        (OLD + b"\n{broken\n", OLD + b"\n{broken\n%b\n", 3),
    ],
)
def test_it_becomes_the_last_line_and_goes_again(
    tmp_path: Path, before: bytes, after: bytes, line: int
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(before)
    done = adding.append(path, ROW)
    written = done.written.strip()
    assert path.read_bytes() == after.replace(b"%b", written)
    assert done.line == line
    assert json.loads(written) == ROW
    assert b"\xe2\x80\xa8" not in written  # a line separator that some readers obey
    adding.take_back(done)
    assert path.read_bytes() == before


def test_a_file_that_was_not_there_is_made_and_goes_again(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    done = adding.append(path, PAIR)
    example = formats.read(path.read_bytes())
    assert example.format == "preference"
    assert example.preferred[0].content_text == "good"
    assert example.non_preferred[0].content_text == "bad"
    adding.take_back(done)
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps(PAIR).encode() + b"\n", "wrong_format"),
        (b'[{"messages": []}]', "not_jsonl"),
        ('{"messages": []}\n'.encode("utf-16"), "not_jsonl"),
        (b"\x1f\x8b\x08rest", "not_jsonl"),
        (b"a,b\n1,2\n", "not_jsonl"),
    ],
)
def test_a_file_of_another_kind_stays_as_it_is(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(Problem) as caught:
        adding.append(path, ROW)
    assert caught.value.code == code
    assert path.read_bytes() == content


def test_what_was_changed_since_is_not_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(OLD + b"\n")
    done = adding.append(path, ROW)
    adding.append(path, ROW)
    kept = path.read_bytes()
    with pytest.raises(Problem, match="not taken back"):
        adding.take_back(done)
    assert path.read_bytes() == kept


@pytest.mark.parametrize("existed", [True, False])
def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool
) -> None:
    path = tmp_path / "train.jsonl"
    if existed:
        path.write_bytes(OLD + b"\n")
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[: len(data) // 2]))
    with pytest.raises(Problem, match="cannot be written"):
        adding.append(path, ROW)
    monkeypatch.undo()
    assert path.read_bytes() == OLD + b"\n" if existed else not path.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be written"):
        adding.append(tmp_path, ROW)
