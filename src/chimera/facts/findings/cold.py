"""Findings about cold starts: what they cost, held against warm records of the same prompts."""

from __future__ import annotations

from itertools import product

from chimera.facts.book import FactBook, describe
from chimera.facts.dataset import Dataset, Subject, load_of, subject_label
from chimera.facts.fact import Fact
from chimera.facts.findings.base import (
    COUNTED,
    EMPTY,
    Clause,
    Finding,
    clause,
    field,
    label,
    name,
    value,
)
from chimera.facts.text import Name, spans
from chimera.record.vocabulary import metric_label

_SPOILT = 0.2


def cold_findings(book: FactBook, data: Dataset) -> list[Finding]:
    """What a cold start costs, for each subject that had some."""
    findings = []
    for place, subject in enumerate(data.by_subject):
        pair = _cold_and_warm(book, data, subject)
        if pair is None:
            continue
        cold, warm = pair
        who = name(subject_label(subject))
        asked = any(s.prompt for s in data.records(subject))
        says = [_ttft(who, cold, warm, asked)]
        load = book.find(subject, "load_time", "mean", "cold") or book.find(
            subject, "load_time", "mean"
        )
        if load is not None and load.unit == "s" and _load_is_apart(cold, load):
            says.append(_load(who, load))
        spoilt = _spoilt(book, data, subject)
        if spoilt:
            says.append(_spoilt_clause(who, *spoilt))
        advice = clause(
            COUNTED,
            ("Send a warm-up request before traffic or measurement, and keep the model loaded.",),
            ("Keep the model loaded, and warm it up before you measure or serve.",),
            ("Warm the model up first, and look at cold starts apart from warm records.",),
        )
        findings.append(
            Finding(
                f"cold:{who.text}",
                "cold",
                "medium",
                spans("Cold starts of ", who),
                tuple(says),
                advice,
                EMPTY,
                70.0 - place,
                spans(who, " ", value(cold), " against ", value(warm)),
            )
        )
    return findings


def _cold_and_warm(book: FactBook, data: Dataset, subject: Subject) -> tuple[Fact, Fact] | None:
    """Mean TTFT of cold records, and of warm ones with the same prompts at the same load.

    None when either is missing.
    """
    for (metric, unit), members in data.measured(subject).items():
        if metric != "ttft" or not unit:
            continue
        cold = [(s, c) for s, c in members if s.phase == "cold"]
        like = {(s.prompt, load_of(s)) for s, _ in cold}
        warm = [(s, c) for s, c in members if s.phase != "cold" and (s.prompt, load_of(s)) in like]
        if not cold or not warm:
            return None
        chilly = book.find(subject, "ttft", "mean", "cold") or describe(
            book, subject, "ttft", unit, cold, scope="cold", full=False
        )
        all_warm = book.find(subject, "ttft", "mean", "warm")
        if all_warm is not None and all_warm.n == len(warm):
            return chilly, all_warm
        same = describe(
            book, subject, "ttft", unit, warm, scope="warm, prompts of the cold starts", full=False
        )
        return chilly, same
    return None


def _load_is_apart(cold: Fact, load: Fact) -> bool:
    """Whether TTFT cannot hold the load: it is shorter than the load alone."""
    return (
        isinstance(cold.value, float)
        and isinstance(load.value, float)
        and load.value > 0
        and cold.value < load.value
    )


def _ttft(who: Name, cold: Fact, warm: Fact, asked: bool) -> Clause:
    one = cold.n == 1
    of, with_ = (" of the same prompts", " with the same prompts") if asked else ("", "")
    return clause(
        EMPTY,
        (who, " had ", field(cold, "n"), " cold start" if one else " cold starts",
         " with a mean TTFT of ", value(cold), ", against ", value(warm), " on warm records", of,
         "."),
        ("On cold starts (", field(cold, "n"), ") the mean TTFT of ", who, " is ", value(cold),
         "; on warm records", of, " it is ", value(warm), "."),
        ("A warm record of ", who, " has a mean TTFT of ", value(warm), ", a cold start", with_,
         " ", value(cold), " (", field(cold, "n"), " of these)."),
    )  # fmt: skip


def _load(who: Name, load: Fact) -> Clause:
    return clause(
        EMPTY,
        ("Before that, loading ", who, " took ", value(load), " on average (", field(load, "n"),
         " loads), which its TTFT does not hold."),
        ("The load itself is not in its TTFT: ", value(load), " on average over ",
         field(load, "n"), " loads of ", who, "."),
    )  # fmt: skip


def _spoilt_clause(who: Name, worst: Fact, usual: Fact) -> Clause:
    what = label(metric_label(worst.metric))
    return clause(
        EMPTY,
        ("A cold start of ", who, " also spoilt its ", what, ": ", value(worst), " against a warm "
         "median of ", value(usual), "."),
        ("The ", what, " of ", who, " fell to ", value(worst), " on a cold start, where the warm "
         "median is ", value(usual), "."),
    )  # fmt: skip


def _spoilt(book: FactBook, data: Dataset, subject: Subject) -> tuple[Fact, Fact] | None:
    """The lowest cold throughput and the warm median, when the former is far below."""
    populations = data.populations(subject)
    for metric, one in product(("decode_throughput", "token_rate"), populations):
        usual = book.find(one, metric, "median", "warm")
        lowest = book.find(one, metric, "min", "all")
        if usual and lowest and isinstance(usual.value, float) and isinstance(lowest.value, float):
            cold = [
                s
                for s in data.good(one)
                if s.phase == "cold"
                and (c := s.batch.column(metric)) is not None
                and c.values[s.index] == lowest.value
            ]
            if cold and lowest.value < (1.0 - _SPOILT) * usual.value:
                return lowest, usual
    return None
