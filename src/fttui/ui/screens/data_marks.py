"""Marking examples in the Data area, and the copies that are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fttui.text import plural
from fttui.ui import marks
from fttui.ui.screens.data_find import FindingScreen

if TYPE_CHECKING:
    from fttui.dataset.lines import LineIndex
    from fttui.ui.marks import Marks

COPIES = ("drop", "keep", "fix", "sample", "split")
NAMES = ("mark", "mark_all", *COPIES)


class MarkingScreen(FindingScreen):
    """What space, M, x, X, F, S, H and C do. The Data screen is one."""

    def __init__(self) -> None:
        super().__init__()
        self._marks_drawn: tuple[Marks | None, int] = (None, 0)

    @property
    def hints_first(self) -> tuple[str, ...]:
        """What the bottom line names first: with marks, what is done with them."""
        return ("mark", "drop", "keep", "fix") if self.rows.marks else ()

    @property
    def unfit(self) -> str:
        """Why no copy can be made of the file as it is, "" when one can."""
        raise NotImplementedError

    def why_not_marked(self, name: str) -> str:
        if name not in NAMES:
            return ""
        if name in COPIES and self.unfit:
            return self.unfit
        if not self.rows.count:
            return "there is no example"
        if name == "mark_all" and self.rows.index is not None and not self.rows.index.complete:
            return "the file is still being read"
        if name == "keep" and not self.rows.marks:
            return "mark the examples first (space)"
        return ""

    # -- marks

    def show_marks(self) -> None:
        """Draw the marks of the thread, where they are not drawn yet."""
        marked = marks.of(self.thread)
        now = (marked, marked.version if marked is not None else 0)
        if now != self._marks_drawn:
            self._marks_drawn = now
            self.rows.marks = marked
            self.rows.refresh()
            self.say_titles()

    def do_mark(self) -> None:
        line = self.rows.line
        if line is None:
            return
        marked = marks.in_reach(self.thread)
        marked.toggle([line])
        self.rows.marks = marked if marked else None
        self._marks_drawn = (self.rows.marks, marked.version if marked else 0)
        self.rows.refresh_row(self.rows.cursor)  # the others look as before
        self.fttui.change(marks=marked)
        self.rows.action_move(1)
        self.say_titles()

    def do_mark_all(self) -> None:
        marked = marks.in_reach(self.thread)
        marked.toggle(self.rows.shown())
        self.fttui.change(marks=marked)

    def clear_marks(self) -> bool:
        """Escape: nothing is marked any more."""
        marked = marks.of(self.thread)
        if marked is None:
            return False
        marked.clear()
        self.fttui.change(marks=marked)
        return True

    def keep_marks(self, index: LineIndex) -> None:
        """The file was read again: its marks stay where it is as it was."""
        marked = self.thread.marks
        if marked and marked.index is not index:
            if marked.index.same_as(index):
                marked.index = index
                self.fttui.change(marks=marked)
            else:
                self.notify("the file has changed: nothing is marked any more", timeout=4)

    # -- copies

    def _picked(self) -> list[int]:
        """The lines (1-based) that are marked, else that of the example under the cursor."""
        if self.rows.marks:
            return [line + 1 for line in self.rows.marks]
        return [] if self.rows.line is None else [self.rows.line + 1]

    def _what(self, lines: list[int]) -> str:
        if self.rows.marks:
            return plural(len(lines), "marked example")
        return f"line {lines[0]:,}"

    def do_drop(self) -> None:
        self._part(keep=False)

    def do_keep(self) -> None:
        self._part(keep=True)

    def _part(self, *, keep: bool) -> None:
        from fttui.ui import copies

        source, lines = copies.source_of(self.fttui), self._picked()
        if source is not None and lines:
            work = copies.part(self.fttui, source, lines, what=self._what(lines), keep=keep)
            copies.start(self, work, source)

    def do_fix(self) -> None:
        from fttui.ui import copies

        source, lines = copies.source_of(self.fttui), self._picked()
        if source is not None and lines:
            copies.start(self, copies.fix(self.fttui, source, lines=frozenset(lines)), source)

    def do_sample(self) -> None:
        from fttui.ui import copies

        source = copies.source_of(self.fttui)
        if source is not None:
            copies.start(self, copies.sample(self.fttui, source), source)

    def do_split(self) -> None:
        from fttui.ui import copies, reshape

        source = copies.source_of(self.fttui)
        if source is not None:
            copies.start(self, reshape.split(self.fttui, source), source)

    def do_convert(self) -> None:
        from fttui.ui import copies, reshape

        source = copies.source_of(self.fttui)
        if source is not None:
            copies.start(self, reshape.convert(self.fttui, source), source)
