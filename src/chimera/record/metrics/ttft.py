"""Time to first token."""

from __future__ import annotations

from chimera.record.request import Request


def ttft_s(request: Request) -> float | None:
    """Seconds from the request's first byte sent to its first token with text received.

        ttft = first_token - sent

    The client's clock. A load of the model before the request is not part of it, unless the
    server loads within the request. None if no token with text came.

    Source: MLPerf Inference, "TTFT"; the same span as in vLLM's benchmark client, which may
    stamp a first chunk that is empty.
    """
    if request.sent_ns is None or request.first_token_ns is None:
        return None
    return (request.first_token_ns - request.sent_ns) / 1e9
