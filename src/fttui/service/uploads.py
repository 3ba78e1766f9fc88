"""Large files in parts, and our own record of what was sent where, so that it is not sent again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui import paths
from fttui.problem import Problem
from fttui.service.provider import Provider, part
from fttui.service.types import FileInfo

RECORD = "uploads.json"
KEEP = 500  # newest entries kept
PATIENCE = 10  # timeouts without a byte read from the file: megabytes may still wait in the system
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send: its size with the byte-order mark that may be put before it."""

    path: Path
    filename: str
    size: int
    bom: bool
    opener: Callable[..., Any]

    def open(self, start: int, length: int, told: OnProgress | None) -> Any:
        """Bytes start … start + length of what is sent, as a file that tells its progress."""
        mark = 3 if self.bom else 0
        first = self.bom and start == 0
        begin = max(0, start - mark)
        return self.opener(self.path, begin, length - (mark if first else 0), first, told)


async def in_parts(
    provider: Provider, source: Source, purpose: str, told: OnProgress | None
) -> FileInfo:
    """POST /uploads, its parts one after the other, complete; cancelled or failed → /cancel."""
    if not provider.capabilities.parts:
        raise Problem(
            f"{source.filename} is too large for one upload.",
            f"{provider.capabilities.title} takes {provider.capabilities.file_limit:,} bytes.",
            "Train on a part of it (fttui split).",
            code="too_large",
        )
    begun = await provider.request(
        "POST",
        "/uploads",
        doing=f"Uploading {source.filename}",
        body={
            "bytes": source.size,
            "filename": source.filename,
            "mime_type": "application/jsonl",
            "purpose": purpose,
        },
    )
    place = f"/uploads/{part(str(begun['id']))}"
    try:
        ids = await _send_parts(provider, source, place, told)
        done = await provider.request(
            "POST",
            f"{place}/complete",
            doing=f"Completing {source.filename}",
            body={"part_ids": ids},
            repeat=True,
        )
        return FileInfo.from_json(done.get("file"))
    except BaseException:
        await asyncio.shield(asyncio.ensure_future(_abandon(provider, place)))
        raise


async def _send_parts(
    provider: Provider, source: Source, place: str, told: OnProgress | None
) -> list[str]:
    """A part sent twice is harmless: only those named in `complete` count. So parts are repeated."""
    ids = []
    size = provider.capabilities.part_size
    for start in range(0, source.size, size):
        length = min(size, source.size - start)

        def tell(done: int, _: int, start: int = start) -> None:
            if told is not None:
                told(start + done, source.size)

        async with patience(provider, source, tell) as moved:
            with source.open(start, length, moved) as body:
                answer = await provider.request(
                    "POST",
                    f"{place}/parts",
                    doing=f"Uploading {source.filename}",
                    files=[("data", (source.filename, body, "application/octet-stream"))],
                    repeat=True,
                    seconds=0,
                )
        ids.append(str(answer["id"]))
    return ids


@asynccontextmanager
async def patience(
    provider: Provider, source: Source, told: OnProgress | None
) -> AsyncIterator[OnProgress]:
    """An upload may take hours, so it has no limit; but when nothing moves any more, it is given up: a
    service may begin an answer that never ends. What is yielded is told each byte that was sent."""
    seconds = provider.profile.timeout * PATIENCE
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds) as limit:

            def moved(done: int, total: int) -> None:
                limit.reschedule(loop.time() + seconds)
                if told is not None:
                    told(done, total)

            yield moved
    except TimeoutError:
        raise Problem(
            f"Uploading {source.filename} failed.",
            f"Nothing moved for {seconds:.0f} s: {provider.profile.host} did not finish its answer.",
            "Try again; a slow link needs a longer timeout in the profile.",
            code="timeout",
            retry=True,
            detail={"unsure": True},
        ) from None


async def _abandon(provider: Provider, place: str) -> None:
    try:
        async with asyncio.timeout(10):
            await provider.request(
                "POST", f"{place}/cancel", doing="Cancelling the upload", repeat=True, attempts=2
            )
    except (Problem, TimeoutError):
        pass  # the provider drops it after an hour by itself


# ---- our own record ----


def digest(path: Path) -> str:
    """sha256 of a file, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remember(provider: Provider, path: Path, found: FileInfo) -> None:
    """Note that these bytes are at this provider under this id."""
    rows = [row for row in _rows() if row.get("file") != found.id]
    here = {"sha256": digest(path), "where": provider.profile.identity, "file": found.id}
    rows.append({**here, "path": str(path.absolute())})
    _write(rows[-KEEP:])


def sent_from(provider: Provider, file_id: str) -> tuple[Path | None, str]:
    """(where the file was when it was sent, its sha256); (None, "") for one not sent from here."""
    for row in reversed(_rows()):
        if (row.get("where"), row["file"]) == (provider.profile.identity, file_id):
            path = row.get("path")
            return (Path(path) if path else None), row.get("sha256", "")
    return None, ""


def local_copy(
    provider: Provider, file_id: str, candidates: Iterable[Path] = ()
) -> tuple[Path | None, str]:
    """(a file on this machine that still has the very bytes that were sent, their sha256).

    Looked for where it was, then among `candidates`. Reads whole files: call it in a thread.
    """
    path, sha256 = sent_from(provider, file_id)
    if not sha256:
        return None, ""
    for place in dict.fromkeys([*([path] if path else []), *candidates]):
        try:
            if digest(place) == sha256:
                return place, sha256
        except OSError:
            continue
    return None, sha256


def recall(provider: Provider, path: Path) -> list[str]:
    """Ids under which this file's bytes were sent to this provider, newest first."""
    here = [row for row in _rows() if row.get("where") == provider.profile.identity]
    if not here:
        return []
    wanted = digest(path)
    return [row["file"] for row in reversed(here) if row.get("sha256") == wanted]


def known_ids(provider: Provider) -> set[str]:
    return {row["file"] for row in _rows() if row.get("where") == provider.profile.identity}


def forget(provider: Provider, file_id: str) -> None:
    rows = _rows()
    kept = [
        row
        for row in rows
        if (row.get("where"), row.get("file")) != (provider.profile.identity, file_id)
    ]
    if len(kept) != len(rows):
        _write(kept)


def _rows() -> list[dict[str, str]]:
    try:
        rows = json.loads((paths.state_dir() / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("file"), str)]


def _write(rows: list[dict[str, str]]) -> None:
    place = paths.state_dir() / RECORD
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{RECORD}.{os.getpid()}.tmp")
    draft.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    os.replace(draft, place)
