"""SQLite: one file, no set-up, many processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chimera.errors import StoreError
from chimera.store.database import Row

_WAIT_S = 60.0


class SqliteDatabase:
    """A database file; it is made where there is none.

    Write-ahead log, synchronous NORMAL: what is committed survives a kill of any process at
    any moment. A power cut may take the last commits with it, and breaks nothing.
    """

    blob = "BLOB"

    def __init__(self, path: Path) -> None:
        self.shown = str(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open the store {path}: {error}") from None
        self.query("PRAGMA journal_mode = WAL")
        self.query("PRAGMA synchronous = NORMAL")
        self.query("PRAGMA foreign_keys = ON")

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See ``Database.query``."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.shown}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Database.transaction``. Others wait for it to end."""
        self.query("BEGIN IMMEDIATE")
        try:
            yield
            self.query("COMMIT")
        except BaseException:
            with suppress(StoreError):
                self.query("ROLLBACK")
            raise

    def is_taken(self, error: StoreError) -> bool:
        """See ``Database.is_taken``."""
        return isinstance(error.__cause__, sqlite3.IntegrityError)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
