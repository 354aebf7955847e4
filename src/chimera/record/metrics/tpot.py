"""Time per output token."""

from __future__ import annotations

from chimera.record.metrics.e2e_latency import e2e_latency_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Request


def tpot_s(request: Request) -> float | None:
    """Mean seconds per output token after the first.

        tpot = (e2e_latency - ttft) / (output_tokens - 1)

    None below two tokens, for a failed request, and where the tokens were not counted.

    Source: vLLM's benchmark client and MLPerf Inference, "TPOT". GuideLLM divides the whole
    latency by all tokens, which is another number.
    """
    latency, first = e2e_latency_s(request), ttft_s(request)
    if latency is None or first is None:
        return None
    if request.output_tokens is None or request.output_tokens < 2:
        return None
    return (latency - first) / (request.output_tokens - 1)
