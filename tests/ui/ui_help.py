"""For tests that drive the app: read the screen, wait for a condition, never sleep blindly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from time import monotonic
from typing import Any

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")


def screen_text(app: Any) -> str:
    """What a person reads on the screen now, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def wait_until(
    pilot: Any, condition: Callable[[], object], what: str = "", seconds: float = 15
) -> None:
    """Wait until `condition()` is true; fail with the screen when it does not become so."""
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            raise AssertionError(f"never became true: {what}\n{screen_text(pilot.app)}")
        await pilot.pause()
        await asyncio.sleep(0.01)


async def wait_for_text(pilot: Any, text: str, seconds: float = 15) -> None:
    await wait_until(
        pilot, lambda: text in screen_text(pilot.app), f"{text!r} on the screen", seconds
    )
