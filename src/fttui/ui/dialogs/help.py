"""Keys and help for the pane you are in: made of the table that dispatches; enter runs the line."""

from __future__ import annotations

from collections.abc import Sequence

from fttui.ui.actions import AREAS, PAGES, keys_of, label, of_scope
from fttui.ui.dialogs.choose import Choice, Choose

LIST_KEYS = "lists: j k ↑ ↓ pgup pgdn g G   tab: next pane   esc: back"


class Help(Choose):
    """Answers the id of the action to run."""

    def __init__(self, scope: str, keymap: dict[str, str], reasons: dict[str, str]) -> None:
        question = {area: text for area, _, text in (*AREAS, *PAGES)}.get(scope, "")
        title = f"{scope.title()} — {question}\n{LIST_KEYS}" if question else "Keys"
        super().__init__(title, self._choices(scope, keymap, reasons))

    @staticmethod
    def _choices(scope: str, keymap: dict[str, str], reasons: dict[str, str]) -> Sequence[Choice]:
        rows = []
        for action in (*of_scope(scope), *of_scope("app")):
            keys = " ".join(label(key) for key in keys_of(action, keymap)) or "—"
            reason = reasons.get(action.id, "")
            rows.append(Choice(action.id, action.title, action.id, reason, keys))
        return rows
