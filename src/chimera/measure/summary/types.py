"""The parts of a summary; ``--json`` prints them as they stand here.

Units are in the names of fields and metrics. What is not known is None.
"""

from __future__ import annotations

import msgspec

from chimera.record.request import ClientCost
from chimera.record.run import SelfTest

Options = dict[str, int | float | str | bool]


class Interval(msgspec.Struct, frozen=True):
    """The mean of ``n`` values and its 95% interval between repeats, None below three of them."""

    n: int
    mean: float
    ci95: tuple[float, float] | None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over the measured requests of one configuration.

    ``p95`` is None below 20 values and ``p99`` below 100: they would be the largest or next to
    it. Their intervals come from order statistics and need 72 and 368 values.
    ``ci95_requests`` takes every request for an independent one, which those of one repeat are
    not; ``ci95_repeats`` is between repeats (``chimera.stats.repeats``), None below three.
    """

    n: int
    mean: float
    median: float
    p95: float | None
    p95_ci95: tuple[float, float] | None
    p99: float | None
    p99_ci95: tuple[float, float] | None
    ci95_requests: tuple[float, float] | None
    repeats: int
    ci95_repeats: tuple[float, float] | None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt of a configuration."""

    prompt_id: str
    n: int
    failed: int
    metrics: dict[str, Interval | None]


class TimeShares(msgspec.Struct, frozen=True, kw_only=True):
    """Where the mean request's time went: seconds, which add up to ``total_s``.

    ``rest_s`` is the network and all that nobody tells: also the parts that are None.
    """

    n: int
    total_s: float
    connect_s: float | None
    queue_s: float | None
    load_s: float | None
    prefill_s: float | None
    decode_s: float | None
    rest_s: float


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What the client saw minus what the server says, over requests that have both."""

    what: str
    difference_s: Interval


class ConfigurationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration under its load. ``n`` are its successful measured requests."""

    index: int
    name: str
    options: Options
    arrival: str
    concurrency: int | None
    request_rate: float | None
    n: int
    failed: int
    reloaded: int
    metrics: dict[str, Distribution | None]
    gaps_are: str
    gaps_s: Distribution | None
    output_tokens_per_s: Interval | None
    requests_per_s: Interval | None
    goodput_per_s: Interval | None
    achieved_rate: float | None
    time: TimeShares | None
    checks: tuple[Check, ...]
    cells: tuple[Cell, ...]


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's start and its first request; ``error`` if one of them failed."""

    configuration: int
    name: str
    options: Options
    load_s: float | None
    ttft_s: float | None
    error: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The best configuration of a metric against the next best under the same load.

    Where these cannot be told apart, a second one says of which the best is certainly ahead.
    ``difference`` is best minus next, between repeats, with its interval: 95% for all pairs of the
    metric that were looked at together (Bonferroni). None where too few repeats say anything.
    ``certain``: the interval excludes zero.
    """

    metric: str
    best: int
    next: int
    difference: float | None
    ci95: tuple[float, float] | None
    certain: bool


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """``failures`` counts failed requests by error class. ``pressure`` is the share of the run
    in which some task of the machine, ours included, waited for a CPU. ``stopped`` is
    "complete", "interrupted", or "killed" for a run without an end. ``certain`` is False where
    the client's own delay is too large a share of what it measured.
    """

    run_id: str
    model: str
    engine: str
    requests: int
    failed: int
    planned: int
    stopped: str
    duration_s: float | None
    pressure: float | None
    configurations: tuple[ConfigurationSummary, ...]
    starts: tuple[Start, ...]
    comparisons: tuple[Comparison, ...]
    failures: dict[str, int]
    client: ClientCost | None
    instrument: SelfTest | None
    certain: bool
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
