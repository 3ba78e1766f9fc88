"""A real server process on the tiny model, and helpers to talk to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

MODEL = "tiny"
ALIAS = "gpt-4o-mini-2024-07-18"


def wait_for(found: Callable[[], Any], what: str, deadline: float = 30.0) -> Any:
    """The first true value of `found()`; fails after `deadline` seconds."""
    limit = time.monotonic() + deadline
    while time.monotonic() < limit:
        if value := found():
            return value
        time.sleep(0.03)
    pytest.fail(f"not within {deadline} s: {what}")


def lines(count: int = 12, answer: str = "yes") -> bytes:
    """A chat training file of `count` examples."""
    return "".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"question {i}"},
                    {"role": "assistant", "content": f"{answer} {i}"},
                ]
            }
        )
        + "\n"
        for i in range(count)
    ).encode()


@dataclass
class Server:
    """`fttui serve` in a process of its own."""

    data: Path
    process: subprocess.Popen[str]
    url: str

    @property
    def token(self) -> str:
        return (self.data / "token").read_text().strip()

    def client(self, **options: Any) -> openai.OpenAI:
        settings: dict[str, Any] = {"max_retries": 0, "timeout": 30} | options
        return openai.OpenAI(base_url=self.url, api_key=self.token, **settings)

    def http(self, **headers: str) -> httpx2.Client:
        """A bare client, for what the stock one does not do."""
        return httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}", **headers},
            timeout=30,
            trust_env=False,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def trainers(self) -> list[int]:
        """The processes this data directory's trainers are, or were."""
        found = []
        for lock in self.data.glob("jobs/*/trainer.lock"):
            with contextlib.suppress(ValueError):
                found.append(int(lock.read_text()))
        return found


def alive(pid: int) -> bool:
    """Running, and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


Start = Callable[..., Server]


def start_server(data: Path, tiny: Path, *more: str) -> Server:
    command = [sys.executable, "-m", "fttui", "serve", "--data", str(data)]
    command += ["--model", f"{MODEL}={tiny}", "--alias", f"{ALIAS}={MODEL}", *more]
    environment = os.environ | {"FTTUI_HOME": str(data.parent / "home")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    assert process.stdout
    first = process.stdout.readline()
    if "http://" not in first:
        pytest.fail(f"the server did not start: {first}{process.stdout.read()}")
    return Server(data, process, "http://" + first.split("http://")[1].strip())


def end_server(server: Server) -> None:
    """The server and its trainers are gone, whatever the test did."""
    if server.process.poll() is None:
        server.kill()
    if server.process.stdout:
        server.process.stdout.close()
    for pid in server.trainers():
        if alive(pid) and b"fttui.local.trainer" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path, tiny_model: Path) -> Iterator[Start]:
    """Starts servers of the test's own; all are ended with it."""
    servers: list[Server] = []

    def begin(*more: str, data: Path | None = None) -> Server:
        servers.append(start_server(data or tmp_path / "data", tiny_model, *more))
        return servers[-1]

    yield begin
    for server in servers:
        end_server(server)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Server]:
    """One server for all tests that leave it as it is."""
    begun = start_server(tmp_path_factory.mktemp("server") / "data", tiny_model)
    yield begun
    end_server(begun)


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[openai.OpenAI]:
    """The stock client, which refuses any answer outside its own types."""
    with server.client(_strict_response_validation=True) as stock:
        yield stock


def upload(client: openai.OpenAI, data: bytes = b"", name: str = "train.jsonl") -> str:
    return client.files.create(file=(name, data or lines()), purpose="fine-tune").id


def finish(client: openai.OpenAI, job: str, deadline: float = 60.0) -> Any:
    """The job once it has ended."""
    return wait_for(
        lambda: (
            found
            if (found := client.fine_tuning.jobs.retrieve(job)).status
            in ("succeeded", "failed", "cancelled")
            else None
        ),
        f"{job} ends",
        deadline,
    )


class Kit:
    """The helpers above, for tests (test modules import nothing from one another)."""

    wait_for = staticmethod(wait_for)
    lines = staticmethod(lines)
    upload = staticmethod(upload)
    finish = staticmethod(finish)
    alive = staticmethod(alive)
    model = MODEL
    alias = ALIAS


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture(scope="session")
def done_job(client: openai.OpenAI) -> Any:
    """A job that has trained to its end, with validation, three epochs and metadata."""
    job = client.fine_tuning.jobs.create(
        model=MODEL,
        training_file=upload(client),
        validation_file=upload(client, lines(3), "valid.jsonl"),
        suffix="My Suffix",
        seed=7,
        metadata={"who": "test"},
        method={
            "type": "supervised",
            "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": 4}},
        },
    )
    ended = finish(client, job.id)
    assert ended.status == "succeeded", ended.error
    return ended
