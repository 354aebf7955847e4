"""Who wrote this: the grade and what decided it, sentences by writer, refusals, questions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from chimera.agents.choose import follows_the_alphabet
from chimera.agents.cite.cited import Cited
from chimera.agents.workflow import Work
from chimera.facts.text import Name, Num, Sentence, Spans, spans
from chimera.record.vocabulary import metric_label
from chimera.report.document import Block, Bullets, Paragraph, Section, Table
from chimera.report.sections.common import own_fact, sentence, term
from chimera.report.walk import sentences

_PARTICULAR = re.compile(r"'[^']*'|\{[^}]*\}")


class Written(msgspec.Struct, frozen=True):
    """Who chose the wording of the persona's sentences."""

    total: int
    model: int
    refused: int


def written(sections: Sequence[Section]) -> Written:
    """Count the sentences of the persona's sections by writer."""
    all_of_them = [s for section in sections for s in sentences(section)]
    return Written(
        len(all_of_them),
        sum(1 for s in all_of_them if s.writer == "model"),
        sum(1 for s in all_of_them if s.writer == "refused"),
    )


def writer_section(work: Work, done: Written) -> Section:
    """How many sentences the model wrote, how many were refused, and why."""
    blocks: list[Block] = []
    if work.trial is not None:
        blocks.append(Paragraph((_trial(work),)))
    elif work.calls and work.agent.grade == "auto":
        known = sentence("The embedded model is too small for sentences of its own, so it was not "
                         "tried out: the grade is ", term("choose"), ".")  # fmt: skip
        blocks.append(Paragraph((known,)))
    if work.cited is None:
        blocks.append(Paragraph(tuple(_chosen(work, done))))
    else:
        blocks += _cited(work, work.cited, done)
    return Section("writer", spans("Who wrote this"), tuple(blocks))


def _trial(work: Work) -> Sentence:
    trial = work.trial
    assert trial is not None
    how = "a trial on made-up facts before the work"
    asked = own_fact(work, "sentences of the trial", trial.asked, "1", how)
    accepted = own_fact(work, "sentences of the trial that count", trial.accepted, "1", how)
    tokens = own_fact(work, "tokens of the trial", trial.output_tokens, "tokens", how)
    seconds = own_fact(work, "time of the trial", round(trial.seconds, 4), "s", how)
    return sentence(
        "How the model can write was tried out: of ", Num(asked), " sentences on made-up facts, ",
        Num(accepted), " were right and in words of its own, for ", Num(tokens), " in ",
        Num(seconds), "; so the grade is ", term(trial.grade), ".",
    )  # fmt: skip


def _chosen(work: Work, done: Written) -> list[Sentence]:
    total = own_fact(
        work, "sentences", done.total, "1", "count(sentences of the persona's sections)"
    )
    model = own_fact(work, "sentences worded by the model", done.model, "1",
                     "count(sentences whose wording the model chose)")  # fmt: skip
    how = "count(sentences for which the model's choice was not acceptable)"
    refused = own_fact(work, "choices refused", done.refused, "1", how)
    first = sentence(
        "Of ", Num(total), " sentences, the model chose the wording of ", Num(model), "; for ",
        Num(refused), " its choice was refused and code's own wording stands in.",
    )  # fmt: skip
    second = sentence(
        "The model chooses among wordings that code has bound to facts (the grade ",
        term("choose"),
        "); it writes neither a number nor a name.",
    )
    said = [first, second]
    if any(follows_the_alphabet(c.reply) for c in work.calls):
        said.append(
            sentence("Its choices follow the order of the letters, so they show no preference of "
                     "the model; a larger one may have some.")
        )  # fmt: skip
    return said


def _cited(work: Work, cited: Cited, done: Written) -> list[Block]:
    first = sentence(
        "The model writes sentences with references in place of numbers and names (the grade ",
        term("cite"),
        "); code checks each word of them against the facts, and adds the numbers.",
    )
    if not cited.drafts:
        why = cited.why or work.engine_error or work.over_budget or "nothing came of it"
        return [Paragraph((first, sentence("It wrote nothing here: ", Name(why), ".")))]
    counts = {
        outcome: own_fact(work, f"sentences {outcome}", cited.count(outcome), "1", how)
        for outcome, how in (
            ("accepted", "count(sentences accepted as they came)"),
            ("repaired", "count(sentences accepted after a refusal)"),
            ("replaced", "count(sentences in whose place code's own stand)"),
        )
    }
    asked = own_fact(
        work, "sentences asked for", len(cited.drafts), "1", "count(sentences asked for)"
    )
    total = own_fact(
        work, "sentences", done.total, "1", "count(sentences of the persona's sections)"
    )
    said = sentence(
        "Of ", Num(asked), " sentences asked for, ", Num(counts["accepted"]),
        " were accepted as they came, ", Num(counts["repaired"]), " after a refusal, and for ",
        Num(counts["replaced"]), " code's own stand in; the report's other sentences, of ",
        Num(total), " in all its sections, are code's.",
    )  # fmt: skip
    blocks: list[Block] = [Paragraph((first, said, _cost(work, cited)))]
    return [*blocks, *_refusals(work, cited), *_questions(cited)]


def _cost(work: Work, cited: Cited) -> Sentence:
    good = cited.count("accepted") + cited.count("repaired")
    tokens = sum(c.output_tokens or 0 for c in work.calls)
    if not good:
        spent = own_fact(work, "tokens generated in vain", tokens, "tokens", "sum over the calls")
        return sentence("No sentence of its own was accepted, for ", Num(spent), " generated.")
    cost = own_fact(work, "generated tokens per accepted sentence", tokens / good, "tokens",
                    "output tokens of all calls / sentences accepted or repaired")  # fmt: skip
    return sentence("All calls together generated ", Num(cost), " per accepted sentence.")


def _refusals(work: Work, cited: Cited) -> list[Block]:
    """Why sentences were refused, without their particular words, which stand in report.json."""
    reasons = Counter(
        " ".join(_PARTICULAR.sub("...", reason).split())
        for draft in cited.drafts
        for _, reason in draft.tries
    )
    if not reasons:
        return []
    rows: list[tuple[Spans, ...]] = [
        (
            (Name(reason),),
            (Num(own_fact(work, f"refused: {reason}", n, "1", "count(refusals)")),),
        )
        for reason, n in reasons.most_common()
    ]
    header = (spans("Why a sentence was refused"), spans("Times"))
    return [Table(header, tuple(rows), (), (False, True))]


def _questions(cited: Cited) -> list[Block]:
    """What the model asked for, and whether there was an answer."""
    items = []
    for asked in cited.analysis.asked:
        q = asked.question
        parts: list[str | Name] = [term(metric_label(q.metric)) if q.metric else "every metric"]
        names = [cited.names.get(letter, "") for letter in (q.about, q.against) if letter]
        for joined, name in zip((" of ", " against "), names, strict=False):
            parts += [joined, Name(name or "?")]
        answer = (": ", Name(asked.why)) if asked.why else (": answered from facts",)
        items.append((sentence(*parts, *answer, "."),))
    if not items:
        return []
    return [Paragraph((sentence("The model asked for more facts:"),)), Bullets(tuple(items))]
