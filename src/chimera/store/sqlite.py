"""SQLite: one file, no set-up, many processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chimera.errors import StoreError
from chimera.store.database import Row

_WAIT_S = 60.0
_TAKEN = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)


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
        try:
            self._use_log()
            self.query("PRAGMA synchronous = NORMAL")
            self.query("PRAGMA foreign_keys = ON")
        except BaseException:
            self._connection.close()
            raise

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See ``Database.query``."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.shown}: {error}") from error

    @contextmanager
    def transaction(self, *, alone: bool = False) -> Iterator[None]:
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
        return getattr(error.__cause__, "sqlite_errorcode", None) in _TAKEN

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _use_log(self) -> None:
        """Turn the write-ahead log on. SQLite does not wait here where several do it at once."""
        until = time.monotonic() + _WAIT_S
        while True:
            try:
                self.query("PRAGMA journal_mode = WAL")
            except StoreError as error:
                code = getattr(error.__cause__, "sqlite_errorcode", None)
                if code != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return
