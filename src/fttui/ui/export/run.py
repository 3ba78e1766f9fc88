"""Many jobs into one folder: a few at a time, what is finished is skipped, what fails is told and tried again.

    outcome = await export(chosen, choose(Path("export")), state=state, on_progress=print)

Cancelling the task ends it in order: what is written stays, and the same export goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui.text import plural
from fttui.ui import plotting
from fttui.ui.export import bundle, page
from fttui.ui.export.collect import Chosen, Found, collect
from fttui.ui.export.data import Datasets
from fttui.ui.export.folder import Folder, clean_name
from fttui.ui.jobs import ranking

if TYPE_CHECKING:
    from fttui.state import State

AT_ONCE = 3  # jobs asked for at the same time


@dataclass(frozen=True, slots=True)
class Progress:
    """done: jobs finished or skipped, of `total`; what is being done now, in words."""

    done: int
    total: int
    note: str = ""


@dataclass
class Outcome:
    """What came of an export. missing: (job, part, why) of what could not be saved."""

    folder: Path
    saved: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[tuple[str, str, str]] = field(default_factory=list)

    def words(self) -> str:
        """`3 jobs saved, 2 there already; 1 part could not be saved`."""
        parts = [f"{plural(len(self.saved), 'job')} saved"]
        if self.skipped:
            parts.append(f"{len(self.skipped)} there already")
        text = ", ".join(parts)
        lost = len(self.missing)
        return f"{text}; {plural(lost, 'part')} could not be saved" if lost else text

    def as_dict(self) -> dict[str, Any]:
        lost = [{"job": job, "part": part, "why": why} for job, part, why in self.missing]
        return {
            "folder": str(self.folder),
            "saved": self.saved,
            "skipped": self.skipped,
            "missing": lost,
        }


async def export(
    chosen: Sequence[Chosen],
    to: Path,
    *,
    state: State | None = None,
    data: bool = True,
    on_progress: Callable[[Progress], None] = lambda now: None,
) -> Outcome:
    """Save all of it under `to` (see `folder.choose`). data: the datasets' content too. Raises Problem
    only where the folder cannot be written."""
    return await _Export(chosen, to, state, data, on_progress).run()


class _Export:
    def __init__(
        self,
        chosen: Sequence[Chosen],
        to: Path,
        state: State | None,
        data: bool,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.chosen = list({one.key: one for one in chosen}.values())
        self.top = Folder(to)
        self.rows: dict[str, dict[str, Any]] = dict(self.top.record.get("jobs") or {})
        self.datasets = Datasets(self.top, content=data)
        self.state = state
        self.tell = on_progress
        self.outcome = Outcome(to)
        self.done = 0
        self._promised: set[str] = set()  # folders of jobs that are being written

    async def run(self) -> Outcome:
        self._save("The export is not finished.")
        gate = asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(self._one(one, gate)) for one in self.chosen]
        unfinished = "The export was not finished."
        try:
            await asyncio.gather(*tasks)
            unfinished = ""
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._save(unfinished)
        return self.outcome

    def _save(self, unfinished: str) -> None:
        """The page that leads to the jobs, and the record to go on from."""
        rows = sorted(self.rows.values(), key=lambda row: -(row.get("created") or 0))
        self.top.put("README.md", page.index(rows, unfinished))
        self.top.save(jobs=self.rows, datasets=self.datasets.record)

    def _say(self, note: str) -> None:
        self.tell(Progress(self.done, len(self.chosen), note))

    async def _one(self, one: Chosen, gate: asyncio.Semaphore) -> None:
        async with gate:
            row = self.rows.get(one.key)
            if row and row.get("complete") and self._still_there(row):
                self.outcome.skipped.append(one.job.id)
                missing = row["missing"]
            else:
                row = await self._export(one, row)
                self.outcome.saved.append(one.job.id)
                missing = row["missing"]
            self.outcome.missing += [(one.job.id, what, why) for what, why in missing]
            self.done += 1
            self._say("")

    def _still_there(self, row: Mapping[str, Any]) -> bool:
        """Whether a finished job's files are as they were written, as far as a look tells."""
        folder = Folder(self.top.root / str(row["folder"]))
        return bool(folder.files) and all(folder.has(name) for name in folder.files)

    async def _export(self, one: Chosen, before: dict[str, Any] | None) -> dict[str, Any]:
        name = one.job.suffix or one.job.id[-8:]
        found = await collect(one, lambda part: self._say(f"{name}: {part}"))
        data = await self._data(one, found, name)
        folder = Folder(self.top.root / (before["folder"] if before else self._free(one)))
        self._say(f"{name}: writing")
        await asyncio.to_thread(bundle.write, folder, one, found, data, self.state)
        row = self._row(one, found, folder)
        folder.save(
            job=one.job.id, profile=row["profile"], at=int(time.time()), status=row["status"]
        )
        self.rows[one.key] = row
        self.top.save(jobs=self.rows, datasets=self.datasets.record)
        return row

    async def _data(self, one: Chosen, found: Found, name: str) -> list[dict[str, Any]]:
        job, rows = found.track.job, []
        for role, file_id in (("training", job.training_file), ("validation", job.validation_file)):
            if not file_id:
                continue

            def told(done: int, total: int, role: str = role) -> None:
                far = f" {done * 100 // total} %" if total else ""
                self._say(f"{name}: {role} file{far}")

            row = await self.datasets.get(one.provider, role, file_id, told)
            if not row.get("saved") and self.datasets.content:
                found.missing.append((f"{role} file {file_id}", str(row.get("why") or "unknown")))
                found.again |= bool(row.get("again"))
            rows.append({k: v for k, v in row.items() if k != "again"} | self._link(row))
        return rows

    @staticmethod
    def _link(row: Mapping[str, Any]) -> dict[str, Any]:
        """Where the file lies, as seen from the job's folder."""
        return {"saved": f"../{row['saved']}"} if row.get("saved") else {}

    def _free(self, one: Chosen) -> str:
        """A folder's name that no other job has."""
        job = one.job
        stem = clean_name(f"{job.suffix or job.id[-8:]}-{job.id}")
        taken = {str(row["folder"]) for row in self.rows.values()} | self._promised
        name = stem
        for number in range(2, 10_000):
            if name not in taken and not (self.top.root / name).exists():
                break
            name = f"{stem}-{number}"
        self._promised.add(name)
        return name

    @staticmethod
    def _row(one: Chosen, found: Found, folder: Folder) -> dict[str, Any]:
        track = found.track
        job = track.job
        kept = ranking.of_job(track)
        best = ranking.best(kept, ranking.METRICS[0])
        loss = best.valid_loss if best else None
        return {
            "name": track.name,
            "id": job.id,
            "folder": folder.root.name,
            "profile": one.provider.profile.name,
            "status": job.status,
            "created": job.created_at,
            "model": job.model,
            "tuned": job.fine_tuned_model,
            "loss": "" if loss is None else plotting.number(loss),
            "missing": [list(pair) for pair in found.missing],
            "complete": job.ended and not found.again,
        }


def default_folder(now: float | None = None) -> Path:
    """Where an export goes when nobody says: a folder of the day, here."""
    return Path.cwd() / time.strftime("fttui-export-%Y-%m-%d", time.localtime(now))
