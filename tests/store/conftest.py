"""A real PostgreSQL for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chimera.testing import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server, without a database in it; skips where there is none."""
    server = postgres_server.postgres_server()
    try:
        url = server.__enter__()
    except postgres_server.NoPostgres as error:
        pytest.skip(str(error))
    try:
        yield url
    finally:
        server.__exit__(None, None, None)


@pytest.fixture
def new_database(postgres: str) -> Callable[[], str]:
    """Make an empty database; its URL."""
    return lambda: postgres_server.new_database(postgres)
