"""Which store a word means."""

from __future__ import annotations

import os
from pathlib import Path

from chimera.errors import InputError
from chimera.store.contract import Store
from chimera.store.sql_store import SqlStore

VARIABLE = "CHIMERA_STORE"
_POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str | None = None, *, existing: bool = False) -> Store:
    """The store at ``url``: a path, sqlite:///path, or postgresql://user@host/database.

    Without one it is what the variable CHIMERA_STORE says, or else a file in the user's data
    folder.

    ``existing``: a file that ``url`` names must be there; otherwise it is made.

    Raises:
        InputError: another kind of URL, or no such file.
        StoreError: it cannot be opened.
        MissingExtra: PostgreSQL's driver is not installed.
    """
    text = _named(url)
    if text.startswith(_POSTGRES):
        from chimera.store.postgres import PostgresDatabase

        return SqlStore(PostgresDatabase(text))
    path = _file(text)
    from chimera.store.sqlite import SqliteDatabase

    if existing and url and not path.exists():
        raise InputError(f"there is no store at {url!r}; `chimera bench --store` makes one")
    return SqlStore(SqliteDatabase(path))


def unsaved_folder(url: str | None = None) -> Path:
    """Where runs of this machine keep what has ended and is not in the store at ``url`` yet.

    It lies beside a file, and in the user's data folder for a database elsewhere.
    """
    text = _named(url)
    if text.startswith(_POSTGRES):
        return default_path().parent / "unsaved"
    path = _file(text)
    return path.with_name(path.name + "-unsaved")


def _named(url: str | None) -> str:
    return url or os.environ.get(VARIABLE) or str(default_path())


def _file(text: str) -> Path:
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        kind = text.partition("://")[0]
        raise InputError(
            f"no store of the kind {kind!r}; give a path, sqlite:///path or "
            "postgresql://user@host/database"
        )
    return Path(text).expanduser()


def default_path() -> Path:
    """The file of the store that needs no set-up."""
    from platformdirs import user_data_dir

    return Path(user_data_dir("chimera")) / "chimera.db"
