"""Findings about settings: the highest configuration, what parameters do, what is confounded."""

from __future__ import annotations

from chimera.facts.dataset import subject_label
from chimera.facts.findings.base import (
    ARGMAX,
    COUNTED,
    DIFFERENCE,
    EMPTY,
    EXTREME,
    Clause,
    Finding,
    clause,
    count,
    interval,
    label,
    name,
    value,
)
from chimera.facts.sweeps import Best, ColdByLevel, Effect, Sweep
from chimera.facts.text import Name, Span, spans
from chimera.record.vocabulary import metric_better, metric_label

_UNTOLD_ONCE = clause(
    COUNTED,
    ("Repeat the leading configurations in mixed order before fixing one.",),
    ("Do not fix a configuration on these runs; repeat the leading ones.",),
    ("Before settings are fixed, run the leading ones again, in random order.",),
)
_UNTOLD_REPEATED = clause(
    COUNTED,
    ("Let something else decide among the leading configurations, or add repeats.",),
    ("Choose among the leading configurations by memory or convenience, or repeat them more.",),
    ("Unless more repeats tell the leading configurations apart, decide by something else.",),
)


def settings_findings(sweeps: list[Sweep]) -> list[Finding]:
    """Findings of every sweep, in the order of the subjects."""
    findings: list[Finding] = []
    for place, sweep in enumerate(sweeps):
        weight = 80.0 - place
        tops = [b for b in sweep.best if b.metric == sweep.best[0].metric]
        # At the lowest and the highest load.
        ends = [tops[0], tops[-1]] if len(tops) > 1 else tops
        findings.extend(_best(sweep, best, weight) for best in ends)
        findings.extend(_effect(sweep, e, weight) for e in sweep.effects if e.certain)
        none = [e for e in sweep.effects if not e.certain]
        if none:
            findings.append(_no_effect(sweep, none, weight))
        findings.extend(_confounded(sweep, cold, weight) for cold in sweep.cold)
        findings.extend(_together(sweep, a, b, weight) for a, b in sweep.together)
    single = [s for s in sweeps if s.one_run_each]
    if single:
        findings.append(_one_run(single))
    return findings


def _best(sweep: Sweep, best: Best, weight: float) -> Finding:
    who, what = name(subject_label((*sweep.subject, *best.load))), label(metric_label(best.metric))
    first, second = name(best.first_label), name(best.second_label)
    gap = (value(best.gap), *interval(best.gap))
    if best.certain:
        says = clause(
            ARGMAX,
            ("In the parameter sweep of ", who, ", ", first, " gives ", value(best.first), " of ",
             what, ", ahead of ", second, " with ", value(best.second), " by ", *gap, "."),
            ("The highest ", what, " in the parameter sweep of ", who, " comes with ", first, ": ",
             value(best.first), " against ", value(best.second), " for ", second, ", a gap of ",
             *gap, "."),
        )  # fmt: skip
        advice = clause(
            ARGMAX,
            ("Run ", who, " with ", first, " where ", what, " decides."),
            ("Use ", first, " for ", who, " if ", what, " is what counts."),
        )
        title = spans(first, " gives the highest ", what, " in the sweep of ", who)
        return Finding(f"best:{who.text}", "best", "high", title, (says,), advice, ARGMAX, weight)
    parts: tuple[Span, ...] = ()
    if best.gap_sd is not None:
        parts = spans(", ", value(best.gap_sd, strong=False), " residual standard deviations")
    says = _untold(who, what, first, second, best, (*gap, *parts))
    advice = _UNTOLD_ONCE if sweep.one_run_each else _UNTOLD_REPEATED
    title = spans("The leading configurations in the sweep of ", who, " cannot be told apart")
    brief = (who, *spans(" "), value(best.gap), *parts)
    return Finding(
        f"best:{who.text}", "best-untold", "high", title, (says,), advice, EXTREME, weight, brief
    )


def _untold(
    who: Name, what: Name, first: Name, second: Name, best: Best, gap: tuple[Span, ...]
) -> Clause:
    return clause(
        EXTREME,
        ("In the parameter sweep of ", who, ", ", first, " has the highest value of ", what, ", ",
         value(best.first), ", but ", second, " with ", value(best.second),
         " cannot be told apart from it: the gap is ", *gap, "."),
        ("Which configuration in the parameter sweep of ", who, " is ahead in ", what, (" cannot "
         "be told: "), first, " (", value(best.first), ") and ", second, " (", value(best.second),
         ") are ", *gap, " apart."),
        (first, " with ", value(best.first), " and ", second, " with ", value(best.second),
         " cannot be told apart in the ", what, " of the parameter sweep of ", who, ": the gap is ",
         *gap, "."),
    )  # fmt: skip


def _effect(sweep: Sweep, effect: Effect, weight: float) -> Finding:
    who, what = name(subject_label(sweep.subject)), label(metric_label(effect.metric))
    parameter = name(effect.parameter)
    a, b = name(effect.low), name(effect.high)
    gap = (value(effect.difference, sign=True), *interval(effect.difference))
    says = [
        clause(
            DIFFERENCE,
            ("From ", parameter, " ", a, " to ", b, ", the ", what, " of ", who, " changes by ",
             *gap, " on warm records."),
            ("On warm records of ", who, ", ", parameter, " ", b, " instead of ", a, " changes ",
             what, " by ", *gap, "."),
            ("For ", who, ", going from ", parameter, " ", a, " to ", b, " moves ", what, " by ",
             *gap, ", cold starts left out."),
        )
    ]  # fmt: skip
    if effect.parameter in sweep.fixed_order:
        says.append(
            clause(
                EMPTY,
                (parameter, (" was run in blocks, one level after the other, so a drift over time "
                 "is not excluded as the reason.")),
                ("As the levels of ", parameter, (" were run one after the other, a drift of the "
                 "machine is not excluded.")),
            )
        )  # fmt: skip
        advice = clause(
            COUNTED,
            ("Run the levels of ", parameter, " again in random order before you rely on this."),
            ("Before acting on ", parameter, ", repeat its levels in random order."),
        )
    else:
        gain = effect.difference.value
        up = isinstance(gain, float) and (gain > 0) == (metric_better(effect.metric) == "higher")
        choice = b if up else a
        advice = clause(
            COUNTED,
            ("Where ", what, " decides, run ", who, " with ", parameter, " ", choice, " rather "
             "than ", a if up else b, "."),
            ("For ", what, ", prefer ", parameter, " ", choice, " to ", a if up else b, " when you "
             "set up ", who, "."),
        )  # fmt: skip
    key = f"effect:{who.text}:{effect.parameter}:{effect.metric}"
    title = spans(parameter, " changes the ", what, " of ", who)
    if effect.parameter in sweep.fixed_order:
        title = spans("The ", what, " of ", who, " differs between blocks of ", parameter)
    return Finding(key, "effect", "medium", title, tuple(says), advice, DIFFERENCE, weight - 5)


def _no_effect(sweep: Sweep, effects: list[Effect], weight: float) -> Finding:
    who = name(subject_label(sweep.subject))
    by_metric: dict[str, list[Effect]] = {}
    for effect in effects:
        by_metric.setdefault(effect.metric, []).append(effect)
    says = []
    for metric, members in by_metric.items():
        what = label(metric_label(metric))
        listed: list[str | Span] = []
        for i, effect in enumerate(members):
            listed += [", " if i else "", name(effect.parameter), " (", name(effect.low), " to ",
                       name(effect.high), ": ", value(effect.difference, sign=True, strong=False),
                       *interval(effect.difference), ")"]  # fmt: skip
        says.append(
            clause(
                EMPTY,
                ("On warm records of ", who, ", an effect on ", what, " cannot be told from chance "
                 "for ", *listed, "."),
                ("For ", who, ", what these do to ", what, " cannot be told from chance: ",
                 *listed, "."),
                ("What changes in ", what, " of ", who, " with these settings cannot be told from "
                 "chance: ", *listed, "."),
            )
        )  # fmt: skip
    title = spans("Settings of ", who, " without an effect that can be told from chance")
    return Finding(
        f"no-effect:{who.text}", "no-effect", "low", title, tuple(says), None, EMPTY, weight
    )


def _confounded(sweep: Sweep, cold: ColdByLevel, weight: float) -> Finding:
    who, parameter, level = (
        name(subject_label(sweep.subject)),
        name(cold.parameter),
        name(cold.all_on),
    )
    says = clause(
        COUNTED,
        ("All ", count(cold.total), " cold starts in the sweep of ", who, " fall on ", parameter,
         " ", level, ", which keeps ", count(cold.warm_there), " of ", count(cold.at_level),
         " records warm; a difference in TTFT there is one of reloads."),
        ("In the sweep of ", who, ", every one of ", count(cold.total), " reloads happened at ",
         parameter, " ", level, " (", count(cold.warm_there), " of ", count(cold.at_level),
         " records there are warm), so its TTFT says nothing about ", parameter, "."),
        (parameter, " ", level, " holds all ", count(cold.total), " cold starts of ", who, " and ",
         count(cold.warm_there), " warm records out of ", count(cold.at_level), ": reloads and ",
         parameter, " are confounded."),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Compare settings on warm records only, and put their levels in random order next time.",),
        ("Send a warm-up request after each change of settings, and mix their levels.",),
    )  # fmt: skip
    title = spans("Cold starts of ", who, " are confounded with ", parameter)
    return Finding(
        f"confounded:{who.text}:{cold.parameter}",
        "confounded",
        "high",
        title,
        (says,),
        advice,
        COUNTED,
        weight - 2,
        spans(who, " (", count(cold.total), " on ", parameter, " ", level, ")"),
    )


def _together(sweep: Sweep, a: str, b: str, weight: float) -> Finding:
    who = name(subject_label(sweep.subject))
    says = clause(
        EMPTY,
        ("For ", who, ", ", name(a), " and ", name(b), (" change together, so their effects cannot "
         "be separated.")),
        (name(a), " and ", name(b), " of ", who, (" were not varied apart; what either does "
         "cannot be told.")),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Vary ", name(a), " and ", name(b), " on their own."),
        ("Change ", name(a), " while ", name(b), " stays, and the other way round."),
    )
    title = spans(name(a), " and ", name(b), " of ", who, " are not separated")
    return Finding(
        f"together:{who.text}:{a}:{b}", "together", "medium", title, (says,), advice, EMPTY, weight
    )


def _one_run(sweeps: list[Sweep]) -> Finding:
    first = sweeps[0]
    listed: list[str | Span] = []
    for i, sweep in enumerate(sweeps):
        listed += [", " if i else "", name(subject_label(sweep.subject)), " (",
                   count(sweep.configurations), ")"]  # fmt: skip
    says = clause(
        COUNTED,
        ("One run per configuration was made for ", *listed, ("; the noise of a configuration is "
         "then unknown, and leaders cannot be told from runners-up.")),
        ("With one run per configuration (", *listed, (" configurations), repeats that would show "
         "the noise are missing, and a ranking of them is not supported.")),
        ("The configurations of ", *listed, (" were run once each, so differences between them "
         "have no interval of their own.")),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Repeat each configuration several times in random order, or test fewer of them.",),
        ("Test fewer configurations with several repeats of each, in random order.",),
        ("Give each configuration several repeats, in random order, even if fewer are tested.",),
    )
    title = spans("One run per configuration")
    return Finding(
        f"one-run:{subject_label(first.subject)}",
        "one-run",
        "high",
        title,
        (says,),
        advice,
        COUNTED,
        60.0,
    )
