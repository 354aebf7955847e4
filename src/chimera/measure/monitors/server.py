"""What a model server reports about itself: its /metrics, asked for again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from chimera.measure.monitors.server_metrics import known_values
from chimera.measure.monitors.source import Unavailable

# To answer is work for the server under test (with several processes vLLM gathers files each
# time), so it is asked less often than the machine.
LEAST_INTERVAL_S = 1.0
_LIMIT_S = 5.0
_MOST_BYTES = 16 << 20
_FAILURES = 3


class ServerMetrics:
    """One connection to one address. No reason that it gives repeats the address or a header:
    either may hold a key.
    """

    name = "server"

    def __init__(self, url: str, headers: Mapping[str, str], limit_s: float = _LIMIT_S) -> None:
        """Ask once.

        Raises:
            Unavailable: no answer, or none that holds a metric that is known.
        """
        self.missing: dict[str, str] = {}
        self._headers = dict(headers)
        self._limit_s = limit_s
        self._connection: Any = None
        self._open = _opener(url, limit_s)
        parts = urlsplit(url)
        self._path = (parts.path or "/metrics") + (f"?{parts.query}" if parts.query else "")
        try:
            self.read()
        except Unavailable:
            self.close()
            raise

    def read(self) -> dict[str, float]:
        """The metrics now.

        Raises:
            Unavailable: not this time; the next may succeed.
        """
        try:
            status, body = self._get()
        except Exception as error:  # noqa: BLE001 - its text may hold a header; its kind is enough
            self.close()
            raise Unavailable(f"no answer from the metrics address: {_kind(error)}") from None
        if status != 200:
            raise Unavailable(f"the metrics address answers with HTTP status {status}")
        values = known_values(body.decode("utf-8", "replace"))
        if not values:
            raise Unavailable("the metrics address answers without any metric that is known")
        return values

    def _get(self) -> tuple[int, bytes]:
        if self._connection is not None:
            # A server may close an idle connection at any time: then once more on a new one.
            with suppress(ConnectionError):
                return self._ask()
            self.close()
        self._connection = self._open()
        return self._ask()

    def _ask(self) -> tuple[int, bytes]:
        self._connection.request("GET", self._path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read(_MOST_BYTES)
        if response.read(1):
            raise ValueError("too long")
        return response.status, body

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def watch_server(
    source: ServerMetrics,
    interval_s: float,
    say: Callable[[int, dict[str, float] | None, str | None], None],
) -> None:
    """Ask for ever, in a thread: a slow answer must not hold up the other sources.

    ``say`` gets the stamp of each answer and its values; after three failures in a row the
    reason, once, until an answer comes again.
    """
    failures = 0
    while True:
        try:
            values = source.read()
        except Unavailable as reason:
            failures += 1
            if failures == _FAILURES:
                say(time.monotonic_ns(), None, f"it answered at first, then not: {reason}")
        else:
            failures = 0
            say(time.monotonic_ns(), values, None)
        time.sleep(max(interval_s, LEAST_INTERVAL_S))


def _opener(url: str, limit_s: float) -> Callable[[], Any]:
    # 40 ms of imports that only this source needs
    from http.client import HTTPConnection, HTTPSConnection

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unavailable("the metrics address is no address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Unavailable("the metrics address is no http:// or https:// address")
    kind = HTTPConnection if parts.scheme == "http" else HTTPSConnection
    return lambda: kind(host, port, timeout=limit_s)


def _kind(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it takes too long"
    return type(error).__name__
