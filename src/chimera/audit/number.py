"""A number as it is written: its value, unit, precision, and how it is meant."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from chimera.record.units import unit_of

Form = Literal["plain", "percent", "multiple", "points"]
Modifier = Literal["", "about", "over", "under", "at least", "at most"]
# Longest first. What may stand between a number and its unit is a blank or a hyphen.
UNITS = (
    r"(?:tok(?:en)?s?|tkns?|t)(?:\(s\))?(?: (?:generated|out|of output))?\s?(?:(?:/|·)\s?|(?:per|a|each|every|for every|for each)\s(?:single )?)(?:seconds?|secs?|s)\b|"
    r"(?:tok(?:en)?s?|t)[ ·*.]?s(?:\^-?1|\^\{-1\}|⁻¹|-1)|"
    r"req(?:uest)?s?\s?(?:/\s?|(?:per|a|each|every)\s)(?:seconds?|secs?|s)\b|"
    r"tokens? per seconds?|tokens? per sec|tokens?/seconds?|tokens?/sec|toks?/sec|toks?/s|"
    r"tokens?/s|tokens? a second|tokens? every second|tokens? each second|tokens?\(s\)/s|tk/s|t/s|tps|tok/sec|"
    r"tokens?/min(?:ute)?|tokens? per minute|requests? per seconds?|requests?/seconds?|"
    r"requests?/sec|requests?/s|reqs?/s|reqs?/sec|rps|qps|queries per second|requests a second|"
    r"samples? per second|samples?/s|(?:requests?|reqs?)(?: per |/)min(?:ute)?s?|"
    r"milliseconds?|millis|msecs?|ms|microseconds?|usecs?|[uµμ]s|nanoseconds?|nsecs?|ns|"
    r"seconds?|secs?|s|minutes?|mins?|hours?|hrs?|h|"
    r"percentage points?|percent|per cent|pct|%-points?|pp|%|"
    r"GiB|MiB|KiB|GB|MB|KB|TB|gigabytes?|megabytes?|bytes|"
    r"watts?|W|joules?|J|MHz|GHz|°C|"
    r"times|x|×|X|[- ]?fold|(?:generated |output )?tokens?|toks?"
)
UNIT = re.compile(rf"[ \u00a0\u202f]{{0,9}}[- ]?(?P<unit>{UNITS})(?![\w])(?!/\w)")
_ALIASES = {
    "tokens a second": "tokens/s", "token a second": "tokens/s", "tk/s": "tokens/s",
    "tokens every second": "tokens/s", "tokens each second": "tokens/s",
    "tps": "tokens/s", "rps": "requests/s", "qps": "requests/s",
    "queries per second": "requests/s", "requests a second": "requests/s", "toks/sec": "tok/s",
    "per cent": "percent", "gigabytes": "gb", "gigabyte": "gb", "megabytes": "mb",
    "megabyte": "mb", "hrs": "hours", "hr": "hours", "h": "hours", "hour": "hours",
    "min": "minutes", "w": "watts", "token": "tokens", "tb": "tb", "tok": "tokens", "toks": "tokens", "generated tokens": "tokens", "generated token": "tokens", "output tokens": "tokens", "output token": "tokens", "j": "joule", "secs": "s",
}  # fmt: skip
_PER_SECOND = re.compile(r"(?:/|·|per|a|each|every|single)\s?(?:seconds?|secs?|s)$|s(?:\^|⁻|-)")
_PER = re.compile(r"\s+(?:per|a|every|each)\s+")
_MULTIPLES = frozenset({"times", "x", "×", "fold", "-fold", " fold"})
_POINTS = frozenset({"percentage point", "percentage points", "%-point", "%-points", "pp"})
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|circa|ca\.|some|close to|"
    r"just (?:over|under|above|below)|in the (?:region|ballpark|vicinity|neighbou?rhood|area|range|order) of|hover(?:s|ed|ing)? (?:around|near|at)|near(?:ing)?|approaching|more or less|something like|somewhere (?:around|near)|at around|a (?:shade|touch|hair|tad|bit) (?:over|under|above|below|more than|less than)|loosely|rounded|or so|on the order of|a little (?:over|"
    r"under|above|below)|slightly (?:over|under|above|below|more than|less than)|well-nigh)"
    r"(?: an?| the)?|[~≈∼]|±|≅)\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(r"(?:\b(?:pass(?:es|ed)|cross(?:es|ed)|over|more than|above|exceed(?:s|ed|ing)?|greater than|upwards of|"
                   r"north of|in excess of|beyond|higher than|longer than)|>)\s*$", re.IGNORECASE)  # fmt: skip
_UNDER = re.compile(
    r"(?:\b(?:under|less than|below|fewer than|beneath|south of|smaller than|short of|lower than|shorter than)|<)\s*$",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:\b(?:at least|no less than|no fewer than|minimum of)|≥|>=)\s*$", re.IGNORECASE
)
_MOST = re.compile(r"(?:\b(?:at most|no more than|up to|maximum of)|≤|<=)\s*$", re.IGNORECASE)


class Number(msgspec.Struct, frozen=True):
    """A number in a text: ``text[start:end]`` with its unit.

    ``value`` is as written (k and M worked in); times ``scale`` it is in the canonical ``unit``,
    which is "" when none is named. ``slack`` is half a unit of the last written digit, of ``value``.
    ``is_spread`` marks what stands behind "±".
    ``high`` is the upper end of a range, ``of`` the n of "k of n". ``worded`` marks one that is
    written in words.
    """

    start: int
    end: int
    value: float
    slack: float
    unit: str = ""
    scale: float = 1.0
    form: Form = "plain"
    modifier: Modifier = ""
    high: float | None = None
    high_slack: float = 0.0
    worded: bool = False
    written: str = ""
    between: bool = False
    of: float | None = None
    signed: bool = False
    is_spread: bool = False

    @property
    def canonical(self) -> float:
        """The value in its canonical unit."""
        return self.value * self.scale

    @property
    def digits(self) -> int:
        """How many significant digits it is written with."""
        plain = re.sub(r"[^\d]", "", re.split(r"[eE]", self.written)[0]).lstrip("0")
        return len(plain if "." in self.written else plain.rstrip("0") or plain)


def with_unit(number: Number, match: re.Match[str]) -> Number:
    name = match["unit"].lower().strip()
    fields: dict[str, object] = {"end": match.end()}
    if name in _MULTIPLES or name.lstrip("- ") == "fold":
        fields["form"] = "multiple"
    elif name in _POINTS:
        fields["form"] = "points"
    elif name in ("%", "percent", "per cent", "pct"):
        fields["form"] = "percent"
    elif re.match(r"(?:tok|tkn|t(?=[ /·*.]))", name) and _PER_SECOND.search(name):
        fields["unit"], fields["scale"] = "tokens/s", 1.0
    elif name.startswith("req") and "min" in name:
        fields["unit"], fields["scale"] = "requests/s", 1.0 / 60.0
    elif name.startswith("req") and _PER_SECOND.search(name):
        fields["unit"], fields["scale"] = "requests/s", 1.0
    else:
        known = unit_of(_ALIASES.get(name, _PER.sub("/", name)))
        if known is None:
            return number
        fields["unit"], fields["scale"] = known
    return msgspec.structs.replace(number, **fields)


def modified(text: str, number: Number) -> Number:
    before = text[max(0, number.start - 28) : number.start]
    modifiers: tuple[tuple[re.Pattern[str], Modifier], ...] = (
        (_ABOUT, "about"), (_LEAST, "at least"), (_MOST, "at most"), (_OVER, "over"), (_UNDER, "under")
    )  # fmt: skip
    for pattern, name in modifiers:
        if pattern.search(before):
            return msgspec.structs.replace(number, modifier=name)
    if re.match(
        r"\s*(?:or so\b|or thereabouts|-?ish\b|,? give or take\b(?! \d)|,? more or less|,? approximately\b|,? roughly\b)",
        text[number.end :],
    ):
        return msgspec.structs.replace(number, modifier="about")
    if re.match(r"\s*(?:\+(?!\d)|plus\b|or more\b)", text[number.end :]):
        return msgspec.structs.replace(number, modifier="at least")
    return number
