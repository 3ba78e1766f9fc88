"""A conversion before it is done: a few rows, and the examples they become."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label

from fttui.text import one_line, plural
from fttui.ui.dialogs.copy import CopyDialog, copy_name
from fttui.ui.text import Part, fit
from fttui.ui.widgets.text_view import Line, TextView

if TYPE_CHECKING:
    from fttui.dataset.convert import Converted

LONG = 4_000  # letters of a row that are looked at


class ConvertDialog(CopyDialog):
    """Answers the path to write to; `system` holds the prompt for rows that bring none."""

    DEFAULT_CSS = """
    ConvertDialog #fields { height: 1; margin-bottom: 1; }
    ConvertDialog.-tiny #fields { margin: 0; }
    ConvertDialog #fields Label { width: auto; }
    ConvertDialog #fields Input { width: 1fr; margin-left: 1; }
    """
    LOOK = "look   tab next field"

    def __init__(self, source: Path, found: Converted, to: str) -> None:
        rows = plural(found.written + found.skipped, "row")
        name = copy_name(source.with_suffix(".jsonl"), to)
        super().__init__(f"{rows} of {source.name} to {to} JSONL", name)
        self._found, self._to = found, to
        self.system = ""

    def fields(self) -> Iterable[Widget]:
        with Horizontal(id="fields"):
            yield Label("system prompt")
            yield Input(compact=True, id="system", placeholder="for rows that bring none")

    def counts(self) -> list[Part]:
        found = self._found
        shapes = ", ".join(f"{count:,} {shape}" for shape, count in found.shapes.most_common(4))
        parts: list[Part] = [(plural(found.written, "example"), "bold"), (f" from {shapes}", "dim")]
        if found.skipped:
            places = ", ".join(f"{number:,}" for number in found.first_skipped[:5])
            more = " …" if found.skipped > 5 else ""
            parts += ["\n", (f"⚠ {plural(found.skipped, 'row')} of no known shape: left out "
                             f"(row {places}{more})", "warning")]  # fmt: skip
        return parts

    def preview(self, width: int) -> list[Line]:
        from fttui.dataset import convert
        from fttui.dataset.syntax import dump

        turn = convert.preference if self._to == "preference" else convert.chat
        lines: list[Line] = []
        for number, row, _ in self._found.preview:
            example = turn(row, self.system)[1]
            for sign, style, value in (("- ", "error", row), ("+ ", "ok", example)):
                text = one_line(dump(value)[:LONG].decode("utf-8", "replace"), LONG)
                lines.append([(sign, style), (fit(text, width - 2), "dim" if sign == "- " else "")])
            lines[-2].insert(0, (f"{number:,} ", "faint"))
            lines[-2][-1] = (fit(lines[-2][-1][0], width - 3 - len(f"{number:,}")), "dim")
            lines.append([])
        return lines

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "system":
            self.system = event.value.strip()
            self.query_one(TextView).show(self.preview)
