"""The two top lines: the thread you work on, and the six areas."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Offset, Region
from textual.widget import Widget

from fttui.ui.actions import AREAS
from fttui.ui.text import Part, say
from fttui.ui.text import fit as fit_cells

SHORT = {
    "data": "Data",
    "check": "Check",
    "cost": "Cost",
    "jobs": "Jobs",
    "checkpoints": "Ckpt",
    "chat": "Chat",
}


class ThreadLine(Widget):
    """`support.jsonl ▸ ✓ 0 errors ▸ $3.42 ▸ ● job ▸ step 200 ▸ chat`, then the areas by digit.

    Draws what `app.crumbs()` says; repaints only when that text changes.
    """

    DEFAULT_CSS = """
    ThreadLine { height: 2; dock: top; background: $surface; padding: 0 1; }
    """

    def __init__(self, area: str) -> None:
        super().__init__()
        self.area = area
        self._shown: tuple[str, str] | None = None

    def render(self) -> Content:
        return Content("\n").join([self._crumbs(), self._areas()])

    def sync(self) -> None:
        """Repaint if there is anything new to say."""
        shown, self._shown = self._shown, (self._crumbs().plain, self._areas().plain)
        if shown is None or len(shown[0]) != len(self._shown[0]):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(shown, self._shown, strict=True)):
            if old != new:
                self.refresh(_differs(old, new).translate(Offset(0, y)))

    def _crumbs(self) -> Content:
        crumbs: list[list[Part]] = self.app.crumbs()  # type: ignore[attr-defined]
        who: list[Part] = self.app.whose()  # type: ignore[attr-defined]
        room = self.size.width - say(*who).cell_length - 2
        while len(crumbs) > 1 and _length(crumbs) > room:
            crumbs = _shorter(crumbs)
        parts: list[Part] = []
        for number, crumb in enumerate(crumbs):
            if number:
                parts.append((" ▸ ", "faint"))
            parts.extend(crumb)
        line = say(*parts)
        gap = max(1, self.size.width - line.cell_length - say(*who).cell_length)
        return Content.assemble(line, " " * gap, say(*who))

    def _areas(self) -> Content:
        wide = self.size.width >= 100
        parts: list[Part] = []
        for number, (area, title, _) in enumerate(AREAS, 1):
            text = title if wide else SHORT[area]
            style = "match-area" if area == self.area else ""
            if style:
                parts += [(f" {number} {text} ", "bold $foreground on $panel"), " "]
            else:
                parts += [(f" {number}", "key"), (f" {text}  ", "dim")]
        line = say(*parts)
        room = self.size.width - line.cell_length
        banner: list[Part] = self.app.banner(room - 1)  # type: ignore[attr-defined]
        note = say(*banner)
        if note.cell_length > room - 1:
            note = say(fit_cells(note.plain, max(0, room - 1))) if room > 12 else say("")
        return Content.assemble(line, " " * max(0, room - note.cell_length), note)

    def on_click(self, event: events.Click) -> None:
        if event.y != 1:
            return
        x = event.x
        for number, (area, title, _) in enumerate(AREAS, 1):
            text = title if self.size.width >= 100 else SHORT[area]
            cells = len(f" {number} {text}  ")
            if x < cells:
                self.app.call_next(self.app.run_action, f"do('app.go_{area}')")
                return
            x -= cells


def _differs(old: str, new: str) -> Region:
    """From the first cell in which two lines differ to the last: a clock alone costs its own cells."""
    if cell_len(old) != cell_len(new):
        return Region(0, 0, max(cell_len(old), cell_len(new)), 1)
    start = _alike(old, new)
    end = len(new) - _alike(old[start:][::-1], new[start:][::-1])
    x = cell_len(new[:start])
    return Region(x, 0, cell_len(new[:end]) - x, 1)


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shorter(crumbs: list[list[Part]]) -> list[list[Part]]:
    """Without the last link that has nothing yet, else without the first one."""
    if _empty(crumbs[-1]):
        return crumbs[:-1]
    return [["…"], *(crumbs[2:] if crumbs[0] == ["…"] else crumbs[1:])]


def _empty(crumb: list[Part]) -> bool:
    return len(crumb) == 1 and crumb[0][1] == "faint"


def _length(crumbs: list[list[Part]]) -> int:
    return sum(say(*crumb).cell_length for crumb in crumbs) + 3 * (len(crumbs) - 1)
