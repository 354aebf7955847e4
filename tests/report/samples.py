"""Facts and sentences made for the tests, and a report full of hostile names."""

from __future__ import annotations

from chimera.facts.fact import Fact, Origin, fact_id
from chimera.facts.text import Name, Num, Sentence, Span, spans
from chimera.report.document import (
    Block,
    Bullets,
    Chart,
    Details,
    Mark,
    Paragraph,
    Quotation,
    Report,
    Section,
    Table,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "a|b",
    "x\ny",
    "</script><img src=x onerror=alert(2)>",
    "`tick` ``two``",
    "\u202egnp.exe",
    '" onmouseover="alert(3)" x="',
    "[link](javascript:alert(4))",
    "**bold** _it_ ~~no~~ $x$",
    "a\\|b\\",
    "# heading",
    "1. list",
    "&lt;b&gt; &#60;i&#62;",
    "https://example.com www.example.com me@example.com",
    "<!-- --> <![CDATA[ ]]>",
    "byte \udcff and nul \0",
    "   ",
    "|---|---|",
    "long/" + "very-long-name-without-a-break" * 6 + ".csv",
)


def fact(
    value: float | int | str | None,
    unit: str = "1",
    *,
    metric: str = "count",
    statistic: str = "value",
    subject: dict[str, str] | None = None,
    operands: tuple[str, ...] = (),
    origins: tuple[Origin, ...] | None = None,
    **more: object,
) -> Fact:
    """A fact with the id that its content gives."""
    about = {} if subject is None else subject
    where = (Origin("runs.csv", "ab" * 32, (2, 3, 4), "value"),) if origins is None else origins
    key = fact_id(about, metric, statistic, "all", value, where, operands)
    return Fact(
        id=key,
        subject=about,
        metric=metric,
        statistic=statistic,
        value=value,
        unit=unit,
        operands=operands,
        origins=where,
        **more,  # type: ignore[arg-type]
    )


def said(*parts: str | Span) -> Sentence:
    return Sentence(spans(*parts))


def hostile_report(names: tuple[str, ...] = HOSTILE) -> Report:
    """Each name in every place that a name can stand in."""
    blocks: list[Block] = []
    for i, name in enumerate(names):
        one = fact(
            i + 0.5,
            "tokens/s",
            metric=name,
            statistic=name,
            subject={name: name},
            n=i + 2,
            ci95=(i + 0.25, i + 0.75),
            flags=(name,),
            expression=name,
            excluded_why=name,
            n_excluded=1,
            origins=(Origin(name, name, (i + 1,), name, name),),
        )
        words = fact(name, "", metric="name")
        code, plain = Name(name), Name(name, code=False)
        table = Table(
            ((code,), (plain,), spans("Value")),
            (((code,), (plain,), (Num(one, strong=True),)), ((plain,), (code,), (Num(words),))),
            caption=(plain, code),
        )
        marks = (Mark(name, one, ((i + 0.3, name, ""), (i + 0.6, name, "cold")), group=name),)
        blocks += [
            Paragraph((Sentence((code,)), Sentence((plain,)), said("Says ", Num(words), "."))),
            Bullets(((Sentence((plain,)),), (Sentence((code,)),))),
            Bullets(((Sentence((plain, code)),),), ordered=True),
            table,
            Chart((plain, code), "tokens/s", marks, note=(plain,)),
            Quotation(name, name, Origin(name, name, (1,)), (plain,)),
            Details((plain, code), (Paragraph((Sentence((plain, code)),)),)),
        ]
    title = (Name(names[0], code=False),)
    sections = tuple(
        Section(n, (Name(n, code=False),), (blocks[3 * i],)) for i, n in enumerate(names)
    )
    everything = Section("all", spans("Everything"), tuple(blocks), numbered=True)
    return Report(title, (("Folder", (Name(names[-1]),)),), (everything, *sections))
