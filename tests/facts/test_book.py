"""An id stands for one content, whatever is added."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chimera.facts import book as book_module
from chimera.facts.book import FactBook
from chimera.facts.fact import Origin, fact_id

WHERE = (Origin("a.csv", "00", (2, 3), "x"),)


def test_the_same_content_is_one_fact() -> None:
    book = FactBook()
    a = book.add((), "ttft", "mean", 1.5, "s", n=2, origins=WHERE)
    assert book.add((), "ttft", "mean", 1.5, "s", n=2, origins=WHERE) is a
    assert len(book) == 1
    nan = book.add((), "ttft", "max", float("nan"), "s")
    assert book.add((), "ttft", "max", float("nan"), "s") is nan


@pytest.mark.parametrize(
    ("unit", "rest"),
    [("ms", {}), ("s", {"n": 3}), ("s", {"ci95": (1.0, 2.0)}), ("s", {"flags": ("n = 1",)})],
)
def test_facts_that_differ_in_anything_have_ids_of_their_own(
    unit: str, rest: dict[str, object]
) -> None:
    book = FactBook()
    a = book.add((), "ttft", "mean", 1.5, "s", n=2, origins=WHERE)
    b = book.add((), "ttft", "mean", 1.5, unit, origins=WHERE, **{"n": 2, **rest})  # type: ignore[arg-type]
    assert a.id != b.id
    assert book.facts == {a.id: a, b.id: b}
    again = book.add((), "ttft", "mean", 1.5, unit, origins=WHERE, **{"n": 2, **rest})  # type: ignore[arg-type]
    assert again.id == b.id
    for fact in (a, b):
        assert fact.id == fact_id(
            fact.subject,
            fact.metric,
            fact.statistic,
            fact.scope,
            fact.value,
            fact.origins,
            fact.operands,
        )


def test_ids_that_meet_by_chance_are_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Short:
        calls: int = 0

        def __call__(self, subject: dict[str, str], *content: object) -> str:
            return "F1" + subject.get("variant", "")

    monkeypatch.setattr(book_module, "fact_id", Short())
    book = FactBook()
    facts = [book.add((), "ttft", "mean", float(i), "s") for i in range(5)]
    assert len({f.id for f in facts}) == 5
    assert [book.facts[f.id].value for f in facts] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_ids_are_short_and_take_any_content() -> None:
    key = fact_id({"m": "\udcff"}, "x", "mean", "all", 10**40, WHERE)
    assert len(key) == 11
    assert key[0] == "F"
    assert key != fact_id({"m": "\udcff"}, "x", "mean", "all", 10**40 + 1, WHERE)
    assert fact_id({}, "x", "count", "all", 1, ()) != fact_id({}, "x", "count", "all", 1.0, ())


def test_a_fact_with_a_unit_is_found_before_one_without() -> None:
    book = FactBook()
    known = book.add((), "ttft", "mean", 1.5, "s")
    book.add((), "ttft", "mean", 300.0, "")
    assert book.find((), "ttft", "mean") is known
