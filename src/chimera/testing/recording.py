"""Real exchanges with a server, kept as they came over the wire, and played back.

A ``Recorder`` stands between an engine and a server and keeps every byte with its boundaries; a
``Player`` answers the same requests with them. Folders of the machine where a recording was made
are left out.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

_READ = 1 << 16
# Of what a server says about a model: where its files lie, texts of others, and long lists.
_LEFT_OUT = ("modelfile", "license", "parent_model", "template", "tensors", "model_info.tokenizer")


class Recorded(msgspec.Struct):
    """One exchange. ``pieces`` are (ms since the request, bytes as Latin-1 text) as they came;
    ``left`` whether the client went away before the server had ended.
    """

    place: str
    body: str
    pieces: list[tuple[int, str]]
    left: bool = False


class _Server:
    """A loopback server with a thread for each connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def handle(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # wakes accept, which close alone does not
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.handle(connection)


class Recorder(_Server):
    """Passes each request on to the server at ``host`` and ``port``, one per connection."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._server = (host, port)
        self._lock = threading.Lock()
        self.exchanges: list[Recorded] = []

    def handle(self, connection: socket.socket) -> None:
        head, body = read_request(connection)
        found = Recorded(place=_place(head), body=body.decode(), pieces=[])
        with self._lock:
            self.exchanges.append(found)
        # The server is to end its answer by closing, so that the end is seen here.
        lines = [k for k in head.split(b"\r\n") if not k.lower().startswith(b"connection:")]
        head = b"\r\n".join([*lines, b"Connection: close"])
        with socket.create_connection(self._server) as server:
            server.sendall(head + b"\r\n\r\n" + body)
            start = time.monotonic()
            while data := server.recv(_READ):
                ms = round((time.monotonic() - start) * 1000)
                found.pieces.append((ms, data.decode("latin-1")))
                try:
                    connection.sendall(data)
                except OSError:
                    found.left = True
                    return

    def write(self, path: Path) -> None:
        """Keep what was recorded, without folders."""
        kept = [clean(exchange) for exchange in self.exchanges]
        text = msgspec.json.format(msgspec.json.encode(kept), indent=1).decode()
        path.write_text(text + "\n", encoding="utf-8")


class Player(_Server):
    """Answers requests as a recording did, piece by piece, ``pause_s`` between two of them.

    The same request again gets the next recorded answer, then the last one. ``alter`` may
    change what is asked before it is looked for. What was never recorded is answered with 501.
    """

    def __init__(
        self, path: Path, *, pause_s: float = 0.001, alter: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__()
        recorded = msgspec.json.decode(path.read_bytes(), type=list[Recorded])
        self._answers: dict[tuple[str, str], list[Recorded]] = {}
        for exchange in recorded:
            key = (exchange.place, _canonical(exchange.body))
            self._answers.setdefault(key, []).append(exchange)
        self._pause_s = pause_s
        self._alter = alter
        self._lock = threading.Lock()

    def handle(self, connection: socket.socket) -> None:
        head, body = read_request(connection)
        answer = self._answer(_place(head), _canonical(body.decode(), self._alter))
        if answer is None:
            connection.sendall(b"HTTP/1.1 501 Not Recorded\r\nContent-Length: 0\r\n\r\n")
            return
        for _, piece in answer.pieces:
            connection.sendall(piece.encode("latin-1"))
            time.sleep(self._pause_s)
        if answer.left:
            connection.settimeout(60)
            connection.recv(1)  # until this client goes away too

    def _answer(self, place: str, body: str) -> Recorded | None:
        with self._lock:
            answers = self._answers.get((place, body))
            if not answers:
                return None
            return answers.pop(0) if len(answers) > 1 else answers[0]


def read_request(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head (without the empty line) and body of one request.

    Raises:
        OSError: the client went away before it was whole.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += _more(connection)
    return head, body


def clean(exchange: Recorded) -> Recorded:
    """The exchange without what tells of the machine: only answers that are one JSON document
    hold such things, and these are written anew; streams stay as they came.
    """
    whole = "".join(piece for _, piece in exchange.pieces).encode("latin-1")
    head, _, body = whole.partition(b"\r\n\r\n")
    if b"application/json" not in head or not body or b" 200 " not in head[:16]:
        return exchange
    document = json.loads(_dechunked(body) if b"chunked" in head.lower() else body)
    text = json.dumps(_without(document), separators=(",", ":")).encode()
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith((b"content-length", b"transfer-encoding"))
    ]
    lines.append(b"Content-Length: %d" % len(text))
    piece = (b"\r\n".join(lines) + b"\r\n\r\n" + text).decode("latin-1")
    return Recorded(exchange.place, exchange.body, [(exchange.pieces[-1][0], piece)], exchange.left)


def _without(value: Any, path: str = "") -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            place = f"{path}.{key}".lstrip(".")
            if not (key in _LEFT_OUT or place.startswith(_LEFT_OUT)):
                kept[key] = _without(item, place)
        return kept
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    return value


def _dechunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        found, body = found + rest[:length], rest[length + 2 :]
        if not length:
            break
    return found


def _canonical(body: str, alter: Callable[[Any], Any] | None = None) -> str:
    if not body:
        return ""
    document = json.loads(body)
    return json.dumps(alter(document) if alter else document, sort_keys=True)


def _place(head: bytes) -> str:
    return " ".join(head.split(b"\r\n")[0].decode().split()[:2])


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(_READ)
    if not data:
        raise ConnectionResetError("the client went away")
    return data
