"""One job's folder: settings, events, metrics, checkpoints, results, chats, pictures and the report."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fttui.ui.export import page, svg
from fttui.ui.export.collect import Chosen, Found
from fttui.ui.export.folder import Folder, clean_name
from fttui.ui.jobs import ranking
from fttui.ui.jobs.curves import FIELDS

if TYPE_CHECKING:
    from fttui.state import State
    from fttui.ui.jobs.track import Track

PICTURES = (  # file, title, its curves: name, curve, colour, dashed
    ("loss.svg", "Loss", (("train", "train", 0, False), ("valid", "valid", 1, True),
                          ("full valid", "full_valid", 2, True))),
    ("accuracy.svg", "Token accuracy", (("train", "train_acc", 0, False),
                                        ("valid", "valid_acc", 1, True),
                                        ("full valid", "full_valid_acc", 2, True))),
    ("reward.svg", "Reward", (("train", "reward", 0, False), ("valid", "valid_reward", 1, True))),
)  # fmt: skip


def write(
    folder: Folder,
    chosen: Chosen,
    found: Found,
    data: Sequence[Mapping[str, Any]],
    state: State | None,
) -> None:
    """Write all of it; files that say the same as before are left alone. Raises Problem."""
    track = found.track
    written = [folder.put("job.json", _json(dict(track.job.raw) or track.job.as_dict()))]
    written.append(folder.put("settings.json", _json(settings(chosen, track, data))))
    if track.events:
        written.append(folder.put("events.jsonl", "".join(map(_event, track.events))))
    table = metrics(track)
    if table:
        written.append(folder.put("metrics.csv", table))
    if track.checkpoints:
        written.append(folder.put("checkpoints.json", _json(checkpoints(track))))
    for row in found.results:
        written.append(folder.put(f"results/{clean_name(row.file_id)}.csv", row.text))
    known = {row.file_id for row in found.results}
    for file_id, raw in found.raw_results.items():
        if file_id not in known:  # no table fttui knows: as it is
            written.append(
                folder.put(f"results/{clean_name(file_id)}", raw.decode("utf-8", "replace"))
            )
    talks = chats(state, chosen.provider.profile.name, track) if state else []
    if talks:
        written.append(folder.put("chats.json", _json(talks)))
        written.append(folder.put("chats.md", chats_page(talks)))
    charts = []
    for name, picture in pictures(track):
        charts.append(folder.put(name, picture))
    profile = chosen.provider.profile
    at = dict.fromkeys([chosen.provider.capabilities.title, profile.host])
    text = page.report(
        track,
        where=f"profile {profile.name} ({', '.join(at)})",
        charts=charts,
        data=data,
        files=written + charts,
        missing=found.missing,
        notes=found.notes,
        chats=len(talks),
    )
    folder.put("report.md", text)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"


def _event(event: Any) -> str:
    row = {
        "id": event.id,
        "created_at": event.created_at,
        "level": event.level,
        "type": event.type,
        "message": event.message,
        "data": event.data,
    }
    return json.dumps(row, ensure_ascii=False, default=str) + "\n"


def settings(chosen: Chosen, track: Track, data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What was asked, what was resolved, where and with which files: enough to launch it again."""
    job, profile = track.job, chosen.provider.profile
    return {
        "job": job.id,
        "name": track.name,
        "profile": profile.name,
        "provider": profile.provider,
        "host": profile.host,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model or None,
        "method": job.method,
        "hyperparameters": {"asked": dict(track.asked), "resolved": dict(job.hyperparameters)},
        "seed": job.seed,
        "suffix": job.suffix or None,
        "metadata": dict(job.metadata),
        "integrations": job.raw.get("integrations") or [],
        "datasets": [dict(row) for row in data],
    }


def metrics(track: Track) -> str:
    """Every figure by step as CSV, from events and results files; "" without any."""
    series = {name: dict(track.curves.series[name]) for name in FIELDS}
    names = [name for name, values in series.items() if values]
    steps = sorted({step for values in series.values() for step in values})
    if not steps:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", *(FIELDS[name] for name in names)])
    for step in steps:
        writer.writerow([f"{step:g}", *(series[name].get(step, "") for name in names)])
    return out.getvalue()


def checkpoints(track: Track) -> list[dict[str, Any]]:
    """The checkpoints with their figures; the best and those past the turning marked."""
    rows = ranking.of_job(track)
    best = ranking.best(rows, ranking.usable(rows)[0])
    risen = ranking.past_turning(rows)
    return [
        {
            "id": row.checkpoint.id,
            "model": row.model,
            "step": row.step,
            "created_at": row.checkpoint.created_at,
            "final": row.final,
            "best": row is best,
            "after_validation_turned": row.key in risen,
            "metrics": row.checkpoint.metrics.as_dict(),
            "result_files": list(row.checkpoint.result_files),
        }
        for row in rows
    ]


def pictures(track: Track) -> list[tuple[str, str]]:
    """(file name, SVG) of each kind of curve there is."""
    marks = [row.step for row in track.checkpoints or []]
    found = []
    for name, title, curves in PICTURES:
        lines = [
            svg.Line(word, track.curves.series[curve], colour, dashed)
            for word, curve, colour, dashed in curves
        ]
        picture = svg.chart(f"{title} · {track.name}", lines, marks)
        if picture:
            found.append((name, picture))
    return found


# -- chats


def chats(state: State, profile: str, track: Track) -> list[dict[str, Any]]:
    """The conversations that a model of this job had a part in, with every message."""
    models = {track.job.fine_tuned_model, *(row.model for row in track.checkpoints or [])} - {""}
    found = []
    for chat, title, at in state.chats(profile, limit=100_000) if models else ():
        rows = state.messages(chat)
        if any(row["model"] in models for row in rows):
            found.append({"id": chat, "title": title, "at": at, "messages": rows})
    return found


def chats_page(talks: Sequence[Mapping[str, Any]]) -> str:
    """The conversations as Markdown: who said what, in the order it was said."""
    lines = ["# Chats", ""]
    for talk in talks:
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(talk["at"]))
        lines += [f"## {page.cell(page.clean(str(talk['title'])))}", "", day, ""]
        for row in talk["messages"]:
            who = row["model"] if row["role"] == "assistant" and row["model"] else row["role"]
            said = page.clean(str(row["content"] or ""))
            lines += [f"**{page.cell(page.clean(str(who)))}**", "", *_quoted(said), ""]
    return "\n".join(lines)


def _quoted(text: str) -> list[str]:
    return [f"> {line}" for line in text.splitlines()] or [">"]
