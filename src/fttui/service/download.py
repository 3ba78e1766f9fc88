"""A file from a provider to disk in constant memory: whole or not at all, with progress, never over another."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fttui.problem import Problem
from fttui.service import errors
from fttui.service.provider import Provider, Wait, part, pause_before

ATTEMPTS = 3
OnProgress = Callable[[int, int], None]  # bytes so far, bytes in all (0: not told)


@dataclass(frozen=True, slots=True)
class Saved:
    """A file as it arrived."""

    path: Path
    bytes: int
    sha256: str


async def file(
    provider: Provider, file_id: str, target: Path, on_progress: OnProgress | None = None
) -> Saved:
    """The content of a file the provider keeps."""
    return await save(
        provider, f"/files/{part(file_id)}/content", target, f"Downloading {file_id}", on_progress
    )


async def save(
    provider: Provider, path: str, target: Path, doing: str, on_progress: OnProgress | None = None
) -> Saved:
    """GET `path` into `target`, which must not exist. Raises Problem; nothing is left half-written,
    also when the task is cancelled."""
    if target.exists():
        raise Problem(
            f"{target} is there already.", "Nothing is overwritten.", "Choose another folder.",
            code="exists",
        )  # fmt: skip
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _once(provider, path, target, on_progress)
        except Exception as exc:  # noqa: BLE001 - whatever ended it becomes a Problem
            found = errors.problem(exc, doing=doing, profile=provider.profile)
            wait = pause_before(attempt, found)
            if attempt == ATTEMPTS or not found.retry or wait > 60:
                raise found from None
            await provider.pause(Wait(wait, attempt + 1, ATTEMPTS, found))
    raise AssertionError("unreachable")


async def _once(
    provider: Provider, path: str, target: Path, on_progress: OnProgress | None
) -> Saved:
    client = await provider.ready()
    httpx = importlib.import_module("httpx2")  # loaded with the client: costs nothing here
    headers = {
        "Accept": "application/binary, */*;q=0.9",  # some know only JSON
        "X-Stainless-Raw-Response": "stream",  # how this client is told not to read the body
    }
    answer = await client.get(path, cast_to=httpx.Response, options={"headers": headers})
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        size, digest = await _write(answer, draft, on_progress)
        os.link(draft, target)  # fails where the name is taken meanwhile
    finally:
        await answer.aclose()
        draft.unlink(missing_ok=True)
    return Saved(target, size, digest)


async def _write(answer: Any, draft: Path, on_progress: OnProgress | None) -> tuple[int, str]:
    total = int(answer.headers.get("content-length") or 0)
    if answer.headers.get("content-encoding"):
        total = 0  # of the packed bytes: says nothing about ours
    done, digest = 0, hashlib.sha256()
    with draft.open("wb") as out:
        async for piece in answer.aiter_bytes():
            out.write(piece)
            digest.update(piece)
            done += len(piece)
            if on_progress is not None:
                on_progress(done, total)
            await asyncio.sleep(0)  # a fast disk must not starve the screen
        out.flush()
        os.fsync(out.fileno())
    return done, digest.hexdigest()
