"""In a real terminal: it starts, is driven by keys, survives a resize, and leaves the terminal as found."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tmux_help import Tmux

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed"),
]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    rows = (
        {"messages": [{"role": "user", "content": f"question {n} \x1b[31m[/red]"},
                      {"role": "assistant", "content": f"answer {n}"}]}
        for n in range(300)
    )  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def command(home: Path, *args: str) -> list[str]:
    settings = [f"FTTUI_HOME={home}", "FTTUI_PROFILE=openai", "LC_ALL=C.UTF-8"]
    return ["env", "-u", "OPENAI_API_KEY", *settings, sys.executable, "-m", "fttui", *args]


def at_the_shell(shown: str) -> bool:
    """The prompt is back. (tmux 3.3 keeps rows of the program when it was resized on the way.)"""
    return shown.rstrip().splitlines()[-1:] == ["shell>"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_keys_resize_and_a_clean_leave(home: Path, dataset: Path, size: tuple[int, int]) -> None:
    with Tmux(*size) as tmux:
        before = tmux.state()
        tmux.run(command(home, str(dataset)))
        tmux.wait("question 0")
        tmux.press("Down", "Down", "G")
        tmux.wait("question 299")
        tmux("resize-window", "-x", "60", "-y", "15")
        tmux.wait(
            lambda shown: "question 299" in shown and len(shown.rstrip("\n").splitlines()) <= 15
        )
        tmux("resize-window", "-x", "120", "-y", "40")
        tmux.wait(lambda shown: "5 Checkpoints" in shown)
        tmux.press("3")
        tmux.wait("GPT-4.1 mini")
        tmux.press("q")
        tmux.wait(at_the_shell)
        assert tmux.state() == before


def test_a_kill_leaves_the_terminal_as_found(home: Path, dataset: Path) -> None:
    with Tmux() as tmux:
        before = tmux.state()
        tmux.run(command(home, str(dataset)))
        tmux.wait("question 0")
        assert tmux.state() != before
        subprocess.run(["pkill", f"-{signal.SIGTERM.value}", "-f", f"fttui {dataset}"], check=True)
        tmux.wait(at_the_shell)
        assert tmux.state() == before


def test_a_dropped_connection_ends_the_program(home: Path, dataset: Path) -> None:
    with Tmux() as tmux:
        tmux.run(command(home, str(dataset)))
        tmux.wait("question 0")
        pid = subprocess.run(
            ["pgrep", "-f", f"fttui {dataset}"], capture_output=True, text=True, check=True
        ).stdout.split()[-1]
        tmux("kill-server")  # the terminal is gone, as when SSH drops
        deadline = time.monotonic() + 15
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()


def test_a_missing_file_is_said_in_the_app_and_another_can_be_opened(
    home: Path, dataset: Path
) -> None:
    with Tmux() as tmux:
        tmux.run(command(home, str(dataset.parent / "nowhere.jsonl")))
        shown = tmux.wait("nowhere.jsonl")
        assert "Traceback" not in shown
        tmux.wait(lambda text: re.search(r"[Nn]o such file", text))
        tmux.press("o")
        tmux.wait("Open a dataset")
        tmux.press("C-u")
        tmux.wait(lambda text: "nowhere.jsonl" not in text.split("Open a dataset")[1])
        tmux("send-keys", "-l", str(dataset))
        tmux.wait("support.jsonl")
        tmux.press("Enter")
        tmux.wait("question 0")


def test_ascii_draws_every_area_in_ascii(home: Path, dataset: Path) -> None:
    with Tmux(120, 40) as tmux:
        tmux.run(command(home, "--ascii", str(dataset)))
        tmux.wait("question 0")
        for key, sign in (("2", "Tokens per"), ("3", "GPT-4.1 mini"), ("4", "4 Jobs"),
                          ("5", "5 Checkpoints"), ("6", "6 Chat"), ("F1", "enter choose")):  # fmt: skip
            tmux.press(key)
            shown = tmux.wait(sign)
            assert {char for char in shown if not char.isascii()} == set(), shown
