"""Gaps between chunks."""

from __future__ import annotations

from itertools import pairwise

from chimera.record.request import Request


def chunk_gaps_s(request: Request) -> list[float]:
    """The gaps between the arrivals of neighbouring chunks, in seconds, all of them.

        gap[i] = chunk[i + 1] - chunk[i]

    What a reader of the stream sees. The ITL where each chunk is one token, and no ITL where a
    chunk carries several (``itl_s`` is None there). Empty below two chunks.

    Source: what several clients report as "ITL" without looking into their chunks.
    """
    return [(later - earlier) / 1e9 for earlier, later in pairwise(request.token_ns)]
