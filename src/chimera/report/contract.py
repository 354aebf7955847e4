"""Checking a finished report against its persona's contract."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.persona import Persona
from chimera.facts.fact import Fact, Origin, fact_id
from chimera.facts.text import Name, Num, Sentence, Spans
from chimera.report.document import Bullets, Section, Table
from chimera.report.sections.common import sentence, term
from chimera.report.walk import block_spans, unfold

Result = tuple[str, bool, Sentence]


def _spans_of(section: Section) -> list[Spans]:
    return [section.title, *(s for b in unfold(section.blocks) for s in block_spans(b))]


def words_of(sections: Sequence[Section]) -> int:
    """Words of all text of the sections, tables and headings included."""
    return sum(
        len("".join(s.text for s in some).split()) for sec in sections for some in _spans_of(sec)
    )


def _count(label: str, value: int) -> Num:
    """A count made on the report itself, as a fact."""
    about = {"agent": "this report"}
    origins = (Origin("(this report)", ""),)
    return Num(
        Fact(
            id=fact_id(about, label, "count", "this report", value, origins),
            subject=about,
            metric=label,
            statistic="count",
            value=value,
            unit="1",
            scope="this report",
            n=value,
            origins=origins,
            expression=f"count({label})",
        )
    )


def check_contract(persona: Persona, sections: Sequence[Section]) -> list[Result]:
    """(demand, whether it is met, what was found) for each demand of the contract.

    ``sections`` are the persona's own, without the standing ones.
    """
    contract, results = persona.contract, []
    by_key = {s.key: s for s in sections}
    words = words_of(sections)
    if contract.min_words is not None or contract.max_words is not None:
        low, high = contract.min_words or 0, contract.max_words
        met = low <= words and (high is None or words <= high)
        demand = (
            f"{low} to {high} words"
            if low and high
            else (f"at most {high} words" if high else f"at least {low} words")
        )
        results.append((demand, met, sentence(_count("words", words), " words")))
    missing = [s for s in persona.sections if s not in by_key]
    found = sentence("all sections stand") if not missing else sentence(Name(", ".join(missing)))
    results.append(("sections: " + ", ".join(persona.sections), not missing, found))
    if contract.numbered_sections:
        met = all(s.numbered for s in sections)
        results.append(("numbered sections", met, sentence("numbered" if met else "bare")))
    results.extend(_recommendations(persona, by_key))
    if contract.risk_rows is not None:
        rows = sum(
            len(b.rows)
            for b in unfold(by_key["risks"].blocks if "risks" in by_key else ())
            if isinstance(b, Table)
        )
        demand = f"a risk table of at least {contract.risk_rows} rows"
        results.append(
            (demand, rows >= contract.risk_rows, sentence(_count("rows of risks", rows), " rows"))
        )
    if contract.bold_metrics:
        results.append(_bold(sections))
    for key in contract.required_tables:
        blocks = unfold(by_key[key].blocks) if key in by_key else ()
        tables = sum(1 for b in blocks if isinstance(b, Table))
        found = sentence(_count(f"tables in {key}", tables), " tables")
        results.append((f"a table in {key}", tables > 0, found))
    return results


def _recommendations(persona: Persona, by_key: dict[str, Section]) -> list[Result]:
    contract = persona.contract
    section = by_key.get("tradeoffs") or by_key.get("recommendations")
    results: list[Result] = []
    if contract.recommendations is not None:
        items = sum(
            len(b.items) for b in (section.blocks if section else ()) if isinstance(b, Bullets)
        )
        found = sentence(_count("recommendations", items), " recommendations")
        demand = f"{contract.recommendations} recommendations"
        results.append((demand, items == contract.recommendations, found))
    if contract.weigh:
        spans_of = _spans_of(section) if section else []
        text = " ".join("".join(s.text for s in some) for some in spans_of).lower()
        absent = [w for w in contract.weigh if w.lower() not in text]
        found = (
            sentence("every one is weighed")
            if not absent
            else sentence("missing: ", term(", ".join(absent)))
        )
        results.append(("recommendations weigh " + ", ".join(contract.weigh), not absent, found))
    return results


def _bold(sections: Sequence[Section]) -> Result:
    """Measured values in sentences are set in bold; counts and intervals need not be."""
    plain = bold = 0
    for section in sections:
        for some in _spans_of(section):
            for span in some:
                if isinstance(span, Num) and span.field == "value" and span.fact.unit not in (
                    "1", "", "ratio",
                ):  # fmt: skip
                    bold += span.strong
                    plain += not span.strong
    met = plain == 0 and bold > 0
    found = sentence(_count("values in bold", bold), " in bold, ",
                     _count("values not in bold", plain), " not")  # fmt: skip
    return ("metrics in bold", met, found)
