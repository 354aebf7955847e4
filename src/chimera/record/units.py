"""Units of this field, and how each becomes its canonical one.

The list is closed on purpose: general unit parsers read "28 CSV" as coulombs and lose tok/s.
"""

from __future__ import annotations

SECONDS = "s"
TOKENS_PER_S = "tokens/s"

# spelling (lower case, as a name's last words joined by "_") -> (canonical unit, factor)
UNITS: dict[str, tuple[str, float]] = {
    "s": ("s", 1.0),
    "sec": ("s", 1.0),
    "secs": ("s", 1.0),
    "second": ("s", 1.0),
    "seconds": ("s", 1.0),
    "ms": ("s", 1e-3),
    "msec": ("s", 1e-3),
    "msecs": ("s", 1e-3),
    "millis": ("s", 1e-3),
    "millisecond": ("s", 1e-3),
    "milliseconds": ("s", 1e-3),
    "us": ("s", 1e-6),
    "usec": ("s", 1e-6),
    "microsecond": ("s", 1e-6),
    "microseconds": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "nsec": ("s", 1e-9),
    "nanosecond": ("s", 1e-9),
    "nanoseconds": ("s", 1e-9),
    "minute": ("s", 60.0),
    "minutes": ("s", 60.0),
    "mins": ("s", 60.0),
    "hour": ("s", 3600.0),
    "hours": ("s", 3600.0),
    "tokens_per_s": ("tokens/s", 1.0),
    "ktokens_per_s": ("tokens/s", 1e3),
    "tokens_per_ms": ("tokens/s", 1e3),
    "tokens_per_minute": ("tokens/s", 1 / 60),
    "requests_per_s": ("requests/s", 1.0),
    "requests_per_minute": ("requests/s", 1 / 60),
    "samples_per_s": ("samples/s", 1.0),
    "iterations_per_s": ("iterations/s", 1.0),
    "s_per_token": ("s", 1.0),
    "ms_per_token": ("s", 1e-3),
    "ns_per_token": ("s", 1e-9),
    "s_per_request": ("s", 1.0),
    "ms_per_request": ("s", 1e-3),
    "bytes": ("bytes", 1.0),
    "kb": ("bytes", 1e3),
    "mb": ("bytes", 1e6),
    "gb": ("bytes", 1e9),
    "kib": ("bytes", 2.0**10),
    "mib": ("bytes", 2.0**20),
    "gib": ("bytes", 2.0**30),
    "percent": ("%", 1.0),
    "pct": ("%", 1.0),
    "watt": ("W", 1.0),
    "watts": ("W", 1.0),
    "mw": ("W", 1e-3),
    "joule": ("J", 1.0),
    "joules": ("J", 1.0),
    "mhz": ("Hz", 1e6),
    "ghz": ("Hz", 1e9),
    "celsius": ("°C", 1.0),
    "tokens": ("tokens", 1.0),
    "tokens_per_request": ("tokens", 1.0),
}

# Ways to write one unit that are read the same; applied to names and to cells.
SPELLINGS: tuple[tuple[str, str], ...] = (
    ("µ", "u"),
    ("μ", "u"),
    ("%", "_percent"),
    ("token(s)", "tokens"),
    ("tok/", "tokens/"),
    ("toks/", "tokens/"),
    ("token/", "tokens/"),
    ("t/s", "tokens/s"),
    ("tokenstokens/s", "tokens/s"),
    ("req/", "requests/"),
    ("reqs/", "requests/"),
    ("request/", "requests/"),
)


def unit_of(text: str) -> tuple[str, float] | None:
    """Canonical unit and factor of a unit as written beside a number ("ms", "tok/s").

    None when the text is no unit of this field.
    """
    key = text.strip().lower()
    if key in UNITS:
        return UNITS[key]
    for old, new in SPELLINGS:
        if old in key and not (old == "t/s" and key != "t/s"):
            key = key.replace(old, new)
    key = key.strip("_ ").replace("/second", "/s").replace("/sec", "/s")
    key = key.replace("/", "_per_").replace(" ", "_")
    return UNITS.get(key)
