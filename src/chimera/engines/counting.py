"""Prompt tokens counted before sending, remembered, and compared with what the server used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chimera.engines.base import Completion, RequestFailed
from chimera.record.request import ErrorClass

_KEPT = 4096


class TokenCounts:
    """Counts of the prompts of request bodies by ``ask``; None counts nothing.

    The last counts are remembered, so that a prompt of a workload is counted once.
    """

    def __init__(self, ask: Callable[[dict[str, Any]], int | None] | None) -> None:
        self._ask = ask
        self._counts: dict[bytes, int] = {}

    def of(self, body: dict[str, Any]) -> int | None:
        """The tokens of a body's prompt or chat; None where nobody counts.

        Raises:
            RequestFailed: the server did not answer the question.
        """
        if self._ask is None:
            return None
        key = _prompt(body)
        count = self._counts.get(key)
        if count is None:
            count = self._ask(body)
            if count is None:
                return None
            if len(self._counts) >= _KEPT:
                self._counts.pop(next(iter(self._counts)))
            self._counts[key] = count
        return count

    def compare(self, done: Completion) -> None:
        """Hold a count against what the server says it used.

        Raises:
            RequestFailed: PROMPT_CHANGED, they differ.
        """
        counted = self._counts.get(_prompt(done.raw_request))
        if counted is not None and done.prompt_tokens not in (None, counted):
            raise RequestFailed(
                ErrorClass.PROMPT_CHANGED,
                f"the prompt has {counted} tokens but the server used {done.prompt_tokens}",
                done,
            )


def _prompt(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode([body.get("prompt"), body.get("messages")])
