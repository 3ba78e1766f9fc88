"""The examples of a file as a virtual list: number, verdict, messages, tokens, first words."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from fttui.text import one_line, size
from fttui.ui.text import SEVERITY_GLYPH, SEVERITY_STYLE, Part, fit
from fttui.ui.widgets.conversation import part_text
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.dataset.formats import Example
    from fttui.dataset.lines import LineIndex
    from fttui.dataset.report import Report, Row
    from fttui.ui.marks import Marks

READ = 1 << 20  # bytes of a line that are parsed for its row; a longer one shows how it begins
MARK = "┃"
PREVIEW = 240  # characters kept of the first words


class ExampleList(LineList):
    """Rows are physical lines of the index, all of them or those a filter found.

    `line` is the 0-based line under the cursor. What a row says is read when it is drawn.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(self._example_row, 0, id=id)
        self.index: LineIndex | None = None
        self.report: Report | None = None
        self.marks: Marks | None = None
        self._only: array[int] | None = None
        self._glance = lru_cache(maxsize=512)(self._look)

    # -- content

    def open(self, index: LineIndex | None, line: int = 0) -> None:
        """Show another file."""
        self.index, self.report, self._only = index, None, None
        self._glance.cache_clear()
        self.set_count(0)
        self.grow(line)
        self.refresh()

    def grow(self, line: int | None = None) -> None:
        """The index knows more lines."""
        if self._only is None:
            count = len(self.index) if self.index is not None else 0
            self.set_count(count, cursor=line)

    def tell(self, report: Report | None) -> None:
        """The check is done: severities and tokens are known."""
        if report is not self.report:
            self.report = report
            self._glance.cache_clear()
            self.refresh()

    def only(self, lines: array[int] | None) -> None:
        """Show only these lines (0-based, ascending); None for all. The cursor stays on its line or the next."""
        line = self.line
        self._only = lines
        count = len(lines) if lines is not None else len(self.index) if self.index else 0
        self.set_count(count, cursor=self.row_of(line or 0))
        self.refresh()

    @property
    def line(self) -> int | None:
        return self.line_of(self.cursor) if self.count else None

    def shown(self) -> Sequence[int]:
        """The lines (0-based) of all rows."""
        return self._only if self._only is not None else range(self.count)

    def line_of(self, row: int) -> int | None:
        if not 0 <= row < self.count:
            return None
        return self._only[row] if self._only is not None else row

    def row_of(self, line: int) -> int:
        """The row of a line, or of the next one that is shown."""
        return bisect_left(self._only, line) if self._only is not None else line

    def go_to(self, line: int) -> None:
        self.cursor = self.row_of(line)

    # -- one row

    def header(self) -> Part:
        """The column titles, aligned with the rows."""
        titles = f"   {'line':>{self._digits()}}  {'msgs':>4}  {'tokens':>7}  begins with"
        return (titles, "faint")

    def _digits(self) -> int:
        return max(5, len(f"{len(self.index):,}")) if self.index is not None else 5

    def _example_row(self, row: int, width: int) -> Sequence[Part]:
        line = self.line_of(row)
        if line is None or self.index is None:
            return []
        messages, words, style = self._glance(line)
        facts = self._facts(line)
        severity = facts.severity if facts is not None else ""
        tokens = f"{facts.tokens:,}" if facts is not None and facts.tokens else ""
        glyph, mark = " ", ""
        if severity:
            glyph, mark = SEVERITY_GLYPH[severity], SEVERITY_STYLE[severity]
        elif style == "error":
            glyph, mark = "✗", "error"
        elif facts is not None:
            glyph, mark = "✓", "dim"
        facts_text = f"{line + 1:>{self._digits()},}  {messages:>4}  {tokens:>7}  "
        room = width - len(facts_text) - 3
        # Few parts: each one costs its colour on the wire.
        marked = self.marks is not None and line in self.marks
        edge: list[Part] = [(MARK, "accent"), (f"{glyph} ", mark)] if marked else []
        return [
            *(edge or [(f" {glyph} ", mark)]),
            (facts_text, "dim"),
            (fit(words, room), "" if style == "error" else style),
        ]

    def _facts(self, line: int) -> Row | None:
        if self.report is None:
            return None
        rows = self.report.rows
        i = rows.at_line(line + 1)
        return rows[i] if i is not None else None

    def _look(self, line: int) -> tuple[str, str, str]:
        assert self.index is not None
        return glance(self.index, line, self.report.format if self.report is not None else "")


def glance(index: LineIndex, line: int, kind: str) -> tuple[str, str, str]:
    """(number of messages, first words, style) of a line (0-based). kind: the format of the file."""
    from fttui.dataset import formats

    length = index.length(line)
    if length > READ:
        start = index.line(line, 2 * PREVIEW).decode("utf-8", "replace")
        return "", f"{size(length)}  {one_line(start, PREVIEW)}", "dim"
    raw = index.line(line)
    example = formats.read(raw, kind)
    if example.format == "invalid":
        if not raw.strip():
            return "", "(blank line)", "faint"
        return "", one_line(raw[: 4 * PREVIEW].decode("utf-8", "replace"), PREVIEW), "error"
    turns = example.turns()
    return (str(len(turns)) if turns else ""), one_line(first_words(example), PREVIEW), ""


def first_words(example: Example) -> str:
    """What the first user says; else whatever is said first."""
    turns = example.turns()
    for message in turns:
        if message.role == "user" and message.content_text.strip():
            if message.parts:
                return " ".join(part_text(part) for part in message.parts[:8])
            return message.content_text[:4000]
    for message in turns:
        if message.content_text.strip():
            return message.content_text[:4000]
    return "  ".join(f"{key}: {value}"[:200] for key, value in list(example.extras.items())[:4])
