"""Prefill throughput of one request."""

from __future__ import annotations

from chimera.record.request import Request


def prefill_tokens_per_s(request: Request) -> float | None:
    """Prompt tokens evaluated per second of prefill, both as the server reports them.

        prefill_throughput = evaluated_tokens / server prefill time

    Only the tokens that were really evaluated: those from a cached prefix cost nothing. A
    client cannot tell prefill from queue and network, so there is no client-side value. None
    where the server does not report both.

    Source: the prompt phase as llama.cpp's llama-bench measures it ("pp"); Ollama's
    prompt_eval_count / prompt_eval_duration.
    """
    prefill_ns = request.server.prefill_ns
    if not request.evaluated_tokens or not prefill_ns:
        return None
    return request.evaluated_tokens / (prefill_ns / 1e9)
