"""What the SQL store needs of a database; SQLite and PostgreSQL each have one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from chimera.errors import StoreError
from chimera.store.schema import NEWEST, VERSIONS

Row = tuple[Any, ...]


class Database(Protocol):
    """A connection. ``shown`` names the database for people, without a password."""

    shown: str
    blob: str

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement with "?" for values. Raises StoreError."""
        ...

    def transaction(self, *, alone: bool = False) -> AbstractContextManager[None]:
        """All or nothing; with ``alone`` no other such one runs meanwhile. Raises StoreError."""
        ...

    def is_taken(self, error: StoreError) -> bool:
        """Whether a statement failed because a row of that key is there already."""
        ...

    def close(self) -> None: ...


def upgrade(database: Database) -> None:
    """Bring a database to the newest version of the schema.

    Raises:
        StoreError: it is newer than this program.
    """
    if _version(database) == NEWEST:
        return
    with database.transaction(alone=True):
        database.query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        found = _version(database)
        if found > NEWEST:
            raise StoreError(
                f"{database.shown} has version {found} of the schema; this program knows up to "
                f"{NEWEST}: update chimera-lab"
            )
        for version in range(found + 1, NEWEST + 1):
            for statement in VERSIONS[version]:
                database.query(statement.format(blob=database.blob))
        database.query("DELETE FROM schema_version")
        database.query("INSERT INTO schema_version (version) VALUES (?)", (NEWEST,))


def _version(database: Database) -> int:
    """The version of the schema; 0 for an empty database."""
    try:
        rows = database.query("SELECT version FROM schema_version")
    except StoreError:
        return 0
    return int(rows[0][0]) if rows else 0
