"""An app on the real local server with a tiny model, and one whose feed is fed by hand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fttui.config import Profile
from fttui.service.provider import Provider
from fttui.service.types import Job, JobEvent
from fttui.service.watch import Change
from fttui.ui.app import FttuiApp
from fttui.ui.jobs.feed import Feed

NOW = int(time.time())


def write_dataset(path: Path, count: int = 40, word: str = "question") -> Path:
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"{word} {n}"},
                {"role": "assistant", "content": f"answer {n % 5}"},
            ]
        }
        for n in range(count)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_job(number: int, status: str = "succeeded", suffix: str = "", **more: Any) -> Job:
    body = {
        "id": f"ftjob-{number:04d}",
        "status": status,
        "model": "gpt-4.1-mini-2025-04-14",
        "created_at": NOW - 60 * number,
        "user_provided_suffix": suffix or f"job-{number}",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        **more,
    }
    return Job.from_json(body)


def make_events(count: int, total: int, start: float = 2.0) -> tuple[JobEvent, ...]:
    return tuple(
        JobEvent(
            f"ev-{step}",
            NOW - 600 + step,
            "info",
            f"Step {step}/{total}: training loss={start / step:.2f}",
            "metrics",
            {"step": step, "total_steps": total, "train_loss": start / step},
        )
        for step in range(1, count + 1)
    )


class Silent(Provider):
    """A provider that never gets ready: its jobs come from the test alone."""

    async def ready(self) -> Any:
        await asyncio.Event().wait()


async def feed_by_hand(app: FttuiApp, provider: str = "openai") -> Feed:
    """Replace the app's feed by one that only the test feeds."""
    old = app.backend.feed
    if old is not None:
        await old.close()
    profile = Profile(provider, provider, base_url="https://api.example.com/v1")
    app.backend.feed = feed = Feed(app, Silent(profile))
    app.change()
    return feed


def tell(feed: Feed, jobs: Sequence[Job] = (), **more: Any) -> None:
    """What the watcher would say."""
    feed._take(Change(feed.profile, tuple(jobs), read_at=float(NOW), **more))
