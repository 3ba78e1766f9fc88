"""Some of the lines of a dataset: a sample, all but these, only these. Always into a new file."""

from __future__ import annotations

import os
import random
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from fttui.dataset import framing
from fttui.dataset.checks import file as file_checks
from fttui.dataset.new_file import new_file
from fttui.dataset.rewrite import Plan, watched
from fttui.dataset.target import OPENAI

# What makes the lines of a copy other lines than those of the file: one must be put right first.
RESHAPED = frozenset({"F011", "F015", "F018", "F020", "F021", "F022"})

OnProgress = Callable[[int], None]  # lines looked at so far
Cancelled = Callable[[], bool]


def reshaped(source: Path) -> str:
    """The code of what keeps the lines of `source` from having numbers that a copy can go by, "" for
    a file of plain lines."""
    opened = file_checks.open_file(os.fspath(source), OPENAI)
    if opened.fd >= 0:
        os.close(opened.fd)
    return next((found.code for found in opened.found if found.code in RESHAPED), "")


def _lines(
    source: Path, on_progress: OnProgress | None, cancelled: Cancelled | None
) -> Iterator[tuple[int, bytes]]:
    """The lines that say anything, with their physical numbers from 1."""
    numbered = enumerate(framing.lines(source, Counter()), 1)
    return (
        (number, raw) for number, raw in watched(numbered, on_progress, cancelled) if raw.strip()
    )


def select(
    source: Path,
    output: Path,
    keep: Callable[[int], bool],
    *,
    on_progress: OnProgress | None = None,
    cancelled: Cancelled | None = None,
) -> Plan:
    """Copy the lines for whose number (1-based, physical) `keep` says yes, unchanged."""
    plan = Plan()
    with new_file(output, instead_of=(source,)) as file:
        for number, raw in _lines(source, on_progress, cancelled):
            if keep(number):
                file.write(raw + b"\n")
                plan.lines += 1
    return plan


def drop(
    source: Path,
    output: Path,
    lines: Iterable[int],
    *,
    on_progress: OnProgress | None = None,
    cancelled: Cancelled | None = None,
) -> Plan:
    """Copy without these lines (1-based)."""
    gone = frozenset(lines)
    return select(
        source,
        output,
        lambda number: number not in gone,
        on_progress=on_progress,
        cancelled=cancelled,
    )


def examples(
    source: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
) -> array[int]:
    """The numbers (1-based, physical) of the lines that are not blank, ascending."""
    return array("I", (number for number, _ in _lines(source, on_progress, cancelled)))


def choose(numbers: array[int], n: int, seed: int) -> frozenset[int]:
    """`n` of the lines, all where there are fewer; the same seed chooses the same."""
    return frozenset(random.Random(seed).sample(numbers, min(n, len(numbers))))


def sample(source: Path, output: Path, n: int, seed: int = 42) -> Plan:
    """Copy `n` examples chosen by seed, in their order."""
    chosen: Container[int] = choose(examples(source), n, seed)
    return select(source, output, lambda number: number in chosen)
