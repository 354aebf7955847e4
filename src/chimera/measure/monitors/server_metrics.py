"""What vLLM, SGLang and llama-server call their metrics, under one set of names.

    vLLM          docs/design/metrics.md and vllm/v1/metrics/loggers.py of its repository
    SGLang        docs/references/production_metrics.md, observability/metrics_collector.py
    llama-server  tools/server/README.md and its own /metrics; its prompt tokens are those
                  evaluated, without those cached, and generated tokens count when a request ends

The list is closed: what is not here is ignored. Requests, tokens and times are as the server
counts them; ``_total``, ``_sum`` and ``_count`` since it started.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from chimera.measure.monitors.prometheus import series


class _Known(NamedTuple):
    name: str
    factor: float = 1.0
    # Of a share, the fullest replica's: it is the one that will have to wait or to evict.
    fullest: bool = False


_KV = _Known("kv_cache_usage_percent", 100.0, fullest=True)

# Where a server has two names for one thing, the first of them that it tells is taken.
_KNOWN: dict[str, _Known] = {
    "vllm:num_requests_running": _Known("requests_running"),
    "vllm:num_requests_waiting": _Known("requests_waiting"),
    "vllm:kv_cache_usage_perc": _KV,
    "vllm:gpu_cache_usage_perc": _KV,  # before 0.9
    "vllm:prompt_tokens_total": _Known("prompt_tokens_total"),
    "vllm:generation_tokens_total": _Known("generation_tokens_total"),
    "vllm:time_to_first_token_seconds_sum": _Known("ttft_s_sum"),
    "vllm:time_to_first_token_seconds_count": _Known("ttft_s_count"),
    "vllm:e2e_request_latency_seconds_sum": _Known("e2e_s_sum"),
    "vllm:e2e_request_latency_seconds_count": _Known("e2e_s_count"),
    "vllm:prefix_cache_hits_total": _Known("prefix_cache_hit_tokens_total"),
    "vllm:gpu_prefix_cache_hits_total": _Known("prefix_cache_hit_tokens_total"),
    "vllm:prefix_cache_queries_total": _Known("prefix_cache_query_tokens_total"),
    "vllm:gpu_prefix_cache_queries_total": _Known("prefix_cache_query_tokens_total"),
    "vllm:num_preemptions_total": _Known("preemptions_total"),
    "sglang:num_running_reqs": _Known("requests_running"),
    "sglang:num_queue_reqs": _Known("requests_waiting"),
    "sglang:token_usage": _KV,
    "sglang:prompt_tokens_total": _Known("prompt_tokens_total"),
    "sglang:generation_tokens_total": _Known("generation_tokens_total"),
    "sglang:time_to_first_token_seconds_sum": _Known("ttft_s_sum"),
    "sglang:time_to_first_token_seconds_count": _Known("ttft_s_count"),
    "sglang:e2e_request_latency_seconds_sum": _Known("e2e_s_sum"),
    "sglang:e2e_request_latency_seconds_count": _Known("e2e_s_count"),
    "sglang:cached_tokens_total": _Known("prefix_cache_hit_tokens_total"),
    "sglang:num_retracted_requests_total": _Known("preemptions_total"),
    "llamacpp:requests_processing": _Known("requests_running"),
    "llamacpp:requests_deferred": _Known("requests_waiting"),
    "llamacpp:kv_cache_usage_ratio": _KV,  # gone since mid-2025
    "llamacpp:prompt_tokens_total": _Known("evaluated_prompt_tokens_total"),
    "llamacpp:prompt_tokens_cached_total": _Known("prefix_cache_hit_tokens_total"),
    "llamacpp:tokens_predicted_total": _Known("generation_tokens_total"),
}
# Ranks of one replica work on the same requests, and may all tell them.
_RANKS = frozenset({"tp_rank", "pp_rank", "moe_ep_rank"})


def known_values(text: str) -> dict[str, float]:
    """The metrics that are known, by their canonical names; empty if there are none.

    Replicas are added up, ranks of one replica are not. What is not a finite number is absent.
    """
    told: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for name, labels, value in series(text, _KNOWN):
        # SGLang repeats a gauge for each priority beside the whole, whose priority is empty.
        if labels.get("priority") or not math.isfinite(value):
            continue
        replica = frozenset(item for item in labels.items() if item[0] not in _RANKS)
        group = told.setdefault(name, {})
        group[replica] = max(value, group.get(replica, value))
    values: dict[str, float] = {}
    for name, known in _KNOWN.items():
        if name in told and known.name not in values:
            replicas = told[name].values()
            values[known.name] = known.factor * (max if known.fullest else sum)(replicas)
    return values
