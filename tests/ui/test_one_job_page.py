"""docs/one-job.md: its keys do what it says, and its files are those an export writes."""

from __future__ import annotations

import re
from pathlib import Path

from fttui.ui.actions import label, of_scope
from fttui.ui.export import bundle

PAGE = Path(__file__).resolve().parents[2] / "docs" / "one-job.md"


def test_every_key_of_the_tables_is_bound() -> None:
    scope = ""
    seen = 0
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        head = re.match(r"\| key \| in (\w+) \|", line)
        if head:
            scope = head[1].lower()
        row = re.match(r"\| (`[^|]+`) \|", line)
        if row:
            known = {label(key) for action in of_scope(scope) for key in action.keys}
            for key in re.findall(r"`([^`]+)`", row[1]):
                assert key in known, f"{key} is no key of {scope}"
                seen += 1
    assert seen > 15


def test_the_files_it_lists_are_written() -> None:
    text = PAGE.read_text(encoding="utf-8")
    source = Path(bundle.__file__).read_text(encoding="utf-8")
    for name in re.findall(
        r"\b(\w+\.(?:json|jsonl|csv|md|svg))\b", text.partition("```\nmy-jobs")[2]
    ):
        assert name in source or name in ("README.md", "config.md"), name
