"""What the list of jobs says about itself: how the reading goes, and what to do when it is empty."""

from __future__ import annotations

from pathlib import Path

from fttui.ui.jobs.feed import Feed
from fttui.ui.text import Part
from fttui.ui.widgets.job_table import ago


def reading(feed: Feed | None) -> list[Part]:
    """How the reading itself goes; nothing while all is well."""
    if feed is None:
        return []
    if feed.problem is not None:
        return [(f"not read: {feed.problem.why or feed.problem.what}", "warning")]
    old = [track.remembered_at for track in feed.tracks.values() if track.remembered_at]
    if old and not feed.read_at:
        return [(f"remembered, {ago(max(old))}", "dim")]
    return []


def nothing(feed: Feed | None, path: Path | None) -> list[Part]:
    """Instead of an empty list: why it is empty, and the next thing to do."""
    if feed is None or not (feed.read_at or feed.problem):
        return [("asking the provider for your jobs …", "dim")]
    if feed.problem is not None:
        parts: list[Part] = [(f"{feed.problem.what}\n", "error"), f"{feed.problem.why}\n"]
        return [*parts, ("→ ", "accent"), feed.problem.remedy or "r asks again"]
    new: Part = ("n", "key")
    if path is None:
        opens: list[Part] = ["no jobs yet\n\n", ("o", "key"), (" opens a dataset, ", "dim")]
        return [*opens, new, (" launches a job on it", "dim")]
    return ["no jobs yet\n\n", new, (f" launches one on {path.name}", "dim")]
