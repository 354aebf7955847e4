"""Prompt tokens counted before sending, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

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


def _prompt(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode([body.get("prompt"), body.get("messages")])
