"""The models a job kept on its way, and with whom they are shared."""

from __future__ import annotations

from dataclasses import replace

from fttui.problem import Problem
from fttui.service.jobs import JOBS, no_such_route
from fttui.service.provider import Provider, part
from fttui.service.types import Checkpoint, Page

LIMIT = 100
PAGES = 20


async def listing(provider: Provider, job_id: str) -> list[Checkpoint]:
    """All checkpoints of a job, the last step first. A provider without them: Problem "not_supported"."""
    provider.require("checkpoints", "Reading checkpoints")
    found: dict[str, Checkpoint] = {}
    cursor = ""
    for _ in range(PAGES):
        page = await _page(provider, job_id, cursor)
        found.update(
            {row.id or row.model: replace(row, job=row.job or job_id) for row in page.items}
        )
        if not page.has_more or not page.cursor or page.cursor == cursor:
            break
        cursor = page.cursor
    return sorted(found.values(), key=lambda row: row.step, reverse=True)


async def _page(provider: Provider, job_id: str, cursor: str) -> Page[Checkpoint]:
    try:
        return await provider.page(
            f"{JOBS}/{part(job_id)}/checkpoints",
            Checkpoint.from_json,
            doing=f"Reading the checkpoints of {job_id}",
            query={"after": cursor, "limit": LIMIT},
        )
    except Problem as failed:
        if await no_such_route(provider, job_id, failed):
            provider.learned["checkpoints"] = "This provider has no checkpoints."
            provider.require("checkpoints", "Reading checkpoints")
        raise
