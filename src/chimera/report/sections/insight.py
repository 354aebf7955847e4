"""What InsightAgent writes: three recommendations that weigh throughput, TTFT and quality, and a
table of risks; its summary is filled up to the length that its contract asks for.
"""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.dataset import Subject, subject_label
from chimera.facts.fact import Fact
from chimera.facts.text import Name, Num, Sentence, Span, spans
from chimera.report.document import Block, Bullets, Paragraph, Table
from chimera.report.sections.common import headline, named_subjects, populations, sentence, term

_RATES = ("decode_throughput", "token_rate", "output_throughput", "wall_throughput")
_RISKS = 5


def _first(work: Work, metrics: tuple[str, ...], lowest: bool) -> tuple[Subject, Fact] | None:
    """The subject with the extreme mean of the first metric that is there."""
    for metric in metrics:
        found = [
            (s, f)
            for s in populations(work, named_subjects(work))
            if (f := headline(work, s, metric)) is not None and isinstance(f.value, float)
        ]
        if found:
            pick = min if lowest else max
            return pick(found, key=lambda p: float(p[1].value or 0.0))
    return None


def _verdict(work: Work, metric: str, a: Subject) -> tuple[Sentence, ...]:
    """At which load this holds, and whether the lead over every other subject is certain."""
    if a not in work.facts.data.by_subject:
        alone = sentence("This holds at that load only; others have figures of their own.")
        return alone, _lead(work, metric, a)
    return (_lead(work, metric, a),)


def _lead(work: Work, metric: str, a: Subject) -> Sentence:
    pairs = [c for c in work.facts.comparisons if c.metric == metric and a in (c.a, c.b)]
    if pairs and all(c.certain and c.a == a for c in pairs):
        return sentence("Its lead over the others that were measured alike is certain.")
    if pairs:
        return sentence("Its lead over some of the others cannot be told from chance.")
    return sentence("There is nothing to compare it with under shared conditions.")


def tradeoffs(work: Work) -> tuple[Block, ...]:
    """Three recommendations: one each for throughput, TTFT and quality."""
    items: list[tuple[Sentence, ...]] = []
    rate = _first(work, _RATES, lowest=False)
    if rate:
        subject, fact = rate
        items.append(
            (
                sentence(term("Throughput"), ": begin with ", Name(subject_label(subject)),
                         ", at a mean of ", Num(fact, strong=True), *_n(fact), "."),
                *_verdict(work, fact.metric, subject),
            )
        )  # fmt: skip
    else:
        items.append((sentence(term("Throughput"), ": measure it; the records lack it."),))
    quick = _first(work, ("ttft",), lowest=True)
    if quick:
        subject, fact = quick
        scope = " on warm records" if fact.scope == "warm" else ""
        items.append(
            (
                sentence(term("TTFT"), ": where the first token counts, look at ",
                         Name(subject_label(subject)), ", with ", Num(fact, strong=True), scope,
                         *_n(fact), ", and keep it loaded."),
                *_verdict(work, "ttft", subject),
            )
        )  # fmt: skip
    else:
        items.append((sentence(term("TTFT"), ": measure it; the records lack it."),))
    items.append(
        (
            sentence(term("Quality"), ": these records say nothing about the quality of answers; "
                     "judge it on your own prompts before throughput or ", term("TTFT"),
                     " decides."),
        )
    )  # fmt: skip
    return (Bullets(tuple(items), ordered=True),)


def _n(fact: Fact) -> tuple[Span, ...]:
    return spans(" (", term("n"), " = ", Num(fact, "n"), ")")


def risks(work: Work) -> tuple[Block, ...]:
    """A row a finding that calls for something: the risk, how grave, what to do about it."""
    rows = []
    for finding in work.facts.findings:
        advice = work.wording.advice(finding)
        if advice is None or finding.kind == "speed":
            continue
        rows.append((finding.title, spans(term(finding.severity)), advice.spans))
        if len(rows) == _RISKS:
            break
    if not rows:
        return (Paragraph((sentence("The data name no risk."),)),)
    header = (spans("Risk"), spans("Severity"), spans("Mitigation"))
    return (Table(header, tuple(rows), ()),)
