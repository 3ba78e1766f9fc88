"""`fttui check`, `split` and `convert` as a script sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fttui.cli import main

from .cases import chat
from .conftest import as_bytes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_bytes(
        as_bytes([chat(i) for i in range(1, 12)] + [{**chat(50, " x\x1b[2J"), "id": 1}])
    )
    return path


def test_json_is_one_object_and_the_exit_code_says_how_bad(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {"file", "format", "examples", "tokens", "verdict", "issues"} <= told.keys()
    assert (told["format"], told["examples"], told["verdict"]) == ("chat", 12, "errors")
    assert {i["code"] for i in told["issues"]} == {"S004", "M022", "Q009"}
    assert all(
        i.keys() >= {"code", "severity", "line", "path", "message", "fix", "count"}
        for i in told["issues"]
    )
    assert main(["check", str(file), "--json", "--mute", "s004"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "warnings"
    assert main(["check", str(tmp_path / "none.jsonl"), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["issues"][0]["code"]) == ("unusable", "F001")


def test_people_get_lines_of_text(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--stats"]) == 1
    out = capsys.readouterr().out
    assert "OpenAI would refuse this file: 1 error, 2 warnings" in out
    assert f"{file}:12: id" in out
    assert "\x1b" not in out
    assert "prompt tokens" in out
    assert main(["check", "--explain", "k001"]) == 0
    assert "K001" in capsys.readouterr().out


def test_fix_shows_and_writes_a_copy(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    assert main(["check", str(file), "--fix", "--dry-run"]) == 0
    assert "would fix: M022 ×1, S004 ×1" in capsys.readouterr().out
    copy = tmp_path / "copy.jsonl"
    assert main(["check", str(file), "--fix", "--output", str(copy), "--also", "Q009"]) == 0
    assert main(["check", str(copy)]) == 0
    assert file.read_bytes() == before
    assert main(["check", str(file), "--fix", "--output", str(copy)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_validation_file_counts(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "validation.jsonl"
    other.write_bytes(as_bytes([chat(i) for i in range(11, 31)]))
    assert main(["check", str(file), "--validation", str(other), "--json", "--mute", "S004"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(i["code"], i["line"], i["file"]) for i in told["issues"] if i["code"] == "X001"] == [
        ("X001", 1, str(other))
    ]


def test_split_and_convert(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["split", str(file), "--fraction", "0.25", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["train_examples"], told["validation_examples"]) == (9, 3)
    table = tmp_path / "a.csv"
    table.write_text("prompt,completion\na,b\n,\n")
    assert main(["convert", str(table), str(tmp_path / "a.jsonl"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["written"], told["skipped"]) == (1, 1)
    assert main(["convert", str(file.with_name("none")), str(tmp_path / "b.jsonl")]) == 2
    assert main(["split", str(file), "--fraction", "2"]) == 2


def test_check_loads_neither_the_screen_nor_the_client(file: Path) -> None:
    code = (
        "import sys; from fttui.cli import main; main(['check', sys.argv[1]]); "
        "print(sorted(m for m in ('textual', 'openai', 'starlette', 'pydantic') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_sample_and_drop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(as_bytes([chat(i) for i in range(1, 11)]))
    rows = source.read_bytes().splitlines()
    assert main(["split", str(source), "--drop", "2,4-6"]) == 0
    left = (tmp_path / "rows.dropped.jsonl").read_bytes().splitlines()
    assert left == [row for i, row in enumerate(rows, 1) if i not in (2, 4, 5, 6)]
    output = tmp_path / "few.jsonl"
    assert main(["split", str(source), "--sample", "3", "--output", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["examples"] == 3
    few = output.read_bytes().splitlines()
    assert len(few) == 3
    assert [row for row in rows if row in few] == few
    for wrong in (["--drop", "x"], ["--drop", "0"], ["--sample", "0"]):
        assert main(["split", str(source), *wrong]) == 2
    assert main(["split", str(source), "--drop", "1", "--sample", "1"]) == 2
    assert source.read_bytes().splitlines() == rows
