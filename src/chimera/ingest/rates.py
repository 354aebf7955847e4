"""What a bare "tokens/s" and a TTFT mean, proved by the other values of the same rows."""

from __future__ import annotations

from chimera.ingest.columns import AddNote
from chimera.record.batch import Batch, Column

DERIVED = "derived"
_TOKEN_RATES = ("decode_throughput", "token_rate", "wall_throughput")
_MOST = 0.9
_DISTINCT = 3  # values that a proof of a unit needs, so that it is no accident
_TOLERANCE = 0.015
_TIMES_OF_ONE_ANSWER = ("e2e_latency", "generation_time", "duration")


def name_rates(batch: Batch, metrics: dict[str, Column], note: AddNote) -> None:
    """A bare "tokens/s" gets its meaning from its own row's tokens and times, or keeps none.

    ``metrics`` are the batch's, by key, without statistics of others.
    """
    _prove_seconds(metrics, batch.outcomes)
    tokens = metrics.get("output_tokens") or metrics.get("tokens")
    output = metrics.get("output_throughput")
    if output and tokens and batch.kind == "sample":
        # GuideLLM calls that of one request so too: its own tokens over its own whole time.
        time = metrics.get("e2e_latency")
        if time and time.unit == "s" and _holds(output, tokens, time, batch.outcomes):
            output.key = "wall_throughput"
    rate = metrics.get("token_rate")
    if rate is None or rate.unit != "tokens/s":
        return
    decode = metrics.get("decode_time")
    if tokens and decode and decode.unit == "s" and _holds(rate, tokens, decode, batch.outcomes):
        rate.key = "decode_throughput"
        return
    for key in _TIMES_OF_ONE_ANSWER:
        time = metrics.get(key)
        if tokens and time and time.unit == "s" and _holds(rate, tokens, time, batch.outcomes):
            rate.key = "wall_throughput"
            return
    if batch.kind == "sample":
        note("rate-meaning-unknown", column=rate.name)


def _prove_seconds(metrics: dict[str, Column], outcomes: list[str]) -> None:
    """A latency without a unit is in seconds when tokens over it give the row's tokens/s."""
    time, tokens = metrics.get("e2e_latency"), metrics.get("output_tokens")
    if time is None or time.unit or tokens is None or len({*time.values}) < _DISTINCT:
        return
    for key in ("output_throughput", "wall_throughput", "token_rate"):
        rate = metrics.get(key)
        if rate and rate.unit == "tokens/s" and _holds(rate, tokens, time, outcomes):
            time.unit, time.unit_from = "s", "equal rate"
            return


def _holds(rate: Column, tokens: Column, time: Column, outcomes: list[str]) -> bool:
    """Whether rate = tokens / time in nearly all records where all three are known."""
    checked = held = 0
    for r, k, t, failed in zip(rate.values, tokens.values, time.values, outcomes, strict=True):
        if r and k and t and not failed:
            checked += 1
            held += abs(r - k / t) <= _TOLERANCE * r
    return checked > 0 and held >= _MOST * checked


def derive_rates(batch: Batch, metrics: dict[str, Column], note: AddNote) -> None:
    """Rates that a table of samples does not state, worked out from its tokens and times."""
    if batch.kind != "sample":
        return
    if not metrics.keys() & set(_TOKEN_RATES):
        _derive(batch, "decode_throughput", metrics.get("output_tokens"), "decode_time", metrics)
    if "prefill_throughput" not in metrics:
        _derive(batch, "prefill_throughput", metrics.get("prompt_tokens"), "prefill_time", metrics)
    for column in batch.columns:
        if column.unit_from == DERIVED:
            note("derived-rate", column=column.name)


def _derive(
    batch: Batch, key: str, tokens: Column | None, of: str, metrics: dict[str, Column]
) -> None:
    time = metrics.get(of)
    if tokens is None or time is None or time.unit != "s":
        return
    counts, name = tokens.values, tokens.name
    cached = metrics.get("cached_tokens") if key == "prefill_throughput" else None
    if key == "prefill_throughput" and cached is None and not name.endswith("prompt_n"):
        return  # some of the prompt may have come from a cache, and nothing says how much
    # llama.cpp's prompt_n counts only the tokens that it evaluated.
    if cached is not None and not name.endswith("prompt_n"):
        pairs = zip(counts, cached.values, strict=True)
        counts = [None if n is None else n - (less or 0) for n, less in pairs]
        name = f"({name} - {cached.name})"
    values = [
        n / t if n and t and n > 0 and t > 0 else None
        for n, t in zip(counts, time.values, strict=True)
    ]
    if values.count(None) == len(values):
        return
    column = Column(f"{name} / {time.name}", "metric", key, "", "tokens/s", 1.0, values, values)
    column.unit_from = DERIVED
    batch.columns.append(column)


def note_load_in_ttft(metrics: dict[str, Column], outcomes: list[str], note: AddNote) -> None:
    """TTFT = load + prefill in every row: a reload sits inside TTFT."""
    ttft, load = metrics.get("ttft"), metrics.get("load_time")
    prefill = metrics.get("prefill_time")
    if not (ttft and load and prefill):
        return
    checked = held = 0
    for t, a, b, failed in zip(ttft.values, load.values, prefill.values, outcomes, strict=True):
        if t and a is not None and b is not None and not failed:
            checked += 1
            held += abs(t - a - b) <= max(1e-3 * t, 2e-4)
    if checked and held >= _MOST * checked:
        note("ttft-holds-load", column=ttft.name, detail=f"{load.name} + {prefill.name}")
