"""What fttui remembers between runs: recent files, chats, drafts, jobs seen, the journal of paid calls.

One SQLite file (WAL), safe for several running programs at once; no key and no dataset text is
ever written here, except what the user typed and the answers to it.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from fttui import paths
from fttui.problem import Problem

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS recent (path TEXT PRIMARY KEY, at REAL NOT NULL, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, profile TEXT NOT NULL, kind TEXT NOT NULL,
  subject TEXT NOT NULL, amount TEXT, currency TEXT, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  profile TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (profile, id));
CREATE TABLE IF NOT EXISTS uploads (
  profile TEXT NOT NULL, sha256 TEXT NOT NULL, file_id TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (profile, sha256));
CREATE TABLE IF NOT EXISTS chats (
  id INTEGER PRIMARY KEY, profile TEXT NOT NULL, title TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, chat INTEGER NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
  turn INTEGER NOT NULL, model TEXT NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL,
  at REAL NOT NULL, facts TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_chat ON messages (chat, turn);
CREATE TABLE IF NOT EXISTS ratings (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, turn INTEGER NOT NULL UNIQUE, winner TEXT NOT NULL,
  models TEXT NOT NULL, blind INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mutes (file TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (file, code));
"""


def _name(path: Path) -> str | bytes:
    """A path as it is kept: text, or its bytes where they are not UTF-8 (SQLite refuses those as text)."""
    text = str(path.absolute())
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def _storable(text: str) -> str:
    """SQLite keeps UTF-8: half of a surrogate pair, which a model may send, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


_LIKE = re.compile(r"([\\%_])")
_ESCAPED = r"\\\1"


def _folded(text: str | None) -> str:
    return (text or "").casefold()


class State:
    """All of it. Methods block for well under a millisecond; safe to call from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.state_dir() / "fttui.db"
        self._lock = threading.RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=5, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise Problem(
                f"{self.path} cannot be opened",
                str(error),
                "free some space or fix its permissions, or set FTTUI_HOME to another folder",
                code="state",
            ) from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise Problem(
                f"{self.path} was written by a newer fttui",
                f"its format is {version}, this version knows {SCHEMA_VERSION}",
                "update fttui, or set FTTUI_HOME to another folder",
                code="state",
            )
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._db.commit()
        self.path.chmod(0o600)  # chats are private

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:
            yield self._db

    def _read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # -- small things remembered by name

    def remember(self, key: str, value: Any) -> None:
        """Keep a JSON value under a name: a pane's filter, a draft, the last view."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO memory VALUES (?, ?, ?)",
                (key, json.dumps(value, ensure_ascii=False), time.time()),
            )

    def recall(self, key: str, default: Any = None) -> Any:
        rows = self._read("SELECT value FROM memory WHERE key = ?", key)
        return json.loads(rows[0][0]) if rows else default

    def forget(self, key: str) -> None:
        with self._write() as db:
            db.execute("DELETE FROM memory WHERE key = ?", (key,))

    # -- recent datasets

    def opened(self, path: Path, **facts: Any) -> None:
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO recent VALUES (?, ?, ?)",
                (_name(path), time.time(), json.dumps(facts)),
            )

    def recent(self, limit: int = 9) -> list[tuple[Path, dict[str, Any]]]:
        """The files opened last that still exist, newest first."""
        rows = self._read("SELECT path, facts FROM recent ORDER BY at DESC LIMIT 50")
        found = [(Path(os.fsdecode(path)), json.loads(facts)) for path, facts in rows]
        return [pair for pair in found if pair[0].exists()][:limit]

    # -- mutes

    def muted(self, path: Path) -> frozenset[str]:
        rows = self._read("SELECT code FROM mutes WHERE file = ?", _name(path))
        return frozenset(code for (code,) in rows)

    def mute(self, path: Path, code: str, *, on: bool = True) -> None:
        sql = "INSERT OR IGNORE INTO mutes VALUES (?, ?)" if on else (
            "DELETE FROM mutes WHERE file = ? AND code = ?"
        )  # fmt: skip
        with self._write() as db:
            db.execute(sql, (_name(path), code))

    # -- uploads: a file already at the provider is not sent twice

    def uploaded(self, profile: str, sha256: str, file_id: str) -> None:
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)",
                (profile, sha256, file_id, time.time()),
            )

    def upload_of(self, profile: str, sha256: str) -> str:
        rows = self._read(
            "SELECT file_id FROM uploads WHERE profile = ? AND sha256 = ?", profile, sha256
        )
        return str(rows[0][0]) if rows else ""

    # -- jobs: the last body seen of each, for the first frame and for what a provider forgets

    def saw_jobs(self, profile: str, bodies: list[dict[str, Any]]) -> None:
        now = time.time()
        with self._write() as db:
            db.executemany(
                "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)",
                [(profile, str(body["id"]), now, json.dumps(body)) for body in bodies],
            )

    def seen_jobs(self, profile: str) -> list[tuple[dict[str, Any], float]]:
        """(body, unix time it was read), newest job first."""
        rows = self._read("SELECT body, at FROM jobs WHERE profile = ?", profile)
        found = [(json.loads(body), at) for body, at in rows]
        return sorted(found, key=lambda pair: -(pair[0].get("created_at") or 0))

    def forget_jobs(self, profile: str, ids: list[str]) -> None:
        with self._write() as db:
            db.executemany(
                "DELETE FROM jobs WHERE profile = ? AND id = ?", [(profile, i) for i in ids]
            )

    # -- the journal: what was paid for, as far as this program knows

    def journal(
        self, profile: str, kind: str, subject: str, amount: str, currency: str, **facts: Any
    ) -> None:
        """Write one paid call down. `amount` is a Decimal as text, "" when unknown."""
        with self._write() as db:
            db.execute(
                "INSERT INTO journal (at, profile, kind, subject, amount, currency, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (time.time(), profile, kind, subject, amount, currency, json.dumps(facts)),
            )

    def journal_rows(self, limit: int = 200) -> list[dict[str, Any]]:
        names = ("at", "profile", "kind", "subject", "amount", "currency", "facts")
        rows = self._read(f"SELECT {', '.join(names)} FROM journal ORDER BY id DESC LIMIT ?", limit)
        return [
            {**dict(zip(names, row, strict=True)), "facts": json.loads(row[-1])} for row in rows
        ]

    def journal_amounts(self, profile: str, kind: str) -> dict[str, tuple[str, str]]:
        """subject → (amount as text, currency), where an amount is known."""
        rows = self._read(
            "SELECT subject, amount, currency FROM journal"
            " WHERE profile = ? AND kind = ? AND amount != '' ORDER BY id",
            profile,
            kind,
        )
        return {str(row[0]): (str(row[1]), str(row[2])) for row in rows}

    # -- chats: written as they happen

    def new_chat(self, profile: str, title: str) -> int:
        with self._write() as db:
            cursor = db.execute(
                "INSERT INTO chats (profile, title, at) VALUES (?, ?, ?)",
                (profile, _storable(title), time.time()),
            )
        return int(cursor.lastrowid or 0)

    def add_message(
        self, chat: int, turn: int, model: str, role: str, content: str, **facts: Any
    ) -> int:
        """Facts may name where it belongs: `parent`, the question a question follows (0: none), and
        `question`, the one an answer answers."""
        with self._write() as db:
            cursor = db.execute(
                "INSERT INTO messages (chat, turn, model, role, content, at, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (chat, turn, model, role, _storable(content), time.time(), json.dumps(facts)),
            )
            db.execute("UPDATE chats SET at = ? WHERE id = ?", (time.time(), chat))
        return int(cursor.lastrowid or 0)

    def update_message(self, message: int, content: str, **facts: Any) -> None:
        with self._write() as db:
            db.execute(
                "UPDATE messages SET content = ?, facts = ? WHERE id = ?",
                (_storable(content), json.dumps(facts), message),
            )

    def chats(self, profile: str, limit: int = 50) -> list[tuple[int, str, float]]:
        """(id, title, unix time), newest first."""
        rows = self._read(
            "SELECT id, title, at FROM chats WHERE profile = ? ORDER BY at DESC LIMIT ?",
            profile,
            limit,
        )
        return [(int(row[0]), str(row[1]), float(row[2])) for row in rows]

    def find_chats(self, text: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """Saved conversations of every profile, newest first: id, profile, title, at, turns.

        With a text: those in which someone says it (upper and lower case alike), and `message` and
        `content` of the newest place. The `message` of a question is what `messages` calls its id.
        """
        names = ("id", "profile", "title", "at", "turns", "message", "content")
        counted = "(SELECT COUNT(*) FROM messages m WHERE m.chat = c.id AND m.role = 'user')"
        if not text:
            rows = self._read(
                f"SELECT c.id, c.profile, c.title, c.at, {counted}, 0, '' FROM chats c"
                " ORDER BY c.at DESC, c.id DESC LIMIT ?",
                limit,
            )
        else:
            rows = self._looked_through(
                f"SELECT c.id, c.profile, c.title, c.at, {counted}, MAX(f.id), f.content"
                " FROM messages f JOIN chats c ON c.id = f.chat"
                f" WHERE {'f.content LIKE ?' if text.isascii() else 'folded(f.content) LIKE ?'}"
                " ESCAPE '\\'"
                " GROUP BY c.id ORDER BY c.at DESC, c.id DESC LIMIT ?",
                f"%{_LIKE.sub(_ESCAPED, text.casefold())}%",
                limit,
            )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _looked_through(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Reading everything takes a while: on a connection of its own, so that nobody waits for it."""
        with closing(sqlite3.connect(self.path, timeout=5)) as db:
            db.create_function("folded", 1, _folded, deterministic=True)
            return db.execute(sql, values).fetchall()

    def prompts(self, limit: int = 500) -> list[str]:
        """What was asked in any chat, newest first, each once."""
        rows = self._read(
            "SELECT content, MAX(id) AS newest FROM messages WHERE role = 'user'"
            " GROUP BY content ORDER BY newest DESC LIMIT ?",
            limit,
        )
        return [str(row[0]) for row in rows]

    def delete_chat(self, chat: int) -> None:
        with self._write() as db:
            db.execute("DELETE FROM chats WHERE id = ?", (chat,))

    # -- ratings: which answer to a prompt was the best

    def rate(self, turn: int, winner: str, models: list[str], *, blind: bool) -> None:
        """turn: the id of the prompt's message; rated again, the later word counts. winner: one of
        `models`, "tie" or "none"."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO ratings (at, turn, winner, models, blind)"
                " VALUES (?, ?, ?, ?, ?)",
                (time.time(), turn, winner, json.dumps(models, ensure_ascii=False), int(blind)),
            )

    def ratings(self) -> list[dict[str, Any]]:
        """Every rating, oldest first: turn, winner, models, blind."""
        rows = self._read("SELECT turn, winner, models, blind FROM ratings ORDER BY id")
        return [
            {"turn": turn, "winner": winner, "models": json.loads(models), "blind": bool(blind)}
            for turn, winner, models, blind in rows
        ]

    def last_answer(self, profile: str, model: str) -> float:
        """Unix time a model last answered here, 0.0 for never."""
        rows = self._read(
            "SELECT MAX(m.at) FROM messages m JOIN chats c ON c.id = m.chat"
            " WHERE c.profile = ? AND m.model = ? AND m.role = 'assistant'",
            profile,
            model,
        )
        return float(rows[0][0] or 0.0)

    def messages(self, chat: int) -> list[dict[str, Any]]:
        names = ("id", "turn", "model", "role", "content", "at", "facts")
        rows = self._read(
            f"SELECT {', '.join(names)} FROM messages WHERE chat = ? ORDER BY turn, id", chat
        )
        return [
            {**dict(zip(names, row, strict=True)), "facts": json.loads(row[-1])} for row in rows
        ]
