"""Make the SVGs in this folder from the real app: the shipped sample, the local server, a real training run.

Run: python screenshots/make.py [sweep]   (some minutes: it really trains; fetches the base model if needed)
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

HERE = Path(__file__).resolve().parent
WIDE, NARROW = (120, 40), (80, 24)
TRAINING_SECONDS = 1200
EVALUATION_SECONDS = 900


def prepare() -> None:
    """A home of its own, so that the pictures show a newcomer's machine; the base model is shared."""
    from fttui import paths

    cache = paths.cache_dir() / "models"
    home = Path(tempfile.mkdtemp(prefix="fttui-shots-"))
    (home / "cache").mkdir()
    cache.mkdir(parents=True, exist_ok=True)
    (home / "cache" / "models").symlink_to(cache)
    os.environ.update(FTTUI_HOME=str(home), TEXTUAL_ANIMATIONS="none")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "FTTUI_PROFILE"):
        os.environ.pop(name, None)


async def until(pilot: Any, condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain")
        await asyncio.sleep(0.1)
        await pilot.pause()


def save(app: Any, name: str) -> None:
    """Write an SVG whose ids do not change from run to run."""
    svg = app.export_screenshot(title="fttui")
    svg = re.sub(r"terminal-\d+", f"terminal-{Path(name).name}", svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)  # nothing is fetched from elsewhere
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(name, flush=True)


async def shoot(size: tuple[int, int], tag: str, *, train: bool) -> None:
    from fttui import samples
    from fttui.ui.app import FttuiApp

    app = FttuiApp(samples.path("extraction"), samples.heldout("extraction"), "local")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.thread.report is not None)
        await pilot.press("down", "down")
        await pilot.pause(0.5)
        save(app, f"1-data{tag}")
        for number, name in ((2, "check"), (3, "cost")):
            await pilot.press(str(number))
            await pilot.pause(0.5)
            save(app, f"{number}-{name}{tag}")
        await pilot.press("4")
        await pilot.pause(0.5)
        if train:
            await pilot.press("n")
            await pilot.pause(0.5)
            save(app, f"4-launch{tag}")
            await launch_and_watch(app, pilot, tag)
        else:
            await until(pilot, lambda: app.backend.feed.tracks)
            await pilot.pause(1.0)
            save(app, f"4-jobs{tag}")
        await pilot.press("5")
        await until(pilot, lambda: any(track.checkpoints for track in app.backend.feed.jobs()))
        await pilot.pause(0.5)
        save(app, f"5-checkpoints{tag}")
        await pilot.press("c")
        await until(pilot, lambda: app.current_mode == "chat")
        await chat(app, pilot, tag)
        await evaluate(app, pilot, tag)
        await pilot.press("escape", "escape", "1", "question_mark")
        await pilot.pause(0.5)
        save(app, f"7-help{tag}")


async def launch_and_watch(app: Any, pilot: Any, tag: str) -> None:
    """Launch with the keys a person uses, and take the picture half-way."""
    from fttui.ui.dialogs.confirm import Confirm
    from fttui.ui.dialogs.launch import LaunchDialog

    app.screen.query_one("#field-suffix").value = "orders"
    app.screen.query_one("#launch").focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and not app.screen._too_soon())
    await pilot.press("y")
    await until(pilot, lambda: not isinstance(app.screen, LaunchDialog | Confirm))
    await until(pilot, lambda: app.thread.job is not None)
    await until(pilot, lambda: _steps(app) >= 40, TRAINING_SECONDS)
    await pilot.pause(1.0)
    save(app, f"4-jobs{tag}")
    await until(pilot, lambda: app.thread.job.status == "succeeded", TRAINING_SECONDS)


def _steps(app: Any) -> int:
    track = app.backend.feed.get(app.thread.job.id)
    return (
        max((event.metrics.step for event in track.events if event.metrics), default=0)
        if track
        else 0
    )


async def chat(app: Any, pilot: Any, tag: str) -> None:
    """A held-out prompt from the dataset, asked of base and tuned model at once."""
    await until(pilot, lambda: app.focused is not None)
    await pilot.press("f5")
    await pilot.pause(0.5)
    await pilot.press("enter")
    await pilot.pause(0.5)
    await pilot.press("enter")
    await until(pilot, lambda: app.backend.busy(), 60)
    await until(pilot, lambda: not app.backend.busy(), 240)
    await pilot.pause(0.5)
    save(app, f"6-chat{tag}")


async def evaluate(app: Any, pilot: Any, tag: str) -> None:
    """The held-out file asked of all of chat's models; the second time the answers are there."""
    await pilot.press("f12")
    await until(pilot, lambda: app.current_mode == "evaluate")
    await pilot.pause(1.0)
    save(app, f"8-evaluate-plan{tag}")
    await pilot.press("s")
    await until(pilot, lambda: " of " in app.thread.evaluation, EVALUATION_SECONDS)
    await pilot.pause(1.0)
    save(app, f"8-evaluate{tag}")


async def sweep() -> None:
    """Two jobs launched as one group and compared."""
    from fttui import samples
    from fttui.ui.app import FttuiApp
    from fttui.ui.dialogs.confirm import Confirm
    from fttui.ui.dialogs.launch import LaunchDialog

    app = FttuiApp(samples.path("extraction"), samples.heldout("extraction"), "local")
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.thread.report is not None)
        await pilot.press("4", "n")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        await pilot.pause(0.5)
        app.screen.query_one("#field-learning_rate_multiplier").value = "0.3, 1"
        app.screen.query_one("#field-n_epochs").value = "1"
        await pilot.pause(0.5)
        save(app, "4-launch-sweep")
        app.screen.query_one("#launch").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and not app.screen._too_soon())
        await pilot.press("y")
        ended = lambda: [t for t in app.backend.feed.tracks.values() if t.job.status == "succeeded"]  # noqa: E731
        await until(pilot, lambda: len(ended()) == 2, TRAINING_SECONDS)
        await pilot.pause(2.0)
        await pilot.press("S")
        await pilot.pause(3.0)
        save(app, "4-sweep")


def main() -> None:
    """All pictures, or only those of a sweep (`make.py sweep`)."""
    from fttui.local import launch

    prepare()
    try:
        if sys.argv[1:] != ["sweep"]:
            asyncio.run(shoot(WIDE, "", train=True))
            asyncio.run(shoot(NARROW, "-80x24", train=False))
        asyncio.run(sweep())
    finally:
        launch.stop()


if __name__ == "__main__":
    main()
