"""What jobs differ in, and which did best. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fttui.ui.jobs.facts import SHORT
from fttui.ui.jobs.track import Track


def settings(track: Track) -> dict[str, str]:
    """Everything a job was told, as text; hyperparameters by their short names."""
    job = track.job
    found = {
        "profile": track.profile,
        "model": job.model,
        "method": job.method,
        "file": job.training_file,
        "validation": job.validation_file,
        "seed": "" if job.seed is None else str(job.seed),
    }
    for name, value in job.hyperparameters.items():
        found[SHORT.get(name, name)] = f"{value:g}" if isinstance(value, float) else str(value)
    return {name: text for name, text in found.items() if text}


def differences(
    tracks: Sequence[Track],
) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """(setting → job id → value, for what differs; setting → value, for what is the same). What was
    varied on purpose (hyperparameters, seed) comes before files and models."""
    told = {track.id: settings(track) for track in tracks}
    names = list(dict.fromkeys(name for found in told.values() for name in found))
    last = ("profile", "model", "method", "file", "validation")
    names.sort(key=lambda name: last.index(name) if name in last else -1)
    differ: dict[str, dict[str, str]] = {}
    same: dict[str, str] = {}
    for name in names:
        values = {job_id: found[name] for job_id, found in told.items() if name in found}
        if len(values) == len(told) and len(set(values.values())) == 1:
            same[name] = next(iter(values.values()))
        else:
            differ[name] = values
    return differ, same


def best(tracks: Sequence[Track]) -> Track | None:
    """The lowest validation loss at any step; the lowest last training loss where none was validated."""
    for validated in (True, False):
        known = []
        for track in tracks:
            values = track.curves.valid.values if validated else track.curves.loss.values[-1:]
            if len(values) and not (validated and _rewards(track)):
                known.append((min(values), track))
        if known:
            return min(known, key=lambda pair: pair[0])[1]
    return None


def _rewards(track: Track) -> bool:
    """Its validation is a reward, of which more is better."""
    return not len(track.curves.series["valid"]) and not len(track.curves.series["full_valid"])
