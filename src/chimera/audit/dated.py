"""Dates in text: what moments each may mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_FORMS = re.compile(
    r"(?<![\w.-])(?:"
    r"(?P<iso>\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?)"
    rf"|(?P<range>(?P<rm>{_MONTH}) (?P<rd>{_DAY})(?:, \d{{4}})?\s*(?:-|–|—|to|through)\s*(?:(?P<rm2>{_MONTH}) )?(?P<rd2>{_DAY}),? (?P<ry>\d{{4}}))"
    rf"|(?P<mdy>(?P<m1>{_MONTH}) (?P<d1>{_DAY}),? (?P<y1>\d{{4}}))"
    rf"|(?P<dmy>(?P<d2>{_DAY})\.? (?P<m2>{_MONTH}),? (?P<y2>\d{{4}}))"
    rf"|(?P<my>(?P<m3>{_MONTH}) (?P<y3>(?:19|20)\d{{2}}))"
    r"|(?P<dots>(?P<d4>\d{1,2})\.(?P<m4>\d{1,2})\.(?P<y4>(?:19|20)\d{2}))"
    r"|(?P<slash>(?P<m5>\d{1,2})/(?P<d5>\d{1,2})/(?P<y5>(?:19|20)\d{2}))"
    r")(?![\w-]|\.\d)",
    re.IGNORECASE,
)


class Dated(msgspec.Struct, frozen=True):
    """A date in a text: the first and the last moment that it may mean; None if there is none."""

    start: int
    end: int
    first: datetime | None
    last: datetime | None


def _month(text: str) -> int:
    return next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(text.lower()[:3]))


def day_of(year: int, month: int, day: str) -> datetime | None:
    try:
        return datetime(year, month, int(re.sub(r"\D", "", day)), tzinfo=UTC)
    except ValueError:
        return None


def dates_in(text: str) -> list[Dated]:
    """The dates of a text, in order."""
    return [Dated(m.start(), m.end(), *_span(m)) for m in _FORMS.finditer(text)]


def _span(m: re.Match[str]) -> tuple[datetime | None, datetime | None]:
    whole = timedelta(days=1) - timedelta(seconds=1)
    if m["iso"]:
        try:
            moment = datetime.fromisoformat(m["iso"].replace(" UTC", "+00:00"))
        except ValueError:
            return None, None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment, moment + whole) if len(m["iso"]) == 10 else (moment, moment)
    if m["range"]:
        year = int(m["ry"])
        first = day_of(year, _month(m["rm"]), m["rd"])
        last = day_of(year, _month(m["rm2"] or m["rm"]), m["rd2"])
        return first, last + whole if last else None
    if m["my"]:
        year, month = int(m["y3"]), _month(m["m3"])
        first = datetime(year, month, 1, tzinfo=UTC)
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return first, after - timedelta(seconds=1)
    for year_, month_, day_ in (
        (m["y1"], m["m1"], m["d1"]), (m["y2"], m["m2"], m["d2"]),
        (m["y4"], m["m4"], m["d4"]), (m["y5"], m["m5"], m["d5"]),
    ):  # fmt: skip
        if year_:
            number = int(month_) if month_.isdigit() else _month(month_)
            moment_ = day_of(int(year_), number, day_) if 1 <= number <= 12 else None
            return (moment_, moment_ + whole) if moment_ else (None, None)
    return None, None
