"""Our service layer on servers nobody here wrote: a stateful one, the specification, a wrong one.

Each is asked for the whole loop. What it lacks must be said as such, and nothing else may fail.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from installing import MARKS, installed

from fttui.config import Profile
from fttui.problem import Problem
from fttui.secrets import SecretSource
from fttui.service import chat, checkpoints, files, jobs, models
from fttui.service.provider import Provider
from fttui.service.types import ChatSettings, LaunchSpec

pytestmark = MARKS
START = 60  # seconds
MODEL = "gpt-4o-mini-2024-07-18"
SPEC = Path(__file__).parents[2].parent / "shared" / "spec" / "openai-fine-tuning.json"


@dataclass(frozen=True)
class Peer:
    packages: tuple[str, ...]
    command: tuple[str, ...]  # {port}, {folder}, {fixtures} and {spec} are filled in
    node: bool = True
    path: str = "/v1"
    lacks: dict[str, str] = field(default_factory=dict)  # step: the problem's code


PEERS = {
    "aimock": Peer(
        ("@copilotkit/aimock@1.43",),
        ("{folder}/node_modules/.bin/llmock", "-p", "{port}", "-f", "{fixtures}"),
        # Its jobs end at the third look: there is nothing left to cancel.
        lacks={"checkpoints": "not_supported", "pause": "not_supported", "cancel": "bad_request"},
    ),
    "prism": Peer(
        ("@stoplight/prism-cli@5",),
        ("{folder}/node_modules/.bin/prism", "mock", "--errors", "-p", "{port}", "{spec}"),
        path="",
        lacks={"processed": "still_processing"},
    ),
    "fakeai": Peer(
        ("fakeai==0.3.2", "pillow"),
        ("{folder}/bin/fakeai", "server", "--host", "127.0.0.1", "--port", "{port}"),
        node=False,
        lacks={
            "processed": "still_processing",
            "content": "not_found",
            "pause": "not_supported",
        },
    ),
}


@contextmanager
def running(name: str, folder: Path, work: Path) -> Iterator[str]:
    """The peer on a free port; gives its base URL."""
    peer = PEERS[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    answer = {"match": {"userMessage": "hello"}, "response": {"content": "Hello from elsewhere."}}
    fixtures = work / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": [answer]}))
    known = {"port": port, "folder": folder, "fixtures": fixtures, "spec": SPEC}
    command = [word.format(**known) for word in peer.command]
    with (work / "log").open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=work, env=os.environ | {"HOME": str(work)}
        )
        try:
            asyncio.run(_answers(f"http://127.0.0.1:{port}{peer.path}/models", server))
            yield f"http://127.0.0.1:{port}{peer.path}"
        finally:
            server.terminate()
            server.wait(START)


async def _answers(url: str, server: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(START):
        while True:
            assert server.poll() is None, "the server ended at once"
            try:
                await asyncio.to_thread(urlopen, url, None, 5)
                return
            except OSError as error:  # an answer, even a refusal, is an HTTPError with a code
                if hasattr(error, "code"):
                    return
            await asyncio.sleep(0.1)


class Loop:
    """The whole loop. `done` holds what each step gave, `refused` the code of each that could not."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.done: dict[str, Any] = {}
        self.refused: dict[str, str] = {}

    async def step(self, name: str, work: Awaitable[Any]) -> Any:
        try:
            self.done[name] = await asyncio.wait_for(work, START)
        except Problem as problem:
            self.refused[name] = problem.code if problem.what and problem.remedy else "unsaid"
        return self.done.get(name)

    async def run(self, path: Path) -> None:
        here = self.provider
        await self.step("models", models.listing(here))
        sent = await self.step("upload", files.upload(here, path))
        await self.step("files", files.listing(here))
        await self.step("processed", files.wait_processed(here, sent.id, seconds=1))
        await self.step("content", files.content(here, sent.id))
        spec = LaunchSpec(model=MODEL, training_file=sent.id, suffix="peer", seed=7)
        job = await self.step("create", jobs.create(here, spec))
        await self.step("list", jobs.listing(here))
        for _ in range(4):
            await self.step("retrieve", jobs.retrieve(here, job.id))
        await self.step("events", jobs.events(here, job.id))
        await self.step("checkpoints", checkpoints.listing(here, job.id))
        await self.step("pause", jobs.pause(here, job.id))
        await self.step("cancel", jobs.cancel(here, job.id))
        asked = [{"role": "user", "content": "hello"}]
        await self.step("chat", chat.answer(here, "gpt-4o-mini", asked, ChatSettings(max_tokens=9)))
        await self.step("delete", files.delete(here, sent.id))


@pytest.mark.parametrize("name", PEERS)
def test_the_loop_on_a_server_that_is_not_ours(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = PEERS[name]
    if "{spec}" in peer.command and not SPEC.exists():
        pytest.skip("the public specification is not here")
    if peer.node and not shutil.which("node"):
        pytest.skip("node is not here")
    folder = installed(name, peer.packages, node=peer.node)
    monkeypatch.setenv("FTTUI_TEST_KEY", "sk-test")
    path = tmp_path / "train.jsonl"
    talk = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    path.write_text((json.dumps(talk) + "\n") * 12)

    async def loop(url: str) -> Loop:
        key = SecretSource("env", "FTTUI_TEST_KEY")
        provider = Provider(Profile("peer", "custom", url, key=key, timeout=20))
        found = Loop(provider)
        try:
            await found.run(path)
        finally:
            await provider.close()
        return found

    with running(name, folder, tmp_path) as url:
        found = asyncio.run(loop(url))
    assert found.refused == peer.lacks
    assert found.done["chat"].text
    assert found.done["chat"].end == "stop"
    assert found.done["create"].status == "validating_files"
    if name == "aimock":  # the one that keeps what it was told
        assert found.done["content"] == path.read_bytes()
        assert found.done["retrieve"].status == "succeeded"
        assert found.done["retrieve"].fine_tuned_model.startswith(f"ft:{MODEL}:")
        assert found.done["events"].items
