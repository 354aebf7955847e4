"""A server that gives keys away: what authorised a request stands in all that it says."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.engines.wire.lab import request_of, serving

WAYS = ("refused", "error", "text", "stream error", "no stream", "malformed", "list", "lists")


def _answer(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _stream(*events: Mapping[str, object] | str) -> bytes:
    lines = [e if isinstance(e, str) else json.dumps(e) for e in events]
    return _answer(b"".join(b"data: %s\n\n" % x.encode() for x in lines), kind="text/event-stream")


def _good(text: str, model: str) -> bytes:
    def chunk(content: str, finish: str | None = None) -> dict[str, object]:
        choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
        return {"id": model, "model": model, "choices": [choice]}

    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = chunk("", "length") | {"usage": usage, "system_fingerprint": model}
    return _stream(chunk(text), chunk(" b"), last, "[DONE]")


@contextmanager
def echoing(way: str, good: int = 1) -> Iterator[tuple[int, list[str]]]:
    """(port, what authorised each request). ``good`` chats are answered well at first."""
    seen: list[str] = []
    chats = 0

    def reply(head: bytes, said: str) -> bytes:
        nonlocal chats
        error = {"error": {"message": f"bad key {said}", "headers": said}}
        if b"/models" in head:
            names = {"list": [f"model {said}"], "lists": [f"one {said}", f"two {said}"]}
            entries = [{"id": n, "owned_by": said} for n in names.get(way, ["m"])]
            return _answer(json.dumps({"data": entries}).encode())
        if b"/version" in head:
            return _answer(json.dumps({"version": f"1 {said}"}).encode())
        if b"/chat/completions" not in head:
            return _answer(json.dumps(error).encode(), "404 Not Found")
        chats += 1
        if way == "refused" or (way == "error" and chats > good):
            return _answer(json.dumps(error).encode(), "401 Unauthorized")
        if chats <= good or way == "list":
            return _good("a", "m")
        return {
            "text": lambda: _good(f"your key is {said}", said),
            "stream error": lambda: _stream(error),
            "no stream": lambda: _answer(f"<p>{said}</p>".encode(), kind="text/html"),
            "malformed": lambda: _stream("{" + said),
        }[way]()

    def serve(connection: socket.socket, _number: int) -> None:
        while request := request_of(connection):
            head = request.partition(b"\r\n\r\n")[0]
            lines = head.decode().split("\r\n")
            said = next((x[15:] for x in lines if x.startswith("Authorization: ")), "")
            seen.append(said)
            connection.sendall(reply(head, said))

    with serving(serve) as port:
        yield port, seen
