"""docs/evaluate.md says what the code does."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from fttui.commands import eval as command
from fttui.evaluate import spec

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")


def test_the_table_of_graders_is_the_code_s() -> None:
    table = PAGE.split("<!-- graders -->")[1].split("<!-- /graders -->")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", table, re.M)) == dict(spec.SHORT)


def test_every_type_is_named() -> None:
    assert [name for name in spec.TYPES if f"`{name}`" not in PAGE] == []


def test_the_grader_in_the_page_can_be_used() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.S)
    assert found is not None
    assert spec.parse(found[1]).kind == "multi"


def test_every_option_in_the_page_exists() -> None:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    known = {name for action in parser._actions for name in action.option_strings}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= known
