"""The command palette: every action that can run here, recent files, themes. Never asks the network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from fttui.text import one_line
from fttui.ui.actions import keys_of, label, of_scope

if TYPE_CHECKING:
    from fttui.ui.app import FttuiApp


class Commands(Provider):
    """Actions of the pane below and of the app, then files opened lately."""

    def _rows(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        app = cast("FttuiApp", self.app)
        scope = getattr(self.screen, "SCOPE", "")
        why_not = getattr(self.screen, "reason", lambda _: "")
        for action in (*of_scope(scope), *of_scope("app")):
            keys = keys_of(action, app.keymap_in_force)
            reason = why_not(action.id) if action.scope == scope else ""
            note = reason or (f"key: {label(keys[0])}" if keys else "")
            yield action.title, note, partial(app.run_by_id, action.id)
        for path, _ in app.state.recent():
            yield (
                f"Open {one_line(path.name, 60)}",
                one_line(str(path), 90),
                partial(app.open, path),
            )

    async def discover(self) -> Hits:
        for title, note, run in self._rows():
            yield DiscoveryHit(title, run, help=note)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, note, run in self._rows():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=note)
