"""PostgreSQL, for more than one machine (extra ``postgres``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chimera.errors import MissingExtra, StoreError
from chimera.store.database import Row

if TYPE_CHECKING:
    import psycopg

_WAIT_S = 15
_LOCK = 0x6368696D  # "chim": who upgrades the schema holds it


class PostgresDatabase:
    """A connection to a server. Tables lie in the schema that the URL or the server chooses."""

    blob = "BYTEA"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise MissingExtra(
                "PostgreSQL needs the package psycopg; get it with: "
                "pip install 'chimera-lab[postgres]'"
            ) from None
        self._errors = psycopg.Error
        self._taken = psycopg.errors.UniqueViolation
        self.shown = without_password(url)
        self._secret = urlsplit(url).password or ""
        try:
            self._connection: psycopg.Connection[Row] = psycopg.connect(
                url, autocommit=True, connect_timeout=_WAIT_S
            )
        except psycopg.Error as error:
            said = self._said(error)
            raise StoreError(f"cannot open the store {self.shown}: {said}") from None

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See ``Database.query``."""
        try:
            cursor = self._connection.execute(sql.replace("?", "%s").encode(), tuple(values))
            return cursor.fetchall() if cursor.description else []
        except self._errors as error:
            raise StoreError(f"the store {self.shown}: {self._said(error)}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See ``Database.transaction``."""
        try:
            with self._connection.transaction():
                self.query("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
                yield
        except self._errors as error:
            raise StoreError(f"the store {self.shown}: {self._said(error)}") from error

    def is_taken(self, error: StoreError) -> bool:
        """See ``Database.is_taken``."""
        return isinstance(error.__cause__, self._taken)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _said(self, error: Exception) -> str:
        """What the server said, in one line and without the password."""
        text = " ".join(str(error).split())
        return text.replace(self._secret, "***") if self._secret else text


def without_password(url: str) -> str:
    """A database's URL as it may be shown."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"
