"""What the headers of tables say: of which metric, in which unit, of what there is a count."""

from __future__ import annotations

import re

import msgspec

from chimera.audit.document import Cell
from chimera.audit.names import Named, Names
from chimera.audit.phrases import Mention, nouns_in
from chimera.audit.sentence import Sentence
from chimera.ingest.names import Reading, read_name
from chimera.record.units import unit_of

_UNIT_IN_HEADER = re.compile(
    r"[(\[]\s*([^()\[\]]{1,16}?)\s*[)\]]\s*$|\bin (ms|s|seconds|tok/s)\s*$|"
    r",\s*(ms|s|tok/s|tokens/s|seconds|milliseconds)\s*$",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"^(?:n|count|#|samples?|runs?|requests?|records?|rows?|tests?|trials?|"
    r"total(?: (?:runs|requests|tests))?|completed)$",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"^(?:failed|failures?|errors?|n[_ ]failed|failed (?:requests|runs|tests))$", re.IGNORECASE
)
_EMPTY_WORDS = frozenset(
    [
        *("range", "unit", "units", "metric", "overall", "total", "observed", "average", "typical"),
        *("category", "item", "parameter", "statistic", "rate", "speed", "performance", "all"),
        "value",
        "values",
        "result",
        "results",
        "measured",
        "figure",
        "number",
        "avg",
        "mean",
        "run",
        "runs",
        "test",
        "the",
        "and",
        "with",
        "for",
        "per",
        "model",
        "baseline",
        "score",
        "first",
        "second",
        "third",
        "fourth",
        "reps",
        "each",
    ]
)


class Column(msgspec.Struct, frozen=True):
    """What a header says: a reading of its name, its unit, and the header as a sentence."""

    reading: Reading
    unit: str
    scale: float
    form: str
    sentence: Sentence


def column_of(cell: Cell, names: Names) -> Column:
    """What a header's cell says."""
    text = cell.text.strip()
    sentence = Sentence(text, cell.start, names)
    reading = read_name(text)
    unit, scale, form = "", 1.0, "plain"
    match = _UNIT_IN_HEADER.search(text)
    said = next((g for g in match.groups() if g), "") if match else ""
    if said.strip().lower() in ("%", "percent"):
        form = "percent"
    elif said.strip().lower() in ("x", "×"):
        form = "multiple"
    elif said:
        unit, scale = unit_of(said) or ("", 1.0)
    if not unit and reading.unit and form == "plain" and reading.role == "metric":
        unit, scale = reading.unit, reading.scale
    if unit == "%" or text.endswith("%"):
        unit, scale, form = "", 1.0, "percent"
    return Column(reading, unit, scale, form, sentence)


def open_words(header: Sentence) -> list[str]:
    """The words of a header that say nothing known: they may choose records or a metric."""
    text = header.text.lower()
    spans: list[Named | Mention] = [
        *header.named, *header.settings, *header.statistics, *header.metrics, *header.nouns,
        *header.phases,
    ]  # fmt: skip
    for span in spans:
        start = max(span.start, 0)
        text = text[:start] + " " * (span.end - start) + text[span.end :]
    words = re.findall(r"\d*[a-z]+\d*", text)
    return [w for w in words if len(w) > 2 and w not in _EMPTY_WORDS and unit_of(w) is None]


def is_setting(header: Sentence) -> bool:
    """Whether a header names a setting whose levels stand below it ("Threads")."""
    return bool(header.settings and header.settings[0].value is None and not header.metrics)


def is_count_header(header: str) -> bool:
    return bool(_COUNTS.match(header) or _FAILED.match(header))


def counted(header: str, label: Sentence) -> str:
    """What a column of whole numbers counts, by its header or else by the row's name."""
    if _FAILED.match(header):
        return "failed"
    if _COUNTS.match(header):
        return "records"
    nouns = nouns_in(header)
    if nouns and nouns[-1].end >= len(header.rstrip(" )")) - 1:
        return nouns[-1].key
    if nouns_in(label.text) and not nouns and len(label.text) < 60:
        return nouns_in(label.text)[-1].key
    return ""
