"""Evaluations of the past: what each was to do and what came of it, from the files their answers are kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fttui.service import eval_store
from fttui.service.eval_plan import Plan
from fttui.service.eval_setup import Setup
from fttui.service.eval_store import Store

LISTED = 100


@dataclass(frozen=True, slots=True)
class Past:
    """One file of answers. at: unix time it began. figures: of `Result.note`, empty while unfinished."""

    path: Path
    setup: Setup
    at: float
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return bool(self.figures.get("complete"))


def begun(store: Store, setup: Setup, plan: Plan) -> None:
    """Write down what is to be done, before the first question."""
    store.note(evaluation=setup.as_dict(), prompts=len(plan.cases.rows))


def ended(store: Store, figures: dict[str, Any]) -> None:
    """Write down what came of it (`Result.note`)."""
    store.note(result=figures)


def listing(folder: Path | None = None) -> list[Past]:
    """The newest LISTED first. Blocks for the time of reading the files."""
    folder = folder or eval_store.folder()
    try:
        files = sorted(folder.glob("*.jsonl"), key=_changed, reverse=True)
    except OSError:
        return []
    found = (read(path) for path in files[:LISTED])
    return [past for past in found if past is not None]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def read(path: Path) -> Past | None:
    """The last set-up of a file and the figures after it; None where it has none."""
    begin: dict[str, Any] | None = None
    figures: dict[str, Any] = {}
    try:
        with path.open("rb") as file:
            for row in _rows(file):
                if "evaluation" in row:
                    begin, figures = row, {}
                elif isinstance(row.get("result"), dict):
                    figures = row["result"]
    except OSError:
        return None
    if begin is None or not isinstance(begin["evaluation"], dict):
        return None
    try:
        setup = Setup.from_dict(begin["evaluation"])
    except Exception:  # noqa: BLE001 - a file of another version is not listed
        return None
    return Past(path, setup, float(begin.get("at") or 0), figures)


def _rows(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for raw in lines:
        if b'"evaluation"' not in raw and b'"result"' not in raw:
            continue
        try:
            row = json.loads(raw)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
