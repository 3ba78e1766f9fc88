"""What the server knows, in SQLite; what it holds, in plain files. One transaction a change.

Every API object is one row of `objects`: its kind, its id, the object it belongs to, and a JSON
document. Keys that begin with an underscore are the server's own and never leave it. Rows are
numbered in the order they were made; lists and cursors follow that order. Used from one thread.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import string
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT NOT NULL DEFAULT '',
    doc TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS objects_parent ON objects (kind, parent, seq);
"""
_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """`file-…`, `ftjob-…`: a random id in the cloud's alphabet."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def now() -> int:
    return int(time.time())


def public(doc: Mapping[str, Any]) -> Document:
    """The part of a document a client sees."""
    return {key: value for key, value in doc.items() if not key.startswith("_")}


@dataclass(frozen=True)
class Page:
    """One page of a list; `more` is True where another follows."""

    items: list[Document]
    more: bool

    def as_list(self, *, ends: bool = False) -> Document:
        """The API's list object; with `ends`, first_id and last_id too."""
        items = [public(item) for item in self.items]
        body: Document = {"object": "list", "data": items, "has_more": self.more}
        if ends:
            body["first_id"] = items[0]["id"] if items else None
            body["last_id"] = items[-1]["id"] if items else None
        return body


class UnknownCursor(LookupError):
    """`after` names nothing that is in the list."""


class Store:
    """The database and the folders of one data directory (created, 0700)."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("files", "incoming", "jobs"):
            (data_dir / name).mkdir(exist_ok=True)
        self._db = sqlite3.connect(data_dir / "fttui.db", timeout=10, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._depth = 0
        self._sweep()

    def close(self) -> None:
        self._db.close()

    def _sweep(self) -> None:
        """Remove what a killed server left half-made: unfinished uploads, files without a row."""
        shutil.rmtree(self.root / "incoming", ignore_errors=True)
        (self.root / "incoming").mkdir(exist_ok=True)
        known = {row[0] for row in self._db.execute("SELECT id FROM objects WHERE kind='file'")}
        known |= {row[0] for row in self._db.execute("SELECT id FROM objects WHERE kind='part'")}
        for path in (self.root / "files").iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside happen together, or not at all. May be nested."""
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0 and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._db.execute("COMMIT")

    def add(self, kind: str, doc: Document, *, parent: str = "") -> Document:
        with self.transaction():
            self._db.execute(
                "INSERT INTO objects (kind, id, parent, doc) VALUES (?, ?, ?, ?)",
                (kind, doc["id"], parent, _dump(doc)),
            )
        return doc

    def get(self, kind: str, id_: str) -> Document | None:
        try:
            row = self._db.execute(
                "SELECT doc FROM objects WHERE kind=? AND id=?", (kind, id_)
            ).fetchone()
        except UnicodeEncodeError:  # a lone surrogate from a URL names nothing
            return None
        return json.loads(row[0]) if row else None

    def update(self, kind: str, id_: str, **changes: Any) -> Document:
        """Change some keys of a document; KeyError where it is gone."""
        with self.transaction():
            doc = self.get(kind, id_)
            if doc is None:
                raise KeyError(id_)
            doc.update(changes)
            self._db.execute(
                "UPDATE objects SET doc=? WHERE kind=? AND id=?", (_dump(doc), kind, id_)
            )
        return doc

    def delete(self, kind: str, id_: str) -> None:
        with self.transaction():
            self._db.execute("DELETE FROM objects WHERE kind=? AND id=?", (kind, id_))

    def all(self, kind: str, *, parent: str = "", **equal: Any) -> list[Document]:
        """Every document of a kind, oldest first, whose keys have the given values."""
        clause, values = _where(kind, parent, equal)
        rows = self._db.execute(f"SELECT doc FROM objects WHERE {clause} ORDER BY seq", values)
        return [json.loads(row[0]) for row in rows]

    def page(
        self,
        kind: str,
        *,
        parent: str = "",
        after: str | None = None,
        limit: int = 20,
        oldest_first: bool = False,
        metadata: Mapping[str, str] | None = None,
        without_metadata: bool = False,
        **equal: Any,
    ) -> Page:
        """Up to `limit` documents after the one named `after`; UnknownCursor where there is none."""
        clause, values = _where(kind, parent, equal)
        for key, value in (metadata or {}).items():
            clause += (
                " AND EXISTS (SELECT 1 FROM json_each(doc, '$.metadata') AS m"
                " WHERE m.key=? AND m.value=?)"
            )
            values += [key, value]
        if without_metadata:
            clause += " AND coalesce(json_extract(doc, '$.metadata'), '{}') = '{}'"
        if after is not None:
            clause += f" AND seq {'>' if oldest_first else '<'} ?"
            values.append(self._seq(kind, after))
        order = "ASC" if oldest_first else "DESC"
        rows = self._db.execute(
            f"SELECT doc FROM objects WHERE {clause} ORDER BY seq {order} LIMIT ?",
            [*values, limit + 1],
        ).fetchall()
        return Page([json.loads(row[0]) for row in rows[:limit]], len(rows) > limit)

    def _seq(self, kind: str, id_: str) -> int:
        try:
            row = self._db.execute(
                "SELECT seq FROM objects WHERE kind=? AND id=?", (kind, id_)
            ).fetchone()
        except UnicodeEncodeError:
            row = None
        if row is None:
            raise UnknownCursor(id_)
        seq: int = row[0]
        return seq

    def file_path(self, id_: str) -> Path:
        """Where the bytes of a file (or of a part of an upload) lie."""
        return self.root / "files" / id_

    def job_dir(self, id_: str) -> Path:
        return self.root / "jobs" / id_

    def incoming(self) -> Path:
        """A name nobody else uses, for bytes that are not a file yet."""
        return self.root / "incoming" / secrets.token_hex(12)


def _dump(doc: Document) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


def _where(kind: str, parent: str, equal: Mapping[str, Any]) -> tuple[str, list[Any]]:
    clause, values = "kind=?", [kind]
    if parent:
        clause += " AND parent=?"
        values.append(parent)
    for key, value in equal.items():
        clause += " AND json_extract(doc, ?) = ?"
        values += [f"$.{key}", value]
    return clause, values
