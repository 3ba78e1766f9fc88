"""fttui config: a profile made, tried, guarded and removed without editing a file; a key is never shown."""

from __future__ import annotations

import getpass
import io
import json
import os
import sys
from pathlib import Path

import pytest

from fttui import cli, config

KEY = "sk-proj-0123456789abcdefghijSECRET"


@pytest.fixture
def path(home: Path) -> Path:
    return home / "config" / "config.toml"


class Shell:
    """Runs commands and keeps everything they printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.printed = ""

    def __call__(self, *args: str) -> tuple[int, str]:
        code = cli.main(["config", *args])
        out, err = self._capsys.readouterr()
        self.printed += out + err
        return code, out + err


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_from_nothing_to_a_profile_and_back(
    path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    assert shell("path") == (0, f"{path}\n")
    assert "not there yet" in shell()[1]
    pipe(monkeypatch, KEY + "\n")
    code, said = shell("add", "lab", "--provider", "custom", "--base-url", "http://lab:1/v1",
                       "--store", "file", "--default")  # fmt: skip
    assert code == 0
    assert "fttui starts on lab" in said
    assert "* lab" in shell("list")[1]
    profile = config.load(env={}).profile()
    assert (profile.name, profile.key.resolve().reveal()) == ("lab", KEY)
    row = json.loads(shell("show", "lab", "--json")[1])
    assert (row["key_present"], row["default"], row["from"]) == (True, True, "file")
    shell("read-only", "lab")
    assert config.load(env={}).profile("lab").read_only
    assert "read-only" in shell()[1]
    shell("read-only", "lab", "--off")
    assert not config.load(env={}).profile("lab").read_only
    kept = Path(profile.key.value)
    assert shell("remove", "lab", "--yes")[0] == 0
    assert not kept.exists()
    assert "lab" not in config.load(env={}).written
    assert KEY not in shell.printed
    written = [one for one in home.rglob("*") if one.is_file()]
    assert not [one for one in written if KEY in one.read_text("utf-8", "replace")]


def test_the_key_of_a_profile_is_given_later_and_unseen(
    path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(parents=True)
    path.write_text('# mine\n[profiles.eu]\nprovider = "openai"\nregion = "eu"\n')
    asked = []
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(getpass, "getpass", lambda words: (asked.append(words), KEY)[1])
    assert shell("key", "eu", "--store", "file")[0] == 0
    assert asked == ["Key of eu (not shown): "]
    profile = config.load(env={}).profile("eu")
    assert profile.key.resolve().reveal() == KEY
    assert profile.base_url == "https://eu.api.openai.com/v1"
    assert path.read_text().startswith("# mine\n")
    shell("key", "eu", "--key-env", "TEAM_KEY")
    assert config.load(env={}).profile("eu").key.describe() == "$TEAM_KEY"
    assert KEY not in shell.printed + path.read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["add", "x"], "--provider is missing"),
        (["add", "x", "--provider", "custom", "--no-key"], "an address"),
        (["add", "x", "--provider", "openai", "--key-env", KEY], "a key itself"),
        (["add", "a b", "--provider", "local"], "letters, digits"),
        (["show", "nope"], "no profile named"),
        (["remove", "local"], "is not in"),
        (["default", "nope"], "no profile named"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch, args: list[str], words: str
) -> None:
    pipe(monkeypatch, "")
    code, said = shell(*args)
    assert code == 2
    assert words in said
    assert KEY not in said
    assert not path.exists()


def test_asked_in_a_terminal_until_the_answers_can_be_taken(
    path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(
        ["nobody", "4", "my lab", "mylab", "lab:1", "http://lab:1/v1", "", "", "4", "pass show lab"]
    )
    monkeypatch.setattr("builtins.input", lambda _="": next(answers))
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("fttui.key_store.keyring_missing", lambda: "")
    code, said = shell("add")
    assert code == 0, said
    assert "✗ letters, digits" in said
    assert "✗ begin with https://" in said
    profile = config.load(env={}).profile("mylab")
    assert (profile.base_url, profile.key.describe()) == (
        "http://lab:1/v1",
        "command pass show lab",
    )


def test_removing_asks_first(path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir(parents=True)
    path.write_text('[profiles.lab]\nprovider = "local"\n')
    pipe(monkeypatch, "")
    assert "--yes" in shell("remove", "lab")[1]
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _="": "n")
    assert shell("remove", "lab")[0] == 1
    assert "lab" in config.load(env={}).written


def test_editing_checks_what_was_written(
    path: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "ed"
    editor.write_text('#!/bin/sh\nfor last; do :; done\necho "x = 1" > "$last"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    code, said = shell("edit")
    assert code == 2
    assert "line 1" in said
    monkeypatch.setenv("EDITOR", "no-such-editor-1")
    assert "not installed" in shell("edit")[1]


def test_headers_and_bodies_show_no_secret(path: Path, shell: Shell) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(
        '[profiles.gw]\nprovider = "custom"\nbase_url = "https://gw/v1"\n'
        f'headers = {{ X-Gateway = "{KEY}" }}\nextra_body = {{ api_key = "{KEY}" }}\n'
    )
    for args in (["show", "gw"], ["show", "gw", "--json"], ["list", "--json"], []):
        assert KEY not in shell(*args)[1]
    assert os.environ.get("FTTUI_PROFILE") is None
