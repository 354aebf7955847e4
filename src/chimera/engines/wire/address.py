"""Where a server is: scheme, host, port and the path before the API's own."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chimera.errors import EngineError, InputError

_PORTS = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    """A server's base URL in parts. ``path`` has no "/" at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def authority(self) -> str:
        """Host and port as in a Host header; IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine, as far as its name tells."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def places(self) -> list[tuple[int, Any]]:
        """(address family, socket address) of each address that the host has.

        Raises:
            EngineError: the name cannot be resolved.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise EngineError(f"cannot find the host {self.host!r}: {why}") from None
        return list(dict.fromkeys((family, place) for family, _, _, _, place in found))


def parse_address(url: str, default_port: int | None = None) -> Address:
    """The address that a URL or "host:port" names; http where no scheme stands.

    Raises:
        InputError: it is no URL of a server, or carries a password.
    """
    text = url.strip()
    if "://" not in text:
        text = "http://" + text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InputError(f"{_shown(url)} is no address of a server: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InputError(
            f"{_shown(url)} is no address of a server; write it as http://host:port/path"
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "an address must not hold a user or password; give a key with --api-key-env or "
            "--api-key-file"
        )
    if port is None:
        port = _PORTS[parts.scheme] if default_port is None or "://" in url else default_port
    return Address(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def _shown(url: str) -> str:
    """The text in quotes, without what stands before an "@"."""
    return repr(url.rpartition("@")[2][:200])
