"""Numbers in running text: their value, unit, precision and how they are meant.

Units are the field's closed list. What only looks like a number (a name's digits, "p95", a version,
a section's number) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from chimera.record.units import unit_of

Form = Literal["plain", "percent", "multiple", "points"]
Modifier = Literal["", "about", "over", "under", "at least", "at most"]
_DIGITS = r"\d{1,3}(?:[,\u202f\u00a0']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?P<sign>(?:(?<=[\s(\[|~≈])|^)[-+−–±])?\s?(?P<digits>{_DIGITS})(?P<exp>[eE][-+]?\d{{1,4}})?"
    r"(?P<si>[kK](?=\s*(?:tok|t/s|tps|req|rps))|[kKM](?![\w/]))?"
)
# Longest first. What may stand between a number and its unit is a blank or a hyphen.
_UNITS = (
    r"tokens? per seconds?|tokens? per sec|tokens?/seconds?|tokens?/sec|toks?/sec|toks?/s|"
    r"tokens?/s|tokens? a second|tokens? every second|tokens? each second|tokens?\(s\)/s|tk/s|t/s|tps|tok/sec|"
    r"tokens?/min(?:ute)?|tokens? per minute|requests? per seconds?|requests?/seconds?|"
    r"requests?/sec|requests?/s|reqs?/s|reqs?/sec|rps|qps|queries per second|requests a second|"
    r"samples? per second|samples?/s|"
    r"milliseconds?|millis|msecs?|ms|microseconds?|usecs?|[uµμ]s|nanoseconds?|nsecs?|ns|"
    r"seconds?|secs?|s|minutes?|mins?|hours?|hrs?|h|"
    r"percentage points?|percent|per cent|pct|%-points?|pp|%|"
    r"GiB|MiB|KiB|GB|MB|KB|TB|gigabytes?|megabytes?|bytes|"
    r"watts?|W|joules?|J|MHz|GHz|°C|"
    r"times|x|×|X|[- ]?fold|tokens?"
)
_UNIT = re.compile(rf"[ \u00a0\u202f]?[- ]?(?P<unit>{_UNITS})(?![\w])(?!/\w)")
_ALIASES = {
    "tokens a second": "tokens/s", "token a second": "tokens/s", "tk/s": "tokens/s",
    "tokens every second": "tokens/s", "tokens each second": "tokens/s",
    "tps": "tokens/s", "rps": "requests/s", "qps": "requests/s",
    "queries per second": "requests/s", "requests a second": "requests/s", "toks/sec": "tok/s",
    "per cent": "percent", "gigabytes": "gb", "gigabyte": "gb", "megabytes": "mb",
    "megabyte": "mb", "hrs": "hours", "hr": "hours", "h": "hours", "hour": "hours",
    "min": "minutes", "w": "watts", "token": "tokens", "tb": "tb", "j": "joule", "secs": "s",
}  # fmt: skip
_PER = re.compile(r"\s+(?:per|a|every|each)\s+")
_MULTIPLES = frozenset({"times", "x", "×", "fold", "-fold", " fold"})
_POINTS = frozenset({"percentage point", "percentage points", "%-point", "%-points", "pp"})
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|circa|ca\.|some|close to|"
    r"just (?:over|under|above|below)|in the region of|or so|on the order of|a little (?:over|"
    r"under|above|below)|slightly (?:over|under|above|below|more than|less than)|well-nigh)"
    r"(?: an?| the)?|[~≈∼]|±|≅)\s*$",
    re.IGNORECASE,
)
_OVER = re.compile(r"(?:\b(?:over|more than|above|exceed(?:s|ed|ing)?|greater than|upwards of|"
                   r"north of|beyond|higher than|longer than)|>)\s*$", re.IGNORECASE)  # fmt: skip
_UNDER = re.compile(
    r"(?:\b(?:under|less than|below|fewer than|lower than|shorter than)|<)\s*$", re.IGNORECASE
)
_LEAST = re.compile(
    r"(?:\b(?:at least|no less than|no fewer than|minimum of)|≥|>=)\s*$", re.IGNORECASE
)
_MOST = re.compile(r"(?:\b(?:at most|no more than|up to|maximum of)|≤|<=)\s*$", re.IGNORECASE)
_RANGE = re.compile(r"\s*(?:-|–|—|−|to|and|through|up to|\.\.\.?|…)\s*", re.IGNORECASE)
_MOVING = re.compile(
    r"\b(?:rose|rises?|fell|falls?|drop(?:s|ped)?|gr(?:ew|ows?)|climb(?:s|ed)?|"
    r"increas\w+|decreas\w+|improv\w+|reduc\w+|cut)\b",
    re.IGNORECASE,
)
_OF = re.compile(r"\s*(?:/|(?:out )?of(?: the| all| all the| a total of)?)\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|from|ranges?(?: from| of| between)?|ranging from|varies from|"
                      r"varied from|spans?|spanning|range:?)\s*(?:about |roughly )?$", re.IGNORECASE)  # fmt: skip
# What holds digits and is no number: percentiles, versions, ordinals, names, places, dates.
NO_NUMBERS = re.compile(
    r"\bp\d{2}(?:\.\d+)?\b|\b\d{1,2}(?:\.\d+)?(?:st|nd|rd|th)\b(?:[- ]percentile)?"
    r"|\bpercentiles?\b|\bv\d+(?:\.\d+)*\b|\b\d+\.\d+\.\d+(?:\.\d+)*\b"
    r"|\b(?:table|figure|fig\.|section|appendix|chapter|step|version|phase|part|page|tier|level|"
    r"report|tr|option|priority|python|cuda|rtx|gtx|ubuntu|windows|release|revision|rev\.?|"
    r"issue|line|lines|row|rows|item|finding|recommendation|risk|experiment|chart|equation|"
    r"week|day|q|note|ref|confidence|cohen's d)\s?#?\d+(?:\.\d+)*\b"
    r"|#\d+\b|\b(?:[A-Za-z]+[-_]?\d+(?:[._]?\d+)*[A-Za-z]*)(?:[-_:.]\w+)*\b"
    r"|\b\d+(?:\.\d+)?[a-zA-Z]+(?:[-_:]\w+)+|\b\d+[bB]\b|\b\d+(?:\.\d+)?[bB]\b(?!/)|\b\d{2,4}[mM]\b"
    r"|\b(?=\w*[A-Za-z])\w+(?:[_/\\:]\w*\d\w*)+(?:\.\w+)*|\[\d{1,2}\]|\bhttps?://\S+"
    r"|\b\d+\s?[x×]\s?\d+(?:\s?[x×]\s?\d+)*\b|\b24/7\b|\b(?:A|H|L|V|T|M)\d{1,3}\b",
    re.IGNORECASE,
)
_ENUMERATION = re.compile(r"^\s*(?:\(?\d{1,2}[.)](?!\d)|\d+(?:\.\d+){1,3}\.?\s+(?=[A-Z]))\s*")
_WORDS = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {
    w: 10 * i
    for i, w in enumerate(["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3)
}
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_WORD = re.compile(
    rf"\b(?:(?P<tens>{_TENS})[- ](?P<ones>{_ONES})|(?P<hundreds>a|one|two|three|four|five|six|"
    rf"seven|eight|nine) hundred(?: and (?P<rest>[a-z]+(?:-[a-z]+)?))?|(?P<word>"
    + "|".join(sorted(_WORDS, key=len, reverse=True))
    + r"|dozen|both))\b",
    re.IGNORECASE,
)
_SHARES = re.compile(
    r"\b(?P<half>(?:one |a )?half)\b|\b(?P<top>an?|one|two|three|four)[- ](?P<part>thirds?|"
    r"quarters?|fifths?|tenths?)\b",
    re.IGNORECASE,
)
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_TIMES = re.compile(
    r"\b(?P<twice>twice|double[sd]?|doubling|two-?fold|2-?fold)\b"
    r"|\b(?P<thrice>thrice|triple[sd]?|tripling|three-?fold)\b"
    r"|\b(?P<quad>quadruple[sd]?|four-?fold)\b|\b(?P<halves>halve[sd]?|halving)\b",
    re.IGNORECASE,
)


class Number(msgspec.Struct, frozen=True):
    """A number in a text: ``text[start:end]`` with its unit.

    ``value`` is as written (k and M worked in); times ``scale`` it is in the canonical ``unit``,
    which is "" when none is named. ``slack`` is half a unit of the last written digit, of ``value``.
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

    @property
    def canonical(self) -> float:
        """The value in its canonical unit."""
        return self.value * self.scale

    @property
    def digits(self) -> int:
        """How many significant digits it is written with."""
        plain = re.sub(r"[^\d]", "", re.split(r"[eE]", self.written)[0]).lstrip("0")
        return len(plain if "." in self.written else plain.rstrip("0") or plain)


def hide_names(text: str, spans: Sequence[tuple[int, int]] = ()) -> str:
    """The text with known names and all that only looks like a number as blanks."""
    for start, end in spans:
        text = text[:start] + "_" * (end - start) + text[end:]
    lead = _ENUMERATION.match(text)
    if lead and lead.end() < len(text):
        text = " " * lead.end() + text[lead.end() :]
    return NO_NUMBERS.sub(_unless_measured, text)


def _unless_measured(match: re.Match[str]) -> str:
    """A number with its unit attached ("12ms", "3x") is one all the same."""
    text = match[0]
    return text if re.fullmatch(rf"\d+(?:\.\d+)?(?:{_UNITS})", text) else "_" * len(text)


def numbers_in(text: str, hidden: Sequence[tuple[int, int]] = ()) -> list[Number]:
    """The numbers of a text in order, ranges as one; ``hidden`` are spans of known names."""
    clean = hide_names(text, hidden)
    found = [n for m in _NUMBER.finditer(clean) if (n := _number(clean, m)) is not None]
    taken = [(n.start, n.end) for n in found]
    for number in (*_shares(clean), *_multiples(clean), *_words(clean)):
        if not any(s < number.end and number.start < e for s, e in taken):
            found.append(number)
            taken.append((number.start, number.end))
    return _ranges(clean, sorted(found, key=lambda n: n.start))


def _number(text: str, match: re.Match[str]) -> Number | None:
    start, end = match.start("digits"), match.end()
    before = text[start - 1] if start else " "
    if (
        before.isalnum()
        or before in "_/\\.@#"
        or (before in "-:" and text[start - 2 : start - 1].isalpha())
    ):
        return None
    after = text[end : end + 1]
    unit = _UNIT.match(text, end)
    if after == "_" or (after.isalpha() and unit is None and not match["si"]):
        return None
    if unit and unit["unit"].startswith("-") and after != "-":
        unit = None
    digits = re.sub(r"[,\u202f\u00a0']", "", match["digits"])
    try:
        value = float(digits + (match["exp"] or ""))
    except (ValueError, OverflowError):
        return None
    if value in (float("inf"), float("-inf")):
        return None
    factor = {"k": 1e3, "K": 1e3, "M": 1e6}.get(match["si"] or "", 1.0)
    exponent = int(match["exp"][1:]) if match["exp"] else 0
    decimals = len(digits.partition(".")[2])
    slack = 0.5 * 10.0 ** max(min(exponent - decimals, 300), -300) * factor
    sign = match["sign"] or ""
    if sign in ("-", "−") or (
        sign == "–" and not text[: match.start("sign")].rstrip()[-1:].isdigit()
    ):
        value = -value
    begin = match.start("sign") if sign and sign != "–" else start
    number = Number(begin, end, value * factor, slack, written=digits + (match["exp"] or ""))
    if unit:
        number = _with_unit(number, unit)
    return _modified(text, number)


def _with_unit(number: Number, match: re.Match[str]) -> Number:
    name = match["unit"].lower().strip()
    fields: dict[str, object] = {"end": match.end()}
    if name in _MULTIPLES or name.lstrip("- ") == "fold":
        fields["form"] = "multiple"
    elif name in _POINTS:
        fields["form"] = "points"
    elif name in ("%", "percent", "per cent", "pct"):
        fields["form"] = "percent"
    else:
        known = unit_of(_ALIASES.get(name, _PER.sub("/", name)))
        if known is None:
            return number
        fields["unit"], fields["scale"] = known
    return msgspec.structs.replace(number, **fields)


def _modified(text: str, number: Number) -> Number:
    before = text[max(0, number.start - 28) : number.start]
    modifiers: tuple[tuple[re.Pattern[str], Modifier], ...] = (
        (_ABOUT, "about"), (_LEAST, "at least"), (_MOST, "at most"), (_OVER, "over"), (_UNDER, "under")
    )  # fmt: skip
    for pattern, name in modifiers:
        if pattern.search(before):
            return msgspec.structs.replace(number, modifier=name)
    if re.match(r"\s*(?:\+(?!\d)|plus\b|or more\b)", text[number.end :]):
        return msgspec.structs.replace(number, modifier="at least")
    return number


def _ranges(text: str, numbers: list[Number]) -> list[Number]:
    """Two numbers that are the ends of one range become one number."""
    found: list[Number] = []
    skip = False
    for i, number in enumerate(numbers):
        if skip:
            skip = False
            continue
        if i + 1 < len(numbers):
            other = numbers[i + 1]
            joined = _joined(text, number, other)
            if joined is not None:
                found.append(joined)
                skip = True
                continue
        found.append(number)
    return found


def _joined(text: str, low: Number, high: Number) -> Number | None:
    gap = text[low.end : high.start]
    whole = not low.unit and not high.unit and "." not in high.written
    if _OF.fullmatch(gap) and whole and low.value <= high.value and low.high is None:
        return msgspec.structs.replace(low, end=high.end, of=high.value)
    if re.fullmatch(r"\s*[,;]\s*", gap) and _is_interval(text, low, high):
        return _range_of(low, high, between=True)
    link = _RANGE.fullmatch(gap)
    if not link or low.high is not None:
        return None
    between = bool(_BETWEEN.search(text[max(0, low.start - 48) : low.start]))
    dash = gap.strip() in ("-", "–", "—", "−", "..", "...", "…")
    alike = not low.unit or (low.unit, low.scale) == (high.unit, high.scale)
    moving = _MOVING.search(text[max(0, low.start - 32) : low.start])
    plain = gap.strip().lower() == "to" and alike and not moving
    if not dash and (not between or (moving and low.unit)) and not plain:
        return None
    if gap.strip().lower() == "and" and not re.search(
        r"between\s*$", text[max(0, low.start - 16) : low.start], re.IGNORECASE
    ):
        return None
    if low.unit and high.unit and low.unit != high.unit:
        return None
    if abs(high.value) * high.scale < abs(low.value) * (low.scale if low.unit else high.scale):
        return None
    return _range_of(low, high, between)


def _is_interval(text: str, low: Number, high: Number) -> bool:
    """Whether two numbers stand as "[8.6, 11.4]"."""
    before, after = text[: low.start].rstrip(" \\")[-1:], text[high.end :].lstrip(" \\")[:1]
    return before + after in ("[]", "()") and low.value <= high.value


def _range_of(low: Number, high: Number, between: bool) -> Number:
    scale = low.scale if low.unit else high.scale
    return msgspec.structs.replace(
        low,
        end=high.end,
        unit=high.unit or low.unit,
        scale=scale,
        form=high.form if high.form != "plain" else low.form,
        high=high.value * (high.scale / scale),
        high_slack=high.slack * (high.scale / scale),
        between=between,
    )


def _words(text: str) -> list[Number]:
    found = []
    for match in _WORD.finditer(text):
        value = _worded(match)
        if value is None:
            continue
        number = Number(match.start(), match.end(), value, 0.0, worded=True, written=match[0])
        unit = _UNIT.match(text, match.end())
        if unit and unit["unit"] not in ("s", "h", "W", "J", "x", "X"):
            number = _with_unit(number, unit)
        if match["word"] and match["word"].lower() == "one" and not unit:
            if re.match(
                r"\s+(?:of (?!(?:the |all |all the )?(?:two|three|four|five|six|seven|eight|\d))|such|another|more|that|thing|could|can|should|may)",
                text[match.end() :],
                re.IGNORECASE,
            ):
                continue
            if re.search(
                r"\b(?:no|any|this|that|the|each|every|which)\s+$",
                text[max(0, match.start() - 12) : match.start()],
                re.IGNORECASE,
            ):
                continue
        found.append(_modified(text, number))
    return found


def _worded(match: re.Match[str]) -> float | None:
    if match["tens"]:
        return float(_WORDS[match["tens"].lower()] + _WORDS[match["ones"].lower()])
    if match["hundreds"]:
        rest = match["rest"]
        more = sum(_WORDS.get(w, 0) for w in rest.lower().split("-")) if rest else 0
        return 100.0 * _WORDS.get(match["hundreds"].lower(), 1) + more
    word = match["word"].lower()
    return 12.0 if word == "dozen" else 2.0 if word == "both" else float(_WORDS[word])


def _shares(text: str) -> list[Number]:
    found = []
    for match in _SHARES.finditer(text):
        if match["half"]:
            value = 50.0
        else:
            top = 1 if match["top"].lower() in ("a", "an") else _WORDS[match["top"].lower()]
            value = 100.0 * top / _PARTS[match["part"].lower().rstrip("s")]
        number = Number(
            match.start(), match.end(), value, 0.5, form="percent", worded=True, written=match[0]
        )
        found.append(_modified(text, number))
    return found


def _multiples(text: str) -> list[Number]:
    found = []
    for match in _TIMES.finditer(text):
        value = 2.0 if match["twice"] else 3.0 if match["thrice"] else 4.0 if match["quad"] else 0.5
        number = Number(
            match.start(), match.end(), value, value * 0.05, form="multiple", worded=True,
            written=match[0],
        )  # fmt: skip
        found.append(_modified(text, number))
    return found
