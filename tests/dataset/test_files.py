"""Files that cannot be read, lines by number, search."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fttui.dataset import scan as scanning
from fttui.dataset.formats import read
from fttui.dataset.lines import LineIndex, search
from fttui.dataset.scan import scan

from .cases import chat
from .conftest import as_bytes


def test_what_is_no_file(tmp_path: Path) -> None:
    assert scan(tmp_path / "none.jsonl").counts.keys() == {"F001"}
    os.symlink("nowhere", tmp_path / "link.jsonl")
    assert scan(tmp_path / "link.jsonl").verdict == "unusable"
    assert "F002" in scan(tmp_path).counts
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert "F002" in scan(tmp_path / "pipe.jsonl").counts
    os.symlink("b.jsonl", tmp_path / "a.jsonl")
    os.symlink("a.jsonl", tmp_path / "b.jsonl")
    assert "F004" in scan(tmp_path / "a.jsonl").counts


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fttui.dataset.checks.file.os.open", refuse)
    report = scan(path, cached=False)
    assert [f.message for f in report.of("F003")] == ["cannot be read: Permission denied"]


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(as_bytes([chat(i) for i in range(20_000)]))

    def grow(_: scanning.Progress) -> None:
        with open(path, "ab") as file:
            file.write(b"\n")

    assert "F028" in scan(path, cached=False, workers=0, on_progress=grow).counts


def test_line_index(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [b"", b"one", b"\xe2\x80\xa8two\r", b"x" * 3_000_000, b"", b"last"]
    path.write_bytes(b"\n".join(lines))
    with LineIndex.open(path) as index:
        assert not index.complete
        assert not index.extend(10)
        assert [index.line(i) for i in range(2)] == lines[:2]
        while not index.extend(1_000_000):
            pass
        assert [index.line(i) for i in range(len(index))] == lines
        assert index.line(3, 5) == b"xxxxx"
        assert [index.find(index.offset(i)) for i in range(len(index))] == list(range(6))
        assert not index.changed()
        path.write_bytes(b"other")
        assert index.changed()
    (tmp_path / "empty").write_bytes(b"")
    assert len(LineIndex.open(tmp_path / "empty")) == 0
    (tmp_path / "ended").write_bytes(b"a\nb\n")
    index = LineIndex.open(tmp_path / "ended")
    assert index.extend()
    assert len(index) == 2


def test_search_finds_what_is_written_either_way(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"a": "Caf\\u00e9"}\n{"a": "none"}\n{"a": "caf\xc3\xa9 caf\xc3\xa9"}\n' * 30_000
    )
    with LineIndex.open(path) as index:
        hits = list(search(index, "café"))
        assert len(hits) == 60_000
        assert hits[:4] == [0, 2, 3, 5]
        assert list(search(index, "Café", case=True))[:2] == [0, 3]
        assert list(search(index, "none", start=89_990)) == [89_992, 89_995, 89_998]
        assert list(search(index, "none", cancelled=lambda: True)) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[" * 100_000,
        b'{"messages": 3}',
        b'{"messages": [null, 3, {"role": 1}]}',
        b'"\\ud800"',
        b"9" * 5000,
        b'{"prompt": {}}',
        b"\xff",
    ],
)
def test_reading_never_fails(raw: bytes) -> None:
    example = read(raw)
    assert example.format
    assert all(isinstance(message.content_text, str) for message in example.turns())
