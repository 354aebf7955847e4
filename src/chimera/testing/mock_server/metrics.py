"""GET /metrics as vLLM has it: what runs, what waits, and totals that only ever grow."""

from __future__ import annotations

from collections.abc import Iterable

from chimera.testing.mock_server.truth import RequestTruth

KIND = "text/plain; version=0.0.4; charset=utf-8"
# The first bounds of vLLM's own histogram, in seconds.
_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10)


class Totals:
    """Sums over requests; ``add`` each once, when it is over."""

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.ttft_s: list[float] = []
        self.finished: dict[str, int] = {"stop": 0, "length": 0, "abort": 0}

    def add(self, truth: RequestTruth, ttft_ns: int | None, finish: str) -> None:
        self.prompt_tokens += truth.prompt_tokens
        self.generation_tokens += truth.tokens
        if ttft_ns is not None:
            self.ttft_s.append(ttft_ns / 1e9)
        if truth.outcome != "running":
            self.finished[finish if truth.outcome == "done" else "abort"] += 1

    def copy(self) -> Totals:
        copy = Totals()
        copy.prompt_tokens = self.prompt_tokens
        copy.generation_tokens = self.generation_tokens
        copy.ttft_s = self.ttft_s.copy()
        copy.finished = self.finished.copy()
        return copy


def render(model: str, running: int, waiting: int, usage: float, totals: Totals) -> bytes:
    """The text of the page."""
    label = f'engine="0",model_name="{model}"'
    lines: list[str] = []

    def family(name: str, kind: str, samples: Iterable[tuple[str, str, float]]) -> None:
        lines.append(f"# HELP vllm:{name} Of the mock server.")
        lines.append(f"# TYPE vllm:{name} {kind}")
        lines.extend(f"vllm:{name}{end}{{{label}{more}}} {v}" for end, more, v in samples)

    family("num_requests_running", "gauge", [("", "", float(running))])
    family("num_requests_waiting", "gauge", [("", "", float(waiting))])
    family("kv_cache_usage_perc", "gauge", [("", "", usage)])
    # Declared without _total and sampled with it, as the Prometheus client does.
    family("prompt_tokens", "counter", [("_total", "", float(totals.prompt_tokens))])
    family("generation_tokens", "counter", [("_total", "", float(totals.generation_tokens))])
    reasons = totals.finished.items()
    family(
        "request_success",
        "counter",
        [("_total", f',finished_reason="{reason}"', float(n)) for reason, n in reasons],
    )
    ttft = totals.ttft_s
    bounds = [(f',le="{bound}"', sum(t <= bound for t in ttft)) for bound in map(float, _BOUNDS)]
    bounds.append((',le="+Inf"', len(ttft)))
    family(
        "time_to_first_token_seconds",
        "histogram",
        [
            *(("_bucket", more, float(n)) for more, n in bounds),
            ("_count", "", float(len(ttft))),
            ("_sum", "", sum(ttft)),
        ],
    )
    return "\n".join([*lines, ""]).encode()
