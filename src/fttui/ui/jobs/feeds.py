"""The jobs of all open profiles: one poller for all, one list without doubles, news told together.

The profile in hand is always open. Others stay open once they were worked on or opened by hand,
also at the next start, until they are closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.signal import Signal

from fttui.ui.jobs.feed import Feed, News, newest_first

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.watch import Change, Watcher
    from fttui.ui.app import FttuiApp
    from fttui.ui.jobs.track import Track

OPEN = "jobs.profiles"  # what the state calls the names of the open profiles


class Feeds:
    """Feeds by the name of their profile, in the order they were opened."""

    def __init__(self, app: FttuiApp) -> None:
        self.app = app
        self.changed: Signal[News] = Signal(app, "feeds.changed")
        self._open: dict[str, Feed] = {}
        self._watcher: Watcher | None = None

    def __iter__(self) -> Iterator[Feed]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def get(self, profile: str) -> Feed | None:
        return self._open.get(profile)

    # -- open and close

    def open(self, provider: Provider, *, look: bool = True) -> Feed:
        """Show and watch a profile's jobs; one that is open already stays as it is."""
        name = provider.profile.name
        feed = self._open.get(name)
        if feed is not None and feed.provider is not provider:  # another key, another address
            self.shut(name)
            feed = None
        if feed is None:
            backend = self.app.backend
            feed = self._open[name] = Feed(
                self.app, provider, watcher=self._poller, on_news=self._heard,
                on_end=lambda feed, track: backend.announcer.ended(track),
            )  # fmt: skip
            feed.start(look=look)
        elif feed.asleep and look:
            feed.refresh()
        return feed

    def put(self, feed: Feed | None) -> None:
        """Nothing but this feed from now on (tests, which feed it by hand)."""
        self._open = {feed.profile: feed} if feed is not None else {}
        if feed is not None:
            feed._on_news = self._heard
        self._heard(feed, News(state=True))

    def shut(self, profile: str) -> None:
        """Show a profile's jobs no longer. They go on, and so does what is remembered of them."""
        feed = self._open.pop(profile, None)
        if feed is not None:
            feed.stop()
            self._heard(feed, News(state=True))

    async def close(self) -> None:
        for feed in self:
            await feed.close()
        if self._watcher is not None:
            await self._watcher.close()

    def _poller(self) -> Watcher:
        if self._watcher is None:
            from fttui.service.watch import Watcher

            self._watcher = Watcher(self._take)
        return self._watcher

    def _take(self, change: Change) -> None:
        feed = self._open.get(change.profile)
        if feed is not None:
            feed._take(change)

    def _heard(self, feed: Feed | None, news: News) -> None:
        self.changed.publish(news)
        self.app.backend.announcer.follow()

    # -- what is known

    def tracks(self) -> list[Track]:
        """Newest first. Profiles that reach the same jobs show each of them once."""
        if len(self._open) == 1:
            return next(iter(self._open.values())).jobs()
        found: dict[str, Track] = {}
        for feed in self:
            for job_id, track in feed.tracks.items():
                other = found.get(job_id)
                if other is None or (other.gone and not track.gone):
                    found[job_id] = track
        return newest_first(found.values())

    def find(self, job_id: str) -> Track | None:
        feed = self.of(job_id)
        return feed.get(job_id) if feed is not None else None

    def of(self, job_id: str) -> Feed | None:
        """The feed a job belongs to; where several know it, one that still lists it."""
        known = [feed for feed in self if job_id in feed.tracks]
        listed = [feed for feed in known if not feed.tracks[job_id].gone]
        return next(iter(listed or known), None)
