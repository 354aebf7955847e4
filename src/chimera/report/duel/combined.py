"""The combined report of one scenario of a duel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from chimera.agents.duel.contest import Duel
from chimera.agents.duel.figures import COMPARED, RUN, Figures, certain
from chimera.agents.duel.speedup import Speedup, speedup_of
from chimera.facts.fact import Origin
from chimera.facts.text import Name, Num, Sentence, Spans, spans
from chimera.report.document import Bullets, Paragraph, Report, Section, Table
from chimera.report.duel.contention import contention, worst
from chimera.report.duel.course import course
from chimera.report.duel.gain import gain, lead, repeats, verdict
from chimera.report.duel.quality import Made, Qualities
from chimera.report.duel.results import differences, measured, people, reports
from chimera.report.duel.words import APART, header, listed, points, with_interval
from chimera.report.sections.common import sentence, term


class Combined(msgspec.Struct, frozen=True):
    """A scenario's report, its facts, and what the command says of it at once."""

    report: Report
    figures: Figures
    speedup: Speedup
    verdict: str


def combined(duel: Duel, made: dict[int, Made], run_ids: Mapping[tuple[str, str], str]) -> Combined:
    """The report of a scenario. ``made`` are the agents' reports by turn, ``run_ids`` the stored
    runs by agent and setting, empty where nothing is stored.
    """
    figures = Figures(duel)
    found = speedup_of(figures)
    sections = (
        Section("summary", spans("What came out"), (points(_summary(figures, found)),)),
        people(figures),
        measured(figures),
        differences(figures),
        gain(found),
        contention(figures),
        course(figures),
        reports(figures, Qualities(figures, made)),
        repeats(figures),
        _method(figures, run_ids),
    )  # fmt: skip
    title = spans("Duel: ", term(duel.plan.title), " on ", Name(folder_name(duel.plan.folder)))
    report = Report(title, tuple(_meta(figures, found)), sections, dict(figures.book.facts))
    return Combined(report, figures, found, verdict(found.speedup))


def in_words(scenario: str) -> str:
    """A scenario's name without the marks between its words."""
    return scenario.replace("_", " ")


def folder_name(folder: str) -> str:
    """The last part of a folder's path."""
    return folder.rstrip("/").rpartition("/")[2] or folder


def _summary(figures: Figures, found: Speedup) -> list[Sentence]:
    said = lead(found)
    a, *others = figures.names
    for b in others:
        for measure in COMPARED:
            fact = figures.between(a, b, "together", measure)
            if fact.ci95 is None:
                continue
            if certain(fact):
                said.append(
                    sentence(
                        term(f"While together, {b} − {a} of {measure.metric} is "),
                        *with_interval(fact, sign=True), ".",
                    )
                )  # fmt: skip
            else:
                said.append(
                    sentence(term(f"While together, {a} and {b} {APART} by {measure.metric}."))
                )
    said += worst(figures)
    return said


def _meta(figures: Figures, found: Speedup) -> list[tuple[str, Spans]]:
    duel = figures.duel
    begun = figures.book.add(
        (("agent", "this report"),), "date of this duel", "value",
        duel.zero_utc[:16].replace("T", " ") + " UTC", "", scope="this duel",
        origins=(Origin(RUN, ""),), expression="when it began, in UTC",
    )  # fmt: skip
    planned = figures.count((), "repeats planned", duel.plan.repeats, "as asked for")
    meta: list[tuple[str, Spans]] = [
        ("Date", (Num(begun),)),
        ("Scenario", spans(term(f"{in_words(duel.plan.scenario)}: {duel.plan.title}"))),
        ("Agents", spans(term(listed(figures.names)))),
        ("Repeats", spans(Num(planned), *(["; stopped early"] if duel.interrupted else []))),
        ("Wall time together", (Num(found.wall),)),
    ]
    cores = duel.environment.usable_cpus
    if cores is not None:
        fact = figures.count((), "processors", cores, "that this program may run on")
        meta.append(("Processors", (Num(fact),)))
    cpu = duel.environment.cpu_model
    if cpu:
        meta.append(("Machine", spans(Name(cpu))))
    return meta


def _method(figures: Figures, run_ids: Mapping[tuple[str, str], str]) -> Section:
    duel = figures.duel
    seed = figures.count((), "seed", duel.plan.seed, "as asked for")
    items = [
        sentence(
            "A workflow is timed from the moment when its agents are let go to the end of its "
            "last call: reading the folder, starting the engine, the analysis and the wording. "
            "Rendering the reports is not included."
        ),
        sentence(
            "Rounds in which each agent works alone stand before the first phase together, between "
            "these, and after the last. Who comes first is drawn anew each time, by the seed ",
            Num(seed), "; warm-up is apart and in no figure.",
        ),
        sentence(
            "An embedded engine starts afresh for each workflow. The prompts for a server that was "
            "there before begin with a line of their own, so that nothing of an earlier run is "
            "answered from its cache."
        ),
        sentence(
            "The agents' own reports beside this one are of the last phase together. Every turn "
            "is in the file of this report's numbers, under ", term("duel"), "."
        ),
    ]  # fmt: skip
    blocks: list[Any] = [Bullets(tuple((i,) for i in items))]
    if run_ids:
        rows = tuple(
            (spans(term(agent)), spans(term(kind)), spans(Name(run_id)))
            for (agent, kind), run_id in sorted(run_ids.items())
        )
        blocks.append(Table(header("Agent", "Setting", "Run in the store"), rows))
        blocks.append(
            Paragraph((sentence("The experiment is called ", Name(duel.plan.experiment), "."),))
        )
    return Section("method", spans("How it was measured"), tuple(blocks))


def as_data(duel: Duel) -> dict[str, Any]:
    """A scenario for ``report.json``, under its own name: every turn, and how it was planned."""
    plan = duel.plan
    return {
        plan.scenario: {
            "title": plan.title,
            "interrupted": duel.interrupted,
            "repeats": plan.repeats,
            "warmup": plan.warmup,
            "seed": plan.seed,
            "experiment": plan.experiment,
            "agents": {
                s.name: {"target": s.target, "persona": s.agent.persona.name,
                         "options": s.agent.options.as_set()}
                for s in plan.sides
            },
            "turns": [msgspec.to_builtins(t) for t in duel.turns],
            "not_watched": duel.not_watched,
        }
    }  # fmt: skip
