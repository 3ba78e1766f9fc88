"""The results file of a job: a CSV of metrics a step, plain or base64, whatever its columns are called."""

from __future__ import annotations

import base64
import binascii
import csv
import io

from fttui.problem import Problem
from fttui.service import files
from fttui.service.provider import Provider
from fttui.service.types import ALIASES, Job, Metrics

_COLUMNS = {alias for aliases in ALIASES.values() for alias in aliases}


async def read(provider: Provider, job: Job) -> list[Metrics]:
    """The metrics of the job's first readable results file; empty where it has none."""
    failed: Problem | None = None
    for file_id in job.result_files:
        try:
            return parse(await files.content(provider, file_id))
        except Problem as problem:
            failed = problem
    if failed is not None:
        raise failed
    return []


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
    first = content.lstrip().partition("\n")[0]
    return bool(_COLUMNS & {name.strip().strip('"').lower() for name in first.split(",")})


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
    rows = csv.DictReader(io.StringIO(content.lstrip()))
    found = [
        Metrics.from_json({(key or "").strip().lower(): value for key, value in row.items()})
        for row in rows
    ]
    return sorted((row for row in found if not row.empty), key=lambda row: row.step)
