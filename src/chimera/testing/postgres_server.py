"""A real PostgreSQL for tests and benchmarks: Debian's, in a folder of its own, on this machine.

It listens on a free port of 127.0.0.1 and asks for a password. As root it runs as the user
``postgres``, whom Debian's package makes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "chimera"
PASSWORD = "s3cret@word"  # noqa: S105 - of a server that lives for some minutes
_OTHER_USER = "postgres"
_WAIT_S = 120


class NoPostgres(Exception):
    """None can be started here; the message says why."""


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """Start a server and end it; its URL without a database.

    ``durable`` waits for the disk as a real one does; tests need not.

    Raises:
        NoPostgres: it, its driver or another user to run it is missing.
    """
    if find_spec("psycopg") is None:
        raise NoPostgres("psycopg is not installed (extra `postgres`)")
    programs, user = _programs(), _as_another_user()
    # Not below pytest's own folder, which other users cannot enter.
    folder = Path(tempfile.mkdtemp(prefix="chimera-postgres-"))
    secret, data, control = folder / "password", folder / "data", programs / "pg_ctl"
    secret.write_text(PASSWORD)
    if user:
        shutil.chown(folder, _OTHER_USER)
        shutil.chown(secret, _OTHER_USER)
    port = _free_port()
    options = f"-h 127.0.0.1 -p {port} -k {folder}" + ("" if durable else " -F")
    try:
        _call(*user, programs / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256",
              "--pwfile", secret, "-E", "UTF8", "--locale=C.UTF-8", "-N")  # fmt: skip
        _call(*user, control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://{USER}:{PASSWORD.replace('@', '%40')}@127.0.0.1:{port}"
        finally:
            _call(*user, control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def new_database(server: str) -> str:
    """Make an empty database on the server; its URL."""
    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"


def _programs() -> Path:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    if not found:
        raise NoPostgres("no PostgreSQL on this machine (Debian: postgresql)")
    return found[-1].parent


def _as_another_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    if shutil.which("runuser") is None:
        raise NoPostgres("PostgreSQL does not run as root, and there is no runuser to leave it")
    return ["runuser", "-u", _OTHER_USER, "--"]


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _call(*command: str | Path) -> None:
    # A file, not a pipe: the server that is started keeps it open.
    with tempfile.TemporaryFile() as log:
        words = [str(word) for word in command]
        done = subprocess.run(words, stdout=log, stderr=log, check=False, timeout=_WAIT_S, cwd="/")
        log.seek(0)
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {log.read().decode()}")
