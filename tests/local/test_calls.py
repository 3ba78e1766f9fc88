"""Tool calls in the text of an answer: found however the text arrives, and nothing else taken for one."""

from __future__ import annotations

import json

import pytest

from fttui.local.calls import Calls
from fttui.local.template import _calls_as_text

CALL = '{"name": "paint", "arguments": {"colour": "rouge é"}}'


def read(text, size, names=("paint", "sing")):
    """What is shown, and each call's name and arguments, when `text` comes in pieces of `size`."""
    reader = Calls(names)
    shown = "".join(reader.push(text[i : i + size]) for i in range(0, len(text), size))
    rest, calls = reader.finish()
    assert len({call["id"] for call in calls}) == len(calls)
    assert all(call["type"] == "function" for call in calls)
    return shown + rest, [
        (call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "shown", "names"),
    [
        (CALL, "", ["paint"]),
        (CALL + "\n", "", ["paint"]),
        ("\n " + CALL + "\n\n" + CALL, "", ["paint", "paint"]),
        (f"I paint.\n{CALL}", "I paint.\n", ["paint"]),
        ("Hello.\n\nYou { there }", None, []),
        ("{ not JSON", None, []),
        (CALL[:-3], None, []),  # cut by the token limit
        (CALL + "\nDone.", None, []),  # not the end of the answer
        (f"so {CALL}", None, []),
        (CALL.replace("paint", "drive"), None, []),  # not a tool of this request
        ('{"name": "paint"}', None, []),
        ('{"name": ["paint"], "arguments": {}}', None, []),
        ('{"name": "paint", "arguments": [1]}', None, []),
        ("{" * 100_000, None, []),
        ("\u2028\r\n \n", None, []),
        ("", None, []),
    ],
)
def test_calls_and_text_are_told_apart(text, shown, names, size):
    if size == 1 and len(text) > 10_000:
        size = 1000
    said, calls = read(text, size)
    assert said == (text if shown is None else shown)
    assert [name for name, _ in calls] == names
    assert all(arguments == {"colour": "rouge é"} for _, arguments in calls)


def test_what_the_template_shows_the_model_is_read_back():
    calls = [
        {"function": {"name": "paint", "arguments": '{"a": [1, {"b": "x\\ny"}]}'}},
        {"function": {"name": "sing", "arguments": "{}"}},
    ]
    said, found = read(_calls_as_text(calls), 5)
    assert said == ""
    assert found == [("paint", {"a": [1, {"b": "x\ny"}]}), ("sing", {})]


def test_text_is_shown_as_it_comes():
    reader = Calls(["paint"])
    assert reader.push("Hel") == "Hel"
    assert reader.push("lo { x") == "lo { x"
    assert reader.push("\n") == "\n"
    assert reader.push("{") == ""
    assert reader.finish() == ("{", [])


def test_without_tools_nothing_is_held_back():
    reader = Calls([])
    assert reader.push(CALL) == CALL
    assert reader.finish() == ("", [])
