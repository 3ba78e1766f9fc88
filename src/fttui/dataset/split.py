"""Split a dataset into training and validation: by seed, stratified, nothing on both sides twice."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fttui.dataset import framing
from fttui.dataset.checks import answers
from fttui.dataset.checks.context import Context
from fttui.dataset.checks.filewide import labels
from fttui.dataset.formats import recognise
from fttui.dataset.new_file import new_file
from fttui.dataset.rewrite import watched
from fttui.dataset.syntax import load
from fttui.problem import Problem


@dataclass(slots=True)
class Halves:
    """What a split wrote: examples on each side, and classes it kept in proportion."""

    train: int = 0
    validation: int = 0
    classes: dict[str, tuple[int, int]] = field(default_factory=dict)
    groups: int = 0  # sets of examples that had to stay together


def split(
    source: Path,
    train: Path,
    validation: Path,
    *,
    fraction: float = 0.2,
    n: int | None = None,
    seed: int = 42,
) -> Halves:
    """Write `source` as two files. fraction or n: how much goes to validation.

    Examples that are equal, nearly equal or share their prompt stay on one side. Where the answers are
    classes, each class is split in the same proportion. The same seed gives the same files.
    """
    if n is None and not 0 < fraction < 1:
        raise Problem(
            f"a fraction of {fraction} splits nothing",
            "it must lie between 0 and 1",
            "--fraction 0.2",
            code="usage",
        )
    found = groups(source)
    total = found.examples
    if total < 2:
        raise Problem(
            f"{source} cannot be split",
            f"it has {total} usable examples",
            "two are needed at least",
            code="S005",
        )
    share = n / total if n is not None else fraction
    if share >= 1:
        raise Problem(
            f"{n} of {total} examples leave nothing to train on", "", "ask for fewer", code="usage"
        )
    chosen, halves = choose(found, share, seed)
    write(source, train, validation, chosen)
    return halves


@dataclass(frozen=True, slots=True)
class Groups:
    """Lines (0-based) that belong together, and the class of each such set ("" for none)."""

    lines: list[array[int]]
    strata: list[str]

    @property
    def examples(self) -> int:
        return sum(map(len, self.lines))


def choose(found: Groups, share: float, seed: int) -> tuple[set[int], Halves]:
    """The lines (0-based) for validation, and what that makes of the file."""
    chosen, classes = _choose(found.lines, found.strata, share, seed)
    together = sum(len(group) > 1 for group in found.lines)
    return chosen, Halves(found.examples - len(chosen), len(chosen), classes, together)


def write(
    source: Path,
    train: Path,
    validation: Path,
    chosen: set[int],
    *,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Copy the chosen lines to `validation`, the others to `train`."""
    with (
        new_file(train, instead_of=(source, validation)) as a,
        new_file(validation, instead_of=(source, train)) as b,
    ):
        numbered = enumerate(framing.lines(source, Counter()))
        for number, raw in watched(numbered, on_progress, cancelled):
            if raw.strip():
                (b if number in chosen else a).write(raw + b"\n")


def groups(
    source: Path,
    *,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Groups:
    """The examples that must stay on one side together: equal, nearly equal, of one prompt."""
    parent: dict[int, int] = {}
    first: dict[tuple[str, int], int] = {}
    context = Context()
    said: dict[int, int] = {}  # line → digest of its answer
    names: dict[int, str] = {}
    numbered = enumerate(framing.lines(source, Counter()))
    for number, raw in watched(numbered, on_progress, cancelled):
        if not raw.strip():
            continue
        parent[number] = number
        obj = load(raw)
        if obj is None:
            continue
        context.line = number + 1
        kind = recognise(obj, "chat" if "messages" in obj else "")[0]
        found, _ = answers.check(obj, kind, context)
        said[number] = found.answer
        if (text := answers.label(obj, kind)) and len(names) < 5_000:
            names.setdefault(found.answer, text)
        for key in (("n", found.normal), ("p", found.prompt)):
            if key[1]:
                _join(parent, first.setdefault(key, number), number)
    sets: dict[int, array[int]] = {}
    for number in parent:
        sets.setdefault(_root(parent, number), array("I")).append(number)
    classes = {name for name, _ in labels(context.facts)}
    strata = []
    for group in sets.values():
        name = names.get(said.get(group[0], 0), "")
        strata.append(name if name in classes else "")
    return Groups(list(sets.values()), strata)


def _root(parent: dict[int, int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _join(parent: dict[int, int], a: int, b: int) -> None:
    a, b = _root(parent, a), _root(parent, b)
    parent[max(a, b)] = min(a, b)


def _choose(
    groups: list[array[int]], strata: list[str], share: float, seed: int
) -> tuple[set[int], dict[str, tuple[int, int]]]:
    """Lines for validation, and per class how many of how many."""
    by_class: dict[str, list[array[int]]] = {}
    for group, name in zip(groups, strata, strict=True):
        by_class.setdefault(name, []).append(group)
    chosen: set[int] = set()
    taken: dict[str, tuple[int, int]] = {}
    generator = random.Random(seed)
    owed = 0.0  # what rounding withheld from the classes before
    for name in sorted(by_class):
        members = by_class[name]
        generator.shuffle(members)
        size = sum(len(group) for group in members)
        owed += size * share
        want, got = round(owed), 0
        for group in members:
            if got + len(group) <= want:
                chosen.update(group)
                got += len(group)
        owed -= got
        taken[name] = (got, size)
    if not chosen:  # every group is larger than what was asked for: the smallest goes
        smallest = min(groups, key=len)
        if len(smallest) < sum(map(len, groups)):
            chosen.update(smallest)
    return chosen, {name: pair for name, pair in taken.items() if name}
