"""Real answers of a model server, kept in a file and given again to tests without the server.

    python -m chimera.testing.recording http://host:port FILE -- COMMAND ...

runs COMMAND, with "{url}" in it replaced by an address that passes everything on to the server,
and writes what went over it: requests, and the answers in the pieces in which they arrived.
``Replay`` answers from such a file.
"""

from __future__ import annotations

import argparse
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from chimera.engines.wire.address import Address, parse_address

_LONGEST_GAP_S = 0.005  # between two pieces that are given again
_LONG = ("license", "tensors")  # of a document, with nothing in them that an engine reads
_FOLDER = re.compile(r"[^\s\"']*[/\\](?=sha256-)")


class Recorded(msgspec.Struct, kw_only=True):
    """One exchange. ``pieces`` are (ms after the request, bytes as Latin-1 text).

    ``left``: the client went away before the end.
    """

    method: str
    path: str
    body: Any = None
    pieces: list[tuple[int, str]]
    left: bool = False


class Recording(msgspec.Struct, kw_only=True):
    """The exchanges in the order in which they began."""

    exchanges: list[Recorded]


class _Proxy:
    """Listens on a port of its own and answers each connection once, in a thread each."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def answer(self, client: socket.socket, head: bytes, body: bytes) -> None:
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

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head, body = _request(client)
            if head:
                self.answer(client, head, body)


class Recorder(_Proxy):
    """Passes requests on to ``server`` and keeps what went over."""

    def __init__(self, server: Address) -> None:
        super().__init__()
        self._server = server
        self.recording = Recording(exchanges=[])

    def answer(self, client: socket.socket, head: bytes, body: bytes) -> None:
        method, path = head.split(b" ", 2)[:2]
        kept = Recorded(method=method.decode(), path=path.decode(), body=_json(body), pieces=[])
        self.recording.exchanges.append(kept)
        # The answer then ends where its connection does.
        head = re.sub(rb"(?mi)^(connection|host):.*\r\n", b"", head)
        host = self._server.authority.encode()
        head = head.replace(b"\r\n", b"\r\nHost: " + host + b"\r\nConnection: close\r\n", 1)
        begun, pieces = time.monotonic(), []
        with socket.create_connection((self._server.host, self._server.port)) as upstream:
            upstream.sendall(head + b"\r\n\r\n" + body)
            while True:
                ready, _, _ = select.select([client, upstream], [], [])
                if client in ready and not client.recv(1 << 16):
                    kept.left = True
                    break
                if upstream in ready:
                    data = upstream.recv(1 << 16)
                    if not data:
                        break
                    pieces.append((round((time.monotonic() - begun) * 1000), data))
                    client.sendall(data)
        kept.pieces = _cleaned(pieces)


class Replay(_Proxy):
    """Answers from a recording. The same request again gets the next answer that it once got,
    then the last one again and again.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._answers: dict[bytes, list[Recorded]] = defaultdict(list)
        for kept in recording.exchanges:
            self._answers[_key(kept.method, kept.path, kept.body)].append(kept)

    def answer(self, client: socket.socket, head: bytes, body: bytes) -> None:
        method, path = (word.decode() for word in head.split(b" ", 2)[:2])
        answers = self._answers.get(_key(method, path, _json(body)))
        if not answers:
            text = b"not in the recording: " + head.split(b"\r\n")[0] + b" " + body[:300]
            client.sendall(b"HTTP/1.1 500 Error\r\nConnection: close\r\n\r\n" + text)
            return
        kept = answers.pop(0) if len(answers) > 1 else answers[0]
        before = 0
        for at_ms, text_piece in kept.pieces:
            time.sleep(min((at_ms - before) / 1000, _LONGEST_GAP_S))
            before = at_ms
            client.sendall(text_piece.encode("latin-1"))
        if kept.left:
            client.settimeout(10)
            client.recv(1)


def load(path: Path) -> Recording:
    """The recording in a file."""
    return msgspec.json.decode(path.read_bytes(), type=Recording)


def save(recording: Recording, path: Path) -> None:
    """Write a recording, one exchange a line."""
    lines = b",\n".join(msgspec.json.encode(kept) for kept in recording.exchanges)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"exchanges":[\n' + lines + b"\n]}\n")


def _request(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(1 << 16)
        if not piece:
            return b"", b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?mi)^content-length: *(\d+)", head)
    while len(body) < (int(length[1]) if length else 0):
        body += client.recv(1 << 16)
    return head, body


def _json(body: bytes) -> Any:
    return msgspec.json.decode(body) if body else None


def _key(method: str, path: str, body: Any) -> bytes:
    return msgspec.json.encode([method, path, body], order="sorted")


def _cleaned(pieces: list[tuple[int, bytes]]) -> list[tuple[int, str]]:
    """Pieces without the date; a document without folders and without what nobody reads."""
    whole = b"".join(data for _, data in pieces)
    head, _, body = whole.partition(b"\r\n\r\n")
    if b"application/json" in head.lower() and pieces:
        if b"chunked" in head.lower():
            body = _unchunked(body)
        body = msgspec.json.encode(_without_folders(msgspec.json.decode(body)))
        head = re.sub(rb"(?mi)^(transfer-encoding|content-length):.*\r\n", b"", head + b"\r\n")
        head += b"Content-Length: %d\r\n\r\n" % len(body)
        pieces = [(pieces[0][0], head + body)]
    undated = [(at, re.sub(rb"(?m)^Date: .*\r\n", b"", data)) for at, data in pieces]
    return [(at, data.decode("latin-1")) for at, data in undated]


def _unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        found, body = found + body[:length], body[length + 2 :]
    return found


def _without_folders(value: Any) -> Any:
    if isinstance(value, str):
        return _FOLDER.sub("", value)
    if isinstance(value, dict):
        return {k: _without_folders(v) for k, v in value.items() if k not in _LONG}
    return [_without_folders(v) for v in value] if isinstance(value, list) else value


def main(arguments: list[str] | None = None) -> int:
    """Record what a command does."""
    parser = argparse.ArgumentParser(prog="python -m chimera.testing.recording")
    parser.add_argument("server", help="http://host:port of the real server")
    parser.add_argument("file", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER, help='"{url}" is put into it')
    asked = parser.parse_args(arguments)
    with Recorder(parse_address(asked.server)) as recorder:
        words = [word.replace("{url}", recorder.url) for word in asked.command if word != "--"]
        status = subprocess.run(words, check=False).returncode
    save(recorder.recording, asked.file)
    return status


if __name__ == "__main__":
    sys.exit(main())
