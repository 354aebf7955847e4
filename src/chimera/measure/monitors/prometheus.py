"""A server's own metrics (``/metrics``): vLLM, SGLang, llama-server and Text Generation Inference.

The list is closed: what is not in it is passed over.
"""

from __future__ import annotations

import http.client
import math
import re
import urllib.error
import urllib.request

from chimera.measure.monitors.sources import Unavailable, Values

# Labels may hold anything in quotes, and an exemplar may follow the value.
_LINE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)')
_MOST_BYTES = 1 << 22
_WAIT_S = 1.0

# Their names, with ":" and "_" alike -> ours. What is a sum over labels is added up.
_KNOWN = {
    "vllm_num_requests_running": "requests_running",
    "vllm_num_requests_waiting": "requests_waiting",
    "vllm_gpu_cache_usage_perc": "kv_cache_share",
    "vllm_kv_cache_usage_perc": "kv_cache_share",
    "vllm_prompt_tokens_total": "prompt_tokens_total",
    "vllm_generation_tokens_total": "output_tokens_total",
    "vllm_num_preemptions_total": "preemptions_total",
    "vllm_time_to_first_token_seconds_sum": "ttft_sum_s",
    "vllm_time_to_first_token_seconds_count": "ttft_count",
    "vllm_e2e_request_latency_seconds_sum": "e2e_latency_sum_s",
    "vllm_e2e_request_latency_seconds_count": "e2e_latency_count",
    "vllm_request_queue_time_seconds_sum": "queue_sum_s",
    "vllm_request_queue_time_seconds_count": "queue_count",
    "vllm_prefix_cache_queries_total": "prefix_cache_queries_total",
    "vllm_prefix_cache_hits_total": "prefix_cache_hits_total",
    "sglang_num_running_reqs": "requests_running",
    "sglang_num_queue_reqs": "requests_waiting",
    "sglang_token_usage": "kv_cache_share",
    "sglang_cache_hit_rate": "prefix_cache_hit_share",
    "sglang_gen_throughput": "output_tokens_per_s",
    "sglang_prompt_tokens_total": "prompt_tokens_total",
    "sglang_generation_tokens_total": "output_tokens_total",
    "sglang_time_to_first_token_seconds_sum": "ttft_sum_s",
    "sglang_time_to_first_token_seconds_count": "ttft_count",
    "llamacpp_requests_processing": "requests_running",
    "llamacpp_requests_deferred": "requests_waiting",
    "llamacpp_kv_cache_usage_ratio": "kv_cache_share",
    "llamacpp_prompt_tokens_total": "prompt_tokens_total",
    "llamacpp_tokens_predicted_total": "output_tokens_total",
    "llamacpp_prompt_seconds_total": "prefill_sum_s",
    "llamacpp_tokens_predicted_seconds_total": "decode_sum_s",
    "tgi_queue_size": "requests_waiting",
    "tgi_batch_current_size": "requests_running",
}


def parse_metrics(text: str) -> Values:
    """The known values in a Prometheus text.

    Those of several labels are added up; of shares, which one server may even give under two
    names, the largest counts.
    """
    found: Values = {}
    for line in text.split("\n"):
        match = _LINE.match(line)
        name = _KNOWN.get(match[1].replace(":", "_")) if match else None
        if match is None or name is None:
            continue
        try:
            value = float(match[2])
        except ValueError:
            continue
        if math.isfinite(value):
            before = found.get(name, 0.0)
            found[name] = max(before, value) if name.endswith("_share") else before + value
    return {name: value for name, value in found.items() if math.isfinite(value)}


class ServerMetrics:
    """One server's page. ``headers`` may hold a key and are never shown."""

    name = "server"

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._request = urllib.request.Request(url, headers=headers or {})  # noqa: S310
        # No proxy: what is watched is the server itself.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        if not self.read():
            raise Unavailable("its metrics page has nothing that is known here")

    def read(self) -> Values:
        try:
            with self._opener.open(self._request, timeout=_WAIT_S) as reply:
                return parse_metrics(reply.read(_MOST_BYTES).decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            raise Unavailable(f"its metrics page answers HTTP {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            raise Unavailable(f"its metrics page cannot be read: {why}") from None
