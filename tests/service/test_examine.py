"""fttui doctor and fttui config test: what works on each profile and in this terminal, bounded, without a key."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fttui import cli, secrets
from fttui.commands import doctor, terminal_facts
from fttui.config import Profile
from fttui.secrets import SecretSource
from fttui.service import examine
from fttui.state import State

TODAY = date(2026, 11, 21)


def _load() -> Any:
    path = Path(__file__).with_name("door_server.py")
    spec = importlib.util.spec_from_file_location("fttui_test_examined", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["fttui_test_examined"] = module
    spec.loader.exec_module(module)
    return module


door_server = _load()
KEY = door_server.SCENARIOS["open"].key


@pytest.fixture
def server() -> Iterator[Any]:
    with door_server.DoorServer() as found:
        yield found


@pytest.fixture
def profile_of(server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Profile]:
    def build(name: str, **fields: Any) -> Profile:
        scenario = door_server.SCENARIOS[name]
        monkeypatch.setenv("DOOR_KEY", scenario.key)
        source = SecretSource("env", "DOOR_KEY")
        return Profile(name, scenario.kind, server.url(name), source, **fields)

    return build


def told(made: examine.Examined) -> str:
    return "\n".join(f"{line.glyph} {line.text} → {line.remedy}" for line in made.lines)


async def test_what_works_is_said_with_limits_retirements_and_clock(
    server: Any, profile_of: Callable[..., Profile]
) -> None:
    server.told = {
        "x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-reset-requests": "12ms", "x-ratelimit-remaining-tokens": "398000",
    }  # fmt: skip
    made = await examine.examine(profile_of("open", project="proj_1"), today=TODAY)
    said = told(made)
    assert made.ok
    assert "key accepted, 5 models" in said
    assert "organization acme, project proj_1 (as configured)" in said
    assert "⚠ may train, as far as can be seen" in said
    assert "46 days (2027-01-06)" in said
    assert "may chat, as far as can be seen: 5 models, 2 tuned ones" in said
    assert "4,999 of 5,000 requests left, full again in 12ms; 398,000 tokens left" in said
    assert "⚠ stop answering in 54 days (2027-01-14): ft:gpt-4.1-mini" in said
    assert "⚠ have stopped answering (2026-10-23): ft:gpt-4.1-nano" in said
    assert "this clock and theirs agree" in said
    assert {verb for _, verb, _ in server.asked} == {"GET"}
    assert made.facts["rate_limits"]["requests"]["limit"] == 5000
    assert made.facts["clock_skew_seconds"] < 2


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (125, "warning", "2m 0"),
        (-90, "warning", "behind theirs"),
        (7230, "error", "2h 00m ahead of"),
    ],
)
async def test_a_clock_that_is_off_is_told(
    server: Any, profile_of: Callable[..., Profile], ahead: float, level: str, words: str
) -> None:
    made = await examine.examine(profile_of("open"), clock=lambda: time.time() + ahead, today=TODAY)
    line = made.lines[-1]
    assert line.level == level
    assert words in line.text
    assert "timedatectl" in line.remedy


@pytest.mark.parametrize(
    ("name", "words", "fact"),
    [
        ("open", "✓ may train (an incomplete", True),
        ("training-closed", "✗ may not train: OpenAI is winding down", False),
        ("missing-role", "✗ may not train: You have insufficient permissions", False),
        ("quota", "✗ may not chat: You exceeded", None),
    ],
)
async def test_asked_deeply_the_refusals_tell(
    server: Any, profile_of: Callable[..., Profile], name: str, words: str, fact: bool | None
) -> None:
    made = await examine.examine(profile_of(name), deep=True, today=TODAY)
    assert words in told(made)
    if fact is not None:
        assert made.facts["may_train"] is fact
    posts = [path for _, verb, path in server.asked if verb == "POST"]
    assert posts == ["/fine_tuning/jobs", "/chat/completions"]


async def test_a_read_only_profile_is_never_asked_deeply(
    server: Any, profile_of: Callable[..., Profile]
) -> None:
    await examine.examine(profile_of("open", read_only=True), deep=True, today=TODAY)
    assert {verb for _, verb, _ in server.asked} == {"GET"}


async def test_a_training_refused_before_is_remembered(
    home: Path, profile_of: Callable[..., Profile]
) -> None:
    profile, state = profile_of("open"), State()
    kept = {"day": "2026-11-20", "why": "winding down"}
    state.remember(examine.refused_key(profile), kept)
    made = await examine.examine(profile, state=state, today=TODAY)
    assert "training was refused here on 2026-11-20: winding down" in told(made)
    state.close()


async def test_a_server_that_never_answers_costs_its_seconds_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOOR_KEY", KEY)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    profile = Profile("p", "custom", f"http://127.0.0.1:{port}/v1", SecretSource("env", "DOOR_KEY"))
    made = await examine.examine(profile, seconds=0.5)
    assert "no answer within" in told(made)
    assert not made.ok
    silent.close()


async def test_overrides_that_name_nothing_are_a_finding() -> None:
    made = await examine.examine(Profile("p", "custom", "http://h/v1", overrides={"checkpoint": 1}))
    assert "which is no capability" in told(made)


# ---- the commands ----


@pytest.fixture
def configured(home: Path, server: Any) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(server.config(path.parent))
    return path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = cli.main(list(args))
    return code, capsys.readouterr().out


def test_doctor_asks_all_profiles_at_once_and_shows_no_key(
    configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, "doctor")
    assert code == 1
    assert "looks like one of OpenAI (sk-…)" in said
    assert said.count("reachable (") >= 5
    keys = {one.key for one in door_server.SCENARIOS.values() if one.key}
    assert not [key for key in keys if key in said]
    code, said = run(capsys, "doctor", "--profile", "open", "--json")
    report = json.loads(said.splitlines()[-1])
    assert (code, report["ok"]) == (0, True)
    assert report["profiles"]["open"]["reachable"] is True
    assert report["profiles"]["open"]["clock_skew_seconds"] < 2
    assert "colours" in report["terminal"]


def test_a_password_manager_that_waits_does_not_hold_the_doctor_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[profiles.slow]\nprovider = "openai"\nkey = { command = "sleep 30" }\n')
    monkeypatch.setattr(examine, "SECONDS", 0.5)
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 60.0)  # put back afterwards
    begun = time.monotonic()
    code, said = run(capsys, "doctor", "--profile", "slow")
    assert code == 1
    assert "slow" in said
    assert time.monotonic() - begun < 15


def test_doctor_offline_asks_nobody(
    configured: Path, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = run(capsys, "doctor", "--offline")
    assert (code, server.asked) == (0, [])


def test_doctor_says_where_a_broken_file_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[settings]\nascii = 3\n")
    code, said = run(capsys, "doctor")
    assert code == 1
    assert "config.toml, line 2" in said


def test_doctor_tells_whom_it_waits_for(
    configured: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = ""

    async def slow(profile: Profile, **_: Any) -> examine.Examined:
        nonlocal said
        async with asyncio.timeout(20):
            while "slow-one" not in said:
                await asyncio.sleep(0.01)
                said += capfd.readouterr().err
        return examine.Examined(profile.name)

    monkeypatch.setattr(examine, "examine", slow)
    monkeypatch.setattr(doctor, "QUIET", 0.05)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    run_one = doctor._ask_all([Profile("slow-one", "local")], deep=False)
    assert [one.profile for one in asyncio.run(run_one)] == ["slow-one"]
    said += capfd.readouterr().err
    assert "asking slow-one …" in said
    assert said.endswith("\r\x1b[K")


# ---- the terminal ----


def test_what_a_terminal_answers_is_understood() -> None:
    assert terminal_facts.read("") == terminal_facts.Told()
    rich = terminal_facts.read("\x1b[?1u\x1b[?2026;2$y\x1b[?62;22;52c")
    assert rich == terminal_facts.Told(keys=True, sync=True, copies=True, answered=True)
    plain = terminal_facts.read("\x1b[?2026;0$y\x1b[?64;1;2c")
    assert plain == terminal_facts.Told(keys=False, sync=False, copies=False, answered=True)


def test_a_terminal_that_says_nothing_is_left_as_it_was_soon(tmp_path: Path) -> None:
    """In a terminal of its own that never answers: bounded, and the settings are put back."""
    code = (
        "import termios, time; from fttui.commands import terminal_facts as t; "
        "before = termios.tcgetattr(0); start = time.monotonic(); told = t.ask(); "
        "print('SAME', termios.tcgetattr(0) == before, told.answered, time.monotonic() - start < 3)"
    )
    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", code], stdin=child, stdout=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: _take(child),
    )  # fmt: skip
    out, _ = done.communicate(timeout=30)
    os.close(child)
    asked = os.read(parent, 100)
    os.close(parent)
    assert "SAME True False True" in out
    assert b"\x1b[c" in asked


def _take(child: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(child, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize(
    ("env", "name", "level", "words"),
    [
        ({"NO_COLOR": "1"}, "colours", "note", "off"),
        ({"COLORTERM": "truecolor"}, "colours", "ok", "24-bit"),
        ({"TERM": "xterm-256color"}, "colours", "ok", "256"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "copy", "warning", "does not take OSC 52"),
        ({"TERM_PROGRAM": "WezTerm"}, "copy", "ok", "OSC 52"),
        ({"SSH_CONNECTION": "a b c d"}, "ssh", "note", "over SSH"),
    ],
)
def test_what_the_environment_tells(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], name: str, level: str, words: str
) -> None:
    for variable in ("NO_COLOR", "COLORTERM", "TERM", "TERM_PROGRAM", "TMUX", "SSH_CONNECTION",
                     "DISPLAY", "WAYLAND_DISPLAY"):  # fmt: skip
        monkeypatch.delenv(variable, raising=False)
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    fact = next(fact for fact in terminal_facts.facts() if fact.name == name)
    assert fact.level == level
    assert words in fact.text


@pytest.mark.parametrize(
    ("answers", "name", "level"),
    [
        ({"-V": "tmux 3.1", "set-clipboard": "on"}, "tmux", "warning"),
        ({"-V": "tmux 3.4", "set-clipboard": "on"}, "copy", "ok"),
        ({"-V": "tmux 3.4", "set-clipboard": "external"}, "copy", "ok"),
        ({"-V": "tmux 3.1", "set-clipboard": "on"}, "copy", "warning"),
        ({"-V": "tmux 3.4", "set-clipboard": "off"}, "copy", "warning"),
        ({"-V": "tmux 3.4", "allow-passthrough": "on"}, "passthrough", "ok"),
        ({"-V": "tmux 3.4", "extended-keys": "off"}, "tmux-keys", "note"),
    ],
)
def test_what_tmux_passes_on(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], name: str, level: str
) -> None:
    monkeypatch.setattr(terminal_facts, "_run", lambda *words: answers.get(words[-1], ""))
    fact = next(fact for fact in terminal_facts._tmux() if fact.name == name)
    assert fact.level == level
    assert level == "ok" or fact.remedy
