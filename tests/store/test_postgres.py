"""The store on a server: the contract, and that no message holds a password."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chimera.errors import MissingExtra, StoreError
from chimera.store.database import Database
from chimera.store.opening import open_store
from chimera.store.postgres import PostgresDatabase, without_password
from chimera.testing.killed_benches import kill_bench
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import StoreContract


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def database() -> Callable[[str], Database]:
    return PostgresDatabase


class TestPostgres(StoreContract):
    """The contract, on a server."""


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("s3cret%40word", "wr0ng%40word"),
        lambda url: url.replace("chimera:", "nobody:"),
        lambda url: url + "_not_there",
        lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"),
        lambda url: url + "?no_such_option=1",
        lambda url: url.replace("s3cret%40word", "s3cret%zzword"),
        lambda url: url.replace("s3cret%40word", "s3cret word@x?y/z"),
        lambda url: url.replace("chimera:s3cret%40word@", "") + "?user=chimera&password=wr0ng",
    ],
)
def test_a_password_is_in_no_message(url: str, change: Callable[[str], str]) -> None:
    with pytest.raises(StoreError, match="cannot open the store postgresql://") as caught:
        open_store(change(url))
    for secret in ("s3cret", "wr0ng", "@word", "%40word", "x?y"):
        assert secret not in str(caught.value)


def test_a_password_is_in_no_message_of_an_open_store(url: str) -> None:
    with open_store(url) as store:
        with pytest.raises(StoreError) as caught:
            store.begin(sample_run("bad\0id"))
        store.begin(sample_run("good")).close()
        with pytest.raises(Exception, match="no run 'none'") as none:
            store.read("none")
    store.close()
    with pytest.raises(StoreError) as closed:
        store.runs()
    for error in (caught, none, closed):
        assert "s3cret" not in str(error.value)
        assert "127.0.0.1" in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5/d", "postgresql://u@h:5/d"),
        ("postgres://u:a@b@h/d?password=q", "postgres://..."),
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql:///d", "postgresql:///d"),
        ("postgresql://u:p@[::1]:5/d", "postgresql://u@[::1]:5/d"),
        ("postgresql://u:p@h1:1,h2:2/d", "postgresql://u@h1:1,h2:2/d"),
        ("postgresql://u:p?q@h/d", "postgresql://..."),
        ("postgresql://h/d?password=a@b", "postgresql://..."),
    ],
)
def test_a_url_as_it_is_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_without_the_driver_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"chimera-lab\[postgres\]"):
        open_store("postgresql://localhost/x")


def test_a_killed_bench_loses_nothing_that_it_had_read(url: str, tmp_path: Path) -> None:
    done = kill_bench(url, tmp_path, seed=2)
    assert done.seen > 0
    assert (done.lost, done.strange) == (0, 0)
