"""The mock server as a process of its own, for tests and benchmarks."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self, TypedDict, Unpack
from urllib.parse import urlsplit

import msgspec

from chimera.testing.mock_server.truth import Summary, Truth

_START_S = 20.0
_ASK_S = 60.0


class MockOptions(TypedDict, total=False):
    """Options of the command line; what is left out or None takes its default."""

    ttft_ms: float | None
    itl_ms: float | None
    tokens: int | None
    load_ms: float | None
    defaults: str
    model: str
    max_streams: int | None
    accept_delay_ms: float
    refuse: bool
    only: Literal["openai", "ollama"] | None
    host: str
    port: int
    tick_us: int


class MockServer:
    """Starts when it is made and ends with ``close``, or with this process.

    Arguments are those of ``python -m chimera.testing.mock_server --help``, with underscores.
    ``url`` is http://host:port; ``host``, ``port`` and ``pid`` are there as well.
    """

    def __init__(self, **options: Unpack[MockOptions]) -> None:
        words = []
        for name, value in options.items():
            option = "--" + name.replace("_", "-")
            if isinstance(value, bool):
                words += [option] if value else []
            elif value is not None:
                words.append(f"{option}={value}")
        # A session of its own: Ctrl-C on the terminal is the measuring program's to handle. Its
        # standard input is a pipe that breaks when this process ends, however it ends.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "chimera.testing.mock_server", "--with-parent", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.url = self._address()
        except BaseException:
            self.kill()
            raise
        place = urlsplit(self.url)
        self.host = place.hostname or ""
        self.port = place.port or 0
        self.pid = self._process.pid

    def _address(self) -> str:
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        lines: list[bytes] = []
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(_START_S)
        if not lines:
            raise RuntimeError(f"the mock server said nothing within {_START_S:g} s")
        if not lines[0].strip():
            last = stderr.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise RuntimeError(f"the mock server did not start: {' '.join(last)}")
        return lines[0].decode().strip()

    def truth(self) -> Truth:
        """Everything since the start or ``clear``. Not while it is being measured: writing the
        document takes time in which no token is sent.
        """
        return msgspec.json.decode(self._ask("GET", "/truth"), type=Truth)

    def summary(self) -> Summary:
        return msgspec.json.decode(self._ask("GET", "/truth/summary"), type=Summary)

    def clear(self) -> None:
        """Forget the truth so far and start counting CPU time anew."""
        self._ask("DELETE", "/truth")

    def kill(self) -> None:
        """End it at once, as a crash would: connections break off."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End it and wait for that. A second call does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _ask(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_ASK_S)
        try:
            connection.request(method, path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
