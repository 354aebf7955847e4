"""Whose port it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.measure.monitors.listening import local_server_pid

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# Listens, starts a child that holds the same socket, and waits.
LISTEN = """
import os, socket, sys, time
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], 0), family=family)
if os.fork():
    print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1", "::"])
def listener(request: pytest.FixtureRequest) -> Iterator[tuple[int, int, str]]:
    command = [sys.executable, "-c", LISTEN, request.param]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    port = process.stdout.readline()
    if not port:
        pytest.skip(f"this machine has no {request.param}")
    yield process.pid, int(port), "::1" if ":" in request.param else "127.0.0.1"
    process.stdin.close()
    process.wait()
    process.stdout.close()


@linux
def test_the_process_that_opened_the_port(listener: tuple[int, int, str]) -> None:
    """Its child has the socket too; the parent is the server."""
    pid, port, host = listener
    assert local_server_pid(host, port) == pid
    assert local_server_pid(f"[{host}]" if ":" in host else "localhost", port) == pid


@linux
def test_nobody_listens() -> None:
    with socket.socket() as bound:  # bound, so that nobody else gets it, and not listening
        bound.bind(("127.0.0.1", 0))
        assert local_server_pid("127.0.0.1", bound.getsockname()[1]) is None


def test_another_machine_is_not_asked() -> None:
    assert local_server_pid("192.0.2.1", 11434) is None  # reserved for documents
    assert local_server_pid("", 11434) is None or sys.platform != "linux"


def machine(proc: Path, *processes: tuple[int, int, int, str, bool], uid: int) -> Path:
    """A folder like /proc: (pid, parent, uid, command, whether we see its socket) and a port
    11434 on loopback of ``uid``.
    """
    (proc / "net").mkdir(parents=True)
    address = "0100007F" if sys.byteorder == "little" else "7F000001"
    (proc / "net" / "tcp").write_text(
        "  sl  local_address rem_address   st tx rx tr tm retrnsmt   uid  timeout inode\n"
        f"   0: {address}:2CAA 00000000:0000 0A 0:0 00:0 0 {uid} 0 777 1\n"
        f"   1: {address}:2CAA 0100007F:9999 01 0:0 00:0 0 {uid} 0 778 1\n"
    )
    for pid, parent, owner, command, seen in processes:
        folder = proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "stat").write_text(f"{pid} (a ) b) S {parent} 1 1")
        (folder / "status").write_text(f"Name:\tx\nUid:\t{owner}\t{owner}\t{owner}\t{owner}\n")
        (folder / "comm").write_text(command + "\n")
        if seen:
            os.symlink("socket:[777]", folder / "fd" / "3")
    return proc


INIT = (1, 0, 0, "systemd", False)


@linux
def test_a_service_with_a_user_of_its_own(tmp_path: Path) -> None:
    """Ollama's sockets cannot be seen without being root, but its user runs nothing else."""
    proc = machine(
        tmp_path / "proc",
        INIT,
        (50, 1, 997, "ollama", False),
        (60, 50, 997, "ollama", False),
        (70, 1, 1000, "bash", False),
        uid=997,
    )
    assert local_server_pid("127.0.0.1", 11434, proc) == 50


@linux
@pytest.mark.parametrize("uid", [0, 997, os.getuid()])
def test_a_user_with_other_programs_is_not_guessed_at(tmp_path: Path, uid: int) -> None:
    proc = machine(
        tmp_path / "proc",
        INIT,
        (50, 1, uid, "ollama", False),
        (60, 1, uid, "backup", False),
        uid=uid,
    )
    assert local_server_pid("127.0.0.1", 11434, proc) is None


@linux
@pytest.mark.parametrize("command", ["docker-proxy", "ssh"])
def test_who_only_passes_on_is_no_server(tmp_path: Path, command: str) -> None:
    proc = machine(tmp_path / "proc", INIT, (50, 1, 0, command, True), uid=0)
    assert local_server_pid("127.0.0.1", 11434, proc) is None


@linux
def test_two_that_took_over_a_port_are_not_one_server(tmp_path: Path) -> None:
    proc = machine(tmp_path / "proc", INIT, (50, 1, 0, "a", True), (60, 1, 0, "b", True), uid=0)
    assert local_server_pid("127.0.0.1", 11434, proc) is None


@linux
def test_init_that_opened_the_port_is_not_the_server(tmp_path: Path) -> None:
    proc = machine(tmp_path / "proc", (1, 0, 0, "systemd", True), (50, 1, 0, "server", True), uid=0)
    assert local_server_pid("127.0.0.1", 11434, proc) == 50


def test_where_there_is_no_proc_lsof_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for macOS: its lsof prints one field a line, p the process and c its command."""
    lsof = tmp_path / "lsof"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for output, pid in (
        ("p4321\ncollama\nf3", 4321),
        ("p4321\ncollama\nf3\np99\ncother\nf3", None),
        ("p4321\ncssh\nf3", None),
        ("", None),
    ):
        lsof.write_text(f"#!/bin/sh\nprintf '{output}'\n")
        lsof.chmod(0o755)
        assert local_server_pid("127.0.0.1", 11434) == pid
