"""End-to-end latency."""

from __future__ import annotations

from chimera.record.request import Request


def e2e_latency_s(request: Request) -> float | None:
    """Seconds from the request's first byte sent to its last token received.

        e2e_latency = last token - sent

    The client's clock; the stream's closing event after the last token is not part of it.
    None for a request that failed or brought no token.

    Source: NVIDIA GenAI-Perf and AIPerf, "request latency"; vLLM, "E2EL".
    """
    if request.error is not None or request.sent_ns is None or not request.token_ns:
        return None
    return (request.token_ns[-1] - request.sent_ns) / 1e9
