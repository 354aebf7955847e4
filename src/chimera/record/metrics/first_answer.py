"""Time to first answer token."""

from __future__ import annotations

from chimera.record.request import Request


def first_answer_s(request: Request) -> float | None:
    """Seconds from the request's first byte sent to its first token that is no reasoning.

        first_answer = first token of the answer - sent

    The TTFT where the model does not reason first. None if no answer token came, and in runs
    that were recorded before answers and reasoning were told apart.

    Source: the difference between vLLM's ``reasoning_content`` and ``content``; TTFT counts
    both.
    """
    if request.sent_ns is None or request.first_answer_ns is None:
        return None
    return (request.first_answer_ns - request.sent_ns) / 1e9
