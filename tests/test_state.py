"""What is remembered survives a restart, several programs at once, and a crash in the middle."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from fttui.problem import Problem
from fttui.state import SCHEMA_VERSION, State


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    state.remember("draft", {"epochs": 3})
    chat = state.new_chat("local", "hello")
    message = state.add_message(chat, 0, "m", "assistant", "hal", tokens=1)
    state.update_message(message, "hallo", tokens=2)
    state.saw_jobs("local", [{"id": "a", "created_at": 1}, {"id": "b", "created_at": 2}])
    state.close()

    again = State(tmp_path / "s.db")
    assert again.recall("draft") == {"epochs": 3}
    assert again.messages(chat)[0]["content"] == "hallo"
    assert again.messages(chat)[0]["facts"] == {"tokens": 2}
    assert [body["id"] for body, _ in again.seen_jobs("local")] == ["b", "a"]
    assert again.seen_jobs("openai") == []


def test_two_programs_write_at_once(tmp_path: Path) -> None:
    one, two = State(tmp_path / "s.db"), State(tmp_path / "s.db")
    for number in range(50):
        (one if number % 2 else two).remember(f"key{number}", number)
    assert [one.recall(f"key{number}") for number in range(50)] == list(range(50))


def test_recent_files_are_newest_first_and_must_exist(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("x")
        state.opened(tmp_path / name)
    (tmp_path / "b").unlink()
    assert [path.name for path, _ in state.recent()] == ["c", "a"]


def test_mutes_belong_to_a_file(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    state.mute(tmp_path / "a", "Q001")
    assert state.muted(tmp_path / "a") == {"Q001"}
    assert state.muted(tmp_path / "b") == frozenset()
    state.mute(tmp_path / "a", "Q001", on=False)
    assert state.muted(tmp_path / "a") == frozenset()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = State(tmp_path / "s.db").path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    State(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(Problem, match="newer fttui"):
        State(path)


def test_a_file_that_is_no_database_is_a_problem_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(Problem, match="cannot be opened"):
        State(path)
    assert path.read_bytes().startswith(b"not a database")


def test_chats_are_found_by_what_was_said(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    for profile, said in (("a", "100% of A_b\\c"), ("b", "ÄRGER und Straße"), ("b", "plain")):
        chat = state.new_chat(profile, said[:8])
        question = state.add_message(chat, 0, "", "user", "question")
        answer = state.add_message(chat, 0, "m", "assistant", said)
        assert question < answer
    for words, found in (
        ("00% OF a_B\\C", ["a"]),
        ("100_", []),
        ("ärger", ["b"]),
        ("STRASSE", []),  # letters of ASCII are looked for as they are, upper and lower case alike
        ("straße", ["b"]),
        ("question", ["b", "b", "a"]),
    ):
        assert [row["profile"] for row in state.find_chats(words)] == found, words
    row = state.find_chats("PLAIN")[0]
    assert (row["content"], row["turns"], row["message"]) == ("plain", 1, answer)
    assert len(state.find_chats()) == 3
    assert state.prompts() == ["question"]
    state.delete_chat(row["id"])
    assert [row["profile"] for row in state.find_chats()] == ["b", "a"]
    assert state.messages(row["id"]) == []
    state.close()


def test_a_rating_can_be_changed_and_half_a_letter_is_kept(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    chat = state.new_chat("p", "t")
    turn = state.add_message(chat, 0, "", "user", "half \ud83d")
    assert state.messages(chat)[0]["content"] == "half ?"
    state.rate(turn, "a", ["a", "b"], blind=True)
    state.rate(turn, "b", ["a", "b"], blind=False)
    assert state.ratings() == [{"turn": turn, "winner": "b", "models": ["a", "b"], "blind": False}]
    state.close()
