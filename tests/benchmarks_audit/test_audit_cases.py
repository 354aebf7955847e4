"""The labelled cases: made again from their seed, exact in their spans, false where they say so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.audit import truth
from benchmarks.audit.cases import BAD, WEAK, Case, mutated_cases, true_cases
from benchmarks.audit.mutations import MUTATIONS
from benchmarks.audit.phrasing import PHRASINGS
from benchmarks.audit.relations import FAMILIES
from benchmarks.audit.shapes import worlds
from benchmarks.audit.statement import render
from benchmarks.audit.world import World

SPLITS = ("build", "held-out")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[World]:
    return worlds(tmp_path_factory.mktemp("folders"), 1, 10)


@pytest.fixture(scope="module")
def mutated(made: list[World]) -> dict[str, list[Case]]:
    return {split: mutated_cases(made, split, 1, 50) for split in SPLITS}


@pytest.fixture(scope="module")
def true(made: list[World]) -> dict[str, list[Case]]:
    return {split: true_cases(made, split, 1, 20) for split in SPLITS}


def _seen(cases: Sequence[Case]) -> list[tuple[str, str, object]]:
    return [(case.kind, case.text, case.wrong) for case in cases]


def test_the_same_seed_makes_the_same_folders_and_cases(tmp_path: Path) -> None:
    first, second = (worlds(tmp_path / name, 7, 2) for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert [f.name for f in one.files] == [f.name for f in other.files]
        for file in one.files:
            assert (one.root / file.name).read_bytes() == (other.root / file.name).read_bytes()
    assert _seen(mutated_cases(first, "build", 7, 2)) == _seen(mutated_cases(second, "build", 7, 2))
    assert _seen(true_cases(first, "build", 7, 2)) != _seen(true_cases(first, "build", 8, 2))


@pytest.mark.parametrize("split", SPLITS)
def test_fifty_of_each_kind_over_four_shapes(split: str, mutated: dict[str, list[Case]]) -> None:
    assert len(MUTATIONS) >= 26
    counts = Counter(case.kind for case in mutated[split])
    shapes = {kind: {c.world.shape for c in mutated[split] if c.kind == kind} for kind in MUTATIONS}
    assert {kind: n for kind, n in counts.items() if n < 50} == {}
    assert set(counts) == set(MUTATIONS)
    assert {kind: found for kind, found in shapes.items() if len(found) < 4} == {}


@pytest.mark.parametrize("split", SPLITS)
def test_spans_lie_where_they_say(
    split: str, mutated: dict[str, list[Case]], true: dict[str, list[Case]]
) -> None:
    for case in (*mutated[split], *true[split]):
        for claim in case.claims:
            span = case.text[claim.start : claim.end]
            assert span
            assert span == span.strip()
            if claim.cell is not None and case.kind == "true":
                assert any(char.isdigit() for char in span)
    for case in mutated[split]:
        assert case.wrong
        start, end = case.around
        assert all(start <= a < b <= end for a, b in case.wrong)
        assert case.labels in {BAD, WEAK}


@pytest.mark.parametrize("split", SPLITS)
def test_true_figures_are_those_of_the_values_written(
    split: str, true: dict[str, list[Case]]
) -> None:
    """Worked out again from the group's values, not from what the case carries."""
    checked = 0
    for case in true[split]:
        for claim in (c for c in case.claims if c.cell is not None and c.kind == "value"):
            cell = claim.cell
            assert cell is not None
            group = case.world.group(cell.model, cell.metric, cell.settings)
            assert group is not None
            if cell.statistic == "mean":
                assert cell.value == pytest.approx(truth.mean(group.values))
                checked += 1
            elif cell.statistic == "max":
                assert cell.value == max(group.values)
    assert checked > 100


def test_mutated_values_are_not_the_truth(mutated: dict[str, list[Case]]) -> None:
    """The cell that a mutated figure claims to be does not print as what is written."""
    factors = {"ms": 1000.0, "msec": 1000.0, "milliseconds": 1000.0}
    checked = 0
    kinds = {
        "digit",
        "transposition",
        "x10",
        "plus 5 %",
        "minus 5 %",
        "model",
        "statistic",
        "stale",
    }
    for case in (*mutated["build"], *mutated["held-out"]):
        if case.kind not in kinds:
            continue
        for claim in case.claims:
            if claim.cell is None or (claim.start, claim.end) not in case.wrong:
                continue
            text = case.text[claim.start : claim.end]
            number = text.rstrip("abcdefghijklmnopqrstuvwxyzRPS/ ")
            unit = text[len(number) :].strip()
            if not unit:
                continue  # a cell of a table: its unit stands in the header
            value = claim.cell.value * factors.get(unit, 1.0)
            assert not truth.prints_as(value, number), case.text
            checked += 1
    assert checked > 200


def test_snippets_and_names_that_are_said_to_be_invented_are(
    mutated: dict[str, list[Case]],
) -> None:
    for case in (*mutated["build"], *mutated["held-out"]):
        start, end = case.wrong[0]
        if case.kind == "snippet":
            assert json.loads(case.text[start:end]) not in case.world.records
        if case.kind == "file that is not there":
            names = [case.text[a:b] for a, b in case.wrong]
            assert any("." in n and not (case.world.root / n).exists() for n in names)


def test_held_out_phrasings_are_not_those_of_the_build() -> None:
    build, held_out = (PHRASINGS[split].words for split in SPLITS)
    for family in set(FAMILIES) - {"table"}:
        ours, theirs = build.templates[family], held_out.templates[family]
        assert len(set(ours)) >= 12
        assert len(set(theirs)) >= 12
        assert not set(ours) & set(theirs)
    for ours, theirs in ((build.causes, held_out.causes), (build.adjectives, held_out.adjectives)):
        assert min(len(set(ours)), len(set(theirs))) >= 12
        assert not set(ours) & set(theirs)
    assert min(len(build.tables), len(held_out.tables)) >= 12
    assert not set(build.tables) & set(held_out.tables)


def test_render_gives_the_place_of_fields_and_marks() -> None:
    shown = render("{Stat} of {model}: «v:{v}».", {"stat": "mean", "model": "a:1b", "v": "4 s"})
    assert shown.text == "Mean of a:1b: 4 s."
    assert [shown.text[s.start : s.end] for s in shown.marks] == ["4 s"]
    assert [(s.name, shown.text[s.start : s.end]) for s in shown.fields][:2] == [
        ("stat", "Mean"),
        ("model", "a:1b"),
    ]


def test_quantile_is_type_7_and_rounding_is_a_persons() -> None:
    assert truth.quantile([1.0, 2.0, 3.0, 4.0], 0.95) == pytest.approx(3.85)
    assert truth.rounded(2.5, 0) == "3"
    assert truth.rounded(-0.04, 1) == "0.0"
    assert truth.prints_as(3.149, "3.14")  # cut off
    assert not truth.prints_as(3.149, "3.13")
