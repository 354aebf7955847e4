"""Findings about who is faster, by how much, and whether that is certain."""

from __future__ import annotations

from msgspec.structs import replace

from chimera.facts.comparisons import Comparison
from chimera.facts.dataset import Subject, subject_label
from chimera.facts.fact import Fact
from chimera.facts.findings.base import (
    ARGMAX,
    COUNTED,
    DIFFERENCE,
    EMPTY,
    Clause,
    Finding,
    clause,
    count,
    interval,
    label,
    name,
    plural,
    value,
)
from chimera.facts.measures import MIXED_LOAD
from chimera.facts.text import Name, Span, spans
from chimera.record.vocabulary import METRICS, metric_label

_SHOWN = ("decode_throughput", "token_rate", "output_throughput", "ttft", "tpot", "e2e_latency")


def speed_findings(comparisons: list[Comparison]) -> list[Finding]:
    """For each metric: the leader against the next one, or that they cannot be told apart."""
    findings: list[Finding] = []
    for place, metric in enumerate(_SHOWN):
        groups = _by_load([c for c in comparisons if c.metric == metric])
        # At the lowest and the highest load; the others stand in the table of comparisons.
        for i, pairs in enumerate([groups[0], groups[-1]] if len(groups) > 1 else groups):
            of_load = _of_metric(metric, pairs, 100.0 - place - i / 10)
            findings += [replace(f, key=f"{f.key} at {i}") for f in of_load] if i else of_load
    return findings


def _by_load(comparisons: list[Comparison]) -> list[list[Comparison]]:
    """The comparisons in groups that share subjects: only those of one load do."""
    groups: list[tuple[set[Subject], list[Comparison]]] = []
    for c in comparisons:
        for subjects, members in groups:
            if c.a in subjects or c.b in subjects:
                subjects.update((c.a, c.b))
                members.append(c)
                break
        else:
            groups.append(({c.a, c.b}, [c]))
    return [members for _, members in groups]


def _of_metric(metric: str, pairs: list[Comparison], weight: float) -> list[Finding]:
    ranked = _ranked(pairs)
    lead = _between(pairs, ranked[0], ranked[1])
    if lead is None or lead.difference is None:
        finding = _not_comparable(metric, ranked, weight)
    elif lead.certain and _leads_all(pairs, ranked):
        finding = _leader(metric, ranked, lead, weight)
    elif lead.certain:
        finding = _partial(metric, lead, weight)
    else:
        finding = _tie(metric, lead, weight)
    return [finding, *_spread(metric, pairs, ranked, weight)]


def _ranked(pairs: list[Comparison]) -> list[Subject]:
    """Subjects in order of the comparisons that they win."""
    subjects = list(dict.fromkeys(s for c in pairs for s in (c.a, c.b)))
    wins = {s: sum(1 for c in pairs if c.a == s and c.difference is not None) for s in subjects}
    return sorted(subjects, key=lambda s: -wins[s])


def _between(pairs: list[Comparison], a: Subject, b: Subject) -> Comparison | None:
    return next((c for c in pairs if {c.a, c.b} == {a, b}), None)


def _leads_all(pairs: list[Comparison], ranked: list[Subject]) -> bool:
    """Whether the first subject is certainly ahead of every other one."""
    return all(c.certain and c.a == ranked[0] for c in pairs if ranked[0] in (c.a, c.b))


def _sides(c: Comparison) -> tuple[Fact, Fact, Fact]:
    assert c.mean_a is not None
    assert c.mean_b is not None
    assert c.difference is not None
    return c.mean_a, c.mean_b, c.difference


def _claim(metric: str, c: Comparison) -> Clause:
    mean_a, mean_b, difference = _sides(c)
    a, b, what = name(subject_label(c.a)), name(subject_label(c.b)), label(metric_label(metric))
    gap = (value(difference), *interval(difference))
    over = _over(c)
    if METRICS[metric].better == "higher":
        return clause(
            DIFFERENCE,
            (a, " is faster than ", b, " in ", what, ": ", value(mean_a), " against ",
             value(mean_b), ", a difference of ", *gap, *over, "."),
            (a, " reaches ", value(mean_a), " of ", what, " and ", b, " ", value(mean_b),
             "; the difference is ", *gap, *over, "."),
            ("In ", what, ", ", a, " is ahead of ", b, " by ", *gap, " (", value(mean_a),
             " against ", value(mean_b), *over, ")."),
        )  # fmt: skip
    return clause(
        DIFFERENCE,
        (a, " has the lower ", what, " of the pair with ", b, ": ", value(mean_a), " against ",
         value(mean_b), ", a difference of ", *gap, *over, "."),
        ("The ", what, " of ", a, " is ", value(mean_a), " and that of ", b, " ", value(mean_b),
         "; the difference is ", *gap, *over, "."),
        ("In ", what, ", ", a, " needs less time than ", b, ": ", value(mean_a), " against ",
         value(mean_b), " (difference ", *gap, *over, ")."),
    )  # fmt: skip


def _over(c: Comparison) -> tuple[str | Span, ...]:
    """Over how many shared conditions, or that the files say nothing of any."""
    assert c.conditions is not None
    if not c.recorded:
        return (", while the settings and prompts are not recorded",)
    many = plural(c.conditions, " shared condition", " shared conditions")
    return (" over ", count(c.conditions), many, " of several loads" if _mixed(c) else "")


def _mixed(c: Comparison) -> bool:
    """Whether the means are over several loads, and so those of none."""
    return c.mean_a is not None and MIXED_LOAD in c.mean_a.flags


def _leader(metric: str, ranked: list[Subject], lead: Comparison, weight: float) -> Finding:
    first, what = name(subject_label(lead.a)), label(metric_label(metric))
    says = [_claim(metric, lead)]
    if len(ranked) > 2:
        says.append(
            clause(
                ARGMAX | {"counted"},
                ("It is certainly ahead of every other model that it shares conditions with.",),
                ("Against each other model measured alike, the difference is certain too.",),
                ("The same holds against every other model measured under shared conditions.",),
            )
        )
    advice = clause(
        ARGMAX,
        ("Where ", what, " decides, choose ", first, (", and check its answers first: speed says "
         "nothing about quality.")),
        ("Take ", first, " if ", what, (" is what counts; the quality of its answers was not "
         "measured here.")),
        ("For ", what, ", ", first, (" is the choice that the data support, once its quality has "
         "been looked at.")),
    )  # fmt: skip
    title = spans(first, " leads in ", what)
    return Finding(f"speed:{metric}", "speed", "high", title, tuple(says), advice, ARGMAX, weight)


def _partial(metric: str, lead: Comparison, weight: float) -> Finding:
    what, first = label(metric_label(metric)), name(subject_label(lead.a))
    says = (
        _claim(metric, lead),
        _others_uncertain(),
    )
    advice = clause(
        COUNTED,
        ("Repeat the runs of the leading models under the same conditions before choosing by ",
         what, "."),
        ("Before ", what, " decides, measure the leading models again under the same conditions."),
        ("Add repeats for the models at the top of ", what, " before you choose among them."),
    )  # fmt: skip
    title = spans(first, " is ahead in ", what, ", not of everyone with certainty")
    return Finding(f"speed:{metric}", "speed", "medium", title, says, advice, DIFFERENCE, weight)


def _others_uncertain() -> Clause:
    return clause(
        EMPTY,
        ("Against some of the others its lead is not certain, or was not measured alike.",),
        ("Other pairs cannot be told apart with the records at hand.",),
        ("For some pairs the interval of the difference reaches across its sign.",),
    )


def _tie(metric: str, c: Comparison, weight: float) -> Finding:
    mean_a, mean_b, difference = _sides(c)
    a, b, what = name(subject_label(c.a)), name(subject_label(c.b)), label(metric_label(metric))
    gap = (value(difference), *interval(difference), *(_over(c) if _mixed(c) else ()))
    says = clause(
        EMPTY,
        (a, " and ", b, " cannot be told apart in ", what, ": ", value(mean_a), " against ",
         value(mean_b), ", a difference of ", *gap, "."),
        ("In ", what, ", ", a, " (", value(mean_a), ") and ", b, " (", value(mean_b),
         ") cannot be told apart; the difference is ", *gap, "."),
        ("The ", what, " of ", a, ", ", value(mean_a), ", and of ", b, ", ", value(mean_b),
         ", differ by ", *gap, ", which cannot be told from chance."),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Do not choose between ", a, " and ", b, " by ", what, ("; repeat the runs or decide by "
         "something else.")),
        ("Let something else than ", what, " decide between ", a, " and ", b, ", or add repeats."),
        ("More repeats of ", a, " and ", b, " are needed before ", what, " can decide."),
    )  # fmt: skip
    title = spans(a, " and ", b, " cannot be told apart in ", what)
    return Finding(f"speed:{metric}", "speed", "medium", title, (says,), advice, EMPTY, weight)


def _not_comparable(metric: str, ranked: list[Subject], weight: float) -> Finding:
    a, b = name(subject_label(ranked[0])), name(subject_label(ranked[1]))
    what = label(metric_label(metric))
    says = _no_shared(a, b, what)
    advice = clause(
        COUNTED,
        ("Measure ", a, " and ", b, " with the same prompts and settings."),
        ("Run ", a, " and ", b, " again under shared prompts and settings."),
        ("Give ", a, " and ", b, " the same prompts and settings in the next run."),
    )
    title = spans(what, " of the leading models is not comparable")
    return Finding(f"speed:{metric}", "speed", "medium", title, (says,), advice, EMPTY, weight)


def _no_shared(a: Name, b: Name, what: Name) -> Clause:
    return clause(
        EMPTY,
        (a, " and ", b, " were not measured under the same conditions, so their ", what,
         " is not compared."),
        ("The ", what, " of ", a, " and ", b, (" is not compared, as their settings or prompts "
         "are not the same.")),
    )  # fmt: skip


def _spread(
    metric: str, pairs: list[Comparison], ranked: list[Subject], weight: float
) -> list[Finding]:
    """The first against the last, when there are more than two and it is certain."""
    if len(ranked) < 3:
        return []
    c = _between(pairs, ranked[0], ranked[-1])
    if c is None or not c.certain or c.ratio is None or c.conditions is None:
        return []
    mean_a, mean_b, _ = _sides(c)
    a, b, what = name(subject_label(c.a)), name(subject_label(c.b)), label(metric_label(metric))
    ratio, over = value(c.ratio), _over(c)
    says = clause(
        DIFFERENCE,
        ("From ", b, " (", value(mean_b), ") to ", a, " (", value(mean_a), "), ", what,
         " changes by a factor of ", ratio, *over, "."),
        ("Between ", a, " with ", value(mean_a), " and ", b, " with ", value(mean_b),
         " lies a factor of ", ratio, " in ", what, *over, "."),
        ("The ", what, " of ", a, ", ", value(mean_a), ", and of ", b, ", ", value(mean_b),
         ", are a factor of ", ratio, " apart", *over, "."),
    )  # fmt: skip
    title = spans("The models span a factor of ", value(c.ratio, strong=False), " in ", what)
    return [
        Finding(f"spread:{metric}", "spread", "low", title, (says,), None, DIFFERENCE, weight - 50)
    ]
