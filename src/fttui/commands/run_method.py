"""How `fttui run` trains: the method a file's examples are for, and a model that is trained so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.pricing.catalog import Catalog
    from fttui.pricing.records import Model

_METHODS = {"preference": "dpo", "reinforcement": "reinforcement"}


def method_of(path: Path) -> str:
    """The method for what most of the first examples are; "supervised" where that cannot be seen: the check
    says then what is wrong. Problem for reinforcement, which needs a grader."""
    import os

    from fttui.dataset.checks import file as file_checks
    from fttui.dataset.target import OPENAI

    opened = file_checks.open_file(os.fspath(path), OPENAI)  # never waits, whatever it is
    if opened.fd >= 0:
        os.close(opened.fd)
    kind = "" if opened.fatal else _kind(opened.head[opened.start :])
    found = _METHODS.get(kind, "supervised")
    if found == "reinforcement":
        raise Problem(
            f"{path} is for reinforcement",
            "that needs a grader, which this command has no words for",
            f"fttui {path}, then 4 and n: the launch form edits graders",
            code="method",
        )
    return found


def _kind(head: bytes) -> str:
    """What most of the first lines are."""
    from collections import Counter

    import orjson

    from fttui.dataset.formats import recognise

    kinds: Counter[str] = Counter()
    for line in head.split(b"\n"):
        try:
            kinds[recognise(orjson.loads(line))[0]] += 1
        except ValueError:
            continue
    if not kinds:  # not even the first line ends here
        return "preference" if b'"non_preferred_output"' in head else ""
    return kinds.most_common(1)[0][0]


def choose_model(catalog: Catalog, provider: str, name: str | None, method: str) -> Model:
    """The model that was named, or the cheapest that the method trains. Problem where there is none."""
    from datetime import date

    if name:
        return catalog.find(name, provider)
    cheapest = catalog.cheapest(provider, date.today(), method)
    if cheapest is None:
        raise Problem(
            f"{provider} has no model that can still be trained",
            "see `fttui cost` for the dates",
            "name one with --model, or train on this machine: --profile local",
            code="no_model",
        )
    return cheapest
