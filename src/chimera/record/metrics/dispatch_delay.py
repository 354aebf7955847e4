"""How late a request of an open loop began."""

from __future__ import annotations

from chimera.record.request import Request


def dispatch_delay_s(request: Request) -> float | None:
    """Seconds from when the plan wanted a request to start to when it did.

        dispatch_delay = start - intended start

    The client's own doing, never the server's. None in a closed loop, which plans no times.

    Source: "coordinated omission" (G. Tene): an open loop that falls behind measures less load
    than it says.
    """
    if request.intended_start_ns is None:
        return None
    return (request.start_ns - request.intended_start_ns) / 1e9
