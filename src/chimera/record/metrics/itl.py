"""Inter-token latency."""

from __future__ import annotations

from itertools import pairwise

from chimera.record.request import Request


def itl_s(request: Request) -> list[float] | None:
    """The gaps between the arrivals of neighbouring tokens, in seconds, all of them.

        itl[i] = token[i + 1] - token[i]

    The distribution, not its mean, which is the TPOT. None where a chunk carried several
    tokens or nobody counted them: gaps between chunks are not gaps between tokens. Empty
    for a single token. The tokens that a failed request brought count as well.

    Source: vLLM's benchmark client, "ITL". AIPerf's and GuideLLM's "ITL" is a mean per
    request.
    """
    if request.chunk_tokens is None or any(count != 1 for count in request.chunk_tokens):
        return None
    return [(later - earlier) / 1e9 for earlier, later in pairwise(request.token_ns)]
