"""What is said of one configuration under its load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chimera.measure.summary.distribution import distribution, interval
from chimera.measure.summary.time_split import checks, time_shares
from chimera.measure.summary.types import Cell, ConfigurationSummary, Distribution
from chimera.record.metrics.block_throughput import (
    by_block,
    goodput_per_s,
    output_tokens_per_s,
    requests_per_s,
)
from chimera.record.metrics.chunk_gap import chunk_gaps_s
from chimera.record.metrics.first_answer import first_answer_s
from chimera.record.metrics.itl import itl_s
from chimera.record.metrics.registry import METRICS
from chimera.record.request import Block, Request
from chimera.record.run import Configuration, Run


def summarise_configuration(
    run: Run,
    configuration: Configuration,
    name: str,
    requests: Sequence[Request],
    blocks: Sequence[Block],
) -> ConfigurationSummary:
    """``requests`` and ``blocks`` are those of this configuration."""
    measured = [request for request in requests if request.phase == "measured"]
    good = [request for request in measured if request.error is None]
    parts = by_block(blocks, requests)
    per_token = all(itl_s(request) is not None for request in good)
    slo = run.plan.slo
    return ConfigurationSummary(
        index=configuration.index,
        name=name,
        options=configuration.options.as_set(),
        arrival=configuration.arrival,
        concurrency=configuration.concurrency,
        request_rate=configuration.request_rate,
        n=len(good),
        failed=len(measured) - len(good),
        reloaded=sum(request.reloaded and request.repeat > 0 for request in requests),
        metrics={name: _spread(good, metric) for name, metric in METRICS.items()}
        | {"first_answer_s": _first_answer(good)},
        gaps_are="tokens" if per_token else "chunks",
        gaps_s=_gaps(good),
        output_tokens_per_s=interval((b.repeat, output_tokens_per_s(b, mine)) for b, mine in parts),
        requests_per_s=interval((b.repeat, requests_per_s(b, mine)) for b, mine in parts),
        goodput_per_s=interval((b.repeat, goodput_per_s(b, mine, slo)) for b, mine in parts),
        achieved_rate=_achieved_rate(measured),
        time=time_shares(good),
        checks=checks(good),
        cells=tuple(_cell(prompt.id, measured) for prompt in run.workload.prompts),
    )


def _spread(
    requests: Sequence[Request], metric: Callable[[Request], float | None]
) -> Distribution | None:
    by_repeat: dict[int, list[float]] = {}
    for request in requests:
        value = metric(request)
        if value is not None:
            by_repeat.setdefault(request.repeat, []).append(value)
    return distribution(by_repeat)


def _first_answer(requests: Sequence[Request]) -> Distribution | None:
    """Only where some request reasoned first: otherwise it is the TTFT."""
    if all(request.first_answer_ns in (None, request.first_token_ns) for request in requests):
        return None
    return _spread(requests, first_answer_s)


def _gaps(requests: Sequence[Request]) -> Distribution | None:
    by_repeat: dict[int, list[float]] = {}
    for request in requests:
        by_repeat.setdefault(request.repeat, []).extend(chunk_gaps_s(request))
    return distribution({repeat: gaps for repeat, gaps in by_repeat.items() if gaps})


def _achieved_rate(requests: Sequence[Request]) -> float | None:
    """Requests per second that an open loop really started; None in a closed one.

    Over the repeats: requests minus one in each, over the span of their starts.
    """
    spans: dict[int, list[int]] = {}
    for request in requests:
        if request.intended_start_ns is not None:
            spans.setdefault(request.repeat, []).append(request.start_ns)
    gaps = sum(len(starts) - 1 for starts in spans.values())
    span_ns = sum(max(starts) - min(starts) for starts in spans.values())
    return gaps / (span_ns / 1e9) if gaps and span_ns else None


def _cell(prompt_id: str, measured: Sequence[Request]) -> Cell:
    mine = [request for request in measured if request.prompt_id == prompt_id]
    good = [request for request in mine if request.error is None]
    return Cell(
        prompt_id=prompt_id,
        n=len(good),
        failed=len(mine) - len(good),
        metrics={
            name: interval((request.repeat, metric(request)) for request in good)
            for name, metric in METRICS.items()
        },
    )
