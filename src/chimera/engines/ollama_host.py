"""Where Ollama listens, from OLLAMA_HOST in all the forms that Ollama itself takes."""

from __future__ import annotations

import os

import msgspec

from chimera.engines.wire.address import Address, parse_address

PORT = 11434
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a server listens on


def ollama_address(url: str = "") -> Address:
    """The address that ``url`` names, "" for that of OLLAMA_HOST or else the usual one.

    Raises:
        InputError: it is no address of a server, or carries a password.
    """
    text = url.strip() or os.environ.get("OLLAMA_HOST", "").strip().strip("\"'").strip()
    if text == "ollama.com":  # the one name that Ollama reaches by https without being told
        text = "https://" + text
    scheme, mark, rest = text.rpartition("://")
    place, slash, path = rest.partition("/")
    if place.count(":") > 1 and not place.startswith("["):
        place = f"[{place}]"  # a bare IPv6 address has no port
    if not place or place.startswith(":"):
        place = f"127.0.0.1{place}"
    address = parse_address(scheme + mark + place + slash + path, default_port=PORT)
    # Who listens on all addresses is reached on this machine's own.
    return msgspec.structs.replace(address, host=_EVERYWHERE.get(address.host, address.host))
