"""PostgreSQL, for more than one machine (extra ``postgres``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chimera.errors import MissingExtra, StoreError
from chimera.store.database import Row

if TYPE_CHECKING:
    import psycopg

_WAIT_S = 15
_UNCLEAR = (
    "it is no clear URL; give postgresql://user:password@host:port/database, with special "
    "characters of the password in percent (%40 for @)"
)
_PARAMETER = re.compile(r"[?&](?:ssl)?password=([^&]*)")
_LOCK = 0x6368696D  # "chim": a transaction that must be alone holds it


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
        self._secrets = secrets_of(url)
        if self.shown.endswith("://..."):
            raise StoreError(f"cannot open the store {self.shown}: {_UNCLEAR}")
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            # What it quotes may be a part of the password.
            said = _UNCLEAR if self._secrets else self._said(error)
            raise StoreError(f"cannot open the store {self.shown}: {said}") from None
        try:
            self._connection: psycopg.Connection[Row] = psycopg.connect(
                url, autocommit=True, connect_timeout=_WAIT_S
            )
        except psycopg.Error as error:
            said = self._said(error)
            raise StoreError(f"cannot open the store {self.shown}: {said}") from None
        with suppress(psycopg.Error):  # before version 14, or built without it
            # Some times faster than the default for chunks, and an eighth larger.
            self._connection.execute("SET default_toast_compression = 'lz4'")

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """See ``Database.query``."""
        try:
            cursor = self._connection.execute(sql.replace("?", "%s").encode(), tuple(values))
            return cursor.fetchall() if cursor.description else []
        except self._errors as error:
            raise StoreError(f"the store {self.shown}: {self._said(error)}") from error

    @contextmanager
    def transaction(self, *, alone: bool = False) -> Iterator[None]:
        """See ``Database.transaction``."""
        try:
            with self._connection.transaction():
                if alone:
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
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def without_password(url: str) -> str:
    """A database's URL as it may be shown: without its password and its parameters."""
    scheme, _, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    if set("?/#@") & set(login):  # where the password ends cannot be told
        return f"{scheme}://..."
    return f"{scheme}://{login.partition(':')[0]}{at}{place.partition('?')[0]}"


def secrets_of(url: str) -> list[str]:
    """Every form of the URL's password, the longest first."""
    rest = url.partition("://")[2]
    found = {rest.rpartition("@")[0].partition(":")[2]}
    found.update(_PARAMETER.findall(rest))
    found |= {unquote(secret) for secret in found}
    return sorted(found - {""}, key=len, reverse=True)
