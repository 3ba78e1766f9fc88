"""A key that occurs twice is seen however the line is written."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fttui.dataset import rewrite
from fttui.dataset.scan import scan

TEXTS = ['a "quote": x', "k\\", 'say "hi" : there', '{"x": 1}', "plain", '\\": odd', 'end\\"']


class Writer:
    """Writes JSON with any blanks between its marks, and some keys twice."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.twice = False

    def blank(self) -> str:
        return self.random.choice(["", "", " ", "  ", "\t"])

    def write(self, value: Any, twice: bool = True) -> str:
        if isinstance(value, list):
            return "[" + f",{self.blank()}".join([self.write(item, twice) for item in value]) + "]"
        if not isinstance(value, dict):
            return json.dumps(value)
        items = []
        for key, item in value.items():
            pair = [json.dumps(key), self.blank(), ":", self.blank()]
            items.append("".join([*pair, self.write(item, twice)]))
            if twice and self.random.random() < 0.15:
                items.append("".join([*pair, self.write(item, False)]))
                self.twice = True
        return "{" + self.blank() + f"{self.blank()},".join(items) + self.blank() + "}"


@pytest.mark.parametrize("seed", range(40))
def test_however_it_is_written(tmp_path: Path, seed: int) -> None:
    writer = Writer(seed)
    lines, expected = [], set()
    for number in range(1, 15):
        question = {"role": "user", "content": f"{writer.random.choice(TEXTS)}{number}"}
        answer = {"role": "assistant", "content": writer.random.choice(TEXTS)}
        if writer.random.random() < 0.4:
            answer[writer.random.choice(["name", "k\\", 'q"'])] = "x"
        writer.twice = False
        lines.append(writer.write({"messages": [question, answer]}))
        if writer.twice:
            expected.add(number)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n")
    report = scan(path, cached=False, workers=0)
    assert {finding.line for finding in report.of("J004")} == expected
    # A rewrite loses neither of the two, unless it is told to: then none is left.
    rows, kept, mended = (
        path.read_bytes().splitlines(),
        tmp_path / "kept.jsonl",
        tmp_path / "mended.jsonl",
    )
    rewrite.fix(path, kept)
    assert {rows[number - 1] for number in expected} <= set(kept.read_bytes().splitlines())
    rewrite.fix(path, mended, also=frozenset({"J004"}))
    assert not scan(mended, cached=False, workers=0).of("J004")
