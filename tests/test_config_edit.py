"""Changing config.toml: what was not meant to change does not, comment or value, and a mistake changes nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fttui import config, config_edit, key_store, profile_form
from fttui.problem import Problem
from fttui.profile_form import Form
from fttui.secrets import Secret, SecretSource

KEY = "sk-proj-0123456789abcdefghijSECRET"
WRITTEN = """\
# my own notes, line one
default_profile = "work"   # the paid one

[settings]
ascii = true  # "#" is no comment here

# --- work ---
[profiles.work]
provider = "openai"
key = { env = "TEAM_KEY" }  # rotated in May
headers = { a = "#1" }

# --- lab ---
[profiles.lab]
provider = "custom"
base_url = "http://lab:1/v1"
[profiles.lab.overrides]
pause = false

# the end
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(WRITTEN)
    return path


def lost(path: Path) -> list[str]:
    """Lines of the file as it was that are gone."""
    now = path.read_text().splitlines()
    return [line for line in WRITTEN.splitlines() if line not in now]


def test_a_profile_is_added_behind_everything_that_was_there(file: Path) -> None:
    config_edit.put_profile(file, "eu", {"provider": "openai", "region": "eu", "read_only": True})
    assert file.read_text().startswith(WRITTEN.rstrip())
    found = config.load(env={}).profile("eu")
    assert (found.base_url, found.read_only) == ("https://eu.api.openai.com/v1", True)
    assert file.with_name("config.toml.bak").read_text() == WRITTEN


def test_a_profile_is_added_where_there_is_no_file(home: Path) -> None:
    path = home / "config" / "config.toml"
    config_edit.put_profile(path, "a b", {"provider": "local"})
    assert config.load(env={}).profile("a b").provider == "local"
    assert not path.with_name("config.toml.bak").exists()


def test_a_profile_is_replaced_and_removed_with_its_own_tables_only(file: Path) -> None:
    config_edit.put_profile(file, "lab", {"provider": "nebius"})
    assert config.load(env={}).profile("lab").provider == "nebius"
    config_edit.remove_profile(file, "lab")
    assert sorted(tomllib.loads(file.read_text())["profiles"]) == ["work"]
    assert lost(file) == [
        "[profiles.lab]",
        'provider = "custom"',
        'base_url = "http://lab:1/v1"',
        "[profiles.lab.overrides]",
        "pause = false",
    ]


def test_the_default_goes_with_its_profile(file: Path) -> None:
    config_edit.remove_profile(file, "work")
    found = tomllib.loads(file.read_text())
    assert "default_profile" not in found
    assert [line for line in lost(file) if line.startswith("#")] == []


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("read_only", True, "read_only = true"),
        ("key", {"file": "k"}, 'key = { file = "k" }  # rotated in May'),
        ("headers", None, ""),
    ],
)
def test_one_key_of_a_profile(file: Path, key: str, value: Any, line: str) -> None:
    config_edit.set_in_profile(file, "work", key, value)
    work = tomllib.loads(file.read_text())["profiles"]["work"]
    assert work.get(key) == value
    assert not line or line in file.read_text().splitlines()
    assert len(lost(file)) == (0 if key == "read_only" else 1)


def test_the_default_is_set_with_or_without_one_before(file: Path, tmp_path: Path) -> None:
    config_edit.set_default(file, "lab")
    assert 'default_profile = "lab"   # the paid one' in file.read_text()
    for text in ("", "[settings]\nascii = true\n", "# only a comment"):
        other = tmp_path / "config.toml"
        other.write_text(text)
        config_edit.set_default(other, "local")
        assert tomllib.loads(other.read_text())["default_profile"] == "local"
        assert text.strip() in other.read_text()


@pytest.mark.parametrize(
    "text",
    [
        'profiles = { a = { provider = "local" } }\n',
        '[profiles]\na = { provider = "local" }\n',
        '[profiles.a]\nprovider = "local"\nheaders.x = "1"\n',
    ],
)
def test_what_cannot_be_changed_safely_is_not_changed(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(Problem) as caught:
        config_edit.set_in_profile(file, "a", "headers", {"x": "2"})
    assert caught.value.code == "config_by_hand"
    assert "fttui config edit" in caught.value.remedy
    assert file.read_text() == text


def test_a_broken_file_and_a_wrong_value_change_nothing(file: Path) -> None:
    with pytest.raises(Problem, match="configuration cannot be used"):
        config_edit.set_in_profile(file, "work", "timeout", "soon")
    assert file.read_text() == WRITTEN
    file.write_text("[settings\n")
    with pytest.raises(Problem, match="line 1"):
        config_edit.put_profile(file, "b", {"provider": "local"})
    assert file.read_text() == "[settings\n"


def test_a_link_stays_a_link_and_the_mode_stays(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(WRITTEN)
    real.chmod(0o640)
    file.unlink()
    file.symlink_to(real)
    config_edit.set_default(file, "lab")
    assert file.is_symlink()
    assert 'default_profile = "lab"' in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


def test_windows_line_ends_and_values_over_lines(file: Path) -> None:
    file.write_bytes(WRITTEN.replace("\n", "\r\n").encode())
    config_edit.set_in_profile(file, "work", "organization", "org-1")
    assert file.read_bytes().count(b"\r\n") == WRITTEN.count("\n")
    file.write_text('[settings]\nmute = [\n  "A1", # why\n]\n\n[profiles.a]\nprovider="local"\n'
                    'overrides = { lacks = { pause = """\nNo\n""" } }\n')  # fmt: skip
    config_edit.set_in_profile(file, "a", "overrides", {"pause": True})
    assert "# why" in file.read_text()
    assert tomllib.loads(file.read_text())["profiles"]["a"]["overrides"] == {"pause": True}


text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(st.dictionaries(text, st.one_of(text, st.booleans(), st.integers(-9, 9), st.lists(text))))
def test_any_value_is_written_as_toml_reads_it(value: dict[str, Any]) -> None:
    assert tomllib.loads(f"x = {config_edit.value_text(value)}") == {"x": value}


# ---- keys ----


def test_a_key_kept_in_a_file_only_its_owner_reads(home: Path) -> None:
    source = key_store.put("file", "work", Secret(KEY))
    path = Path(source.value)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert source.resolve().reveal() == KEY
    assert key_store.put("file", "work", Secret(KEY + "2")).resolve().reveal() == KEY + "2"
    assert [one.name for one in path.parent.iterdir()] == ["work"]
    assert key_store.forget(source, "work")
    assert not path.exists()
    assert not key_store.forget(SecretSource("file", "/etc/hostname"), "work")


RING = """
import pathlib
HERE = pathlib.Path(__file__).parent
priority = 5
def get_keyring():
    import keyring
    return keyring
def set_password(service, user, value):
    (HERE / f"ring-{service}-{user}").write_text(value)
def get_password(service, user):
    path = HERE / f"ring-{service}-{user}"
    return path.read_text() if path.exists() else None
def delete_password(service, user):
    (HERE / f"ring-{service}-{user}").unlink()
"""


def test_a_key_kept_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keyring.py").write_text(RING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "keyring", raising=False)
    assert key_store.keyring_missing() == ""
    source = key_store.put("keyring", "work", Secret(KEY))
    assert (source.kind, source.value) == ("keyring", "fttui/work")
    assert source.resolve().reveal() == KEY
    assert key_store.forget(source, "work")
    with pytest.raises(Problem, match="has no fttui/work"):
        source.resolve()


@pytest.mark.parametrize("typed", ["", "two words here", "kurz", "schlüssel-schlüssel"])
def test_what_is_no_key_is_not_kept_and_not_repeated(home: Path, typed: str) -> None:
    with pytest.raises(Problem) as caught:
        key_store.put("file", "work", Secret(typed))
    assert not typed or typed not in str(caught.value.as_dict())
    assert not (home / "config" / "keys").exists()


def test_where_there_is_no_keyring_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(Problem) as caught:
        key_store.put("keyring", "work", Secret(KEY))
    assert "fttui[keyring]" in caught.value.why
    assert "file" in caught.value.remedy


# ---- the form ----


def test_a_form_is_saved_with_its_key_elsewhere(file: Path) -> None:
    form = Form("mine", "custom", "https://h/v1", SecretSource("file"), Secret(KEY))
    saved = profile_form.save(form, config.load(env={}))
    assert KEY not in file.read_text()
    assert lost(file) == []
    profile = config.load(env={}).profile("mine")
    assert profile.key == saved.key
    assert profile.key.resolve().reveal() == KEY


def test_what_is_usual_is_not_written() -> None:
    form = profile_form.usual("openai", config.load(env={}))
    assert form.table() == {"provider": "openai"}
    azure = Form("a", "azure", "res", SecretSource("entra"), read_only=True)
    assert azure.table() == {
        "provider": "azure", "base_url": "res", "key": {"entra": True}, "read_only": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        (Form("a b", "local"), "name", "letters"),
        (Form("../x", "local"), "name", "letters"),
        (Form("work", "local"), "name", "already"),
        (Form("n", "custom"), "base_url", "an address"),
        (Form("n", "custom", "h/v1"), "base_url", "https://"),
        (Form("n", "custom", "ftp://h/v1"), "base_url", "an address"),
        (Form("n", "custom", "https://u:pass@h/v1"), "base_url", "does not belong"),
        (Form("n", "custom", KEY), "base_url", "a key, not"),
        (Form("n", "custom", "https://h:x/v1"), "base_url", "no address"),
        (Form("n", "openai"), "key", "where is the key"),
        (Form("n", "openai", key=SecretSource("env", KEY)), "key", "a key itself"),
        (Form("n", "openai", key=SecretSource("env", "A-B")), "key", "environment variable"),
        (Form("n", "openai", key=SecretSource("command")), "key", "which command"),
        (Form("n", "openai", key=SecretSource("env", "K"), region="mars"), "region", "one of us"),
        (Form("n", "openai", "https://x/v1", SecretSource("env", "K"), region="eu"), "region", "not both"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_named_and_nothing_is_written(
    file: Path, form: Form, field: str, words: str
) -> None:
    found = dict(form.complaints(config.load(env={})))
    assert list(found) == [field]
    assert words in found[field]
    with pytest.raises(Problem) as caught:
        profile_form.save(form, config.load(env={}))
    assert KEY not in str(caught.value.as_dict())
    assert file.read_text() == WRITTEN
