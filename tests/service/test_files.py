"""Uploads over a real socket: progress, parts, cancelling, lost answers; nothing orphaned, nothing sent twice."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fttui.problem import Problem
from fttui.service import files, uploads
from fttui.service.provider import Provider

PARTS = {"file_limit": 100_000, "part_size": 64_000}


async def test_a_file_arrives_whole_and_tells_its_progress(
    server: Any, provider: Any, jsonl: Path
) -> None:
    told: list[tuple[int, int]] = []
    found = await files.upload(
        provider, jsonl, on_progress=lambda done, total: told.append((done, total))
    )
    size = jsonl.stat().st_size
    assert server.contents[found.id] == jsonl.read_bytes()
    assert found.filename == "train.jsonl"
    assert b"\r\n\r\nfine-tune\r\n" in server.requests[0].body
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (size, size)
    assert len(told) > 3


async def test_a_large_file_is_not_read_into_memory(
    server: Any, provider: Any, tmp_path: Path
) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.truncate(60_000_000)

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = 60_000_000
        while left > 0 and (piece := await reader.read(1 << 16)):
            left -= len(piece)
        writer.write(b'HTTP/1.1 200 X\r\ncontent-length: 13\r\n\r\n{"id":"f-1"}\n')
        await writer.drain()
        writer.close()

    swallower = await asyncio.start_server(swallow, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{swallower.sockets[0].getsockname()[1]}/v1"
    lean = Provider(replace(provider.profile, base_url=url))
    await lean.ready()
    tracemalloc.start()
    try:
        async with swallower:
            await files.upload(lean, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await lean.close()
    assert peak < 8_000_000


async def test_a_file_above_the_limit_goes_in_parts(
    server: Any, connect: Callable[..., Provider], jsonl: Path
) -> None:
    provider = connect(server.url, overrides=PARTS)
    told: list[int] = []
    found = await files.upload(provider, jsonl, on_progress=lambda done, total: told.append(done))
    assert server.contents[found.id] == jsonl.read_bytes()
    assert server.count("POST", "/uploads/[^/]+/parts") == -(-jsonl.stat().st_size // 64_000)
    assert told == sorted(told)
    assert told[-1] == jsonl.stat().st_size


async def test_a_part_that_breaks_is_sent_again(
    server: Any, connect: Callable[..., Provider], fault: Any, jsonl: Path
) -> None:
    provider = connect(server.url, overrides=PARTS)
    server.fail("POST", "/uploads/[^/]+/parts", fault.Fault(reset_after=30_000))
    server.fail("POST", "/uploads/[^/]+/parts", fault.Fault(503, ""))
    found = await files.upload(provider, jsonl)
    assert server.contents[found.id] == jsonl.read_bytes()
    assert len(server.files) == 1


async def test_an_answer_to_an_upload_that_never_ends_is_given_up(
    server: Any,
    connect: Callable[..., Provider],
    fault: Any,
    jsonl: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bytes keep coming, so no reading ever times out; the file itself arrived."""
    monkeypatch.setattr(uploads, "PATIENCE", 2)
    provider = connect(server.url, timeout=0.3)
    server.fail("POST", "/files", fault.Fault(body="{", endless=True, done=True))
    found = await files.upload(provider, jsonl)
    assert list(server.files) == [found.id]  # found by looking, not sent again
    assert server.count("POST", "/files") == 1


async def test_an_answer_to_a_part_that_never_ends_is_given_up(
    server: Any,
    connect: Callable[..., Provider],
    fault: Any,
    jsonl: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 2)
    provider = connect(server.url, timeout=0.3, overrides=PARTS)
    server.fail("POST", "/uploads/[^/]+/parts", fault.Fault(body="{", endless=True))
    with pytest.raises(Problem) as caught:
        await files.upload(provider, jsonl)
    assert (caught.value.code, caught.value.retry) == ("timeout", True)
    assert [row["status"] for row in server.uploads.values()] == ["cancelled"]


async def test_a_slow_upload_that_moves_is_not_given_up(
    connect: Callable[..., Provider], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than the patience, and every byte of it is on its way."""
    monkeypatch.setattr(uploads, "PATIENCE", 0.5)
    path = tmp_path / "slow.jsonl"
    path.write_bytes(b"{}\n" * 4_000_000)

    async def sip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(re.search(rb"content-length: *(\d+)", head.lower())[1])
        while left > 0 and (piece := await reader.read(100_000)):
            left -= len(piece)
            await asyncio.sleep(0.02)
        writer.write(b'HTTP/1.1 200 X\r\ncontent-length: 13\r\n\r\n{"id":"f-1"}\n')
        await writer.drain()
        writer.close()

    slow = await asyncio.start_server(sip, "127.0.0.1", 0)
    provider = connect(f"http://127.0.0.1:{slow.sockets[0].getsockname()[1]}/v1", timeout=4)
    began = asyncio.get_running_loop().time()
    async with slow:
        assert (await files.upload(provider, path)).id == "f-1"
    assert asyncio.get_running_loop().time() - began > 2.0


async def test_parts_that_fail_for_good_are_given_up_cleanly(
    server: Any, connect: Callable[..., Provider], fault: Any, jsonl: Path
) -> None:
    provider = connect(server.url, overrides=PARTS)
    server.fail("POST", "/uploads/[^/]+/parts", fault.Fault(400, fault.error("no")))
    with pytest.raises(Problem, match="no"):
        await files.upload(provider, jsonl)
    assert [row["status"] for row in server.uploads.values()] == ["cancelled"]
    assert not server.files


async def test_a_reset_in_the_middle_loses_nothing(
    server: Any, provider: Any, fault: Any, jsonl: Path
) -> None:
    server.fail("POST", "/files", fault.Fault(reset_after=50_000), times=2)
    found = await files.upload(provider, jsonl)
    assert server.contents[found.id] == jsonl.read_bytes()
    assert server.count("POST", "/files") == 3
    assert len(server.files) == 1


async def test_a_lost_answer_makes_no_second_file(
    server: Any, connect: Callable[..., Provider], fault: Any, jsonl: Path
) -> None:
    provider = connect(server.url, timeout=0.3)
    server.fail("POST", "/files", fault.Fault(stall=True, done=True))
    found = await files.upload(provider, jsonl)
    assert list(server.files) == [found.id]
    assert server.count("POST", "/files") == 1


async def test_a_lost_answer_and_a_blind_provider_is_said(
    server: Any, connect: Callable[..., Provider], fault: Any, jsonl: Path
) -> None:
    provider = connect(server.url, timeout=0.3)
    server.fail("POST", "/files", fault.Fault(stall=True, done=True))
    server.fail("GET", "/files", fault.Fault(401, fault.error("no")), times=9)
    with pytest.raises(Problem) as caught:
        await files.upload(provider, jsonl)
    assert caught.value.code == "upload_unknown"
    assert server.count("POST", "/files") == 1


async def test_cancelling_deletes_what_arrived(
    server: Any, provider: Any, fault: Any, jsonl: Path
) -> None:
    server.fail("POST", "/files", fault.Fault(stall=True, done=True))
    task = asyncio.create_task(files.upload(provider, jsonl))
    await server.until(lambda: server.files)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not server.files


async def test_cancelling_parts_cancels_the_upload(
    server: Any, connect: Callable[..., Provider], fault: Any, jsonl: Path
) -> None:
    provider = connect(server.url, overrides=PARTS)
    server.fail("POST", "/uploads/[^/]+/parts", fault.Fault(stall=True))
    task = asyncio.create_task(files.upload(provider, jsonl))
    await server.until(lambda: server.count("POST", "/uploads/[^/]+/parts"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [row["status"] for row in server.uploads.values()] == ["cancelled"]


async def test_the_same_bytes_are_offered_and_other_bytes_are_not(
    server: Any, provider: Any, jsonl: Path
) -> None:
    assert await files.same(provider, jsonl) is None
    sent = await files.upload(provider, jsonl)
    assert (await files.same(provider, jsonl)).id == sent.id
    twin = jsonl.with_name("renamed.jsonl")
    twin.write_bytes(jsonl.read_bytes())
    assert (await files.same(provider, twin)).id == sent.id
    raw = bytearray(jsonl.read_bytes())
    raw[30] ^= 1  # the same name and size, another content
    jsonl.write_bytes(raw)
    assert await files.same(provider, jsonl) is None
    assert [row.id for row in await files.candidates(provider, "train.jsonl", len(raw))] == [
        sent.id
    ]
    await files.delete(provider, sent.id)
    assert await files.same(provider, twin) is None


async def test_a_file_deleted_elsewhere_is_not_offered(
    server: Any, provider: Any, jsonl: Path
) -> None:
    sent = await files.upload(provider, jsonl)
    del server.files[sent.id]
    assert await files.same(provider, jsonl) is None


async def test_another_account_does_not_have_it(
    server: Any, connect: Callable[..., Provider], jsonl: Path
) -> None:
    await files.upload(connect(server.url), jsonl)
    assert await files.same(connect(server.url, organization="org-2"), jsonl) is None


@pytest.mark.parametrize("kind", ["missing", "empty", "folder"])
async def test_a_file_that_cannot_be_sent(
    server: Any, provider: Any, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.jsonl"
    if kind == "empty":
        path.touch()
    if kind == "folder":
        path.mkdir()
    with pytest.raises(Problem, match=r"x\.jsonl cannot be uploaded"):
        await files.upload(provider, path)
    assert not server.requests


async def test_too_large_is_said_before_anything_is_sent(
    server: Any, connect: Callable[..., Provider], jsonl: Path
) -> None:
    provider = connect(server.url, overrides={"total_limit": 1000})
    with pytest.raises(Problem, match="too large"):
        await files.upload(provider, jsonl)
    assert not server.requests


async def test_a_list_that_never_ends_is_left(server: Any, provider: Any) -> None:
    row = {"id": "file-1", "filename": "a", "bytes": 1}
    server.fixed[("GET", "/files")] = {"data": [row], "has_more": True}
    await files.candidates(provider, "b", 1)
    assert server.count("GET", "/files") <= files.LOOK_PAGES


async def test_waiting_for_processed(server: Any, provider: Any, jsonl: Path) -> None:
    sent = await files.upload(provider, jsonl)
    for status in ("processed", "", "anything"):  # a server that has no statuses is not waited for
        server.files[sent.id]["status"] = status
        assert (await files.wait_processed(provider, sent.id)).id == sent.id
    server.files[sent.id] |= {"status": "error", "status_details": "line 7 is broken"}
    with pytest.raises(Problem, match="line 7 is broken"):
        await files.wait_processed(provider, sent.id)
    server.files[sent.id]["status"] = "uploaded"
    with pytest.raises(Problem, match="still not processed"):
        await files.wait_processed(provider, sent.id, seconds=0.05)
