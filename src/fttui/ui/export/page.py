"""The report of an exported job as Markdown that reads well anywhere, and the page that leads to all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from fttui.text import clean, duration, one_line, plural
from fttui.ui import plotting
from fttui.ui.export.folder import cell, table
from fttui.ui.jobs import ranking
from fttui.ui.jobs.track import Track

LAST = 20  # events shown in the report; all of them are in events.jsonl


def report(
    track: Track,
    *,
    where: str,
    charts: Sequence[str],
    data: Sequence[Mapping[str, Any]],
    files: Sequence[str],
    missing: Sequence[tuple[str, str]],
    notes: Sequence[str],
    chats: int,
) -> str:
    """The page of one job.

    where: its profile and provider. charts: names of pictures. data: role, id, name, bytes, sha256,
    saved, copy of each dataset. files: names of the other files beside the page.
    """
    job = track.job
    lines = [f"# {cell(clean(track.name))}", "", f"`{cell(job.id)}` · {where}", ""]
    lines += [f"- {name}: {cell(clean(value))}" for name, value in _facts(track) if value]
    lines += [f"- note: {cell(clean(note))}" for note in notes]
    lines += _failure(track)
    for chart in charts:
        lines += ["", f"![{chart.removesuffix('.svg')}]({chart})"]
    lines += ["", "## Settings", "", *_settings(track)]
    lines += _checkpoints(track)
    if data:
        lines += ["", "## Datasets", "", *_data(data)]
    lines += _events(track)
    if chats:
        lines += ["", f"{plural(chats, 'chat')} with its models: [chats.md](chats.md)"]
    if missing:
        lines += ["", "## What could not be saved", ""]
        lines += [f"- {cell(what)}: {cell(clean(why))}" for what, why in missing]
    lines += ["", "## Files", "", *(f"- [{name}]({_link(name)})" for name in files)]
    return "\n".join([*lines, "", f"Written by fttui on {_date(time.time())}.", ""])


def _link(name: str) -> str:
    return name.replace(" ", "%20")


def _date(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at)) if at else ""


def _facts(track: Track) -> list[tuple[str, str]]:
    from fttui.service.types import TAG

    job = track.job
    step, total = track.progress()
    taken = track.seconds_taken()
    return [
        ("status", job.status),
        ("base model", job.model),
        ("tuned model", job.fine_tuned_model),
        ("created", _date(job.created_at)),
        ("finished", _date(job.finished_at)),
        ("took", duration(taken) if taken is not None else ""),
        ("steps", (f"{step:,}" + (f" of {total:,}" if total else "")) if step else ""),
        ("trained tokens", f"{job.trained_tokens:,}" if job.trained_tokens else ""),
        ("metadata", ", ".join(f"{k}={v}" for k, v in job.metadata.items() if k != TAG)),
    ]


def _failure(track: Track) -> list[str]:
    if track.job.error is None or track.job.status not in ("failed", "cancelled"):
        return []
    from fttui.service.errors import job_problem

    problem = job_problem(track.job.error, track.id)
    lines = [problem.what, problem.why, f"→ {problem.remedy}" if problem.remedy else ""]
    return ["", *(f"> {cell(clean(line))}  " for line in lines if line)]


def _settings(track: Track) -> list[str]:
    job = track.job
    names = list(dict.fromkeys([*track.asked, *job.hyperparameters]))
    rows = [["method", "", job.method], ["seed", "", "" if job.seed is None else str(job.seed)]]
    rows += [
        [name, _value(track.asked.get(name)), _value(job.hyperparameters.get(name))]
        for name in names
    ]
    return table({"setting": "l", "asked": "l", "resolved": "l"}, [r for r in rows if r[1] or r[2]])


def _value(value: Any) -> str:
    return "" if value is None else (f"{value:g}" if isinstance(value, float) else str(value))


def _checkpoints(track: Track) -> list[str]:
    kept = ranking.of_job(track)
    if not kept:
        return []
    head = {"step": "r", "train loss": "r", "valid loss": "r", "train acc": "r", "valid acc": "r",
            "model": "l"}  # fmt: skip
    rows = []
    for row in kept:
        figures = (row.train_loss, row.valid_loss, row.train_accuracy, row.valid_accuracy)
        numbers = ["" if value is None else plotting.number(value) for value in figures]
        rows.append([f"{row.step:,}", *numbers, f"`{clean(row.model)}`"])
    best = ranking.reason(kept, ranking.usable(kept)[0])
    said = [text for text in (best, ranking.turned(kept)) if text]
    return ["", "## Checkpoints", "", *table(head, rows), "", *said]


def _data(data: Sequence[Mapping[str, Any]]) -> list[str]:
    head = {"for": "l", "file": "l", "bytes": "r", "sha256": "l", "saved": "l"}
    rows = []
    for row in data:
        saved = f"[{row['saved']}]({_link(row['saved'])})" if row.get("saved") else (
            f"no: {row.get('why', '')}" + (f"; a copy is at {row['copy']}" if row.get("copy") else "")
        )  # fmt: skip
        size = f"{row['bytes']:,}" if row.get("bytes") else ""
        name = f"{row.get('name') or ''} `{row['id']}`".strip()
        rows.append(
            [row["role"], clean(name), size, str(row.get("sha256") or "")[:16], clean(saved)]
        )
    return table(head, rows)


def _events(track: Track) -> list[str]:
    if not track.events:
        return []
    shown = [event for event in track.events if event.type != "metrics"]
    shown = shown[-LAST:] if shown else track.events[-LAST:]
    lines = [
        f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(event.created_at))}  {one_line(event.message)}"
        for event in shown
    ]
    many = plural(len(track.events), "event")
    return ["", "## Events", "", f"{many} in [events.jsonl](events.jsonl); of them:", "", "```text",
            *(line.replace("```", "'''") for line in lines), "```"]  # fmt: skip


# -- the page that leads to all of them

INTRO = (
    "Everything fttui could save of these fine-tuning jobs, readable without any provider. Keys are"
    " never written here. The weights of tuned models are not in it: save them where the provider"
    " gives them out (Checkpoints, d)."
)


def index(rows: Sequence[Mapping[str, Any]], unfinished: str = "") -> str:
    """README.md. rows: name, id, folder, profile, status, model, tuned, loss, missing of each job."""
    head = {"job": "l", "status": "l", "base model": "l", "tuned model": "l", "validation loss": "r",
            "profile": "l"}  # fmt: skip
    made = [
        [f"[{cell(clean(r['name']))}]({_link(r['folder'])}/report.md)", r["status"], clean(r["model"]),
         clean(r["tuned"]), r["loss"], clean(r["profile"])]
        for r in rows
    ]  # fmt: skip
    lines = ["# Fine-tuning jobs", "", INTRO, ""]
    if unfinished:
        lines += [f"**{unfinished}** The same export again goes on where it ended.", ""]
    lines += table(head, made)
    failed = [(r, what, why) for r in rows for what, why in r["missing"]]
    if failed:
        lines += ["", "## What could not be saved", ""]
        lines += [
            f"- {cell(clean(r['name']))}, {cell(what)}: {cell(clean(why))}"
            for r, what, why in failed
        ]
    return "\n".join([*lines, "", f"Written by fttui on {_date(time.time())}.", ""])
