"""The datasets of jobs: downloaded once however many jobs used them; else this machine's own copy."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fttui import secrets
from fttui.problem import Problem
from fttui.ui.export.folder import Folder, clean_name, names

if TYPE_CHECKING:
    from fttui.service.download import Saved
    from fttui.service.provider import Provider

OnBytes = Callable[[int, int], None]


class Datasets:
    """`data/` of an export. `get` may be called for one file by several jobs at the same time."""

    def __init__(self, folder: Folder, *, content: bool) -> None:
        self.folder = folder
        self.content = content  # False: only names and hashes
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: dict[str, dict[str, Any]] = dict(folder.record.get("datasets") or {})

    @property
    def record(self) -> dict[str, dict[str, Any]]:
        return self._known

    async def get(
        self, provider: Provider, role: str, file_id: str, on_bytes: OnBytes | None = None
    ) -> dict[str, Any]:
        """role, id, name, bytes, sha256, saved (name in the export) or why (not), copy (a path here)."""
        key = f"{provider.profile.identity}|{file_id}"
        async with self._locks.setdefault(key, asyncio.Lock()):
            row = self._known.get(key)
            done = row is not None and (self.folder.has(str(row.get("saved"))) or not self.content)
            if not done:
                row = self._known[key] = await self._fetch(provider, file_id, on_bytes)
        return {"role": role, **(row or {})}

    async def _fetch(
        self, provider: Provider, file_id: str, on_bytes: OnBytes | None
    ) -> dict[str, Any]:
        from fttui.service import files, uploads

        row: dict[str, Any] = {"id": file_id}
        path, sha256 = await asyncio.to_thread(uploads.local_copy, provider, file_id)
        was, _ = uploads.sent_from(provider, file_id)
        row |= {"sha256": sha256, "copy": str(path or "")}
        try:
            info = await files.retrieve(provider, file_id)
            row |= {"name": info.filename, "bytes": info.bytes}
        except Problem as problem:
            row |= {"name": was.name if was else "", "why": problem.why or problem.what}
        if not self.content:
            return {**row, "why": "left out, as was asked"}
        name = f"data/{clean_name('-'.join([file_id, str(row['name'])]), 120)}"
        try:
            saved = await self._save(provider, file_id, name, path, on_bytes)
        except Problem as problem:
            return {**row, "why": problem.why or problem.what, "again": _passes(problem)}
        row.pop("why", None)
        name = saved.path.relative_to(self.folder.root).as_posix()
        return {**row, "saved": name, "bytes": saved.bytes, "sha256": saved.sha256}

    async def _save(
        self, provider: Provider, file_id: str, name: str, copy: Path | None, told: OnBytes | None
    ) -> Saved:
        """From the provider, else from the copy that still has the very bytes that were sent."""
        from fttui.service import download

        name = next(n for n in names(name) if not (self.folder.root / n).exists())
        target = self.folder.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            saved = await download.file(provider, file_id, target, told)
        except Problem:
            if copy is None:
                raise
            saved = await asyncio.to_thread(_copied, copy, target)
        if await asyncio.to_thread(holds_key, target):
            target.unlink()
            raise Problem(
                "The file was not kept.", "It holds a key that fttui reads on this machine.",
                code="holds_key",
            )  # fmt: skip
        self.folder.keep(name, saved.sha256, saved.bytes)
        return saved


def _passes(problem: Problem) -> bool:
    """Whether another try may succeed."""
    return problem.code != "holds_key" and problem.detail.get("status") not in (400, 403, 404, 410)


def _copied(source: Path, target: Path) -> Saved:
    from fttui.service.download import Saved
    from fttui.service.uploads import digest

    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(source, draft)
        os.replace(draft, target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Problem(
            "The file was not copied.", f"{source}: {error.strerror or error}", code="write"
        ) from None
    return Saved(target, target.stat().st_size, digest(target))


def holds_key(path: Path) -> bool:
    """Whether a file has one of the keys this process has read in it."""
    wanted = [value.encode() for value in secrets.known()]
    if not wanted:
        return False
    longest, rest = max(map(len, wanted)), b""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            block = rest + piece
            if any(value in block for value in wanted):
                return True
            rest = block[-longest:]
    return False
