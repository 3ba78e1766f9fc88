"""A job as a page of Markdown: what was asked, what came of it, its curve, checkpoints and log."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from pathlib import Path

from fttui.problem import Problem
from fttui.ui import plotting
from fttui.ui.jobs import facts as job_facts
from fttui.ui.jobs import ranking
from fttui.ui.jobs.track import Track
from fttui.ui.text import say
from fttui.ui.widgets.event_log import stamp


def markdown(track: Track, chart: str) -> str:
    """The page. chart: the curve as drawn characters, "" without one."""
    job = track.job
    lines = [f"# {_cell(track.name)}", "", f"`{_cell(job.id)}`", ""]
    facts = [job_facts.state(track), job_facts.settings(track), job_facts.files(track)]
    facts += [job_facts.result(track), job_facts.accuracy(track), *job_facts.failure(track)]
    lines += [f"- {_cell(say(*parts).plain)}" for parts in facts if parts]
    if chart:
        lines += ["", "## Loss", "", "```text", chart, "```"]
    kept = ranking.of_job(track)
    if kept:
        lines += ["", "## Checkpoints", "", "| step | train loss | valid loss | model |",
                  "|---:|---:|---:|---|"]  # fmt: skip
        for row in kept:
            figures = (row.train_loss, row.valid_loss)
            cells = [f"{row.step:,}", *("" if f is None else plotting.number(f) for f in figures)]
            lines.append(f"| {' | '.join([*cells, f'`{_cell(row.model)}`'])} |")
        best = ranking.reason(kept, ranking.usable(kept)[0])
        lines += ["", *(text for text in (best, ranking.turned(kept)) if text)]
    if track.events:
        lines += ["", "## Events", "", "```text"]
        lines += [f"{stamp(event)}  {say(event.message).plain}" for event in track.events]
        lines += ["```"]
    return "\n".join([*lines, "", time.strftime("Written by fttui on %Y-%m-%d at %H:%M."), ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def stem(track: Track) -> str:
    """The beginning of the names of a job's files: its name and its id."""
    return re.sub(r"[^\w.-]+", "-", f"{track.name}-{track.id}").strip("-.")[:80] or "job"


def save(track: Track, chart: str, folder: Path) -> Path:
    """Write the page beside what is there already; nothing is overwritten. Raises Problem."""
    return put(folder, stem(track), ".md", markdown(track, chart))


def put(folder: Path, name: str, suffix: str, text: str) -> Path:
    """Write a file under a name that is not taken (`name-2` …): whole or not at all. Raises Problem."""
    try:
        handle, draft = tempfile.mkstemp(prefix=".fttui-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            for number in range(1, 1000):
                path = folder / (f"{name}{suffix}" if number == 1 else f"{name}-{number}{suffix}")
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)  # fails where the name is taken
                    return path
        finally:
            os.unlink(draft)
    except OSError as error:
        raise Problem(
            "The file was not written.",
            f"{folder}: {error.strerror or error}",
            "Start fttui in a folder you may write to.",
            code="write",
        ) from None
    raise Problem("The file was not written.", f"{folder} holds 999 of them already.")
