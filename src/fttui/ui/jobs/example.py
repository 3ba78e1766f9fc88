"""From the error of a job to the example it names, open in Data."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from fttui.problem import Problem

if TYPE_CHECKING:
    from fttui.service.provider import Provider
    from fttui.service.types import Job
    from fttui.ui.app import FttuiApp

OPEN_SECONDS = 30.0  # the longest a file may take to be indexed up to the example


def why_not(job: Job) -> str:
    """Why there is no example to go to; "" where there is one."""
    if job.error is None:
        return "no error is told"
    from fttui.service.remedies import flagged_examples

    return "" if flagged_examples(job.error.message) else "its error names no example"


async def show(app: FttuiApp, provider: Provider, job: Job, place: int = 0) -> None:
    """Open the file that was sent at the example the error names (of several, number `place`)."""
    from fttui.service.remedies import counts_lines, flagged_examples

    if job.error is None:
        return
    numbers = flagged_examples(job.error.message)
    number = numbers[place % len(numbers)]
    validation = "validation" in job.error.param or "invalid validation" in job.error.message
    file_id = (job.validation_file if validation else "") or job.training_file
    try:
        path, sure = await _find(app, provider, file_id)
        lines = counts_lines(job.error.message)
        line = number if lines else await asyncio.to_thread(physical_line, path, number)
    except Problem as problem:
        app.show_problem(problem)
        return
    if app.thread.path != path:
        app.open(path)
    if not await _indexed(app, line):
        app.notify(
            f"{path.name} has no line {line:,} now: it is not as it was sent", severity="warning"
        )
        return
    app.change(row=line - 1, place=None)
    app.go("data")
    word = "line" if lines else "example"
    many = (
        f" · {place % len(numbers) + 1} of {len(numbers)}, i in Jobs for the next"
        if numbers[1:]
        else ""
    )
    doubt = "" if sure else " (this may not be the file as it was sent)"
    app.notify(f"{word} {number:,}: {job.error.message}{many}{doubt}", timeout=10)


async def _find(app: FttuiApp, provider: Provider, file_id: str) -> tuple[Path, bool]:
    """(the file on this machine, whether its bytes are those that were sent). Raises Problem."""
    from fttui.service import files, uploads

    thread = app.thread
    candidates = [path for path in (thread.path, thread.validation) if path]
    candidates += [path for path, _ in app.state.recent(20)]
    path, _ = await asyncio.to_thread(uploads.local_copy, provider, file_id, candidates)
    if path is not None:
        return path, True
    was, _ = uploads.sent_from(provider, file_id)
    name = was.name if was else (await files.retrieve(provider, file_id)).filename
    for found in [*([was] if was else []), *candidates]:  # the same file, changed since
        if found.name == name and found.is_file():
            return found, False
    raise Problem(
        "The example cannot be shown.",
        f"{name or file_id} is not among the files that were opened or sent on this machine.",
        "Open the file in Data (o), then try again.",
        code="no_copy",
    )


def physical_line(path: Path, example: int) -> int:
    """The 1-based line of the example with this number: from 1, blank lines are none."""
    count = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            count += bool(raw.strip())
            if count == example:
                return number
    raise Problem(
        "The example cannot be shown.",
        f"{path.name} has {count:,} examples now; the error names number {example:,}.",
        "It is not the file as it was sent.",
        code="no_such_example",
    )


async def _indexed(app: FttuiApp, line: int) -> bool:
    """Wait until the open file is indexed up to a line; False where it has no such line."""
    async with asyncio.timeout(OPEN_SECONDS):
        while (index := app.thread.index) is not None:
            if len(index) >= line:
                return True
            if index.complete:
                return False
            await asyncio.sleep(0.02)  # the scan in the background extends it
    return False
