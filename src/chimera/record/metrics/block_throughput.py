"""Throughputs of a block: of the whole server, not of one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chimera.record.metrics.goodput import meets
from chimera.record.request import Block, Request


def by_block(
    blocks: Sequence[Block], requests: Iterable[Request]
) -> list[tuple[Block, list[Request]]]:
    """Each block with its requests. A repeat that was resumed has several blocks."""
    of_repeat: dict[tuple[int, int], list[Request]] = {}
    for request in requests:
        of_repeat.setdefault((request.configuration, request.repeat), []).append(request)
    return [
        (
            block,
            [
                request
                for request in of_repeat.get((block.configuration, block.repeat), ())
                if block.start_ns <= request.start_ns <= block.end_ns
            ],
        )
        for block in blocks
    ]


def output_tokens_per_s(block: Block, requests: Sequence[Request]) -> float | None:
    """Output tokens of all successful requests of a block per second of its duration.

        output_throughput = sum(output_tokens) / (block end - block start)

    ``requests`` are the block's. Tokens of failed requests do not count. None for a block
    without duration, and where no successful request's tokens are counted.

    Source: vLLM's benchmark client, "Output token throughput".
    """
    counts = [r.output_tokens for r in requests if r.error is None and r.output_tokens is not None]
    return _per_s(sum(counts), block) if counts else None


def requests_per_s(block: Block, requests: Sequence[Request]) -> float | None:
    """Requests that succeeded per second of a block's duration.

        request_throughput = successful requests / (block end - block start)

    None for a block without duration. A block ends with its last answer, so that a short open
    loop gives less than the rate that it offers.

    Source: vLLM's benchmark client (vllm/benchmarks/serve.py), "Request throughput": completed
    requests over the time from the first request to the last answer.
    """
    return _per_s(sum(r.error is None for r in requests), block)


def goodput_per_s(block: Block, requests: Sequence[Request], slo: dict[str, float]) -> float | None:
    """Requests within every limit per second of a block's duration; None without limits.

        goodput = requests that meet every SLO / (block end - block start)

    The block ends with its last answer, as in ``requests_per_s``.

    Source: DistServe (Zhong et al. 2024) for what is good; vLLM's benchmark client
    (vllm/benchmarks/serve.py), "Request goodput", for the time: to the last answer.
    """
    if not slo:
        return None
    return _per_s(sum(meets(r, slo) for r in requests), block)


def _per_s(count: int, block: Block) -> float | None:
    duration_ns = block.end_ns - block.start_ns
    return count / (duration_ns / 1e9) if duration_ns > 0 else None
