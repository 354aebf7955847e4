"""The score of stand-ins whose result is known: all-knowing, blind, and crying wolf."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.audit import chance, labels
from benchmarks.audit.adapter import Found, Judge
from benchmarks.audit.cases import Case, mutated_cases, true_cases
from benchmarks.audit.peers import numaudit
from benchmarks.audit.scoring import score
from benchmarks.audit.shapes import worlds


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    made = worlds(tmp_path_factory.mktemp("folders"), 3, 5)
    return true_cases(made, "build", 3, 4) + mutated_cases(made, "build", 3, 4)


def _everything(label: str) -> Judge:
    return lambda text: [Found(0, len(text), "value", label)]


def _oracle(cases: Sequence[Case]) -> Judge:
    twins = [replace(case.twin, kind="true") for case in cases if case.twin]
    known = {case.text: case for case in (*twins, *cases)}

    def judge(text: str) -> list[Found]:
        case = known[text]
        if case.kind != "true":
            start, end = case.wrong[0]
            return [Found(start, end, "value", "contradicted")]
        return [
            Found(c.start, c.end, c.kind, "supported", "", c.cell.model, m, c.cell.statistic)
            if c.cell
            else Found(c.start, c.end, c.kind, "derivable")
            for c in case.claims
            for m in [min(c.cell.metric.accepted) if c.cell else ""]
        ]

    return judge


def test_an_oracle_scores_everything(cases: list[Case]) -> None:
    total = score(cases, lambda data: _oracle(cases))
    assert {total.recall(group) for group in ("numbers", "relations", "words", "others")} == {1.0}
    assert total.false_alarm_rate == 0
    assert total.precision == 1
    assert total.apart("numbers") == total.apart("words") == 1
    assert total.supported == total.true_claims
    assert total.bound_right == total.cells > 0


def test_one_that_supports_everything_finds_nothing(cases: list[Case]) -> None:
    total = score(cases, lambda data: _everything("supported"))
    assert {total.recall(group) for group in ("numbers", "relations", "words", "others")} == {0.0}
    assert total.false_alarm_rate == 0
    assert total.bound_right == 0


def test_one_that_contradicts_everything_raises_only_alarms(cases: list[Case]) -> None:
    total = score(cases, lambda data: _everything("contradicted"))
    assert total.recall("numbers") == 1
    assert total.apart("numbers") == 0  # the truth is flagged as well
    assert total.false_alarm_rate == 1
    assert total.supported == 0


def test_abstaining_is_neither_support_nor_alarm(cases: list[Case]) -> None:
    total = score(cases, lambda data: _everything("unverifiable"))
    assert total.abstained == total.true_claims
    assert total.recall("words") == 1  # not to be supported is all that such a word asks for
    assert total.recall("numbers") == 0


def test_random_numbers_are_tried_and_judged(cases: list[Case]) -> None:
    true = [case for case in cases if case.kind == "true"]
    kind = chance.measure(true, lambda data: _everything("supported"), 1)
    strict = chance.measure(true, lambda data: _everything("contradicted"), 1)
    assert kind.tried == strict.tried > 20
    assert kind.audit == kind.tried
    assert strict.audit == 0
    assert 0 < kind.somewhere == strict.somewhere < kind.tried


def test_a_peer_that_is_not_installed_is_none(tmp_path: Path) -> None:
    assert numaudit(tmp_path) is None


def test_labels_by_hand_give_precision_and_recall(tmp_path: Path) -> None:
    text = "It has 88 files, 13 of them Markdown. It is fast."
    (tmp_path / "report.md").write_text(text, encoding="utf-8")
    folder = tmp_path / "labels"
    folder.mkdir()
    claims = [
        {"start": 7, "end": 15, "kind": "count", "labels": ["contradicted"]},
        {"start": 17, "end": 19, "kind": "count", "labels": ["contradicted"]},
        {"start": 44, "end": 48, "kind": "word", "labels": ["unsupported"]},
    ]
    sha = hashlib.sha256(text.encode()).hexdigest()
    one = {"report": "report.md", "sha256": sha, "split": "build", "claims": claims}
    (folder / "one.json").write_text(json.dumps(one), encoding="utf-8")
    (folder / "two.json").write_text(json.dumps({**one, "sha256": "0"}), encoding="utf-8")
    found = [
        Found(7, 9, "count", "contradicted"),
        Found(44, 48, "word", "inconsistent"),
        Found(0, 2, "word", "fabricated"),
    ]
    total = labels.compare(tmp_path, lambda data: lambda text: found, folder=folder)
    assert (total.precision, total.recall) == (0.5, 0.5)
    assert len(total.unlabelled) == 1
    assert len(total.skipped) == 1
    held_out = labels.compare(tmp_path, lambda data: lambda text: found, "held-out", folder)
    assert held_out.reports == 0
