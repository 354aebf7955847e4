"""Header lines of a delimited table: where the names stand, and what further lines add to them.

A group row above the names, a row of units, of statistics or of other words below them: whatever
of these a table has goes into the names, and none of it is ever taken for a record.
"""

from __future__ import annotations

import re
from collections import Counter

from chimera.ingest.cells import BLANKS, NOT_FINITE, parse_number
from chimera.ingest.names import is_bare, read_name
from chimera.record.units import unit_of

Rows = list[list[str]]
_MOST_LINES = 3
_LOOK = 50  # rows below a line that say which columns hold numbers
_LONGEST_UNIT = 24
_LONGEST_NUMBER = 32  # of digits in a row; every float holds it
# Words that stand where a number should be because there is none; no header consists of them.
_NO_VALUE = BLANKS | NOT_FINITE
_FAILED = re.compile(
    r"err(or)?|fail(ed|ure)?|time(d )?out|skip(ped)?|abort|cancel|crash|oom|missing"
)
_TYPES = re.compile(r"str(ing)?|text|u?int(eger)?\d*|float\d*|double|num(ber|eric)|bool(ean)?|date")


def is_header(row: list[str]) -> bool:
    """Names above numbers: most cells filled, none a number."""
    empty = True
    for cell in row:
        text = cell.strip()
        if text:
            empty = False
            if not text[0].isalpha() and text[-1] != "%" and parse_number(text) is not None:
                return False
    return not empty


def begins_at_once(rows: Rows) -> bool:
    """Whether the first line holds names and the second values, as in most files.

    Then there is no title, and no line that goes on with the names.
    """
    return (
        len(rows) > 1
        and len(rows[0]) == len(rows[1])
        and "".join([c[:1] or " " for c in rows[0]]).isalpha()
        and any(len(c) < _LONGEST_NUMBER and c.replace(".", "", 1).isdecimal() for c in rows[1])
    )


def is_unit_row(row: list[str]) -> bool:
    """A second header line that holds units ("ms", "%") and blanks, no numbers."""
    filled = list(filter(None, map(str.strip, row)))
    if not filled:
        return len(row) > 1
    words = set(filled)
    if len(filled) == len(row) or any(map(parse_number, words)):
        return False
    units = set(filter(unit_of, words))
    return bool(units) and all(len(c) <= _LONGEST_UNIT and " " not in c for c in words - units)


def name_row(rows: Rows) -> int:
    """Where the names stand: below a title or a group row there may be."""
    header = 0
    while (
        header < min(_MOST_LINES, len(rows) - 1)
        and _filled(rows[header]) < len(rows[header + 1]) // 2 + 1
        and is_header(rows[header + 1])
    ):
        header += 1
    return header


def _filled(row: list[str]) -> int:
    return len(list(filter(None, map(str.strip, row))))


def grouped(names: list[str], group: list[str]) -> list[str]:
    """Names with those of a group row above them, where they say nothing or not enough alone."""
    if _filled(group) < 2:
        return names  # a title
    over, result = "", []
    counts = Counter(names)
    for i, name in enumerate(names):
        over = (group[i].strip() if i < len(group) else "") or over
        joined = f"{over} {name}".strip()
        alone = not is_bare(name) and counts[name] == 1
        known = read_name(joined).role == "metric" and read_name(name).role != "metric"
        result.append(name if alone and not known else joined)
    return result


def further_lines(names: list[str], body: Rows) -> int:
    """How many lines at the head of ``body`` go on with the names."""
    count = 0
    while count < min(_MOST_LINES, len(body) - 1) and _goes_on(
        names, body[count], body[count + 1 :]
    ):
        count += 1
    return count


def _goes_on(names: list[str], row: list[str], below: Rows) -> bool:
    """Whether a line holds words above numbers, and words that a header may consist of.

    A first record that failed has words above numbers too. So the words must tell namesakes
    apart, be units, statistics or types, or be different ones above two columns or more; and
    none may repeat what stands below it.
    """
    if not is_header(row) or any("{" in c or "[" in c for c in row):
        return False
    while below and is_header(below[0]):
        below = below[1:]
    below = below[:_LOOK]
    above: list[str] = []
    for i, text in enumerate(map(str.strip, row)):
        column = [r[i].strip() for r in below if i < len(r)]
        if not text:
            continue
        if text in column or text.lower() in _NO_VALUE:
            return False
        filled = [c for c in column if c]
        if filled and all(map(_is_number, filled)):
            above.append(text)
    if all(_FAILED.match(text.lower()) for text in above):  # or there are none
        return False
    if len(set(names)) < len(names):
        return True
    return all(map(_is_known, above)) or len(above) == len(set(above)) > 1


def _is_number(text: str) -> bool:
    return parse_number(text) is not None or parse_number(text, decimal_comma=True) is not None


def _is_known(text: str) -> bool:
    """Whether a word is a unit, a statistic or a type of values."""
    return (
        unit_of(text) is not None
        or _is_statistic(text)
        or _TYPES.fullmatch(text.lower()) is not None
    )


def _is_statistic(text: str) -> bool:
    return is_bare(text) and bool(read_name(text).statistic)


def joined(names: list[str], lines: Rows) -> list[str]:
    """Names with what further header lines add: units in brackets, all words to namesakes."""
    counts = Counter(names)
    twice = {name for name, count in counts.items() if not name or count > 1}
    result = list(names)
    for row in lines:
        texts = list(map(str.strip, row[: len(names)]))
        words = set(texts)
        units = set(filter(unit_of, words))
        statistics = set(filter(_is_statistic, words - units))
        for i, text in enumerate(texts):
            if not text:
                continue
            if text in units and result[i]:
                result[i] += f" ({text})"
            elif names[i] in twice or text in statistics:
                result[i] = f"{result[i]} {text}".strip()
    return result
