"""Small reports of true statements, and the same with exactly one thing wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.audit.figures import Writer
from benchmarks.audit.mutations import MUTATIONS, Mutation
from benchmarks.audit.phrasing import PHRASINGS, Phrasings
from benchmarks.audit.relations import FAMILIES
from benchmarks.audit.statement import Statement, render
from benchmarks.audit.world import Cell, World

GOOD = frozenset({"supported", "derivable"})
BAD = frozenset({"contradicted", "misattributed", "fabricated", "inconsistent"})
WEAK = frozenset({"unsupported", "contradicted", "inconsistent", "unverifiable"})
LAST = ("context", "snippet")  # a heading carries on, so nothing may follow it
TRIES = 400


@dataclass(frozen=True)
class Expected:
    """A claim of a report, its span and the labels that are right for it."""

    start: int
    end: int
    kind: str
    labels: frozenset[str]
    cell: Cell | None = None
    family: str = ""


@dataclass(frozen=True)
class Case:
    """``kind`` is "true" or that of the mutation; ``wrong`` are the spans that it falsified.

    ``around`` is the sentence or table that holds them. ``twin`` is the same report unmutated, its
    ``wrong`` the places that the mutation changes.
    """

    world: World
    kind: str
    text: str
    claims: tuple[Expected, ...]
    wrong: tuple[tuple[int, int], ...] = ()
    around: tuple[int, int] = (0, 0)
    labels: frozenset[str] = BAD
    twin: Case | None = None


def _piece(statement: Statement, start: int) -> tuple[str, list[Expected], list[tuple[int, int]]]:
    """Its text, its claims and its wrong spans, moved to ``start``."""
    shown = render(statement.template, statement.fields)
    claims, wrong = [], []
    seen = set()
    for span in (*shown.fields, *shown.marks):
        figure = statement.figures.get(span.name)
        place = (span.start + start, span.end + start)
        is_claim = figure is not None or span in shown.marks
        if is_claim and span.name not in seen:
            seen.add(span.name)
            kind = figure.kind if figure else statement.family
            cell = figure.cell if figure else None
            claims.append(Expected(*place, kind, GOOD, cell, statement.family))
        if span.name in statement.wrong:
            wrong.append(place)
    return shown.text, claims, wrong


def compose(
    world: World, phrasings: Phrasings, rng: random.Random, statements: Sequence[Statement]
) -> Case:
    """One report; at most one statement is wrong."""
    text = rng.choice(phrasings.words.titles)
    claims: list[Expected] = []
    wrong: list[tuple[int, int]] = []
    around = (0, 0)
    for statement in sorted(statements, key=lambda s: s.family in LAST):
        plain = statement.family not in {"context", "snippet", "table", "ranking"}
        head, tail = rng.choice(phrasings.words.wrappers).split("{}", 1) if plain else ("", "")
        if not text.endswith("\n") and not plain:
            text += "\n\n"
        text += head
        piece, found, spans = _piece(statement, len(text))
        if statement.wrong:
            around = (len(text), len(text) + len(piece))
            wrong = spans
            found = [replace(c, labels=BAD | GOOD) for c in found]
        claims += found
        text += piece + tail + "\n\n"
    kind = "mutated" if wrong else "true"
    return Case(world, kind, text, tuple(claims), tuple(wrong), around)


def true_cases(worlds: Sequence[World], split: str, seed: int, per_family: int) -> list[Case]:
    """At least ``per_family`` reports that hold a statement of each family."""
    cases = []
    for family in FAMILIES:
        rng = random.Random(f"{seed}/{split}/true/{family}")
        found = 0
        for attempt in range(TRIES):
            if found == per_family:
                break
            world = worlds[(attempt * 7 + rng.randrange(len(worlds))) % len(worlds)]
            writer = Writer(world, PHRASINGS[split], rng)
            statement = FAMILIES[family](writer)
            if statement is not None:
                others = _others(writer, rng.randrange(0, 8), family)
                cases.append(compose(world, PHRASINGS[split], rng, [statement, *others]))
                found += 1
    return cases


def _others(writer: Writer, count: int, family: str) -> list[Statement]:
    """True statements around it; never two that end a report, and no table beside a table."""
    once = set(LAST) | {"table"}
    names = [name for name in FAMILIES if name not in once and name != family]
    made = [FAMILIES[name](writer) for name in writer.rng.sample(names, count)]
    return [statement for statement in made if statement is not None]


Progress = Callable[[str, int], None]


def mutated_cases(worlds: Sequence[World], split: str, seed: int, per_kind: int) -> list[Case]:
    """``per_kind`` reports of each kind, the shapes of data in turn."""
    by_shape: dict[str, list[World]] = {}
    for world in worlds:
        by_shape.setdefault(world.shape, []).append(world)
    cases = []
    for kind, mutation in MUTATIONS.items():
        rng = random.Random(f"{seed}/{split}/{kind}")
        shapes = list(by_shape)
        found = 0
        for attempt in range(TRIES * 10):
            if found == per_kind:
                break
            world = rng.choice(by_shape[shapes[attempt % len(shapes)]])
            case = _mutated(Writer(world, PHRASINGS[split], rng), kind, mutation)
            if case is not None:
                cases.append(case)
                found += 1
    return cases


def _mutated(writer: Writer, kind: str, mutation: Mutation) -> Case | None:
    family = writer.rng.choice(mutation.families)
    statement = FAMILIES[family](writer)
    wrong = mutation.change(writer, statement) if statement is not None else None
    if statement is None or wrong is None:
        return None
    others = _others(writer, writer.rng.randrange(0, 4), family)
    state = writer.rng.getstate()
    case = compose(writer.world, writer.phrasings, writer.rng, [wrong, *others])
    writer.rng.setstate(state)  # the twin gets the same title and bullets
    same = replace(statement, wrong=wrong.wrong)
    twin = compose(writer.world, writer.phrasings, writer.rng, [same, *others])
    return replace(case, kind=kind, labels=WEAK if mutation.weak else BAD, twin=twin)
