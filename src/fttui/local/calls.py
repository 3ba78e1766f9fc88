"""Tool calls in an answer's text: one JSON object a line, as `template` shows them to the model.

A small model's tool call is text like any other. Text that may be one is held back until its line
is complete; what turns out to be something else is shown after all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from fttui.local.store import new_id

Call = dict[str, Any]


class Calls:
    """Reads a growing answer. `push` returns the text to show, `finish` the rest and the calls.

    Calls end an answer: text after one makes all of it text.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._line = ""  # the line being read, as far as it was not shown
        self._shown = False  # part of that line was shown: it is no call
        self._held = ""  # complete lines that are calls, and blanks between
        self._calls: list[Call] = []

    def push(self, text: str) -> str:
        if not self._names:
            return text
        shown = ""
        for piece in text.splitlines(keepends=True):
            self._line += piece
            if piece.endswith("\n"):
                shown += self._end_line()
            elif self._shown or not self._may_be_call():
                shown += self._release()
        return shown

    def finish(self) -> tuple[str, list[Call]]:
        """The text still held back where it is no call, and the calls found."""
        shown = self._end_line()
        if self._calls:
            return shown, self._calls
        return shown + self._release(), []

    def _may_be_call(self) -> bool:
        start = self._line.lstrip()
        return not start or start.startswith("{")

    def _end_line(self) -> str:
        if self._shown:
            shown, self._line, self._shown = self._line, "", False
            return shown
        call = self._call(self._line)
        if call is not None:
            self._calls.append(call)
        elif self._line.strip():
            shown = self._release()
            self._shown = False
            return shown
        self._held, self._line = self._held + self._line, ""
        return ""

    def _release(self) -> str:
        shown = self._held + self._line
        self._held, self._line, self._shown = "", "", True
        self._calls = []
        return shown

    def _call(self, line: str) -> Call | None:
        if not line.lstrip().startswith("{"):
            return None
        try:
            value = orjson.loads(line)
        except ValueError:
            return None
        name, arguments = value.get("name"), value.get("arguments")
        if not isinstance(name, str) or name not in self._names:
            return None
        if not isinstance(arguments, dict | str):
            return None
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        function = {"name": name, "arguments": arguments}
        return {"id": new_id("call_"), "type": "function", "function": function}
