"""Training and validation side by side (X-codes). The finding stands in the validation file."""

from __future__ import annotations

from collections.abc import Iterator

from fttui.dataset.checks.context import Facts
from fttui.dataset.checks.filewide import labels, main_format
from fttui.dataset.checks.legacy import Wide
from fttui.dataset.target import Target
from fttui.text import one_line, plural


def check(train: Facts, other: Facts, examples: tuple[int, int], target: Target) -> Iterator[Wide]:
    """What differs between the files as a whole; examples: in (training, validation)."""
    n, m = examples
    if not n or not m:
        return
    yield from _forms(train, other)
    if m < 10:
        yield "X005", 0, f"{plural(m, 'example')} to validate on, ten at least say something", 1
    elif m > n / 2:
        yield "X005", 0, f"{m:,} validation examples for {n:,} of training", 1
    limit = target.max_reinforcement_validation
    if other.n["format:reinforcement"] > limit:
        yield "S006", 0, f"{m:,} validation examples; reinforcement takes {limit:,}", 1
    yield from _classes(train, other)


def _forms(train: Facts, other: Facts) -> Iterator[Wide]:
    here, there = main_format(train), main_format(other)
    if here != there:
        yield "X004", 0, f"the training file is {here}, this one {there}", 1
        return
    if here == "reinforcement":
        usual = [
            facts.texts["fields"].most_common(1)[0][0]
            for facts in (train, other)
            if "fields" in facts.texts
        ]
        if len(set(usual)) > 1:
            yield (
                "X004",
                0,
                f"fields {one_line(usual[1], 40) or 'none'}, in training {one_line(usual[0], 40) or 'none'}",
                1,
            )
    declared = [bool(facts.n["declares"]) for facts in (train, other)]
    if declared[0] != declared[1]:
        yield (
            "X004",
            0,
            f"tools are declared only in the {'training' if declared[0] else 'validation'} file",
            1,
        )


def _classes(train: Facts, other: Facts) -> Iterator[Wide]:
    classes = labels(train)
    spoken = other.texts.get("answer")
    if not classes or not spoken or "answer" in other.lossy:
        return
    names = {name for name, _ in classes}
    only = sorted(names ^ set(spoken))
    if only and len(only) <= 20 and names & set(spoken):
        yield (
            "X007",
            0,
            f"{plural(len(only), 'class', 'classes')} in one file only: {one_line(', '.join(only), 60)}",
            len(only),
        )
