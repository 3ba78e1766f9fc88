"""Everything that is known about one job, as lines of parts: for the page that `f` opens."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fttui.secrets import redact
from fttui.text import duration
from fttui.ui.jobs import facts as job_facts
from fttui.ui.jobs.track import Track
from fttui.ui.text import Part, fit

if TYPE_CHECKING:
    from fttui.service.types import FileInfo, JobEvent

Line = list[Part]


def lines(track: Track, files: Mapping[str, FileInfo], copies: Mapping[str, str]) -> list[Line]:
    """files: what the provider says of each file id; copies: where it is on this machine."""
    job = track.job
    found: list[Line] = [job_facts.state(track)]
    found += job_facts.failure(track)
    found += _section("Settings", _settings(track))
    found += _section("Files", _files(track, files, copies))
    pairs: list[tuple[str, str]] = [
        ("base model", job.model),
        ("tuned model", job.fine_tuned_model),
        ("created", _clock(job.created_at)),
        ("finished", _clock(job.finished_at)),
        ("took", duration(taken) if (taken := track.seconds_taken()) is not None else ""),
        ("trained tokens", f"{job.trained_tokens:,}" if job.trained_tokens else ""),
        ("organization", job.organization),
        *(("W&B", text) for text in _integrations(job.raw.get("integrations"))),
    ]
    found += _section("Job", [_pair(name, value) for name, value in pairs if value])
    found += _section("Metadata", [_pair(name, value) for name, value in job.metadata.items()])
    raw = redact(json.dumps(dict(job.raw), indent=2, ensure_ascii=False, default=str))
    found += _section("As the provider tells it", [[(line, "dim")] for line in raw.splitlines()])
    return found


def _section(title: str, rows: Sequence[Line]) -> list[Line]:
    return [[""], [(title, "heading")], *rows] if rows else []


def _pair(name: str, value: str) -> Line:
    return [(f"  {fit(name, 18)}", "dim"), value]


def _clock(at: int | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def _settings(track: Track) -> list[Line]:
    """Every hyperparameter as it was asked for and as it was resolved, side by side."""
    now, asked = track.job.hyperparameters, track.asked
    names = list(dict.fromkeys([*now, *asked]))
    rows: list[Line] = [_pair("method", track.job.method)]
    rows.append([(f"  {'':<18}{'asked':<22}resolved", "faint")])
    for name in names:
        was, value = asked.get(name), now.get(name)
        seen = "not seen" if was is None else _value(was)
        resolved = "–" if value is None else ("not yet" if value == "auto" else _value(value))
        style = "" if value not in (None, "auto") else "dim"
        rows.append(
            [
                (f"  {fit(name, 26)}", "dim"),
                (fit(seen, 14), "" if was else "dim"),
                (resolved, style),
            ]
        )
    if track.job.seed is not None:
        rows.append(_pair("seed", str(track.job.seed)))
    if track.job.suffix:
        rows.append(_pair("suffix", track.job.suffix))
    return rows


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _files(track: Track, files: Mapping[str, FileInfo], copies: Mapping[str, str]) -> list[Line]:
    rows: list[Line] = []
    for kind, file_id in of_job(track):
        info = files.get(file_id)
        rows.append(_pair(kind, file_id))
        if info is not None:
            size = f" · {info.bytes:,} bytes" if info.bytes else ""
            rows.append([(" " * 20, ""), (f"{info.filename or 'no name'}{size}", "dim")])
        if copies.get(file_id):
            rows.append([(" " * 20, ""), (f"here: {copies[file_id]}", "dim")])
    return rows


def of_job(track: Track) -> list[tuple[str, str]]:
    """(what it is for, id) of each of its files."""
    job = track.job
    named = [("training", job.training_file), ("validation", job.validation_file)]
    return [(kind, i) for kind, i in [*named, *(("results", r) for r in job.result_files)] if i]


def event_lines(event: JobEvent) -> list[Line]:
    """All of one event."""
    named = [("time", _clock(event.created_at)), ("level", event.level), ("type", event.type),
             ("id", event.id)]  # fmt: skip
    rows = [_pair(name, value) for name, value in named if value]
    rows += [[""], [event.message]]
    if event.data:
        text = redact(json.dumps(event.data, indent=2, ensure_ascii=False, default=str))
        rows.append([""])
        rows += [[(line, "dim")] for line in text.splitlines()]
    return rows


def _integrations(value: Any) -> list[str]:
    rows = value if isinstance(value, list) else []
    found = [row.get("wandb") or row for row in rows if isinstance(row, Mapping)]
    return [", ".join(f"{k} {v}" for k, v in row.items() if v) for row in found]
