"""Watched jobs, outside the panes: the terminal's title while they run; bell, notification and command at their end."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
from typing import TYPE_CHECKING

from fttui.ui.crumbs import status

if TYPE_CHECKING:
    from fttui.service.notify import Ended
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.track import Track


class Announcer:
    """`follow` after any news of jobs, `ended` when a watched one ended, `close` at the end."""

    def __init__(self, app: FttuiApp) -> None:
        self.app = app
        self._title = ""
        self._pushed = False
        self._last_word = False  # the title says how a job ended: it stays until another one runs

    def write(self, sequence: str) -> None:
        """Send a sequence to the terminal, in order with what is drawn."""
        driver = self.app._driver
        if sequence and driver is not None:
            driver.write(sequence)

    # -- the title

    def follow(self) -> None:
        """How far the watched jobs are; the title is written only when it says something new."""
        settings = self.app.backend.config.settings
        live = [
            feed.tracks[job_id]
            for feed in self.app.backend.feeds
            for job_id in sorted(feed.watched)
            if job_id in feed.tracks and feed.tracks[job_id].live
        ]
        if not settings.notify_title or not (live or self._title):
            return
        if live or not self._last_word:
            self._last_word = False
            self._say(" · ".join([*map(_progress, live[:3]), "fttui"]))

    def _say(self, text: str) -> None:
        if text == self._title:
            return
        from fttui.service import notify

        if not self._pushed:
            self._pushed = True
            atexit.register(self._put_back)
            self.write(notify.PUSH)
        self._title = text
        self.write(notify.title(text))

    def close(self) -> None:
        """The title that was there before comes back."""
        if self._pushed:
            from fttui.service import notify

            self._pushed = False
            self.write(notify.POP)

    def _put_back(self) -> None:
        """The same where the app had no chance to."""
        if self._pushed:
            from fttui.service import notify

            with contextlib.suppress(OSError):
                os.write(2, notify.POP.encode())

    # -- the end of a job

    def ended(self, track: Track) -> None:
        from fttui.service.notify import Ended

        gone = track.gone and not track.job.ended
        ended = Ended.of(track.job, track.profile, loss=track.loss.last, gone=gone)
        good = track.job.status == "succeeded"
        self.app.notify(ended.text, severity="information" if good else "warning", timeout=8)
        settings = self.app.backend.config.settings
        if settings.notify_title:
            self._last_word = True
            self._say(f"{status(track.job.status)[0]} {ended.name} {ended.status} · fttui")
        if settings.notify_bell:
            self.app.bell()
        self.app.run_worker(self._tell(ended), group="announce", exit_on_error=False)

    async def _tell(self, ended: Ended) -> None:
        from fttui.service import notify

        settings = self.app.backend.config.settings
        self.write(
            await asyncio.to_thread(notify.notification, ended.text, settings.notify_desktop)
        )
        if settings.notify_command:
            complaint = await notify.run_command(settings.notify_command, ended)
            if complaint:
                self.app.notify(complaint, severity="warning", timeout=8)


def _progress(track: Track) -> str:
    """`42% support-v7`, `queued support-v7`."""
    share = track.share()
    if track.job.status == "running" and share is not None:
        return f"{int(share * 100)}% {track.name}"
    return f"{track.job.status} {track.name}"
