"""Text that bites — markup, escapes, NULs, bidi, joiners, halves of characters, giants — in every view."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from ui_help import screen_text, wait_until

from fttui.dataset import formats
from fttui.dataset.report import Finding
from fttui.ui.app import FttuiApp
from fttui.ui.widgets.conversation import conversation
from fttui.ui.widgets.example_list import ExampleList
from fttui.ui.widgets.json_view import json_lines, raw_lines
from fttui.ui.widgets.text_view import wrap

TEXTS = {
    "markup": '[/] [bold] [1, "3" [@click=app.quit]x[/] \\[ ]] [$error',
    "escapes": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \x9b31m",
    "nul": "a\x00b\x00",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85",
    "bidi": "\u202eevil\u202c \u2066x\u2069 \u200b\u200e\ufeff",
    "arabic": "مرحبا بالعالم " * 20,
    "joiners": "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👍🏽 " * 20,
    "combining": "e\u0301\u0301\u0301 Z\u0351\u036b\u0343\u036a" * 20,
    "wide": "漢字仮名交じり文" * 40,
    "long": "x" * 200_000,
    "lines": "\n" * 300 + "\u2028\u2029\x0b\x0c end",
    "tabs": "\t".join("abc"),
}
BYTES = [
    b'{"messages": [{"role": "user", "content": "half \\ud83d of it"}, {"role": "\\udc00", "content": "x"}]}',
    b'{"messages": [{"role": "user", "content": "bad \xff\xfe\xed\xa0\x80 bytes"}]}',
    b"\x1b[2J\x1b]52;c;aGk=\x07 not json \x00\x00",
    b"[" * 100_000,
    b'{"a": NaN, "a": Infinity, "messages": "[/]"}',
    b'{"messages": [null, 3, "x", {"role": null, "content": {"a": 1}}, {"role": ["[/]"], "tool_calls": 7}]}',
    b'{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "\\u001b[31m", "arguments": []}}]}]}',
    b'{"preferred_output": "x", "non_preferred_output": [[]], "input": 4}',
    b'{"prompt": "[/]", "completion": "\\u0000"}',
    b"",
    b"   ",
    b"\xef\xbb\xbf{}",
    b"3",
]


def hostile_lines() -> list[bytes]:
    rows = [
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": text},
                    {"role": "user", "content": text, "name": text[:40]},
                    {"role": "assistant", "content": text, "weight": 1},
                    {
                        "role": text[:20],
                        "content": [{"type": "text", "text": text}, {"type": text[:9]}],
                    },
                ],
                text[:30]: text,
            },
            ensure_ascii=False,
        ).encode("utf-8", "surrogatepass")
        for text in TEXTS.values()
    ]
    return [*rows, *BYTES]


def dangerous(text: str) -> set[str]:
    """Characters a terminal would obey."""
    return {
        char
        for char in text
        if char != "\n"
        and (
            unicodedata.category(char) in ("Cc", "Cs")
            or char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
        )
    }


@pytest.mark.parametrize("size", [(120, 40), (70, 20)])
async def test_every_view_shows_it_and_obeys_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "host\x1b[31mile[b] [3.jsonl"
    lines = hostile_lines()
    path.write_bytes(b"\n".join(lines) + b"\n")
    app = FttuiApp(path, profile="local")
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "the check is done", 60)
        await pilot.press("enter")
        screen: Any = app.screen
        for view in ("conversation", "JSON", "raw"):
            assert screen.view.view == view
            for row in range(len(lines)):
                screen.rows.go_to(row)
                screen.settle()
                await wait_until(pilot, lambda row=row: app.thread.row == row, f"line {row + 1}")
                await pilot.pause()
                bad = dangerous(screen_text(app)) | dangerous(screen.view.text())
                assert not bad, (view, row, bad)
            await pilot.press("v")
        await pilot.press("2")
        check: Any = app.screen
        for row in range(check.groups.count):
            check.groups.cursor = row
            await pilot.pause()
            assert not dangerous(screen_text(app))


async def test_rows_are_as_wide_as_the_list_whatever_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\n".join(hostile_lines()) + b"\n")
    app = FttuiApp(path, profile="local")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        rows = app.screen.query_one(ExampleList)
        for row in range(min(rows.count, rows.size.height)):
            assert rows.render_line(row).cell_length == rows.scrollable_content_region.width


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.integers(1, 60))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    pieces = list(wrap(text.replace("\n", " "), width))
    assert re.sub(r"\s", "", "".join(pieces)) == re.sub(r"\s", "", text)
    assert all(cell_len(piece) <= max(width, 2) for piece in pieces)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.sampled_from(hostile_lines()), st.integers(12, 90))
def test_no_line_breaks_a_view(raw: bytes, width: int) -> None:
    found = [Finding("M010", "error", 1, "messages[0].content", "[/] \x1b[31m", fix="\x00")]
    views = (
        conversation(formats.read(raw), raw, width, found, found[0]),
        json_lines(raw, len(raw), width, {"messages[0].content": [["x"]]}),
        raw_lines(raw, len(raw), width),
    )
    for lines in views:
        text = "\n".join("".join(p if isinstance(p, str) else p[0] for p in line) for line in lines)
        assert not dangerous(text)
