"""The curves of several jobs in one chart: a style and a mark a job, what is drawn chosen by what they have.

chart.show(overlay(tracks), at_once=True)      # a LossChart
overlay(tracks, curve="valid", names={job_id: "lr 0.5 · seed 1"})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fttui.ui.jobs.curves import Series
from fttui.ui.jobs.track import Track
from fttui.ui.widgets.chart_cells import Trace

# Six hues that differ in both themes; with more jobs they return, and the mark tells them apart.
STYLES = ("primary", "warning", "accent", "ok", "error", "$text-secondary")
MARKS = "123456789abcdefghijklmnopqrstuvwxyz"
BOTH_UP_TO = 3  # jobs of which training and validation are both drawn

# what may be drawn → the training curve and the validation curves, the best known first
CURVES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "loss": ("train", ("full_valid", "valid")),
    "accuracy": ("train_acc", ("full_valid_acc", "valid_acc")),
    "reward": ("reward", ("valid_reward",)),
}


def mark(place: int) -> str:
    """The one-character name of the job at this place."""
    return MARKS[place] if place < len(MARKS) else "*"


def overlay(
    tracks: Sequence[Track],
    *,
    view: str = "loss",
    curve: str = "",
    names: Mapping[str, str] | None = None,
) -> list[Trace]:
    """One trace a job, two (validation dashed) for up to three jobs. Jobs without values are left out.

    view: a key of CURVES. curve: "train" or "valid" draws only that; "" chooses: both for a few
    jobs, else validation where every job has it, else training. names: legend by job id.
    """
    which = curve or _choose(tracks, view)
    found = []
    for place, track in enumerate(tracks):
        style, sign = STYLES[place % len(STYLES)], mark(place)
        name = (names or {}).get(track.id) or track.name
        train, valid = series(track, view, "train"), series(track, view, "valid")
        if which in ("train", "both") and len(train):
            found.append(Trace(name, train, style, mark=sign))
        if which == "valid" and len(valid):
            found.append(Trace(name, valid, style, mark=sign))
        if which == "both" and len(valid):
            found.append(Trace("valid", valid, style, dashed=True))
    return found


def series(track: Track, view: str, curve: str) -> Series:
    """The training or the validation curve of a job: of several, the one with the most values."""
    train, valid = CURVES[view]
    every = track.curves.series
    if curve == "train":
        return every[train]
    return max((every[name] for name in valid), key=len)


def _choose(tracks: Sequence[Track], view: str) -> str:
    if len(tracks) <= BOTH_UP_TO:
        return "both"
    return "valid" if all(len(series(track, view, "valid")) for track in tracks) else "train"


def of_job(track: Track, view: str = "loss") -> list[Trace]:
    """The curves of one job worth drawing, the first one in front."""
    every = track.curves.series
    train, (full, *batch) = CURVES[view]
    valid = batch[0] if batch else full
    found = [Trace(_short(view, "train"), every[train], "primary")]
    found.append(Trace(_short(view, "valid"), every[valid], "warning", dashed=True))
    if full != valid and not _within(every[full], every[valid]):  # not the same figures twice
        found.append(Trace(_short(view, "full valid"), every[full], "accent", dashed=True))
    return [trace for trace in found if len(trace.series)]


def _short(view: str, curve: str) -> str:
    """`train` for the loss, `train acc`, `train reward`."""
    return {"loss": curve, "accuracy": f"{curve} acc"}.get(view, f"{curve} {view}")


def _within(inner: Series, outer: Series) -> bool:
    if len(inner) >= min(10_000, len(outer) + 1):
        return False
    return all(outer.at(step) == (step, value) for step, value in inner)


def views(tracks: Sequence[Track]) -> list[str]:
    """The views that at least one of the jobs has values for."""
    return [view for view in CURVES if any(_any(track, view) for track in tracks)]


def _any(track: Track, view: str) -> bool:
    train, valid = CURVES[view]
    return any(len(track.curves.series[name]) for name in (train, *valid))


def styles() -> Iterator[str]:
    """The style of each job in turn: for a table beside the chart."""
    place = 0
    while True:
        yield STYLES[place % len(STYLES)]
        place += 1
