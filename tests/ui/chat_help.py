"""For tests of the chat area: the app with a column for each scripted model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from scripted import Script, Scripted
from ui_help import wait_until

from fttui.state import State
from fttui.ui.app import FttuiApp
from fttui.ui.screens.chat import ChatScreen
from fttui.ui.widgets.transcript import Transcript


def chat(app: FttuiApp) -> ChatScreen:
    assert isinstance(app.screen, ChatScreen)
    return app.screen


async def opened(app: FttuiApp, pilot: Any) -> None:
    await wait_until(
        pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen.query(Transcript), "chat"
    )


@asynccontextmanager
async def talking(
    monkeypatch: pytest.MonkeyPatch,
    models: dict[str, Script],
    *,
    size: tuple[int, int] = (120, 40),
    state: State | None = None,
    path: Path | None = None,
    columns: list[str] | None = None,
) -> AsyncIterator[tuple[FttuiApp, Any, Scripted]]:
    """The app in the chat area, a column for each scripted model (or for `columns`)."""
    async with Scripted(models) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        app = FttuiApp(path, profile="openai", state=state)
        async with app.run_test(size=size) as pilot:
            app.change(chat_models=list(models) if columns is None else columns)
            app.go("chat")
            await opened(app, pilot)
            await wait_until(pilot, lambda: chat(app).listed, "the models")
            await pilot.pause()
            yield app, pilot, server


async def settled(app: FttuiApp, pilot: Any, seconds: float = 15) -> None:
    await wait_until(pilot, lambda: not chat(app).answers.running, "the answers", seconds)
    await pilot.pause()


async def ask(app: FttuiApp, pilot: Any, prompt: str, *, until_done: bool = True) -> None:
    chat(app).composer.fill(prompt)
    chat(app).composer.focus()
    await pilot.press("enter")
    if until_done:
        await settled(app, pilot)
