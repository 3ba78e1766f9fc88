"""`--ascii` knows every glyph the screens draw."""

from __future__ import annotations

import ast
from pathlib import Path

import fttui.ui
from fttui.ui.ascii import TABLE

MARKS = {"\ufeff"}  # looked for in files, never drawn


def _written(source: str) -> set[str]:
    """The characters of a module's strings (not of its comments)."""
    nodes = ast.walk(ast.parse(source))
    return {char for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
            for char in node.value}  # fmt: skip


def test_every_glyph_of_the_screens_has_a_plain_one() -> None:
    missing = {}
    for path in Path(fttui.ui.__file__).parent.rglob("*.py"):
        if path.name != "ascii.py":
            chars = _written(path.read_text("utf-8"))
            if unknown := {char for char in chars if char > "~" and ord(char) not in TABLE} - MARKS:
                missing[path.name] = unknown
    assert missing == {}


def test_a_plain_glyph_takes_the_same_room() -> None:
    assert {len(plain) for plain in TABLE.values()} == {1}
    assert all(plain.isascii() for plain in TABLE.values())
