"""A fault of our own ends in three lines and a report without keys or data, never in a traceback."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tmux_help import Tmux
from ui_help import wait_for_text

from fttui.secrets import Secret
from fttui.ui import crash
from fttui.ui.app import FttuiApp

BROKEN = """
import fttui.ui.screens.data as data
from fttui.ui.app import FttuiApp
from fttui.secrets import Secret
KEY = Secret("sk-test-0123456789abcdef")
def broken(self):
    local = KEY.reveal()
    raise RuntimeError("no place for " + local)
data.DataScreen.do_search = broken
data.DataScreen.why_not = lambda self, action_id: ""
FttuiApp(profile="openai").run()
"""


def test_the_report_holds_no_key(home: Path) -> None:
    key = Secret("sk-test-0123456789abcdef")
    try:
        raise RuntimeError(f"refused {key.reveal()}")
    except RuntimeError as error:
        path = crash.write_report(error)
        line = crash.epitaph()
    assert path is not None
    assert "RuntimeError" in path.read_text()
    assert key.reveal() not in path.read_text() + line


async def test_a_fault_in_the_background_is_said_and_the_app_goes_on(home: Path) -> None:
    app = FttuiApp(profile="openai")

    async def broken() -> None:
        raise RuntimeError("[/] no such thing")

    async with app.run_test(size=(80, 24)) as pilot:
        app.run_worker(broken(), group="trial", exit_on_error=False)
        await wait_for_text(pilot, "[/] no such thing")
        await pilot.press("enter")
        app.screen.run_worker(broken(), group="trial", exit_on_error=False)
        await wait_for_text(pilot, "while doing “trial”")
    assert len(list((home / "state").glob("crash-*.txt"))) >= 1


@pytest.mark.tmux
@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_the_screen_is_given_back_with_three_lines(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    with Tmux(100, 30) as tmux:
        before = tmux.state()
        tmux.run(["env", f"FTTUI_HOME={home}", sys.executable, str(script)])
        tmux.wait("1 Data")
        tmux.press("/")
        shown = tmux.wait("fttui hit a fault of its own")
        assert "Traceback" not in shown
        assert "0123456789abcdef" not in shown
        assert tmux.state() == before
    (report,) = (home / "state").glob("crash-*.txt")
    assert "RuntimeError" in report.read_text()
    assert "0123456789abcdef" not in report.read_text()
