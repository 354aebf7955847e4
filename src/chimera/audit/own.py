"""Chimera's own reports: every printed number is held against its fact, computed again.

``report.json`` beside such a report lists its numbers in reading order with their facts. A number
that stands in the report but not there, or whose fact the data does not give any more, is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

import msgspec

from chimera.audit.claim import Bound, Claim, Label, Place
from chimera.audit.document import Block, Document, Table
from chimera.facts import Facts
from chimera.facts.fact import Fact, Origin, fact_id
from chimera.ingest.cells import parse_number

MARK = "<!-- chimera-report -->"
_NUMERAL = re.compile(
    r"(?<![\w.:/=-])[+\-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+)?(?![\w/]|\.\d|-\d|:\d)"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?(?: UTC)?")
_LEVEL = re.compile(r"\b95 ?%(?=,? (?:Student|interval|confidence))")
_CODE = re.compile(r"`[^`\n]*`")
_OWN_RUN = ("(this run)", "(this report)")
_PER_FILE = {"records": "n_records", "failed": "n_failed", "copies": "n_repeated",
             "summary rows": "n_summaries"}  # fmt: skip


class Ledger(msgspec.Struct, frozen=True):
    """The numbers of a report in reading order, their facts by id, and names that hold digits."""

    numbers: list[dict[str, Any]]
    facts: dict[str, dict[str, Any]]
    names: list[str] = []


def is_own(text: str) -> bool:
    """Whether a report says that Chimera wrote it."""
    return text.lstrip()[: len(MARK)] == MARK


def read_ledger(content: bytes) -> Ledger | None:
    """The ledger in a ``report.json``; None where the file is none."""
    try:
        return msgspec.json.decode(content, type=Ledger)
    except msgspec.MsgspecError:
        return None


class _Printed(msgspec.Struct, frozen=True):
    start: int
    end: int
    text: str
    section: str


def own_claims(
    source: str, document: Document, ledger: Ledger, facts: Facts | None
) -> Iterator[Claim]:
    """A claim for each number of one of our own reports."""
    printed = list(_printed(source, document))
    listed = [(n, piece) for n in ledger.numbers for piece in _pieces(str(n.get("text", "")))]
    matcher = SequenceMatcher(
        None, [p.text for p in printed], [piece for _, piece in listed], autojunk=False
    )
    checked = _Checked(ledger, facts)
    named = {_plain(m[0]) for name in ledger.names for m in _NUMERAL.finditer(name)}
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        for offset in range(i_end - i):
            own = printed[i + offset]
            if tag == "equal":
                yield checked.claim(own, listed[j + offset][0])
            elif tag == "replace" and j + offset < j_end:
                right = str(listed[j + offset][0].get("text"))
                reason = f"the report's ledger has {right} here"
                yield _claim(own, "contradicted", reason, right)
            elif own.text in named:
                yield _claim(own, "supported", "a part of a name that stands in the data")
            else:
                yield _claim(own, "fabricated", "no number of the report's ledger stands here")


def _pieces(text: str) -> list[str]:
    moment = _MOMENT.fullmatch(text)
    return [text] if moment else [_plain(m[0]) for m in _NUMERAL.finditer(text)]


def _plain(text: str) -> str:
    return text.replace("−", "-").lstrip("+")


def _printed(source: str, document: Document) -> Iterator[_Printed]:
    """The numerals of a report that are no part of a name, a heading or a listing."""
    for part in document.parts:
        section = part.headings[0] if part.headings else ""
        if isinstance(part, Block):
            if part.kind != "code":
                yield from _numerals(source, part.start, part.text, section)
        elif isinstance(part, Table):
            for cell in (c for row in part.rows for c in row):
                yield from _numerals(source, cell.start, cell.text, section)


def _numerals(source: str, start: int, text: str, section: str) -> Iterator[_Printed]:
    shown = text
    for match in _CODE.finditer(source, max(0, start - 1), start + len(text) + 1):
        low, high = max(match.start() - start, 0), match.end() - start
        shown = shown[:low] + " " * (min(high, len(shown)) - low) + shown[high:]
    for match in _LEVEL.finditer(shown):
        shown = shown[: match.start()] + " " * len(match[0]) + shown[match.end() :]
    for match in _MOMENT.finditer(shown):
        yield _Printed(start + match.start(), start + match.end(), match[0], section)
        shown = shown[: match.start()] + " " * len(match[0]) + shown[match.end() :]
    for match in _NUMERAL.finditer(shown):
        yield _Printed(start + match.start(), start + match.end(), _plain(match[0]), section)


class _Checked:
    """Facts of the ledger held against those that the data gives now."""

    def __init__(self, ledger: Ledger, facts: Facts | None) -> None:
        self._ledger = ledger
        self._facts = facts

    def claim(self, own: _Printed, number: Mapping[str, Any]) -> Claim:
        key = str(number.get("fact"))
        said = self._ledger.facts.get(key)
        if said is None:
            return _claim(own, "fabricated", f"the report's ledger has no fact {key}")
        bound = Bound(
            subject=", ".join(str(v) for v in said.get("subject", {}).values()),
            metric=str(said.get("metric", "")),
            statistic=str(said.get("statistic", "")),
            unit=said.get("unit"),
        )
        if not _prints(str(number.get("text", "")), said, str(number.get("field", "value"))):
            reason = f"the fact {key} does not print like that"
            return _claim(own, "contradicted", reason, str(said.get("value")), bound)
        label, reason, places = self._judge(key, said)
        return _claim(own, label, reason, None, bound, places)

    def _judge(self, key: str, said: Mapping[str, Any]) -> tuple[Label, str, tuple[Place, ...]]:
        files = [o.get("file") for o in said.get("origins", ())]
        if files and all(f in _OWN_RUN for f in files):
            if _id_of(said) != key:
                return "contradicted", f"fact {key} was changed after it was written", ()
            return "supported", "recorded by the run that wrote the report", ()
        if self._facts is None:
            return "unverifiable", "no data was given to compute the fact again", ()
        fact = self._facts.book.facts.get(key)
        if fact is not None:
            label: Label = "derivable" if fact.operands else "supported"
            return label, f"{key}: {fact.expression}", _places(fact)
        if said.get("metric") == "last modified":  # copying a file changes it, and nothing else
            return "unverifiable", "the files carry another date now, as copies do", ()
        if self._is_file_count(said):
            return "supported", str(said.get("expression", "")), ()
        return "contradicted", f"the data does not give the fact {key} any more", ()

    def _is_file_count(self, said: Mapping[str, Any]) -> bool:
        subject = said.get("subject", {})
        field = _PER_FILE.get(str(said.get("metric")))
        if self._facts is None or field is None or set(subject) != {"file"}:
            return False
        for file in self._facts.ingest.files:
            if file.name == subject["file"]:
                return bool(getattr(file, field) == said.get("value"))
        return False


def _places(fact: Fact) -> tuple[Place, ...]:
    return tuple(
        Place(o.file, o.pointer or ", ".join(map(str, o.rows[:3])), o.column or "")
        for o in fact.origins[:3]
    )


def _id_of(said: Mapping[str, Any]) -> str:
    origins = tuple(msgspec.convert(o, Origin, strict=False) for o in said.get("origins", ()))
    subject = {str(k): str(v) for k, v in said.get("subject", {}).items()}
    return fact_id(
        subject, str(said.get("metric")), str(said.get("statistic")), str(said.get("scope", "all")),
        said.get("value"), origins, tuple(said.get("operands", ())),
    )  # fmt: skip


def _prints(text: str, said: Mapping[str, Any], field: str) -> bool:
    """Whether a printed text is the field of a fact, in any unit that facts are printed in."""
    interval = said.get("ci95") or (None, None)
    value = {"ci_low": interval[0], "ci_high": interval[1]}.get(field, said.get(field))
    if isinstance(value, str) or value is None:
        return text in (str(value), "—")
    parsed = parse_number(text.lstrip("+").replace("−", "-"))
    if parsed is None:
        return False
    decimals = len(text.split(maxsplit=1)[0].partition(".")[2].partition("e")[0].rstrip("%"))
    for factor in (1.0, 1e3, 1e6, 100.0, 1e-6, 1e-9):
        shown = float(value) * factor
        slack = 0.5 * 10.0**-decimals * 1.0001 + 1e-6 * abs(shown)
        if abs(shown - parsed[0]) <= slack:
            return True
    return False


def _claim(
    own: _Printed,
    label: Label,
    reason: str,
    right: str | None = None,
    bound: Bound | None = None,
    places: tuple[Place, ...] = (),
) -> Claim:
    return Claim(
        start=own.start, end=own.end, text=own.text, kind="number", label=label, reason=reason,
        right=right, bound=bound, places=places, section=own.section,
    )  # fmt: skip
