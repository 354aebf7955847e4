"""What the server is started with."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's own settings; what a request is answered with stands in ``Behaviour``.

    model            the name that lists and metrics call the model; any name is answered
    defaults         a query string below that of every model's name
    max_streams      answers at a time, others queue; None is no limit
    accept_delay_ms  a new connection waits this long in the kernel's queue
    refuse           hold the port but do not listen: connections are refused
    only             speak this dialect alone, for clients that look which server they have
    tick_us          shortest sleep; writes that fall closer together go out in one waking
    """

    host: str = "127.0.0.1"
    port: int = 0
    model: str = "mock"
    defaults: str = ""
    max_streams: int | None = None
    accept_delay_ms: float = 0.0
    refuse: bool = False
    only: str | None = None
    tick_us: int = 250
