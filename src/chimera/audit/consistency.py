"""What a report says against itself, and against definitions; no data is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chimera.audit.claim import Claim, Kind
from chimera.audit.document import Block, Document, Table
from chimera.audit.numbers import Number, numbers_in
from chimera.audit.phrases import metrics_in, statistics_in
from chimera.audit.sentence import Sentence, sentences_of
from chimera.ingest.names import read_name

_TELLING = 5  # digits that two percentiles do not share by chance
_ORDER = ("min", "median", "p90", "p95", "p99", "max")
# Definitions that are wrong, and why.
_DEFINITIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"(?:\bp9\d\b|9\dth[- ]percentile)[^.\n]{0,90}?(worst[- ]case(?: latency)?|maximum(?: latency| observed)|longest possible)",
         "a percentile is no worst case; the maximum is"),
        (r"\bmedian\b[^.\n]{0,30}?\b(?:is|represents|means|i\.e\.,?)\b[^.\n]{0,20}?(the average|the mean)\b", "the median is no mean"),
        (r"(?:\bttft\b|time to first token)[^.\n]{0,40}?\b(?:is|represents|measures|means)\b[^.\n]{0,30}?(total (?:response |generation |request )?time|time to (?:generate|complete) the (?:full|whole|entire) (?:answer|response))",
         "TTFT ends with the first token"),
        (r"\bp9\d\b[^.\n]{0,60}?(more robust measure of (?:latency )?variability)", "a percentile is no measure of variability"),
        (r"(?:throughput|tokens per second)[^.\n]{0,40}?(lower is better)", "of a rate, more is better"),
        (r"(?:latency|ttft)[^.\n]{0,40}?(higher is better)", "of a time, less is better"),
    )
)  # fmt: skip
_RESIDUE = re.compile(
    r"^\W*(?:okay|ok|sure|certainly|of course|absolutely|great)\b[,!. ].{0,120}\b(?:report|analysis|summary|here)|"
    r"^\W*here(?:'s| is) (?:a|an|the|your) .{0,80}\b(?:report|analysis|summary)\b|\bas an ai\b|"
    r"^\W*[(\[](?:this section (?:would|should|will)|insert|placeholder|to be (?:added|filled)|detailed [\w ]{0,40}examples?|example [\w ]{0,40}(?:script|code|data))|"
    r"^\W*(?:i hope this|i(?:'ve| have) (?:tried|aimed|attempted) to|let me know if|feel free to|would you like me to|do you want me to)\b",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"^\W*(?:persona |system |user )?prompt\W*$|^\W*you are \w+", re.IGNORECASE)
_FINDINGS = re.compile(r"findings?|recommendations?", re.IGNORECASE)


def inconsistencies(document: Document) -> Iterator[Claim]:
    """Claims that the report itself shows to be wrong."""
    seen: dict[str, tuple[float, str]] = {}
    for part in document.parts:
        section = part.headings[0] if part.headings else ""
        if isinstance(part, Table):
            yield from _table(part, section)
            continue
        if part.kind == "heading" and _PROMPT.match(part.text):
            reason = "a prompt was left in the report"
            yield _claim(part.start, part.text, 0, len(part.text), "heading", reason, section)
        if part.kind in ("code", "meta", "heading"):
            continue
        yield from _block(part, section)
        yield from _percentiles(part, section, seen)


def _claim(
    start: int, text: str, low: int, high: int, kind: Kind, reason: str, section: str
) -> Claim:
    shown = text[low:high].strip()
    low = text.index(shown, low)
    return Claim(
        start=start + low, end=start + low + len(shown), text=shown, kind=kind,
        label="inconsistent", reason=reason, section=section,
    )  # fmt: skip


def _block(block: Block, section: str) -> Iterator[Claim]:
    for start, end in sentences_of(block.text):
        text = block.text[start:end]
        if _RESIDUE.search(text):
            reason = "a chat's words were left in the report"
            yield _claim(block.start, block.text, start, end, "heading", reason, section)
        for pattern, why in _DEFINITIONS:
            match = pattern.search(text)
            if match is not None:
                low, high = match.span(1)
                yield _claim(block.start + start, text, low, high, "definition", why, section)
        yield from _impossible_share(block.start + start, text, section)
    if block.kind == "item" and _FINDINGS.search(section) and block.text.rstrip().endswith("**"):
        reason = "a heading stands as a finding"
        yield _claim(block.start, block.text, 0, len(block.text), "heading", reason, section)


def _impossible_share(start: int, text: str, section: str) -> Iterator[Claim]:
    """A success rate that a number of requests cannot give ("93% of 7 requests")."""
    match = re.search(r"(\d+(?:\.\d+)?)\s?% of (?:the |all )?(\d{1,4}) (?:requests|runs|tests|records|files|samples)", text)  # fmt: skip
    if match is None:
        return
    share, total = float(match[1]), int(match[2])
    slack = 0.5 * 10.0 ** -len(match[1].partition(".")[2])
    if total and not any(
        abs(100.0 * k / total - share) <= slack * 1.0001 for k in range(total + 1)
    ):
        reason = f"no whole number out of {total} is {match[1]}%"
        yield _claim(start, text, match.start(), match.end(1) + 1, "percent", reason, section)


def _percentiles(block: Block, section: str, seen: dict[str, tuple[float, str]]) -> Iterator[Claim]:
    """p95 above p99, or equal to many digits: "p99 latency: 15.584035", "p95 latency: 15.584035"."""
    for start, end in sentences_of(block.text):
        sentence = Sentence(block.text[start:end], block.start + start, None)
        told = [s for s in sentence.statistics if s.key in _ORDER]
        if len(told) != 1 or len(sentence.metrics) < 1 or not sentence.numbers:
            continue
        number = sentence.numbers[0]
        if number.form != "plain" or number.high is not None or number.start < told[0].start:
            continue
        if number.start - told[0].end > 40 or "." not in number.written:
            continue
        key, statistic = f"{section}|{sentence.metrics[0].key}|{number.unit}", told[0].key
        for other in _ORDER:
            value, written = seen.get(f"{key}|{other}", (None, ""))
            if value is None or other == statistic:
                continue
            reason = _order(statistic, number, other, value, written)
            if reason:
                yield _claim(
                    sentence.start,
                    sentence.text,
                    number.start,
                    number.end,
                    "number",
                    reason,
                    section,
                )
                break
        seen[f"{key}|{statistic}"] = number.canonical, number.written


def _order(statistic: str, number: Number, other: str, value: float, written: str) -> str:
    higher = _ORDER.index(statistic) > _ORDER.index(other)
    if number.written == written and number.digits >= _TELLING:
        return f"{statistic} and {other} are the same to every digit"
    if (number.canonical < value) if higher else (number.canonical > value):
        return f"{statistic} is {'below' if higher else 'above'} {other}"
    return ""


def _table(table: Table, section: str) -> Iterator[Claim]:
    """Rows whose mean lies outside their own minimum and maximum, or whose ends are turned."""
    names = [_statistic(c.text) for c in table.header]
    if not {"min", "max"} <= set(names):
        return
    for row in table.rows:
        values: dict[str, tuple[int, Number]] = {}
        for place, (name, cell) in enumerate(zip(names, row, strict=False)):
            found = numbers_in(cell.text)
            if name and len(found) == 1 and found[0].high is None:
                values.setdefault(name, (place, found[0]))
        if "min" not in values or "max" not in values:
            continue
        low, high = values["min"], values["max"]
        if low[1].canonical > high[1].canonical:
            cell = row[high[0]]
            reason = f"the maximum is below the minimum, {row[low[0]].text.strip()}"
            yield _claim(
                cell.start, cell.text, high[1].start, high[1].end, "number", reason, section
            )
            continue
        for name in ("mean", "median"):
            if name in values:
                place, number = values[name]
                if not low[1].canonical <= number.canonical <= high[1].canonical:
                    reason = f"the {name} lies outside the minimum and maximum of its own row"
                    cell = row[place]
                    yield _claim(cell.start, cell.text, number.start, number.end, "number", reason, section)  # fmt: skip


def _statistic(header: str) -> str:
    told = statistics_in(header)
    if told:
        return told[0].key
    reading = read_name(header.strip())
    return reading.statistic if metrics_in(header) else ""
