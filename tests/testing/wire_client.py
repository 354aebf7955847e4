"""A client of its own for the mock: plain sockets and http.client, nothing of Chimera's."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from chimera.testing.mock_server import MockServer, RequestTruth

CHAT = "/v1/chat/completions"
PATHS = (CHAT, "/v1/completions", "/api/chat", "/api/generate")
QUICK = "ttft_ms=4&itl_ms=1&tokens=8"


def body_for(path: str, model: str, **fields: Any) -> dict[str, Any]:
    """A streamed request for tokens, with a prompt of three words."""
    chat = path.endswith(("chat", "chat/completions"))
    prompt: dict[str, Any] = {"prompt": "one two three"}
    if chat:
        prompt = {"messages": [{"role": "user", "content": "one two three"}]}
    return {"model": model, "stream": True, **prompt, **fields}


@contextmanager
def connected(server: MockServer, timeout_s: float = 10.0) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout_s)
    try:
        yield connection
    finally:
        connection.close()


def get(server: MockServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    with connected(server) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()


def post(
    server: MockServer, path: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    """The answer and its whole body."""
    with connected(server) as connection:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", path, data, headers or {})
        response = connection.getresponse()
        return response, response.read()


def ask(server: MockServer, path: str, query: str, **fields: Any) -> bytes:
    """The body of the answer to a streamed request with these options."""
    response, body = post(server, path, body_for(path, f"mock?{QUICK}&{query}", **fields))
    assert response.status == 200
    return body


def raw_request(path: str, body: Any, *headers: str, version: str = "1.1") -> bytes:
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/{version}", "Host: mock", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


def raw_exchange(server: MockServer, data: bytes, quiet_s: float = 5.0) -> tuple[bytes, str]:
    """Everything that comes back, and how it ended: "closed", "reset" or "quiet"."""
    received = b""
    with socket.create_connection((server.host, server.port), timeout=quiet_s) as connection:
        connection.sendall(data)
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                return received, "reset"
            except TimeoutError:
                return received, "quiet"
            if not piece:
                return received, "closed"
            received += piece


def events(path: str, body: bytes) -> list[dict[str, Any]]:
    """The JSON events of a stream; what is no event (comments, [DONE]) is left out."""
    if path.startswith("/api"):
        return [json.loads(line) for line in body.splitlines()]
    lines = body.splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


def text(path: str, event: dict[str, Any]) -> str:
    """The answer's text in an event, thoughts left out."""
    if path == CHAT:
        choices = event["choices"]
        return (choices[0]["delta"].get("content") or "") if choices else ""
    if path == "/v1/completions":
        return "".join(choice["text"] for choice in event["choices"])
    message: str = event["message"]["content"] if path == "/api/chat" else event["response"]
    return message


def thought(path: str, event: dict[str, Any]) -> str:
    if path == CHAT:
        return "".join(choice["delta"].get("reasoning_content", "") for choice in event["choices"])
    said: str = (event["message"] if path == "/api/chat" else event).get("thinking", "")
    return said


def texts(path: str, body: bytes) -> list[str]:
    return [part for part in (text(path, event) for event in events(path, body)) if part]


def numbered(first: int, end: int) -> str:
    """The text of the tokens first to end - 1."""
    return "".join(f" t{number}" for number in range(first, end))


def count_tokens(received: bytes) -> int:
    """Tokens in raw bytes, whatever stands around them."""
    return len(re.findall(rb" t\d+", received))


def last_truth(server: MockServer) -> RequestTruth:
    return server.truth().requests[-1]


def has_ended(path: str, body: bytes) -> bool:
    """Whether the stream says of itself that it is complete."""
    if path.startswith("/api"):
        with suppress(ValueError, IndexError):
            return bool(json.loads(body.splitlines()[-1]).get("done"))
        return False
    return body.rstrip().endswith(b"data: [DONE]")


def ask_defaults(server: MockServer) -> bytes:
    _, body = post(server, CHAT, body_for(CHAT, ""))
    return body


def in_parallel(n: int, call: Callable[[int], bytes]) -> list[bytes]:
    bodies: list[bytes] = [b""] * n

    def one(number: int) -> None:
        bodies[number] = call(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return bodies


def open_stream(server: MockServer, model: str) -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=10)
    connection.sendall(raw_request(CHAT, body_for(CHAT, model)))
    return connection


def metric(server: MockServer, name: str) -> float:
    for line in get(server, "/metrics")[1].decode().splitlines():
        if line.startswith(f"vllm:{name}{{"):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no vllm:{name}")


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about within five seconds")
