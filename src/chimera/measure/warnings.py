"""What a reader of a run should know before believing it: each with its cause and a next step.

One list, in the order in which they are printed. A warning is only given where the data shows
its cause; what could not be looked at is no warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean, median

from chimera.engines.option_names import nearest, undocumented
from chimera.measure.monitors.neighbours import neighbour_load
from chimera.measure.monitors.sample import Sample
from chimera.measure.monitors.thermal import thermal_drift
from chimera.measure.summary.distribution import LEAST_FOR_P99
from chimera.measure.summary.types import ConfigurationSummary
from chimera.record.metrics.decode_throughput import decode_tokens_per_s
from chimera.record.request import Request
from chimera.record.runfile import RunFile
from chimera.stats.compare import welch
from chimera.stats.repeats import LEAST_REPEATS

Configurations = Sequence[ConfigurationSummary]

# The client's own delay may be this share of what it measures; beyond it nothing is certain.
MOST_LAG_SHARE = 0.05
# Beyond this share of a core the client is itself a load on the machine that it measures on.
MOST_CLIENT_CPU = 0.7
# An open loop that starts less than this share of what it should is no open loop of that rate.
LEAST_ACHIEVED = 0.99
MOST_FAILED = 0.01
# Share of the run in which some task waited for a CPU; idle systems show up to a few percent.
MOST_PRESSURE = 0.10
# Prefill that falls to less than this share from the first repeat on was partly cached.
LEAST_PREFILL_SHARE = 0.5


def warnings_of(file: RunFile, configurations: Configurations) -> tuple[str, ...]:
    """All that apply."""
    return tuple(text for check in _CHECKS for text in check(file, configurations))


def is_certain(file: RunFile, configurations: Configurations) -> bool:
    """Whether the client was quick enough for what it measured."""
    return not any(True for _ in _late_reading(file, configurations)) and not any(
        True for _ in _late_sending(file, configurations)
    )


def _failures(file: RunFile, _: Configurations) -> Iterator[str]:
    failed = [request for request in file.requests if request.error is not None]
    if file.requests and len(failed) > MOST_FAILED * len(file.requests):
        said = failed[0].error
        assert said is not None
        yield (
            f"{len(failed)} of {len(file.requests)} requests failed and are left out of every "
            f"mean; the first: {said.text}"
        )


def _ended_early(file: RunFile, _: Configurations) -> Iterator[str]:
    early = sum(block.stopped == "errors" for block in file.blocks)
    if early:
        yield (
            f"{early} block(s) ended early because nothing got through; put the server right "
            "and go on with --resume"
        )


def _option_names(file: RunFile, _: Configurations) -> Iterator[str]:
    """A server passes over what it does not know, and the values are compared in vain."""
    names: dict[str, set[str]] = {}
    for one in file.run.configurations:
        for name in undocumented(file.run.engine, one.options):
            names.setdefault(name, set()).add(str(one.options.other[name]))
    for name, values in names.items():
        compared = f" (compared: {', '.join(sorted(values))})" if len(values) > 1 else ""
        yield (
            f"{name}{compared} is no option that servers of this kind document, and they may pass "
            f"over it: whether it had an effect is not known; {nearest(file.run.engine, name)}"
        )


def _few(file: RunFile, configurations: Configurations) -> Iterator[str]:
    repeats = max((block.repeat for block in file.blocks), default=0)
    if 0 < repeats < LEAST_REPEATS:
        yield (
            f"{repeats} repeat(s) give no interval between repeats: what differs from one to "
            f"the next is not known; take --repeats {LEAST_REPEATS} or more"
        )
    counts = [one.n for one in configurations if one.n]
    if counts and min(counts) < LEAST_FOR_P99:
        yield (
            f"no p99 below {LEAST_FOR_P99} requests of a configuration (here {min(counts)}): it "
            "would be the slowest one; ask for more with -n or --repeats"
        )


def _late_reading(file: RunFile, configurations: Configurations) -> Iterator[str]:
    client = file.end.client if file.end else None
    if client is None or client.lag_p99_ns is None:
        return
    # The kernel's stamps do not move when they are read late, unless the next chunk has come by
    # then: both are read as one, with the stamp of the last.
    if all(request.stamped_by == "kernel" for request in file.requests):
        gaps = [one.gaps_s.median for one in configurations if one.gaps_s and one.gaps_s.median]
        if gaps and client.lag_p99_ns / 1e9 > min(gaps):
            yield (
                f"this client read up to {client.lag_p99_ns / 1e6:.1f} ms late (p99), longer than "
                "the gaps between chunks, so that chunks ran together: the numbers are not "
                "certain; use fewer clients or more --processes"
            )
        return
    firsts = [d.median for one in configurations if (d := one.metrics.get("ttft_s"))]
    if firsts and client.lag_p99_ns / 1e9 > MOST_LAG_SHARE * min(firsts):
        yield (
            f"this client read up to {client.lag_p99_ns / 1e6:.1f} ms late (p99), more than "
            f"{MOST_LAG_SHARE:.0%} of the TTFT: the numbers are not certain; use fewer clients "
            "or more --processes"
        )


def _late_sending(file: RunFile, configurations: Configurations) -> Iterator[str]:
    for one in configurations:
        rate, achieved = one.request_rate, one.achieved_rate
        if rate is None or achieved is None or one.arrival != "constant":
            continue
        if achieved < LEAST_ACHIEVED * rate:
            yield (
                f"{achieved:.3g} requests/s were started where {rate:g} were meant: the client "
                "fell behind and its numbers are not certain; use more --processes"
            )
    client = file.end.client if file.end else None
    if client is not None and client.dispatch_p99_ns is not None:
        rates = [one.request_rate for one in configurations if one.request_rate]
        gap_ns = 1e9 / max(rates) if rates else None
        if gap_ns is not None and client.dispatch_p99_ns > max(gap_ns, 5e6):
            yield (
                f"requests began up to {client.dispatch_p99_ns / 1e6:.1f} ms late (p99), more "
                "than the mean gap between them: the client fell behind and its numbers are "
                "not certain; use more --processes"
            )


def _busy_client(file: RunFile, _: Configurations) -> Iterator[str]:
    client = file.end.client if file.end else None
    if client is None or client.wall_s <= 0:
        return
    share = client.cpu_s / client.wall_s / client.processes
    if share > MOST_CLIENT_CPU:
        yield (
            f"this client used {share:.0%} of a core: near its ceiling, and a load on a server "
            "on the same machine; use more --processes or another machine"
        )


def _clock(file: RunFile, _: Configurations) -> Iterator[str]:
    stamped = {request.stamped_by for request in file.requests if request.token_ns}
    if "client" in stamped and "kernel" in stamped:
        yield "some arrivals were stamped by the kernel and some by the client on reading"


def _neighbours(file: RunFile, _: Configurations) -> Iterator[str]:
    load = neighbour_load(_samples(file))
    if load is not None:
        if load.disturbed:
            stolen = load.steal_percent or 0.0
            host = f", and its host took {stolen:.0f}%" if stolen >= 1 else ""
            yield (
                f"other programs used {load.mean_percent:.0f}% of this machine's CPU{host}; "
                "measure on a quiet machine"
            )
        return
    before = file.run.environment.pressure
    after = file.end.pressure if file.end else None
    if before and after and file.end and file.end.end_ns > 0:
        share = (after.total_us - before.total_us) * 1e3 / file.end.end_ns
        if share > MOST_PRESSURE:
            yield (
                f"for {share:.0%} of the run some program had to wait for a CPU; unless it was "
                "this bench and its server alone, measure on a quiet machine"
            )


def _samples(file: RunFile) -> list[Sample]:
    return [Sample(seen.t_ns, seen.source, seen.values) for seen in file.watched]


def _drift(file: RunFile, _: Configurations) -> Iterator[str]:
    """Slower towards the end, and a processor that grew warmer and slower meanwhile."""
    hot = [found.source for found in thermal_drift(_samples(file)) or () if found.drifted]
    fall = _fall(file.requests)
    if hot:
        slower = "" if fall is None else f", and decode throughput fell by {fall:.1%}"
        yield (
            f"{' and '.join(hot)} grew hot and slowed down during the run{slower}: thermal "
            "drift; let it settle with --warmup, or cool it"
        )


def _fall(requests: Sequence[Request]) -> float | None:
    """By which share decode throughput fell over the run, None unless it certainly did."""
    good = [r for r in requests if r.phase == "measured" and r.error is None]
    if len({r.configuration for r in good}) != 1:
        return None  # interleaved configurations: thirds would mix them
    values = [v for r in good if (v := decode_tokens_per_s(r)) is not None]
    third = len(values) // 3
    if third < LEAST_REPEATS:
        return None
    difference = welch(values[:third], values[-third:])
    if difference is None or difference.high >= 0:
        return None
    return -difference.value / fmean(values[:third])


def _reloads(_: RunFile, configurations: Configurations) -> Iterator[str]:
    reloaded = sum(one.reloaded for one in configurations)
    if reloaded:
        yield (
            f"the server loaded its model {reloaded} time(s) within measured blocks; those "
            "requests are set apart as cold; keep the model loaded (keep_alive), or give one "
            "configuration at a time"
        )


def _warm_cache(file: RunFile, _: Configurations) -> Iterator[str]:
    if file.run.plan.request.get("cache_prompt"):
        return
    good = [r for r in file.requests if r.phase == "measured" and r.error is None]
    cached = sum(bool(request.cached_tokens) for request in good)
    if cached:
        yield (
            f"{cached} of {len(good)} requests found a part of their prompt in the server's "
            "cache although every prompt was to be evaluated; take more or synthetic prompts"
        )
    elif any(r.cached_tokens is None for r in good) and _prefill_fell(file.requests):
        yield (
            "prefill took less than half as long once a prompt had been asked before: the "
            "server's cache was warm, and TTFT is that of repeated prompts; take synthetic ones"
        )


def _prefill_fell(requests: Sequence[Request]) -> bool:
    """Whether the same prompt was evaluated much faster whenever it came again."""
    first: dict[tuple[int, str], int] = {}
    shares = []
    for request in requests:
        prefill = request.server.prefill_ns
        if request.error is not None or not prefill:
            continue
        key = (request.configuration, request.prompt_id)
        if key in first:
            shares.append(prefill / first[key])
        else:
            first[key] = prefill
    return len(shares) >= LEAST_REPEATS and median(shares) < LEAST_PREFILL_SHARE


def _unequal_work(file: RunFile, configurations: Configurations) -> Iterator[str]:
    lengths: dict[str, set[int]] = {}
    for request in file.requests:
        if request.phase == "measured" and request.error is None and request.output_tokens:
            lengths.setdefault(request.prompt_id, set()).add(request.output_tokens)
    uneven = sum(len(found) > 1 for found in lengths.values())
    if uneven and len(configurations) > 1:
        yield (
            f"answers to the same prompt differ in length ({uneven} of {len(lengths)} prompts): "
            "E2E latency and throughput are not of equal work; compare TTFT and TPOT"
        )


def _counting(file: RunFile, _: Configurations) -> Iterator[str]:
    good = [r for r in file.requests if r.phase == "measured" and r.error is None]
    chunks = sum(request.tokens_basis == "chunks" for request in good)
    if chunks:
        yield (
            f"the server counts no tokens ({chunks} of {len(good)} requests): chunks are counted "
            "in their place, and a chunk may hold several"
        )
    several = sum(r.chunk_tokens is None and r.tokens_basis == "server" for r in good)
    if several:
        yield (
            f"chunks hold several tokens ({several} of {len(good)} requests): gaps are those "
            "between chunks, not between tokens"
        )
    fewer = sum(
        r.tokens_basis == "server" and (r.output_tokens or 0) < len(r.token_ns) - 1 for r in good
    )
    if fewer:
        yield (
            f"the server counts fewer tokens than chunks with text came ({fewer} of "
            f"{len(good)} requests): its count is wrong, and so are rates that use it"
        )


def _limits(file: RunFile, configurations: Configurations) -> Iterator[str]:
    goodputs = [one.goodput_per_s for one in configurations if one.goodput_per_s is not None]
    if file.run.plan.slo and goodputs and not any(one.mean for one in goodputs):
        yield "no request met every limit (--slo); goodput is 0"


_CHECKS: tuple[Callable[[RunFile, Configurations], Iterator[str]], ...] = (
    _failures,
    _ended_early,
    _option_names,
    _late_reading,
    _late_sending,
    _busy_client,
    _clock,
    _neighbours,
    _drift,
    _reloads,
    _warm_cache,
    _unequal_work,
    _counting,
    _limits,
    _few,
)
