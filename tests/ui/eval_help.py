"""The Evaluate page for tests: a server whose answers follow the question, and the way to the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scripted import Script, Scripted
from ui_help import wait_until

from fttui import samples
from fttui.dataset import formats
from fttui.ui.app import FttuiApp
from fttui.ui.screens.evaluate import EvaluateScreen

HELD, TRAIN = samples.heldout("extraction"), samples.path("extraction")
BASE, TUNED = "m-base", "ft:m-base:acme:orders:8Q2"
Reply = Callable[[dict[str, Any]], Script]


@dataclass
class Answering(Scripted):
    """reply: what to say to a request's body. free: answers given before the others wait for `go`.
    limited: requests refused with 429 first."""

    reply: Reply = field(default=lambda body: Script(["{}"]))
    free: int | None = None
    limited: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def _chat(self, writer: asyncio.StreamWriter, script: Script) -> None:
        body = self.asked[-1]
        if self.limited:
            self.limited -= 1
            head = "HTTP/1.1 429 Too Many\r\ncontent-type: application/json\r\nretry-after: 2\r\n"
            writer.write(f"{head}connection: close\r\n\r\n".encode())
            writer.write(b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}')
            return
        if self.free is not None:
            self.free -= 1
            if self.free < 0:
                await self.go.wait()
        await super()._chat(writer, self.reply(body))


def expected(path: Path = HELD) -> dict[str, str]:
    """Prompt → answer of a file of conversations."""
    found = {}
    for raw in path.read_bytes().splitlines():
        turns = formats.read(raw).messages
        found[turns[-2].content_text] = turns[-1].content_text
    return found


def tuned_knows(count: int, path: Path = HELD, wrong: str = '{"customer": null}') -> Reply:
    """The tuned model answers the first `count` prompts as expected, the base none."""
    known = dict(list(expected(path).items())[:count])

    def reply(body: dict[str, Any]) -> Script:
        said = known.get(body["messages"][-1]["content"], wrong)
        return Script([said if body["model"] == TUNED else "I do not know. [bold"])

    return reply


def page(app: FttuiApp) -> EvaluateScreen:
    assert isinstance(app.screen, EvaluateScreen)
    return app.screen


async def counted(app: FttuiApp, pilot: Any) -> None:
    """The set-up is counted and priced."""
    await wait_until(pilot, lambda: page(app).runner.ready is not None, "counted")
    await pilot.pause()


async def finished(app: FttuiApp, pilot: Any, seconds: float = 15) -> None:
    await wait_until(
        pilot,
        lambda: isinstance(app.screen, EvaluateScreen) and page(app).done and not page(app).running,
        "evaluated",
        seconds,
    )
    await pilot.pause()


@asynccontextmanager
async def evaluating(
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
    *,
    models: tuple[str, ...] = (BASE, TUNED),
    data: tuple[Path, Path | None] = (TRAIN, HELD),
    size: tuple[int, int] = (120, 40),
) -> AsyncIterator[tuple[FttuiApp, Any, Answering]]:
    """The app on the page, its set-up counted: these models on the held-out sample."""
    async with (
        Answering({name: Script() for name in models}, reply=reply) as server,
        opened(monkeypatch, server, data=data, size=size) as (app, pilot),
    ):
        yield app, pilot, server


@asynccontextmanager
async def opened(
    monkeypatch: pytest.MonkeyPatch,
    server: Answering,
    *,
    data: tuple[Path, Path | None] = (TRAIN, HELD),
    size: tuple[int, int] = (120, 40),
) -> AsyncIterator[tuple[FttuiApp, Any]]:
    """An app of this server's, on the page."""
    models = list(server.models)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    app = FttuiApp(*data, "openai")
    async with app.run_test(size=size) as pilot:
        await wait_until(pilot, lambda: app.thread.report is not None, "the scan")
        app.change(chat_models=models)
        app.do_evaluate(models)
        await wait_until(pilot, lambda: isinstance(app.screen, EvaluateScreen), "the page")
        await counted(app, pilot)
        yield app, pilot


async def start(app: FttuiApp, pilot: Any) -> None:
    """Start, and say yes where that costs something."""
    from fttui.ui.dialogs.confirm import Confirm

    await pilot.press("s")
    if not isinstance(app.screen, EvaluateScreen):
        await wait_until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("y")
    await pilot.pause()
