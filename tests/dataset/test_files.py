"""Files that cannot be read, lines by number, search."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.dataset import scan as scanning
from fttui.dataset.formats import read
from fttui.dataset.lines import LineIndex, search
from fttui.dataset.scan import scan

from .cases import chat
from .conftest import as_bytes


def _link_nowhere(path: Path, _: pytest.MonkeyPatch) -> None:
    path.symlink_to("nowhere")


def _under_a_file(path: Path, _: pytest.MonkeyPatch) -> None:
    path.parent.rmdir()
    path.parent.write_bytes(b"{}\n")


def _socket(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(path.name)


def _locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"{}\n")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fttui.dataset.checks.file.os.open", refuse)


def _circle(path: Path, _: pytest.MonkeyPatch) -> None:
    path.symlink_to("b.jsonl")
    path.with_name("b.jsonl").symlink_to(path.name)


# What is no readable file: code, how it is made, what is said of it.
PLACES: list[tuple[str, Callable[[Path, pytest.MonkeyPatch], object], str]] = [
    ("F001", lambda path, _: None, "no such file"),
    ("F001", _link_nowhere, "no such file"),
    ("F001", _under_a_file, "no such file"),
    ("F002", lambda path, _: path.mkdir(), "is a directory, not a file"),
    ("F002", lambda path, _: os.mkfifo(path), "is a FIFO, not a file"),
    ("F002", lambda path, _: path.symlink_to("/dev/null"), "is a device, not a file"),
    ("F002", _socket, "is a socket, not a file"),
    ("F003", _locked, "cannot be read: Permission denied"),
    ("F004", _circle, "symbolic link loop"),
]


@pytest.mark.parametrize(("code", "make", "message"), PLACES)
def test_what_is_no_file_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, make: Any, message: str
) -> None:
    path = tmp_path / "folder" / "a.jsonl"
    path.parent.mkdir()
    make(path, monkeypatch)
    report = scan(path, cached=False)
    assert [(f.code, f.line, f.severity, f.message) for f in report.findings] == [
        (code, 0, "error", message)
    ]
    assert report.verdict == "unusable"
    assert not scan(path, cached=False, muted=frozenset({code})).counts


def _grown(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"\n")


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy2(path, other)  # of the same size and time
    os.replace(other, path)


# What another program does to a file while it is checked, and whether that is told (F028).
MEANWHILE: list[tuple[str, Callable[[Path], object], bool]] = [
    ("F028", _grown, True),
    ("F028", _replaced, True),
    ("F028", os.unlink, True),
    ("F028", lambda path: path.read_bytes(), False),
]


@pytest.mark.parametrize(("code", "happens", "told"), MEANWHILE)
def test_a_file_that_changes_meanwhile(tmp_path: Path, code: str, happens: Any, told: bool) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(as_bytes([chat(i) for i in range(12)]))
    once = [happens]  # while the check runs: it tells its progress once at least

    def meanwhile(_: scanning.Progress) -> None:
        for do in once:
            do(path)
        once.clear()

    report = scan(path, cached=False, workers=0, on_progress=meanwhile)
    assert not once
    assert (code in report.counts) is told
    assert {f.severity for f in report.of(code)} == ({"warning"} if told else set())


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
