"""One folder read once, any number of reports held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from chimera.audit.claim import BAD, Audit, Claim
from chimera.audit.consistency import inconsistencies
from chimera.audit.dates import DateJudge, own_dates
from chimera.audit.document import Block, Document, Table, read_markdown
from chimera.audit.entities import Entities
from chimera.audit.evidence import Evidence
from chimera.audit.html_text import is_html, read_html
from chimera.audit.names import Names
from chimera.audit.number import Number
from chimera.audit.numbers import numbers_in
from chimera.audit.own import Ledger, is_own, own_claims
from chimera.audit.own_run import set_own_runs_apart
from chimera.audit.plain_tables import printed_tables
from chimera.audit.prose import ProseJudge
from chimera.audit.sentence import Sentence, sentences_of
from chimera.audit.snippets import snippet_verdict
from chimera.audit.tables import TableJudge
from chimera.audit.telling import is_advice
from chimera.audit.verdict import Verdict, claim_of
from chimera.audit.wording import Words
from chimera.facts import Facts, facts_of
from chimera.ingest import Ingest, ingest_folder

_OWN = re.compile(
    r"^\W*(?:date|agent(?: type)?|model|configuration|config|prepared (?:by|for)|author|version|"
    r"document version|classification|project|report (?:id|version)|"
    r"generated(?: (?:at|on|by))?)\W*:",
    re.IGNORECASE,
)


MOST_CLAIMS = 20_000  # in the order of tables, then text
_NUMERIC = frozenset(("number", "range", "percent", "count", "date"))


class Auditor:
    """Holds reports against the data of one folder; without one, against themselves alone."""

    def __init__(self, data: Path | None = None) -> None:
        self._open(None if data is None else ingest_folder(data), "" if data is None else str(data))

    @classmethod
    def of(cls, ingest: Ingest, name: str) -> Auditor:
        """An auditor of what has been read already (stored runs); ``name`` says what it is."""
        auditor = cls(None)
        auditor._open(ingest, name)
        return auditor

    def _open(self, ingest: Ingest | None, name: str) -> None:
        self.data = name
        self._evidence = None if ingest is None else Evidence(ingest)
        self._names: Names | None = None
        self._known: Facts | None = None
        if self._evidence is not None and ingest is not None:
            self._names = Names(ingest, self._evidence.data)
            self._prose = ProseJudge(self._evidence)
            self._date_judge = DateJudge(self._evidence)
            self._entities = Entities(self._evidence, self._names)
            self._words = Words(self._evidence, self._prose.counter)
            self._tables = TableJudge(self._prose, self._names)

    def audit(self, text: str, *, name: str = "report.md", ledger: Ledger | None = None) -> Audit:
        """All claims of a report, Markdown or (by ``name`` or its beginning) HTML.

        ``ledger`` is that of one of Chimera's own reports: its numbers are then held against
        their facts, each computed again from the data.
        """
        document = read_html(text) if is_html(name, text) else read_markdown(text)
        if ledger is not None and is_own(text):
            found = list(own_claims(text, document, ledger, self._facts()))
            found += [
                _named_by(ledger, c) for c in self._claims(document) if c.kind not in _NUMERIC
            ]
        else:
            found = set_own_runs_apart(islice(self._claims(document), MOST_CLAIMS + 1))
            if len(found) > MOST_CLAIMS:
                note = f"the report holds more than {MOST_CLAIMS:,} claims; the rest was not read"
                document = replace(document, notes=(*document.notes, note))
        if ledger is None or not is_own(text):
            found = _with_own_faults(found, list(inconsistencies(document)))
        claims = sorted(found, key=lambda c: (c.start, c.end))
        return Audit(
            name=name, text=text, claims=tuple(claims), data=self.data, notes=document.notes
        )

    def _facts(self) -> Facts | None:
        if self._evidence is not None and self._known is None:
            self._known = facts_of(self._evidence.ingest)
        return self._known

    def _claims(self, document: Document) -> Iterator[Claim]:
        if self._evidence is None:
            return
        self._prose.units.clear()
        self._own_date: datetime | None = None
        tables = [p for p in document.parts if isinstance(p, Table)]
        tables += [
            table
            for p in document.parts
            if isinstance(p, Block) and p.kind == "code"
            for table in printed_tables(p.text, p.start, p.headings, "")
        ]
        blocks = [p for p in document.parts if isinstance(p, Block)]
        for block in blocks:
            if block.kind in ("code", "meta"):
                continue
            for start, end in sentences_of(block.text):
                for number in numbers_in(block.text[start:end]):
                    self._prose.learn_unit(number)
        parts: list[Block | Table] = [*tables, *blocks]
        for part in parts:  # a table's header gives units that prose leaves out
            headings = tuple(Sentence(h, -1, self._names) for h in part.headings)
            section = part.headings[0] if part.headings else ""
            if isinstance(part, Table):
                around = (Sentence(part.before, -1, self._names), *headings)
                yield from self._tables.claims(part, around, section)
                yield from self._table_names(part, section)
            elif part.kind == "code":
                yield from self._snippet(part, section)
            elif part.kind not in ("meta", "heading"):
                yield from self._block(part, headings, section)

    def _table_names(self, table: Table, section: str) -> Iterator[Claim]:
        for row in table.rows:
            for cell in row:
                if not cell.text.strip().replace(".", "").replace(",", "").isdigit():
                    sentence = Sentence(cell.text, cell.start, self._names)
                    yield from self._entities.claims(
                        sentence, section, is_advice(sentence, section)
                    )

    def _snippet(self, block: Block, section: str) -> Iterator[Claim]:
        if self._evidence is None:
            return
        verdict = snippet_verdict(block, self._evidence)
        if verdict is not None:
            text = block.text.strip()
            start = block.text.index(text)
            number = Number(start, start + len(text), 0.0, 0.0)
            yield claim_of(number, verdict, block.text, block.start, section, None)

    def _dates(
        self, sentence: Sentence, around: Sequence[Sentence], section: str
    ) -> Iterator[Claim]:
        for start, end, verdict in self._date_judge.claims(sentence, around, self._own_date):
            number = Number(start, end, 0.0, 0.0)
            yield claim_of(number, verdict, sentence.text, sentence.start, section, None)

    def _block(self, block: Block, headings: Sequence[Sentence], section: str) -> Iterator[Claim]:
        leads = tuple(Sentence(lead, -1, self._names) for lead in block.leads)
        earlier: list[Sentence] = []
        for start, end in sentences_of(block.text):
            sentence = Sentence(block.text[start:end], block.start + start, self._names)
            if _OWN.match(sentence.text):
                yield from self._own_dates(sentence, section)
                continue
            around = (*reversed(earlier[-2:]), *leads, *headings)
            yield from self._dates(sentence, around, section)
            yield from self._prose.claims(sentence, around, section)
            yield from self._words.claims(sentence, around, section)
            yield from self._entities.claims(sentence, section, is_advice(sentence, section))
            earlier.append(sentence)

    def _own_dates(self, sentence: Sentence, section: str) -> Iterator[Claim]:
        """The report's own date: a second one that differs contradicts the first."""
        for _, dated in own_dates([sentence]):
            if dated.first is None:
                continue
            if self._own_date is None:
                self._own_date = dated.first
            elif abs((dated.first - self._own_date).days) > 1:
                reason = f"the report dates itself {self._own_date:%Y-%m-%d} elsewhere"
                verdict = Verdict("inconsistent", reason, kind="date")
                number = Number(dated.start, dated.end, 0.0, 0.0)
                yield claim_of(number, verdict, sentence.text, sentence.start, section, None)


def _with_own_faults(found: list[Claim], faults: list[Claim]) -> list[Claim]:
    """Claims with those that the report itself shows to be wrong; one claim a place.

    What the data contradicts or supports stays so; what it cannot tell gives way.
    """
    kept = list(found)
    for fault in faults:
        same = [c for c in kept if c.start < fault.end and fault.start < c.end]
        exact = [c for c in same if (c.start, c.end) == (fault.start, fault.end)]
        if any(c.label in BAD or c.label == "supported" for c in exact):
            continue  # what the data supports is right: another number of the row is not
        kept = [c for c in kept if c not in exact]
        kept.append(fault)
    return kept


def _named_by(ledger: Ledger, claim: Claim) -> Claim:
    """A claim of one of our own reports, where its name may be of the run and not of the data."""
    if claim.kind != "name" or claim.label != "fabricated" or claim.text not in ledger.names:
        return claim
    reason = "a name that the run which wrote the report recorded"
    return replace(claim, label="supported", reason=reason, right=None)


def audit_folder(report: str, data: Path | None, *, name: str = "report.md") -> Audit:
    """Audit one report against one folder."""
    return Auditor(data).audit(report, name=name)
