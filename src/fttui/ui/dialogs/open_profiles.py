"""Which profiles' jobs are in the list: any number of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Label

from fttui.ui.dialogs.base import Dialog
from fttui.ui.text import Part, fit, say
from fttui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from fttui.config import Profile
    from fttui.ui.backend import Backend


class OpenProfiles(Dialog[None]):
    """Space or enter opens and closes; the profile in hand is always open."""

    DEFAULT_CSS = """
    OpenProfiles LineList { height: auto; max-height: 20; background: $surface; }
    """
    BINDINGS = [Binding("space,enter", "switch", "Open or close", show=False, priority=True)]

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self._backend = backend
        self._profiles: list[Profile] = sorted(
            backend.config.profiles.values(), key=lambda profile: profile.name
        )

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label("Jobs of these profiles are in the list", classes="title")
            yield LineList(self._row, len(self._profiles))
            yield Label(say(("space open or close   esc done", "dim")), classes="keys")

    def on_mount(self) -> None:
        rows = self.query_one(LineList)
        rows.styles.height = max(1, min(20, len(self._profiles)))
        rows.focus()

    def _why_not(self, profile: Profile) -> str:
        if profile.name == self._backend.profile.name:
            return "in hand (P switches)"
        if self._backend.feeds.get(profile.name) is not None or profile.provider == "local":
            return ""
        return "" if profile.key.present() else f"no key: {profile.key.describe()}"

    def _row(self, at: int, width: int) -> Sequence[Part]:
        profile = self._profiles[at]
        on = self._backend.feeds.get(profile.name) is not None
        why = self._why_not(profile)
        owner = "/".join(filter(None, (profile.organization, profile.project)))
        note = f"{profile.provider} · {owner or profile.host}" + (f" · {why}" if why else "")
        name = min(24, width // 3)
        return [
            (" [x] " if on else " [ ] ", "faint" if why else "key"),
            (fit(profile.name, name), "bold" if on else ""),
            (fit(f" {note}", max(0, width - name - 5)), "dim"),
        ]

    def action_switch(self) -> None:
        rows = self.query_one(LineList)
        profile = self._profiles[rows.cursor]
        if self._why_not(profile):
            self.app.bell()
            return
        on = self._backend.feeds.get(profile.name) is None
        self._backend.show_jobs_of(profile.name, on)
        rows.refresh_row(rows.cursor)
