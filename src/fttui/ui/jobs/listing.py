"""The rows of the list of jobs: filtered, sorted, those of one sweep under a heading. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fttui.ui.jobs.track import Track

LAST = float("inf")


def _figure(value: float | None) -> float:
    return LAST if value is None else value


# What jobs can be sorted by; the sort is stable, so newest first among equals.
SORTS: dict[str, Callable[[Track], Any]] = {
    "newest": lambda track: 0,  # the order they come in
    "status": lambda track: (track.job.ended or track.gone, track.job.status),
    "name": lambda track: track.name.lower(),
    "loss": lambda track: _figure(track.loss.last),
    "valid loss": lambda track: _figure(track.curves.valid.last),
    "model": lambda track: track.job.model,
    "profile": lambda track: track.profile,
}


@dataclass(frozen=True)
class Group:
    """The heading of a sweep. tracks: those of its jobs that are in the list."""

    name: str
    tracks: tuple[Track, ...]
    folded: bool

    @property
    def id(self) -> str:
        return heading(self.name)

    def counts(self) -> list[tuple[str, int]]:
        """Its statuses, the most frequent first."""
        return Counter(track.job.status for track in self.tracks).most_common()

    def best(self) -> tuple[Track, float, str] | None:
        """(job, its best validation loss, or its last training loss, which of the two)."""
        for kind in ("valid", "loss"):
            known = []
            for track in self.tracks:
                values = track.curves.valid.values if kind == "valid" else track.loss.values[-1:]
                if len(values):
                    known.append((min(values), track))
            if known:
                value, track = min(known, key=lambda pair: pair[0])
                return track, value, kind
        return None


Row = Track | Group


def heading(sweep: str) -> str:
    """The id of a sweep's heading among the rows: no job's."""
    return f"sweep:{sweep}"


def arrange(
    tracks: Iterable[Track], sort: str, *, grouped: bool, folded: Collection[str] = ()
) -> list[Row]:
    """The rows in order; a sweep stands where its first job would."""
    found = list(tracks)
    if sort != "newest":
        found.sort(key=SORTS[sort])
    if not grouped:
        return list(found)
    sweeps: dict[str, list[Track]] = {}
    for track in found:
        if track.sweep:
            sweeps.setdefault(track.sweep, []).append(track)
    rows: list[Row] = []
    done: set[str] = set()
    for track in found:
        sweep = track.sweep
        if not sweep:
            rows.append(track)
        elif sweep not in done:
            done.add(sweep)
            group = Group(sweep, tuple(sweeps[sweep]), sweep in folded)
            rows.append(group)
            rows.extend(() if group.folded else group.tracks)
    return rows


def neighbour(before: Sequence[str], ids: Sequence[str], selected: str, wanted: str = "") -> str:
    """Who is selected when the selected one is not shown: `wanted`, else the row that came nearest."""
    if wanted in ids:
        return wanted
    if not ids:
        return ""
    shown = set(ids)
    at = before.index(selected) if selected in before else 0
    later = (row for row in before[at:] if row in shown)
    earlier = (row for row in reversed(before[:at]) if row in shown)
    return next(later, None) or next(earlier, None) or ids[0]
