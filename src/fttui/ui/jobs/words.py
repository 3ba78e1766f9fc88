"""What the list of jobs says about itself: its title, how the reading goes, what to do when it is empty."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from fttui.ui.jobs.feed import Feed
from fttui.ui.text import Part
from fttui.ui.widgets.job_table import ago


def title(
    feeds: Sequence[Feed], shown: int, text: str, sort: str, marked: int, *, grouped: bool
) -> str:
    """`Jobs 3 of 1,000 · 2 marked · status:failed · by loss`; a + where the provider has older ones."""
    everything = len(set[str]().union(*(feed.tracks.keys() for feed in feeds)))
    more = "+" if any(feed.has_more for feed in feeds) else ""
    parts = [f"Jobs {shown:,} of {everything:,}{more}" if text else f"Jobs {everything:,}{more}"]
    if marked:
        parts.append(f"{marked:,} marked")
    if text:
        parts.append(text)
    if sort != "newest":
        parts.append(f"by {sort}")
    if grouped:
        parts.append("by sweep")
    return " · ".join(parts)


def reading(feeds: Sequence[Feed]) -> list[Part]:
    """How the reading itself goes, of each profile where it goes badly; nothing while all is well."""
    parts: list[Part] = []
    for feed in feeds:
        said = _reading(feed)
        if said:
            name = f"{feed.profile}: " if len(feeds) > 1 else ""
            parts += [" · " if parts else "", (name, "accent"), said]
    return parts


def _reading(feed: Feed) -> Part | None:
    if feed.problem is not None:
        why = (feed.problem.why or feed.problem.what).rstrip(".")
        since = f" since {_clock(feed.read_at)}" if feed.read_at else ""
        again = f", next try {_clock(time.time() + feed.next_in)}" if feed.next_in else ""
        return (f"not read{since}: {why}{again}", "warning")
    if feed.asleep:
        return ("asleep, as remembered (r asks)", "dim")
    old = [track.remembered_at for track in feed.tracks.values() if track.remembered_at]
    if old and not feed.read_at:
        return (f"remembered, {ago(max(old))}", "dim")
    return None


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def nothing(feeds: Sequence[Feed], path: Path | None) -> list[Part]:
    """Instead of an empty list: why it is empty, and the next thing to do."""
    failed = next((feed.problem for feed in feeds if feed.problem is not None), None)
    if failed is None and not any(feed.read_at or feed.asleep for feed in feeds):
        return [("asking the provider for your jobs …", "dim")]
    if failed is not None:
        parts: list[Part] = [(f"{failed.what}\n", "error"), f"{failed.why}\n"]
        parts += [("→ ", "accent"), failed.remedy or "r asks again"]
        return [*parts, "\n\n", ("W", "key"), (" why, and the ways out", "dim")]
    new: Part = ("n", "key")
    if path is None:
        opens: list[Part] = ["no jobs yet\n\n", ("o", "key"), (" opens a dataset, ", "dim")]
        return [*opens, new, (" launches a job on it", "dim")]
    return ["no jobs yet\n\n", new, (f" launches one on {path.name}", "dim")]
