"""Which process of this machine serves an address."""

from __future__ import annotations

from chimera.engines.wire.address import Address


def local_server_pid(address: Address) -> int | None:
    """The process that listens there; None if it is not local, or the system does not say."""
    if not address.is_local:
        return None
    import psutil

    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return None
    listening = (
        entry.pid
        for entry in found
        if entry.status == psutil.CONN_LISTEN
        and entry.pid
        and entry.laddr
        and entry.laddr[1] == address.port
    )
    return next(listening, None)
