"""The words for what went wrong on a connection."""

from __future__ import annotations

from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Exchange


def is_tls(error: OSError) -> bool:
    """Whether an error is one of encryption."""
    if type(error).__module__ != "ssl":
        return False
    import ssl

    return isinstance(error, ssl.SSLError)


def reason(error: OSError) -> str:
    """What an error says, in one line."""
    return " ".join(str(getattr(error, "verify_message", "") or error.strerror or error).split())


def no_connection(address: Address, error: OSError) -> str:
    """What is said of an address that cannot be connected to."""
    return f"cannot connect to {address.host}:{address.port}: {reason(error)}"


def late(exchange: Exchange) -> str:
    """What is said of an exchange that took longer than its limit."""
    limit = f"{exchange.call.timeout_s:g} s"
    if exchange.sent_ns is None:
        return f"no connection in {limit}"
    if exchange.first_byte_ns is None:
        return f"no answer within the time limit of {limit}"
    return f"the stream did not end within the time limit of {limit}"
