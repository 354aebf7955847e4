"""An engine that plays a part: it answers what it is told to, or fails as it is told to.

For what a real model cannot be made to do on purpose (lie, break off, return hostile text).
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from chimera.engines.base import Completion, CompletionRequest, Load, OnToken
from chimera.record.run import ModelIdentity, Options

Part = Callable[[CompletionRequest], str]


class ScriptedEngine:
    """``part`` makes the reply to a request, or raises; ``start_error`` is raised at the start.

    ``token_error`` is raised when tokens are counted; ``requests`` keeps what was asked.
    """

    name = "scripted"
    version: str | None = "test"

    def __init__(
        self,
        part: Part,
        *,
        options: Options | None = None,
        start_error: Exception | None = None,
        token_error: Exception | None = None,
    ) -> None:
        self.part = part
        self.options = options or Options(num_ctx=8192)
        self.start_error = start_error
        self.token_error = token_error
        self.requests: list[CompletionRequest] = []

    def start(self) -> Load:
        if self.start_error:
            raise self.start_error
        return Load(start_ns=0, ready_ns=1_000_000, server_load_ns=None, cold=True, num_ctx=8192)

    def model(self) -> ModelIdentity:
        return ModelIdentity(name="scripted-model")

    def count_tokens(self, text: str) -> int | None:
        if self.token_error:
            raise self.token_error
        return max(1, len(text) // 4)

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        self.requests.append(request)
        reply = self.part(request)
        return Completion(
            text=reply,
            start_ns=0,
            sent_ns=1,
            first_byte_ns=2,
            first_token_ns=3,
            token_ns=(3,),
            chunk_tokens=None,
            end_ns=4,
            prompt_tokens=max(1, len(request.prompt) // 4),
            cached_tokens=0,
            evaluated_tokens=None,
            output_tokens=len(reply.split()),
            finish_reason="stop",
            server_load_ns=None,
            server_prefill_ns=None,
            server_decode_ns=None,
            raw_request={},
            raw_reply=None,
        )

    def close(self) -> None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
