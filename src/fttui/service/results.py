"""The results file of a job: a CSV of metrics a step, plain or base64, whatever its columns are called."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from dataclasses import dataclass

from fttui.problem import Problem
from fttui.service import files
from fttui.service.provider import Provider
from fttui.service.types import ALIASES, Job, Metrics

_KNOWN = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_STEPS = ("iteration", "iter", "batch", "index")  # instead of a step, the first there is


@dataclass(frozen=True, slots=True)
class Results:
    """One results file: its id, the CSV as text, and the figures in it by step."""

    file_id: str
    text: str
    metrics: list[Metrics]


async def read(provider: Provider, job: Job) -> list[Metrics]:
    """The metrics of the job's first readable results file; empty where it has none."""
    found = await fetch(provider, job)
    return found.metrics if found else []


async def fetch(provider: Provider, job: Job) -> Results | None:
    """The job's first readable results file; None where it has none. Raises Problem."""
    failed: Problem | None = None
    for file_id in job.result_files:
        try:
            raw = await files.content(provider, file_id)
            return Results(file_id, text(raw), parse(raw))
        except Problem as problem:
            failed = problem
    if failed is not None:
        raise failed
    return None


def text(raw: bytes) -> str:
    """The CSV in a results file: as it is, else out of base64."""
    plain = raw.decode("utf-8-sig", "replace")
    if _has_header(plain):
        return plain
    try:
        inside = base64.b64decode(raw.strip(), validate=False).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        return plain
    return inside if _has_header(inside) else plain


def _has_header(content: str) -> bool:
    names = _columns(content)
    return any(name not in ("", "step", "total_steps") for name in names.values())


def _columns(content: str) -> dict[str, str]:
    """The columns of the first line → the figure each holds, "" where that is not known."""
    first = content.lstrip().partition("\n")[0].strip()
    return {name: _meaning(name) for name in next(csv.reader([first], delimiter=_comma(first)), [])}


def _comma(first: str) -> str:
    return max(",;\t", key=first.count)


def _meaning(column: str) -> str:
    """The figure a column holds, by its name: an alias, else the words in it."""
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    if name in _KNOWN:
        return _KNOWN[name]
    words = set(name.split("_"))
    kind = next((k for k in ("loss", "reward") if k in words), "")
    if words & {"accuracy", "acc"}:
        kind = "accuracy"
    if not kind:
        return ""
    if words & {"valid", "validation", "val", "eval", "test", "dev"}:
        full = "full_" if "full" in words and kind != "reward" else ""
        return f"{full}valid_{kind}"
    return f"train_{kind}"


def parse(raw: bytes) -> list[Metrics]:
    """Metrics in the order of their steps. Not a results file: Problem "bad_results"."""
    content = text(raw)
    if not _has_header(content):
        raise Problem(
            "The results file cannot be read.",
            "It is no CSV with a known column, neither plain nor base64.",
            "Read the metrics from the job's events instead.",
            code="bad_results",
        )
    lines = content.lstrip()
    meanings = _columns(lines)
    steps = [name for name, meaning in meanings.items() if meaning == "step"] or [
        name for word in _STEPS for name in meanings if name.strip().lower() == word
    ]
    rows = csv.DictReader(io.StringIO(lines), delimiter=_comma(lines.partition("\n")[0]))
    found = []
    for number, row in enumerate(rows, 1):
        values = {ALIASES[m][0]: row.get(c) for c, m in meanings.items() if m and row.get(c)}
        values["step"] = row.get(steps[0]) if steps else str(number)
        found.append(Metrics.from_json(values))
    return sorted((row for row in found if not row.empty), key=lambda row: row.step)
