"""Everything about one job on a page: settings asked and resolved, files and where they are, its own words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Label, Static

from fttui.problem import Problem
from fttui.ui.dialogs.base import Dialog
from fttui.ui.jobs import page
from fttui.ui.jobs.track import Track
from fttui.ui.text import say

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import FileInfo


class JobPage(Dialog[None]):
    """Shows what is known at once; names and sizes of the files come when the provider tells them."""

    DEFAULT_CSS = """
    JobPage > #box { width: 96%; height: 92%; max-height: 92%; }
    JobPage VerticalScroll { height: 1fr; background: $surface; }
    JobPage VerticalScroll Static { height: auto; }
    """
    BINDINGS = [
        Binding("y", "copy", "Copy all of it", show=False),
        Binding("f,q", "close", "Close", show=False),
    ]

    def __init__(self, track: Track, provider: Provider) -> None:
        super().__init__()
        self._track, self._provider = track, provider
        self._files: dict[str, FileInfo] = {}
        self._copies: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Label(say(f"{self._track.name} · {self._track.id}"), classes="title")
            with VerticalScroll():
                yield Static(id="page")
            yield Label(say(("esc close   y copy all of it", "dim")), classes="keys")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._show()
        self.run_worker(self._read(), group="job-files", exit_on_error=False)

    def _show(self) -> None:
        rows = page.lines(self._track, self._files, self._copies)
        self.query_one("#page", Static).update(Content("\n").join([say(*row) for row in rows]))

    async def _read(self) -> None:
        from fttui.service import files, uploads

        for _, file_id in page.of_job(self._track):
            try:
                self._files[file_id] = await files.retrieve(self._provider, file_id)
            except Problem:
                pass  # its id is there; a file that is gone has no name
            path, _ = await asyncio.to_thread(uploads.local_copy, self._provider, file_id)
            if path is not None:
                self._copies[file_id] = str(path)
            if self.is_mounted:
                self._show()

    def action_copy(self) -> None:
        rows = page.lines(self._track, self._files, self._copies)
        text = "\n".join(say(*row).plain for row in rows)
        self.app.copy(text, "the page")  # type: ignore[attr-defined]
