"""What `chimera bench` is asked, from words to a plan."""

from __future__ import annotations

import re
from typing import Any

import click

from chimera.errors import InputError
from chimera.measure.plan import BenchPlan, Load, Setting, options_of
from chimera.measure.search import rates_between
from chimera.measure.workloads import Workload
from chimera.record.metrics.registry import METRICS

_UNTIL = re.compile(r"(?:(\w+)=)?(\d+(?:\.\d+)?)%?")
_UNTIL_METRICS = {
    "ci": "decode_tokens_per_s",
    "decode": "decode_tokens_per_s",
    "ttft": "ttft_s",
    "tpot": "tpot_s",
    "e2e": "e2e_latency_s",
}
SLO_METRICS = {"ttft": "ttft_s", "tpot": "tpot_s", "e2e": "e2e_latency_s"}
_TIMES = {"": 1.0, "s": 1.0, "ms": 1e-3}


def setting(text: str) -> Setting:
    """A value as it is meant: a whole number, a number, true or false, or a word."""
    lower = text.strip().lower()
    if lower in ("true", "false"):
        return lower == "true"
    for kind in (int, float):
        try:
            return kind(lower)
        except ValueError:
            continue
    return text.strip()


def settings(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[Setting, ...]]:
    """NAME=VALUE[,VALUE...] as given, each name once."""
    found: dict[str, tuple[Setting, ...]] = {}
    for text in values:
        name, equals, listed = text.partition("=")
        parts = [part for part in listed.split(",") if part.strip()]
        if not equals or not name.strip() or not parts:
            message = f"{text!r} is no NAME=VALUE or NAME=VALUE,VALUE such as num_ctx=1024,4096"
            raise click.BadParameter(message, ctx, param)
        name = name.strip()
        if name in found:
            raise click.BadParameter(f"{name!r} is set twice", ctx, param)
        found[name] = tuple(map(setting, parts))
    return found


def numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
    """Positive numbers separated by commas; none if the option was not given."""
    if value is None:
        return ()
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError:
        found = (0.0,)
    if not all(0 < number < float("inf") for number in found):
        message = f"{value!r} is no list of numbers above 0 such as 1,4,16"
        raise click.BadParameter(message, ctx, param)
    return found


def whole_numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...]:
    """As ``numbers``, whole ones."""
    found = numbers(ctx, param, value)
    if any(number != int(number) for number in found):
        raise click.BadParameter(f"{value!r} must be whole numbers such as 1,4,16", ctx, param)
    return tuple(int(number) for number in found)


def rate_range(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[float, float] | None:
    """Two rates such as 1:50, the lower first."""
    if value is None:
        return None
    try:
        low, high = (float(part) for part in value.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low < high < float("inf"):
        raise click.BadParameter(f"{value!r} is no range of rates such as 1:50", ctx, param)
    return low, high


def until(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, float] | None:
    """A limit such as ci=2% as (metric, percent)."""
    if value is None:
        return None
    match = _UNTIL.fullmatch(value.strip())
    metric = _UNTIL_METRICS.get((match[1] or "ci") if match else "")
    if match is None or metric is None or float(match[2]) <= 0:
        names = ", ".join(_UNTIL_METRICS)
        message = f"{value!r} is no limit such as ci=2% or ttft=5% (one of {names})"
        raise click.BadParameter(message, ctx, param)
    return metric, float(match[2])


def slo(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, float]:
    """Limits such as ttft=500ms,tpot=50ms as metric to seconds."""
    found: dict[str, float] = {}
    for part in (value or "").split(","):
        if not part.strip():
            continue
        match = re.fullmatch(r"(\w+)=(\d+(?:\.\d+)?)(ms|s|)", part.strip())
        if match is None or match[1] not in SLO_METRICS or float(match[2]) <= 0:
            names = ", ".join(SLO_METRICS)
            message = f"{part!r} is no limit such as ttft=500ms (one of {names}, in ms or s)"
            raise click.BadParameter(message, ctx, param)
        if SLO_METRICS[match[1]] in found:
            raise click.BadParameter(f"{match[1]} has two limits", ctx, param)
        found[SLO_METRICS[match[1]]] = float(match[2]) * _TIMES[match[3]]
    return found


def plan_of(asked: dict[str, Any], workload: Workload) -> BenchPlan:
    """The plan that the options of the command ask for.

    Raises:
        InputError: options that exclude each other.
    """
    given: dict[str, tuple[Setting, ...]] = asked["settings"]
    fixed = {name: values[0] for name, values in given.items() if len(values) == 1}
    grid = {name: values for name, values in given.items() if len(values) > 1}
    metric, percent = asked["until"] or ("decode_tokens_per_s", None)
    assert metric in METRICS
    return BenchPlan(
        target=asked["target"],
        workload=workload,
        options=options_of(fixed),
        grid=grid,
        loads=_loads(asked),
        requests=asked["requests"],
        seconds=asked["seconds"],
        repeats=asked["repeats"],
        warmup=asked["warmup"],
        until_percent=percent,
        until_metric=metric,
        most_repeats=asked["most_repeats"],
        max_tokens=asked["max_tokens"],
        ignore_eos=not asked["stop_at_eos"],
        cache_prompt=asked["cache_prompt"],
        seed=asked["seed"],
        timeout_s=asked["timeout"],
        stall_s=asked["stall"],
        slo=asked["slo"],
        search=bool(asked["find_rate"]),
        processes=asked["processes"],
        watch=asked["watch"],
        experiment=asked["experiment"] or "",
    )


def _loads(asked: dict[str, Any]) -> tuple[Load, ...]:
    ways = [name for name in ("concurrency", "rate", "replay", "find_rate") if asked[name]]
    if len(ways) > 1:
        first, second = (way.replace("_", "-") for way in ways[:2])
        raise InputError(f"--{first} and --{second} exclude each other: take one of them")
    if asked["find_rate"] and not asked["slo"]:
        raise InputError("--find-rate needs limits to meet: give --slo such as ttft=500ms")
    if asked["seconds"] is not None and asked["requests"] is not None:
        raise InputError("--seconds and --requests exclude each other: take one of them")
    if asked["find_rate"]:
        low, high = asked["find_rate"]
        return rates_between(low, high, asked["arrival"])
    if asked["replay"]:
        return (Load("trace", None),)
    if asked["rate"]:
        return tuple(Load(asked["arrival"], None, rate) for rate in asked["rate"])
    return tuple(Load("closed", clients) for clients in asked["concurrency"] or (1,))
