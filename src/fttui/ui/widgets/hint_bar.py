"""The bottom line: the keys that matter here, the least important dropped first when it is narrow."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from fttui.ui.actions import Action, keys_of, label, of_scope
from fttui.ui.text import Part, say


class HintBar(Widget):
    """Hints of one scope on the left, the app's own on the right; a disabled one is dim."""

    DEFAULT_CSS = """
    HintBar { height: 1; dock: bottom; background: $surface; padding: 0 1; }
    """

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope
        self._shown = ""

    def sync(self) -> None:
        content = self.render()
        text = content.markup  # words and styles: a hint that dims must be drawn again
        if text != self._shown:
            self._shown = text
            self.refresh()

    def render(self) -> Content:
        right = self._hints("app", ("app.palette", "app.help"))
        room = self.size.width - right.cell_length - 2
        elsewhere = getattr(self.screen, "elsewhere", ())  # of another page of the same screen
        hinted = (a for a in of_scope(self.scope) if a.hint and a.name not in elsewhere)
        now = getattr(self.screen, "hints_first", ())  # what matters most as things stand
        ranked = sorted(hinted, key=lambda a: (a.name not in now, a.rank))
        kept: list[Action] = []
        for action in ranked:
            if self._hints(self.scope, tuple(a.id for a in (*kept, action))).cell_length <= room:
                kept.append(action)
            else:
                break
        left = self._hints(self.scope, tuple(a.id for a in kept))
        gap = self.size.width - left.cell_length - right.cell_length
        return Content.assemble(left, " " * max(1, gap), right)

    def _hints(self, scope: str, ids: tuple[str, ...]) -> Content:
        keymap = self.app.keymap_in_force  # type: ignore[attr-defined]
        why_not = getattr(self.screen, "reason", None)
        parts: list[Part] = []
        for action in of_scope(scope):
            if action.id not in ids:
                continue
            off = bool(why_not and scope == self.scope and why_not(action.id))
            key = label(keys_of(action, keymap)[0])
            parts += [
                (key, "faint" if off else "key"),
                (f" {action.hint}   ", "faint" if off else "dim"),
            ]
        return say(*parts).rstrip()
