"""A sweep: a small grid of values launched as one group, held together by the metadata of its jobs."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from fttui.problem import Problem
from fttui.service.types import Job

SWEEP = "fttui_sweep"  # the metadata key with the group's name: the same for all of its jobs
VARIED = "fttui_varied"  # the metadata key with what this job has of its own: "n_epochs=2 seed=1"
MOST = 48  # jobs of one group: a small grid; providers keep 100 jobs or fewer
NAME_MOST = 40  # columns of a group's name


@dataclass(frozen=True, slots=True)
class Axis:
    """One field that is varied, with its values as typed."""

    name: str
    values: tuple[str, ...]


def values(text: str) -> list[str]:
    """The values in what was typed, `1e-4, 2e-4`: in order, none twice (1 and 1.0 are one)."""
    found: dict[Decimal | str, str] = {}
    for part in text.split(","):
        word = part.strip()
        if word:
            found.setdefault(_same(word), word)
    return list(found.values())


def _same(word: str) -> Decimal | str:
    try:
        number = Decimal(word)
    except InvalidOperation:
        return word.lower()
    return number if number.is_finite() else word.lower()


def axes(typed: Mapping[str, str]) -> tuple[Axis, ...]:
    """The fields with more than one value."""
    split = ((name, values(text)) for name, text in typed.items())
    return tuple(Axis(name, tuple(found)) for name, found in split if len(found) > 1)


def combinations(varied: Sequence[Axis]) -> list[dict[str, str]]:
    """Every combination, the first field slowest; one empty one where nothing is varied."""
    rows = itertools.product(*(axis.values for axis in varied))
    names = [axis.name for axis in varied]
    return [dict(zip(names, row, strict=True)) for row in rows]


def count(varied: Sequence[Axis]) -> int:
    total = 1
    for axis in varied:
        total *= len(axis.values)
    return total


def too_many(varied: Sequence[Axis]) -> str:
    """Why a grid is not launched, "" where it is small enough."""
    jobs = count(varied)
    return f"{jobs:,} jobs are more than the {MOST} of one sweep" if jobs > MOST else ""


def new_name(word: str, token: str = "") -> str:
    """A name for a group: readable, and with `token` (else a random one) no other's."""
    plain = re.sub(r"[^a-z0-9-]+", "-", word.lower()).strip("-")[: NAME_MOST - 7].strip("-")
    return "-".join(part for part in (plain, token or secrets.token_hex(3)) if part)


def tags(name: str, varied: Mapping[str, str]) -> dict[str, str]:
    """The metadata that makes a job one of the group."""
    return {SWEEP: name, VARIED: " ".join(f"{key}={value}" for key, value in varied.items())}


def of(job: Job) -> str:
    """The name of the group a job belongs to, "" for none."""
    return job.metadata.get(SWEEP, "")


def varied_of(job: Job) -> dict[str, str]:
    """What a job of a group has of its own, by field."""
    pairs = (word.partition("=") for word in job.metadata.get(VARIED, "").split())
    return {name: value for name, _, value in pairs if name}


def numbered(suffix: str, number: int, most: int) -> str:
    """The suffix of the job with this number in its group, at most `most` characters."""
    if not suffix:
        return ""
    tail = f"-{number}"
    return suffix[: most - len(tail)].rstrip("-") + tail


def parse(options: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """`name=1,2` options as typed fields. Problem for an unknown name or a missing value."""
    names = tuple(known)
    typed: dict[str, str] = {}
    for option in options:
        name, _, text = option.partition("=")
        name = name.strip().replace("-", "_")
        if name not in names:
            raise Problem(
                f"--sweep {option}: there is no {name!r} to vary.",
                f"Known: {', '.join(names)}.",
                f"--sweep {names[0]}=1,2",
                code="usage",
            )
        if not values(text):
            raise Problem(
                f"--sweep {option} names no values.", "", f"--sweep {name}=1,2", code="usage"
            )
        typed[name] = text
    return typed
