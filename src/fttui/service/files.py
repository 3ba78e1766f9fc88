"""Files at a provider: sent with progress from disk, found again instead of sent twice, never orphaned."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fttui.problem import Problem
from fttui.service import coerce as to
from fttui.service import uploads
from fttui.service.provider import BACKOFF, Provider, Wait, part, pause_before
from fttui.service.types import FileInfo, Page

PAGE = 1000  # files a page when looking for one
LOOK_PAGES = 5  # bounded: some servers answer has_more for ever
REPEATS = 3
CLOCK_SLACK = 300  # seconds a provider's clock may differ from ours
BOM = b"\xef\xbb\xbf"
OnProgress = Callable[[int, int], None]  # bytes sent, bytes in all


class _Counted(io.RawIOBase):
    """A file (or a window of one) that tells how far it was read; the client streams it from disk."""

    def __init__(
        self, path: Path, start: int, length: int, bom: bool, told: OnProgress | None
    ) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start, self._length = start, length
        self._prefix = BOM if bom else b""
        self._place = 0
        self._told = told

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    @property
    def size(self) -> int:
        return len(self._prefix) + self._length

    def read(self, size: int = -1) -> bytes:
        left = self.size - self._place
        wanted = left if size < 0 else min(size, left)
        if wanted <= 0:
            return b""
        piece = self._prefix[self._place : self._place + wanted]
        if len(piece) < wanted:
            at = self._place + len(piece) - len(self._prefix)
            self._file.seek(self._start + at)
            piece += self._file.read(wanted - len(piece))
        if len(piece) < wanted:
            raise Problem(
                "The upload was stopped.",
                "The file became shorter while it was sent.",
                "Let the program that writes it finish, then try again.",
                code="file_changed",
            )
        self._place += len(piece)
        if self._told is not None:
            self._told(self._place, self.size)
        return piece

    def close(self) -> None:
        self._file.close()
        super().close()


# ---- sending ----


async def upload(
    provider: Provider,
    path: Path | str,
    purpose: str = "fine-tune",
    on_progress: OnProgress | None = None,
    *,
    filename: str = "",
) -> FileInfo:
    """Send a file in constant memory; above the provider's single-file limit, in parts.

    Cancelling the task stops it and deletes what had arrived. After a failure that leaves open
    whether the file arrived, the provider's list is looked at before anything is sent again.
    """
    provider.writing("Uploading a file")
    path = Path(path)
    job = await asyncio.to_thread(_measure, path, provider, filename or path.name)
    if job.size > provider.capabilities.total_limit:
        raise Problem(
            f"{path.name} is too large for {provider.capabilities.title}.",
            f"It has {job.size:,} bytes; the most is {provider.capabilities.total_limit:,}.",
            "Train on a part of it (fttui split).",
            code="too_large",
        )
    sent = uploads.in_parts if job.size > provider.capabilities.file_limit else _in_one
    before = path.stat()
    found: FileInfo = await sent(provider, job, purpose, on_progress)
    after = path.stat()
    if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
        await asyncio.to_thread(uploads.remember, provider, path, found)
    return found


def _measure(path: Path, provider: Provider, filename: str) -> uploads.Source:
    """Size and first bytes of a file; raises Problem where it cannot be read or is empty."""
    try:
        with path.open("rb") as file:
            start = file.read(3)
            size = file.seek(0, io.SEEK_END)
    except OSError as exc:
        raise Problem(
            f"{path} cannot be uploaded.",
            exc.strerror or str(exc),
            "Check the path.",
            code="unreadable",
        ) from None
    if not size:
        raise Problem(
            f"{path} cannot be uploaded.", "It is empty.", "Choose another file.", code="empty"
        )
    bom = provider.capabilities.wants_bom and start != BOM
    return uploads.Source(path, filename, size + (len(BOM) if bom else 0), bom, _Counted)


async def _in_one(
    provider: Provider, source: uploads.Source, purpose: str, told: OnProgress | None
) -> FileInfo:
    started = time.time()
    for attempt in range(1, REPEATS + 1):
        try:
            return await _post(provider, source, purpose, told)
        except asyncio.CancelledError:
            await _sweep(provider, source, started)
            raise
        except Problem as failed:
            if failed.detail.get("unsure"):
                arrived = await _arrived(provider, source, started)
                if arrived is not None:
                    return arrived
            if attempt == REPEATS or not failed.retry:
                raise
            await provider.pause(Wait(pause_before(attempt, failed), attempt + 1, REPEATS, failed))
    raise AssertionError("unreachable")


async def _post(
    provider: Provider, source: uploads.Source, purpose: str, told: OnProgress | None
) -> FileInfo:
    async with uploads.patience(provider, source, told) as moved:
        with source.open(0, source.size, moved) as body:
            answer = await provider.request(
                "POST",
                "/files",
                doing=f"Uploading {source.filename}",
                body={"purpose": purpose},
                files=[("file", (source.filename, body, "application/jsonl"))],
                seconds=0,
            )
    return FileInfo.from_json(answer)


async def _arrived(provider: Provider, source: uploads.Source, started: float) -> FileInfo | None:
    """The file of an upload whose answer was lost, if the provider has it. Raises if that is unknown."""
    try:
        rows = await candidates(provider, source.filename, source.size)
    except Problem as blind:
        raise Problem(
            f"It is not known whether {source.filename} arrived.",
            blind.why,
            "Look at the provider's files before sending it again.",
            code="upload_unknown",
        ) from None
    recent = [row for row in rows if row.created_at >= started - CLOCK_SLACK]
    known = await asyncio.to_thread(uploads.known_ids, provider)
    return next((row for row in recent if row.id not in known), None)


async def _sweep(provider: Provider, source: uploads.Source, started: float) -> None:
    """After a cancelled upload: delete what arrived all the same. Best effort, bounded, uncancellable."""

    async def clear() -> None:
        try:
            async with asyncio.timeout(10):
                arrived = await _arrived(provider, source, started)
                if arrived is not None:
                    await delete(provider, arrived.id)
        except (Problem, TimeoutError):
            pass  # the file is seen in the list of files; nothing more can be done here

    await asyncio.shield(asyncio.ensure_future(clear()))


# ---- finding again ----


async def same(provider: Provider, path: Path | str) -> FileInfo | None:
    """A file the provider has already with exactly these bytes: by our record, else by its content."""
    path = Path(path)
    known = await asyncio.to_thread(uploads.recall, provider, path)
    for file_id in known:
        try:
            found = await retrieve(provider, file_id)
        except Problem as gone:
            if gone.detail.get("status") != 404:
                raise
            continue
        if found.status not in ("error", "deleted"):
            return found
    return None


async def candidates(provider: Provider, filename: str, size: int) -> list[FileInfo]:
    """Files with this name and size, newest first: probably, not certainly, the same."""
    rows: list[FileInfo] = []
    cursor = ""
    for _ in range(LOOK_PAGES):
        page = await listing(provider, after=cursor, limit=PAGE)
        rows += [row for row in page.items if row.filename == filename and row.bytes == size]
        if not page.has_more or not page.cursor or page.cursor == cursor:
            break
        cursor = page.cursor
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


# ---- the rest ----


async def listing(
    provider: Provider, *, purpose: str = "", after: str = "", limit: int = 100
) -> Page[FileInfo]:
    """One page of the provider's files, newest first."""
    query = {"purpose": purpose, "after": after, "limit": limit}
    return await provider.page("/files", FileInfo.from_json, doing="Listing the files", query=query)


async def retrieve(provider: Provider, file_id: str) -> FileInfo:
    answer = await provider.request("GET", f"/files/{part(file_id)}", doing=f"Reading {file_id}")
    return FileInfo.from_json(answer)


async def content(provider: Provider, file_id: str) -> bytes:
    """The bytes of a file; results files are small."""
    raw: bytes = await provider.request(
        "GET",
        f"/files/{part(file_id)}/content",
        raw=True,
        doing=f"Downloading {file_id}",
        headers={"Accept": "application/binary, */*;q=0.9"},  # some know only JSON
        seconds=600,
    )
    return raw


async def delete(provider: Provider, file_id: str) -> None:
    provider.writing("Deleting a file")
    await provider.request(
        "DELETE", f"/files/{part(file_id)}", doing=f"Deleting {file_id}", repeat=True
    )
    await asyncio.to_thread(uploads.forget, provider, file_id)


async def wait_processed(provider: Provider, file_id: str, seconds: float = 1800) -> FileInfo:
    """Wait until the provider has read the file. A server that never says so is not waited for long."""
    pause = BACKOFF
    deadline = time.monotonic() + seconds
    while True:
        found = await retrieve(provider, file_id)
        if found.status == "error":
            raise Problem(
                f"{found.filename or file_id} was refused by the provider.",
                found.details or "It gives no reason.",
                "Check the file (fttui check FILE) and upload it again.",
                code="invalid_file",
            )
        if found.status != "uploaded" and found.status not in ("pending", "processing", "running"):
            return found  # processed, or a provider that has no statuses
        if time.monotonic() >= deadline:
            raise Problem(
                f"{found.filename or file_id} is still not processed.",
                f"The provider says {found.status!r} after {seconds:.0f} s.",
                "Look again later; the file stays there.",
                code="still_processing",
            )
        await provider.pause(_processing(pause, found))
        pause = min(pause * 1.5, 5.0)


def _processing(seconds: float, found: FileInfo) -> Wait:
    reason = Problem(f"{found.filename} is being processed.", code="processing", retry=True)
    return Wait(seconds, 0, 0, reason)


def as_dict(found: FileInfo) -> Mapping[str, Any]:
    return {"id": found.id, "filename": found.filename, "bytes": to.whole(found.bytes)}
