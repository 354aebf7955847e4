"""The store in a file: the contract, and what only a file can do wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from chimera.errors import InputError, StoreError
from chimera.store.database import Database
from chimera.store.opening import VARIABLE, default_path, open_store
from chimera.store.sqlite import SqliteDatabase
from chimera.testing.killed_writers import kill_round
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import StoreContract


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/deep/runs.db"


@pytest.fixture
def database() -> Callable[[str], Database]:
    return lambda url: SqliteDatabase(Path(url.removeprefix("sqlite:///")))


class TestSqlite(StoreContract):
    """The contract, on a file."""


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "runs.db", tmp_path):
        with pytest.raises(StoreError, match=str(path)):
            open_store(str(path))


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 200)
    with pytest.raises(StoreError, match=r"notes\.txt.*not a database"):
        open_store(str(path))
    assert path.read_text() == "my notes\n" * 200


def test_which_store_a_word_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named.db"))
    with open_store() as store:
        store.begin(sample_run("one")).close()
    with open_store(f"sqlite:///{tmp_path}/named.db") as store:
        assert store.find("latest") == "one"
    with pytest.raises(InputError, match="no store of the kind 'mysql'") as caught:
        open_store("mysql://me:secret@host/runs")
    assert "secret" not in str(caught.value)
    assert default_path().name == "chimera.db"


def test_kills_leave_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    kill_round(str(path), tmp_path, "killed")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
