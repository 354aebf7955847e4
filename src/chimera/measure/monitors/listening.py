"""Which process of this machine listens at an address."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# They pass bytes on to a server elsewhere, in a container or on another machine.
_FORWARDERS = frozenset(
    {"conmon", "docker-proxy", "kubectl", "pasta", "passt", "rootlessport", "slirp4netns"}
    | {"ssh", "sshd", "wslrelay"}
)
_LISTENING = "0A"
_PROBE_S = 10.0


class _Listener(NamedTuple):
    address: bytes
    inode: str
    uid: int


def local_server_pid(host: str, port: int, proc: Path = Path("/proc")) -> int | None:
    """The process that listens on ``host:port``, if that is this machine.

    None if it is another machine, if nothing listens, if the process passes on what it gets
    (a container's proxy, a tunnel), or if we may not know: of another user's process we may
    not see the sockets, but where all processes of that user are one family, as Ollama's
    service is, it can only be theirs.
    """
    addresses = _own_addresses(host)
    if not addresses:
        return None
    if sys.platform != "linux":
        return _ask_lsof(port)
    listeners = _listeners(port, proc)
    exact = [one for one in listeners if one.address in addresses]
    wildcard = [one for one in listeners if not any(one.address)]
    chosen = exact or wildcard
    parents = _parents(proc)
    holders = _holders({one.inode for one in chosen}, parents, proc)
    # Who handed the socket down is asked first; init only opened it for a service.
    candidates = _heads(holders - {1}, parents)
    if not candidates:
        candidates = _heads(_of_users({one.uid for one in chosen}, parents, proc), parents)
    if len(candidates) != 1:
        return None
    pid = candidates.pop()
    return None if _command(pid, proc) in _FORWARDERS else pid


def _own_addresses(host: str) -> set[bytes]:
    """The addresses of ``host`` if this machine has one of them: only then it can be bound."""
    found = set()
    for address in _addresses(host.strip("[]")):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
            found.add(_packed(address))
    return found


def _addresses(host: str) -> set[str]:
    with suppress(ValueError):
        return {str(ipaddress.ip_address(host))}
    with suppress(OSError, UnicodeError):
        return {str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    return set()


def _packed(address: str) -> bytes:
    """As 16 bytes, IPv4 inside IPv6 as sockets of both kinds see it; the wildcard is zeros."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        mapped = b"\0" * 10 + b"\xff\xff" + parsed.packed
        return bytes(16) if parsed.is_unspecified else mapped
    return parsed.packed


def _listeners(port: int, proc: Path) -> list[_Listener]:
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                words, _, hex_port = fields[1].partition(":")
                if fields[3] == _LISTENING and int(hex_port, 16) == port:
                    found.append(_Listener(_unhex(words), fields[9], int(fields[7])))
    return found


def _unhex(words: str) -> bytes:
    """The kernel prints each 32-bit word in the machine's own order."""
    raw = bytes.fromhex(words)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return _packed(str(ipaddress.ip_address(raw)))


def _parents(proc: Path) -> dict[int, int]:
    """The parent of every process."""
    parents = {}
    for name in os.listdir(proc):
        if name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # The command, in brackets, may hold anything, brackets included.
                stat = (proc / name / "stat").read_text("utf-8", "replace").rpartition(")")[2]
                parents[int(name)] = int(stat.split()[1])
    return parents


def _holders(inodes: set[str], pids: dict[int, int], proc: Path) -> set[int]:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found = set()
    for pid in pids if wanted else ():
        with suppress(OSError):
            for handle in os.listdir(proc / str(pid) / "fd"):
                with suppress(OSError):
                    if os.readlink(proc / str(pid) / "fd" / handle) in wanted:
                        found.add(pid)
                        break
    return found


def _heads(pids: set[int], parents: dict[int, int]) -> set[int]:
    """Those of the processes that descend from no other of them."""
    heads = set()
    for pid in pids:
        above = parents.get(pid)
        while above is not None and above not in pids:
            above = parents.get(above)
        if above is None:
            heads.add(pid)
    return heads


def _of_users(uids: set[int], pids: dict[int, int], proc: Path) -> set[int]:
    """All processes of these users; none where that could be anybody: root, or ourselves."""
    if uids & {0, os.getuid()}:
        return set()
    return {pid for pid in pids if _uid(pid, proc) in uids}


def _uid(pid: int, proc: Path) -> int | None:
    with suppress(OSError):
        status = (proc / str(pid) / "status").read_text("utf-8", "replace")
        if match := re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE):
            return int(match[1])
    return None


def _command(pid: int, proc: Path) -> str:
    with suppress(OSError):
        return (proc / str(pid) / "comm").read_text("utf-8", "replace").strip()
    return ""


def _ask_lsof(port: int) -> int | None:
    """Where there is no /proc (macOS has lsof): one listener of our own, or None."""
    command = ["lsof", "-nP", "-a", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stdout.decode("utf-8", "replace")
    found = set(re.findall(r"^p(\d+)$", text, re.MULTILINE))
    commands = set(re.findall(r"^c(.+)$", text, re.MULTILINE))
    return int(found.pop()) if len(found) == 1 and not commands & _FORWARDERS else None
