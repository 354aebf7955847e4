"""Every call of the model, recorded whole, and what it cost."""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.engines.base import Completion, Load
from chimera.facts.book import FactBook
from chimera.facts.fact import Fact, Origin

CALLS_FILE = "calls.jsonl"


class Call(msgspec.Struct, kw_only=True):
    """One call. Times in seconds on this process's clock, ``server_*`` as the server says.

    ``counted_tokens`` is our own count of the prompt before the call, ``prompt_tokens`` the
    server's afterwards; None where one is not known. ``error`` is "" when the call succeeded.
    ``attempt`` is 2 where the same was asked before in vain; ``waited_s`` is what the caller
    waited, None where nothing was sent.
    """

    purpose: str
    prompt: str
    reply: str = ""
    grammar: str = ""
    json_schema: dict[str, Any] | None = None
    error: str = ""
    attempt: int = 1
    waited_s: float | None = None
    counted_tokens: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    evaluated_tokens: int | None = None
    output_tokens: int | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    server_prefill_s: float | None = None
    server_decode_s: float | None = None
    finish_reason: str | None = None
    shortened: bool = False
    raw_request: dict[str, Any] = {}
    raw_reply: dict[str, Any] | None = None

    @property
    def token_counts_differ(self) -> bool:
        """The server saw another number of prompt tokens than were counted before."""
        known = self.counted_tokens is not None and self.prompt_tokens is not None
        return known and self.counted_tokens != self.prompt_tokens


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9


def record(call: Call, completion: Completion) -> None:
    """Fill a call from what the engine brought back."""
    call.reply = completion.text
    call.prompt_tokens = completion.prompt_tokens
    call.cached_tokens = completion.cached_tokens
    call.evaluated_tokens = completion.evaluated_tokens
    call.output_tokens = completion.output_tokens
    start = completion.sent_ns if completion.sent_ns is not None else completion.start_ns
    if completion.first_token_ns is not None:
        call.ttft_s = _seconds(completion.first_token_ns - start)
    call.total_s = _seconds(completion.end_ns - completion.start_ns)
    call.server_prefill_s = _seconds(completion.server_prefill_ns)
    call.server_decode_s = _seconds(completion.server_decode_ns)
    call.finish_reason = completion.finish_reason
    call.raw_request = completion.raw_request
    call.raw_reply = completion.raw_reply


class CallMetrics(msgspec.Struct, frozen=True):
    """The agent's own figures: (label, what it is, fact). A fact's value may be None."""

    rows: tuple[tuple[str, str, Fact], ...]


def _total(calls: list[Call], field: str) -> float | None:
    values = [v for c in calls if (v := getattr(c, field)) is not None]
    return sum(values) if values else None


def call_metrics(book: FactBook, calls: list[Call], load: Load | None) -> CallMetrics:
    """Figures over all calls that succeeded, each with what it is and over how many calls."""
    good = [c for c in calls if not c.error]
    # The run's own record (calls.jsonl), not the data that the report is about.
    origin = (Origin("(this run)", "", tuple(range(2, len(calls) + 2))),)
    rows: list[tuple[str, str, Fact]] = []

    def add(label: str, how: str, value: float | int | None, unit: str, statistic: str) -> None:
        fact = book.add(
            (("agent", "own calls"),),
            label,
            statistic,
            value,
            unit,
            scope="this report",
            n=len(good),
            origins=origin,
            expression=f"{how} ({CALLS_FILE})",
            ci_why="few calls; not computed",
            why_none="" if value is not None else "no call gave it",
        )
        rows.append((label, how, fact))

    decode, output = _total(good, "server_decode_s"), _total(good, "output_tokens")
    ttfts = [c.ttft_s for c in good if c.ttft_s is not None]
    rate = output / decode if output and decode else None
    add("throughput", "output tokens of all calls / their decode time", rate, "tokens/s", "ratio")
    mean_ttft = sum(ttfts) / len(ttfts) if ttfts else None
    add("TTFT", "mean over the calls", mean_ttft, "s", "mean")
    add("total duration", "sum over the calls", _total(good, "total_s"), "s", "sum")
    add("tokens generated", "sum over the calls", output, "tokens", "sum")
    add("prompt tokens", "sum over the calls", _total(good, "prompt_tokens"), "tokens", "sum")
    for label, field in (("from cache", "cached_tokens"), ("evaluated", "evaluated_tokens")):
        add(f"prompt tokens {label}", "sum over the calls", _total(good, field), "tokens", "sum")
    prefill = _total(good, "server_prefill_s")
    add("prompt evaluation", "sum over the calls, by the server's clock", prefill, "s", "sum")
    add("evaluation", "sum over the calls, by the server's clock", decode, "s", "sum")
    loaded = None if load is None else (load.ready_ns - load.start_ns) / 1e9
    add("load", "once: from start until the model is ready", loaded, "s", "sum")
    return CallMetrics(tuple(rows))
