"""Decode throughput of one request."""

from __future__ import annotations

from chimera.record.metrics.tpot import tpot_s
from chimera.record.request import Request


def decode_tokens_per_s(request: Request) -> float | None:
    """Output tokens per second while one request decodes, on the client's clock.

        decode_throughput = (output_tokens - 1) / (last token - first token) = 1 / tpot

    The first token ends the prefill, so the span from it to the last holds one token less
    than the answer. Not the output throughput of a server, which sums requests. None where
    the TPOT is None or zero.

    Source: the decode phase as llama.cpp's llama-bench measures it ("tg"), seen by a client.
    """
    tpot = tpot_s(request)
    return None if tpot is None or tpot <= 0 else 1 / tpot
