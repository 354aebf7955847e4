"""Numbers in running text, in digits and in words; what only looks like one is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from chimera.audit.number import UNIT, UNITS, Number, modified, with_unit
from chimera.audit.number_words import multiples, shares, words

__all__ = ["Number", "hide_names", "numbers_in"]
_DIGITS = r"\d{1,3}(?:[,\u202f\u00a0']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?P<sign>(?:(?<=[\s(\[|~≈])|^)(?:[-+−–±](?=\S)|±\s?|^[-−]\s))?(?P<digits>{_DIGITS})(?P<exp>[eE][-+]?\d{{1,4}})?"
    r"(?P<si>[kK](?=\s*(?:tok|t/s|tps|req|rps))|[kKM](?![\w/]))?"
)
_RANGE = re.compile(
    r"\s*(?:-|–|—|−|to|and|through|(?:all the way )?up to|\.\.\.?|…)\s*", re.IGNORECASE
)
_MOVING = re.compile(
    r"\b(?:rose|rises?|fell|falls?|drop(?:s|ped)?|gr(?:ew|ows?)|climb(?:s|ed)?|"
    r"increas\w+|decreas\w+|improv\w+|reduc\w+|cut)\b",
    re.IGNORECASE,
)
_OF = re.compile(r"\s*(?:/|(?:out )?of(?: the| all| all the| a total of)?)\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|from|ranges?(?: from| of| between)?|ranging from|varies from|"
                      r"varied from|spans?|spanning|range:?|window of|swings from|within)\s*(?:about |roughly )?$", re.IGNORECASE)  # fmt: skip
# What holds digits and is no number: percentiles, versions, ordinals, names, places, dates.
NO_NUMBERS = re.compile(
    r"\bp\d{2}(?:\.\d+)?\b|\b\d{1,2}(?:\.\d+)?(?:st|nd|rd|th)\b(?:[- ]percentile)?"
    r"|\bpercentiles?\b|\bv\d+(?:\.\d+)*\b|\b\d+\.\d+\.\d+(?:\.\d+)*\b"
    r"|\b(?:table|figure|fig\.|section|appendix|chapter|step|version|phase|part|page|tier|level|"
    r"report|tr|option|priority|python|cuda|rtx|gtx|ubuntu|windows|release|revision|rev\.?|"
    r"issue|line|lines|row|rows|item|finding|recommendation|risk|experiment|chart|equation|"
    r"build|commit|port|pull request|pr|driver|card|"
    r"week|day|q|note|ref|confidence|cohen's d)\s?#?\d+(?:\.\d+)*\b"
    r"|\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z\b| ?UTC\b)?"
    r"|\b\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b(?! \d{4})"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|"
    r"mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.? \d{1,2}(?:st|nd|rd|th)?\b(?!,? \d{4})"
    r"|\b(?:run|request|iteration|attempt|prompt|test|rep|repeat|trial)\s#?\d{1,3}(?=\s*(?:[,.;:)]|$)|\s+(?:was|is|had|has|took|and|to|in)\b)"
    r"|\b20\d{6}(?:[-_T]\d{4,6})?\b|\b\d{6}\b(?=\))"
    r"|#\d+\b|\b(?:[A-Za-z]+[-_]?\d+(?:[._]?\d+)*[A-Za-z]*)(?:[-_:.]\w+)*\b"
    r"|\b\d+(?:\.\d+)?[a-zA-Z]+(?:[-_:]\w+)+|\b\d+[bB]\b|\b\d+(?:\.\d+)?[bB]\b(?!/)|\b\d{2,4}[mM]\b"
    r"|\b(?=\w*[A-Za-z])\w+(?:[_/\\:]\w*\d\w*)+(?:\.\w+)*|\[\d{1,2}\]|\bhttps?://\S+"
    r"|\b\d+\s?[x×]\s?\d+(?:\s?[x×]\s?\d+)*\b|\b24/7\b|\b(?:A|H|L|V|T|M)\d{1,3}\b",
    re.IGNORECASE,
)
_SIZES = re.compile(r"\s(thousand|million|billion)\b", re.IGNORECASE)
_ENUMERATION = re.compile(r"^\s*(?:\(?\d{1,2}[.)](?!\d)|\d+(?:\.\d+){1,3}\.?\s+(?=[A-Z]))\s*")


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
    return text if re.fullmatch(rf"\d+(?:\.\d+)?(?:{UNITS})", text) else "_" * len(text)


def numbers_in(text: str, hidden: Sequence[tuple[int, int]] = ()) -> list[Number]:
    """The numbers of a text in order, ranges as one; ``hidden`` are spans of known names."""
    clean = hide_names(text, hidden)
    found = [n for m in _NUMBER.finditer(clean) if (n := _number(clean, m)) is not None]
    taken = [(n.start, n.end) for n in found]
    for number in (*shares(clean), *multiples(clean), *words(clean)):
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
    unit = UNIT.match(text, end)
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
    size = _SIZES.match(text, end)
    if size and not match["si"]:
        end, unit = size.end(), UNIT.match(text, size.end())
    large = {"thousand": 1e3, "million": 1e6, "billion": 1e9}.get(
        size[1].lower() if size else "", 1.0
    )
    factor = large * {"k": 1e3, "K": 1e3, "M": 1e6}.get(match["si"] or "", 1.0)
    exponent = int(match["exp"][1:]) if match["exp"] else 0
    decimals = len(digits.partition(".")[2])
    slack = 0.5 * 10.0 ** max(min(exponent - decimals, 300), -300) * factor
    sign = match["sign"] or ""
    if sign in ("-", "−") or (
        sign == "–" and not text[: match.start("sign")].rstrip()[-1:].isdigit()
    ):
        value = -value
    begin = match.start("sign") if sign and sign != "–" else start
    number = Number(
        begin,
        end,
        value * factor,
        slack,
        signed=sign in ("+", "-", "−"),
        is_spread=sign.startswith("±"),
        written=digits + (match["exp"] or ""),
    )
    if unit:
        number = with_unit(number, unit)
    return modified(text, number)


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
    if text[max(0, low.start - 4) : low.start].rstrip("* ").endswith("|"):
        return None  # "|a - b|" is a difference
    if re.fullmatch(r"\s*[,;]\s*", gap) and _is_interval(text, low, high):
        return _range_of(low, high, between=True)
    link = _RANGE.fullmatch(gap)
    if not link or low.high is not None:
        return None
    between = bool(_BETWEEN.search(text[max(0, low.start - 48) : low.start]))
    dash = gap.strip() in ("-", "–", "—", "−", "..", "...", "…")
    alike = not low.unit or (low.unit, low.scale) == (high.unit, high.scale)
    moving = _MOVING.search(text[max(0, low.start - 32) : low.start])
    plain = gap.strip().lower() in ("to", "up to", "all the way up to") and alike and not moving
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
