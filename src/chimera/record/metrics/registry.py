"""The metrics of one request by their names, which end in the unit."""

from __future__ import annotations

from collections.abc import Callable

from chimera.record.metrics.decode_throughput import decode_tokens_per_s
from chimera.record.metrics.e2e_latency import e2e_latency_s
from chimera.record.metrics.prefill_throughput import prefill_tokens_per_s
from chimera.record.metrics.tpot import tpot_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Request

METRICS: dict[str, Callable[[Request], float | None]] = {
    "ttft_s": ttft_s,
    "tpot_s": tpot_s,
    "e2e_latency_s": e2e_latency_s,
    "decode_tokens_per_s": decode_tokens_per_s,
    "prefill_tokens_per_s": prefill_tokens_per_s,
}
HIGHER_IS_BETTER = frozenset(name for name in METRICS if name.endswith("tokens_per_s"))
