"""A real PostgreSQL for the tests: Debian's, in a folder of its own, on this machine only."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

PASSWORD = "s3cret%40word"  # as it stands in a URL
USER = "chimera"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    if not found:
        pytest.skip("no PostgreSQL on this machine (Debian: postgresql)")
    return found[-1].parent


def _as_nobody_special() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to leave it")
    return ["runuser", "-u", "postgres", "--"]


def _call(*command: str) -> None:
    log = tempfile.TemporaryFile()  # noqa: SIM115 - the server keeps what it is started with
    with log:
        done = subprocess.run(command, stdout=log, stderr=log, check=False, timeout=120, cwd="/")
        log.seek(0)
        assert done.returncode == 0, log.read().decode()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server without a database in it: postgresql://user:password@127.0.0.1:port."""
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed (extra `postgres`)")
    programs, user = _programs(), _as_nobody_special()
    # Beside pytest's own folder, which other users cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="chimera-postgres-"))
    secret = folder / "password"
    secret.write_text("s3cret@word")
    if user:
        shutil.chown(folder, "postgres")
        shutil.chown(secret, "postgres")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, control = str(folder / "data"), str(programs / "pg_ctl")
    try:
        _call(*user, str(programs / "initdb"), "-D", data, "-U", USER, "-A", "scram-sha-256",
              "--pwfile", str(secret), "-E", "UTF8", "--locale=C.UTF-8", "-N")  # fmt: skip
        _call(*user, control, "-D", data, "-w", "-l", str(folder / "log"),
              "-o", f"-h 127.0.0.1 -p {port} -k {folder}", "start")  # fmt: skip
        try:
            yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}"
        finally:
            _call(*user, control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def new_database(postgres: str) -> Callable[[], str]:
    """Make an empty database; its URL."""
    import psycopg

    def make() -> str:
        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{postgres}/{name}"

    return make
