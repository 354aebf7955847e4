"""A model server with OpenAI's interface whose model plays a part (``tests.agents.writers``)."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from chimera.engines.base import CompletionRequest
from tests.agents.writers import Part


class Dies(Exception):
    """Raised by a part: the connection breaks in the middle of the answer."""


class WritingServer:
    """``part`` makes each answer. ``slow_s`` is the silence before it, ``refuses_schema`` answers
    a request with a JSON schema with 400. ``bodies`` keeps what was asked, the trial for one token
    at the start aside.
    """

    def __init__(self, part: Part, *, slow_s: float = 0.0, refuses_schema: bool = False) -> None:
        self.part = part
        self.slow_s = slow_s
        self.refuses_schema = refuses_schema
        self.bodies: list[dict[str, Any]] = []
        outer = self

        class Handler(_Handler):
            server_of = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def target(self) -> str:
        """What to give as --target."""
        return f"openai:writer@http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def prompts(self) -> list[str]:
        """The prompts that were sent, in order."""
        return [str(body["messages"][-1]["content"]) for body in self.bodies]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_of: WritingServer

    def log_message(self, *_: object) -> None:  # silence
        return

    def do_GET(self) -> None:
        if self.path.endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": "writer", "object": "model"}]})
        else:
            self._json(404, {"error": {"message": "no such page"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith("/chat/completions"):
            self._json(404, {"error": {"message": "no such page"}})
            return
        prompt = body["messages"][-1]["content"]
        if prompt == "Hello":  # the engine's own trial at the start
            self._stream("Hi", prompt)
            return
        mine = self.server_of
        mine.bodies.append(body)
        if mine.refuses_schema and "response_format" in body:
            self._json(400, {"error": {"message": "response_format is not supported"}})
            return
        time.sleep(mine.slow_s)
        try:
            answer = mine.part(CompletionRequest(prompt=prompt))
            self._stream(answer, prompt, body.get("max_tokens"))
        except Dies:
            self._head()
            self.connection.close()

    def _json(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _head(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def _stream(self, text: str, prompt: str, most: int | None = None) -> None:
        pieces = (text.split(" ") if text else [])[:most]
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": (" " if i else "") + piece}}]}
            for i, piece in enumerate(pieces)
        ]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        tokens = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(pieces)}
        chunks.append({"choices": [], "usage": tokens})
        self._head()
        with suppress(OSError):  # whoever asked may have given up
            for chunk in chunks:
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
