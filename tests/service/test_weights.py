"""Weights on disk: whole or not at all, never over another file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import download, weights
from fttui.service.provider import Provider
from fttui.service.types import Checkpoint

RAW = bytes(range(256)) * 4000


def listed(server: Any, *names: str) -> Checkpoint:
    for name in names:
        server.files[name] = {"id": name, "filename": f"{name}.safetensors", "bytes": len(RAW)}
        server.contents[name] = RAW
    return Checkpoint("ck-1", "ft:llama:1:ckpt-1", "ftjob-1", 10, result_files=names)


async def test_the_files_of_a_checkpoint_are_saved_with_progress(
    server: Any, connect: Callable[..., Provider], tmp_path: Path
) -> None:
    provider = connect(server.url, "nebius")
    told: list[tuple[str, int, int]] = []
    checkpoint = listed(server, "a", "b")
    found = await weights.save(
        provider, "ftjob-1", checkpoint, tmp_path / "w", lambda *step: told.append(step)
    )
    assert [path.name for path in found] == ["a.safetensors", "b.safetensors"]
    assert all(path.read_bytes() == RAW for path in found)
    assert told[-1] == ("b.safetensors", len(RAW), len(RAW))
    before = len(server.requests)
    await weights.save(provider, "ftjob-1", checkpoint, tmp_path / "w")
    assert server.count("GET", "/files/./content") == 2  # what is there is not asked for again
    assert len(server.requests) > before


async def test_a_cut_download_is_repeated_and_leaves_no_half_file(
    server: Any, fault: Any, connect: Callable[..., Provider], tmp_path: Path
) -> None:
    provider = connect(server.url, "nebius")
    listed(server, "a")
    server.fail("GET", "/files/a/content", fault.Fault(body=RAW[:5000], cut=True), times=2)
    saved = await download.file(provider, "a", tmp_path / "a.bin")
    assert (saved.bytes, saved.path.read_bytes()) == (len(RAW), RAW)
    server.fail("GET", "/files/a/content", fault.Fault(body=RAW[:5000], cut=True), times=3)
    with pytest.raises(Problem):
        await download.file(provider, "a", tmp_path / "b.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


async def test_cancelling_leaves_nothing_and_no_file_is_replaced(
    server: Any, fault: Any, connect: Callable[..., Provider], tmp_path: Path
) -> None:
    provider = connect(server.url, "nebius")
    listed(server, "a")
    server.fail("GET", "/files/a/content", fault.Fault(body=RAW[:9], endless=True))
    arrived = asyncio.Event()
    task = asyncio.create_task(
        download.file(provider, "a", tmp_path / "a.bin", lambda *_: arrived.set())
    )
    await asyncio.wait_for(arrived.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.bin").write_text("mine")
    with pytest.raises(Problem, match="there already"):
        await download.file(provider, "a", tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_text() == "mine"


def test_why_not_is_said(server: Any, connect: Callable[..., Provider]) -> None:
    bare = Checkpoint("ck-1", "m")
    assert "does not give out" in weights.why_not(connect(server.url, "openai"), bare)
    assert "no files" in weights.why_not(connect(server.url, "nebius"), bare)
    assert weights.why_not(connect(server.url, "nebius"), listed(server, "a")) == ""


async def test_no_name_leads_out_of_the_folder(
    server: Any, connect: Callable[..., Provider], tmp_path: Path
) -> None:
    provider = connect(server.url, "nebius")
    checkpoint = listed(server, "a", "b", "c")
    for name, filename in zip("abc", ("../../a.bin", "..", "x\\..\\a.bin"), strict=True):
        server.files[name]["filename"] = filename
    found = await weights.save(provider, "ftjob-1", checkpoint, tmp_path / "w")
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["2-a.bin", "a.bin", "b"]
    assert all(path.parent == tmp_path / "w" for path in found)
