"""What a column's or key's name says: its role, canonical key, statistic and unit.

Only the closed lists of ``chimera.record.vocabulary`` decide. A name outside them has the role
"unknown" and keeps its own name, though its unit is still read.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from chimera.record.units import UNITS
from chimera.record.vocabulary import (
    IDENTITY_SPELLINGS,
    METRIC_SPELLINGS,
    METRICS,
    PARAMETER_SPELLINGS,
    STATISTICS,
    STATUS_SPELLINGS,
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:[._]?\d+)?|100)(?:th)?$")
_ORDINAL = re.compile(r"(\d{1,2}(?:\.\d+)?)(?:th|st|nd|rd)?_(?:percentile|pctl|pct|percentil)")
_OTHER = re.compile(r"[^a-z0-9.]+|\.(?!\d)|(?<!\d)\.")
_MARKS = re.compile("[\u0300-\u036f]")
_IN_PARENTHESES = re.compile(r"(.*\S)\s*\(\s*(\w+)\s*\)$")
_TOKEN_RATES = frozenset({"predicted_per_s", "prompt_per_s"})  # llama.cpp's timings
_RATE_WORDS = (
    ("_tok_", "_tokens_"),
    ("_toks_", "_tokens_"),
    ("_token_per_", "_tokens_per_"),
    ("_req_", "_requests_"),
    ("_reqs_", "_requests_"),
    ("_request_per_", "_requests_per_"),
    ("_per_second_", "_per_s_"),
    ("_per_sec_", "_per_s_"),
    ("_per_seconds_", "_per_s_"),
    ("_tokens_s_", "_tokens_per_s_"),
    ("_tokens_sec_", "_tokens_per_s_"),
    ("_tokens_second_", "_tokens_per_s_"),
    ("_requests_s_", "_requests_per_s_"),
    ("_samples_s_", "_samples_per_s_"),
    ("_it_per_s_", "_iterations_per_s_"),
    ("_t_per_s_", "_tokens_per_s_"),
    ("_e2_e_", "_e2e_"),
    ("_std_dev_", "_sd_"),
    ("_number_of_", "_num_"),
    ("_number_", "_num_"),
    ("_no_of_", "_num_"),
    ("_value_", "_"),
    ("_percentiles_", "_"),
    ("_statistics_", "_"),
    ("_stats_", "_"),
    ("_distribution_", "_"),
)
_PHASE_RATES = tuple(
    (f"_{of}_tps_", f"_{of}_tokens_per_s_")
    for of in [
        "decode",
        "generation",
        "gen",
        "eval",
        "prefill",
        "prompt",
        "prompt_eval",
        "output",
        "total",
    ]
)
_GENERIC = frozenset({"name", "id", "message", "code", "type", "version", "value", "path", "size"})
_NO_MODELS = frozenset({"cpu", "gpu", "machine", "system", "processor", "tokenizer", "device"})
_RATES = {
    "tokens/s": "token_rate",
    "requests/s": "request_throughput",
    "samples/s": "sample_throughput",
}
_BARE_RATES = ("", "throughput", "speed", "rate", "mean", "token", "tokens")


class Reading(msgspec.Struct, frozen=True):
    """What a name says. ``unit`` is "" when the name names none; ``scale`` brings a value to it."""

    role: str
    key: str
    statistic: str = ""
    unit: str = ""
    scale: float = 1.0


@lru_cache(maxsize=8192)
def normal_form(name: str) -> str:
    """The name in lower case words joined by "_", with rates and units spelt one way."""
    text = _CAMEL.sub("_", name.strip()).lower()
    text = text.replace("µ", "u").replace("μ", "u").replace("%", " percent ")
    if not text.isascii():  # "modèle" is "modele"
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    text = text.replace("token(s)", "tokens").replace("/", "_per_")
    text = "_" + _OTHER.sub("_", text).strip("_.") + "_"
    for old, new in (*_RATE_WORDS, *_PHASE_RATES) if "_tps_" in text else _RATE_WORDS:
        if old in text:
            text = text.replace(old, new)
    return text.strip("_")


def _split_statistic(text: str) -> tuple[str, str]:
    """(name without its statistic, statistic); the statistic is "" when none is named."""
    ordinal = _ORDINAL.search(text)
    if ordinal:
        rest = (text[: ordinal.start()] + text[ordinal.end() :]).strip("_").replace("__", "_")
        return rest, "p" + ordinal.group(1)
    words = text.split("_")
    statistic = ""
    kept = []
    last = len(words) - (4 if "_".join(words[-3:]) in UNITS else 3)
    for i, word in enumerate(words):
        hit = ""
        if word in STATISTICS:
            hit = STATISTICS[word]
        elif word[:1] == "p" and _PERCENTILE.match(word):
            hit = "p" + word[1:].removesuffix("th")
        # A statistic stands at one end of a name, or before its unit.
        if hit and (i < 2 or i >= last) and statistic in ("", "overall"):
            statistic = hit
        elif hit == "overall" or (hit and statistic):
            statistic = statistic or hit
        else:
            kept.append(word)
    return "_".join(kept), "" if statistic == "overall" else statistic


def _split_unit(text: str) -> tuple[str, str, float]:
    """(name without its unit, canonical unit, factor) for a unit that ends the name."""
    if text in _TOKEN_RATES:
        return text.removesuffix("_per_s"), "tokens/s", 1.0
    words = text.split("_")
    for take in (3, 2, 1):
        if len(words) >= take:
            found = UNITS.get("_".join(words[-take:]))
            if found and not (take == 1 and words[-1] in ("tokens", "percent") and take < 2):
                return "_".join(words[:-take]), found[0], found[1]
    if words[-1] in ("percent", "pct") and len(words) > 1:
        return "_".join(words[:-1]), "%", 1.0
    return text, "", 1.0


def _lookup(name: str, unit: str) -> tuple[str, str] | None:
    """(role, key) of a bare name; a status word with a unit of time is no status."""
    if name in METRIC_SPELLINGS:
        return "metric", METRIC_SPELLINGS[name]
    if unit:
        return None
    for role, table in (
        ("parameter", PARAMETER_SPELLINGS),
        ("identity", IDENTITY_SPELLINGS),
        ("status", STATUS_SPELLINGS),
    ):
        if name in table:
            return role, table[name]
    return None


def _own_unit(key: str) -> str:
    """The unit that a metric has even if its name names none: only what can be counted."""
    own = METRICS[key].unit
    return own if own in ("tokens", "characters", "1") else ""


def _fits(key: str, unit: str) -> bool:
    """Whether a metric can have that unit (a throughput in ms is something else)."""
    return not unit or METRICS[key].unit == unit or METRICS[key].unit in ("1", "characters")


def lacks_unit(key: str, unit: str) -> bool:
    """Whether a metric is a time of which nothing says in what it was measured."""
    return not unit and key in METRICS and METRICS[key].unit == "s"


def is_bare(name: str) -> bool:
    """Whether a name says only which statistic or unit it is in: "mean", "p95 (ms)"."""
    base = _split_unit(_split_statistic(normal_form(name))[0])[0]
    return not base or base in _GENERIC or base == "tokens"


@lru_cache(maxsize=8192)
def read_name(name: str, parent: str = "") -> Reading:
    """What ``name`` says; ``parent`` is the enclosing JSON key, used when the name alone is
    generic ("mean" under "ttft", "name" under "model").
    """
    text = normal_form(name)
    if parent and text in ("model", "name") and normal_form(parent) in _NO_MODELS:
        return read_name(f"{parent}_{name}")
    whole = _lookup(text, "")
    if whole and text not in _GENERIC:
        return _plain(text, *whole)
    bare, statistic = _split_statistic(text)
    base, unit, scale = _split_unit(bare)
    if (not base or base in _GENERIC) and parent:
        joined = read_name(f"{parent}_{name}")
        if joined.role != "unknown":
            return joined
    if not base and unit in _RATES:
        return Reading("metric", _RATES[unit], statistic, unit, scale)
    found = _lookup(bare, "") or _lookup(base, unit)
    if not found and base.startswith("total_") and base[6:] in METRIC_SPELLINGS:
        found, statistic = ("metric", METRIC_SPELLINGS[base[6:]]), statistic or "sum"
    if not found and not base and unit == "s":
        found = ("metric", "duration")
    if base == "load" and statistic and not unit:
        found = None  # "load_average" is how busy a machine is
    if found and found[0] == "metric":
        return _measured(name, found[1], statistic, unit, scale)
    if unit in _RATES and base in _BARE_RATES:
        return Reading("metric", _RATES[unit], statistic, unit, scale)
    if "throughput" in (base, text):
        return Reading("metric", "throughput", statistic, unit, scale)
    if found and not statistic:
        return Reading(found[0], found[1])
    if whole:
        return Reading(whole[0], whole[1])
    if "_successful_" in text:  # GuideLLM: of the requests that succeeded
        return read_name(text.replace("_successful_", "_"))
    unknown = Reading("unknown", name, statistic, unit, scale)
    return unknown if statistic or unit else _in_parentheses(name) or unknown


def _in_parentheses(name: str) -> Reading | None:
    """What "Kontext (num_ctx)" says in its parentheses; None unless only they are known."""
    match = _IN_PARENTHESES.match(name.strip())
    if not match or match[2].lower() in UNITS or read_name(match[1]).role != "unknown":
        return None
    inside = read_name(match[2])
    return inside if inside.role in ("metric", "parameter") else None


def _plain(text: str, role: str, key: str) -> Reading:
    """A name that stands in the vocabulary as it is."""
    if role != "metric":
        return Reading(role, key)
    _, unit, scale = _split_unit(text)
    if unit == METRICS[key].unit and unit != "s":
        return Reading(role, key, "", unit, scale)
    return Reading(role, key, "", _own_unit(key))


def _measured(name: str, key: str, statistic: str, unit: str, scale: float) -> Reading:
    """A metric with whatever unit its name gives it; no metric where that cannot be."""
    if _fits(key, unit):
        return Reading("metric", key, statistic, unit or _own_unit(key), scale)
    if unit in _RATES and key in ("tokens", "total_tokens"):
        return Reading("metric", _RATES[unit], statistic, unit, scale)
    return Reading("unknown", name, statistic, unit, scale)
