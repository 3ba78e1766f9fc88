"""Everything about one job on a page: settings asked and resolved, files and where they are, its own words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.binding import Binding

from fttui.problem import Problem
from fttui.ui.dialogs.text_page import TextPage
from fttui.ui.jobs import page
from fttui.ui.jobs.track import Track

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import FileInfo


class JobPage(TextPage):
    """Shows what is known at once; names and sizes of the files come when the provider tells them."""

    BINDINGS = [Binding("f", "close", "Close", show=False)]

    def __init__(self, track: Track, provider: Provider) -> None:
        self._track, self._provider = track, provider
        self._files: dict[str, FileInfo] = {}
        self._copies: dict[str, str] = {}
        super().__init__(f"{track.name} · {track.id}", page.lines(track, {}, {}))

    def on_mount(self) -> None:
        super().on_mount()
        self.run_worker(self._read(), group="job-files", exit_on_error=False)

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
                self.show(page.lines(self._track, self._files, self._copies))
