"""Make closed-doors/*.svg: every refusal met in the real app, by the keys a person presses, at a service
that refuses as providers do (tests/service/door_server.py). Nothing is trained.

Run: python screenshots/closed_doors.py [SCENARIO …]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import make

sys.path.insert(0, str(make.HERE.parent / "tests" / "service"))
import door_server

SIZE = (104, 34)
PORT = 8990  # always the same: it is in the picture
PROFILE = "work"
VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "NEBIUS_API_KEY")


def prepare(server: door_server.DoorServer, name: str) -> None:
    """A home of its own with one profile, that of the scenario."""
    home = Path(tempfile.mkdtemp(prefix="fttui-doors-"))
    os.environ.update(FTTUI_HOME=str(home), TEXTUAL_ANIMATIONS="none", TZ="UTC")
    for variable in VARIABLES:
        os.environ.pop(variable, None)
    scenario = door_server.SCENARIOS[name]
    os.environ["WORK_KEY"] = scenario.key
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(
        f'[profiles.{PROFILE}]\nprovider = "{scenario.kind}"\nbase_url = "{server.url(name)}"\n'
        f'key = {{ env = "WORK_KEY" }}\n{scenario.settings}\n'
    )


async def meet(name: str) -> None:
    """Open the app, run into the door, and take the picture."""
    from fttui import samples
    from fttui.ui.app import FttuiApp
    from fttui.ui.dialogs.closed_door import ClosedDoor

    scenario = door_server.SCENARIOS[name]
    app = FttuiApp(samples.path("extraction"), samples.heldout("extraction"), PROFILE)
    async with app.run_test(size=SIZE) as pilot:
        await make.until(pilot, lambda: app.thread.report is not None and app.thread.model)
        if scenario.where == door_server.LAUNCH:
            await launch(app, pilot)
        elif scenario.where == door_server.CHAT:
            await chat(app, pilot, scenario.model)
        else:
            await pilot.press("4")
            await make.until(pilot, lambda: app.backend.feed.problem is not None)
            await pilot.press("W")
        await make.until(pilot, lambda: isinstance(app.screen, ClosedDoor))
        assert app.screen.door.kind == scenario.door, app.screen.door
        for toast in list(app._notifications):
            app._unnotify(toast)
        await pilot.pause(0.5)
        make.save(app, f"closed-doors/{name}")


async def launch(app: Any, pilot: Any) -> None:
    """Launch with the keys a person uses; the door opens by itself."""
    from fttui.ui.dialogs.confirm import Confirm
    from fttui.ui.dialogs.launch import LaunchDialog

    await pilot.press("4")
    await make.until(pilot, lambda: app.backend.feed.read_at)
    await pilot.press("n")
    await make.until(pilot, lambda: isinstance(app.screen, LaunchDialog))
    await make.until(pilot, lambda: not app.screen.query_one("#launch").disabled)
    app.screen.query_one("#launch").focus()
    await pilot.press("enter")
    await make.until(pilot, lambda: isinstance(app.screen, Confirm) and not app.screen._too_soon())
    await pilot.press("y")


async def chat(app: Any, pilot: Any, model: str) -> None:
    app.change(chat_models=[model])
    await pilot.press("6")
    await make.until(pilot, lambda: app.screen.id != "data" and app.focused is not None)
    await pilot.pause(0.5)
    for char in "Hello?":
        await pilot.press(char if char.isalpha() else "question_mark")
    await pilot.press("enter")
    await make.until(pilot, lambda: app.refusal is not None)
    await pilot.press("escape")
    await make.until(pilot, lambda: app.focused is None or app.focused.id != "composer")
    await pilot.press("W")


def main() -> None:
    (make.HERE / "closed-doors").mkdir(exist_ok=True)
    names = sys.argv[1:] or [name for name, one in door_server.SCENARIOS.items() if one.door]
    with door_server.DoorServer(PORT) as server:
        for name in names:
            prepare(server, name)
            asyncio.run(meet(name))


if __name__ == "__main__":
    main()
