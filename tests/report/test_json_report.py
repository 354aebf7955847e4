"""The report for programs: every printed number with its fact, and what else was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from chimera.errors import FormatError
from chimera.facts.text import Num, spans
from chimera.report.document import Report
from chimera.report.json_report import to_json
from chimera.report.ledger import ledger
from tests.report.sample_report import Sample
from tests.report.samples import fact, hostile_report


class Call(msgspec.Struct):
    prompt: str
    total_s: float
    tokens: int | None = None


def test_every_number_has_its_fact() -> None:
    report = Sample().report()
    raw = to_json(report, {"timings": {"ingest_s": 0.1}})
    data = json.loads(raw)
    assert list(data) == [
        "format", "version", "title", "meta", "sections", "numbers", "names", "facts", "timings",
    ]  # fmt: skip
    assert (data["format"], data["version"]) == ("chimera-report", 1)
    assert data["numbers"] == [msgspec.to_builtins(p) for p in ledger(report)]
    assert {n["fact"] for n in data["numbers"]} <= data["facts"].keys()
    operands = {o for f in data["facts"].values() for o in f["operands"]}
    assert operands
    assert operands <= data["facts"].keys()
    assert raw.endswith(b"}\n")
    assert b'\n  "version": 1,\n' in raw
    assert raw == to_json(Sample().report(), {"timings": {"ingest_s": 0.1}})


def test_operands_are_followed_as_far_as_they_are_known() -> None:
    a = fact(1.0, "s")
    b = fact(2.0, "s", operands=(a.id, "Fmissing"))
    c = fact(3.0, "s", operands=(b.id,))
    report = Report(spans(Num(c)), (), (), {a.id: a, b.id: b})
    assert list(json.loads(to_json(report))["facts"]) == [c.id, b.id, a.id]


def test_what_json_cannot_say_is_null_or_text() -> None:
    extra = {
        "calls": [Call("x\udcff", float("nan")), Call("y", float("-inf"), 10**30)],
        "paths": {Path("a/b")},
        "tuple": (1, float("inf")),
    }
    broken = fact(float("nan"), "s")
    one = fact(1.0, "s", operands=(broken.id,))
    raw = to_json(Report(spans(Num(one)), (), (), {broken.id: broken}), extra)
    assert b"NaN" not in raw
    assert b"Infinity" not in raw
    data = json.loads(raw)
    assert data["calls"][0] == {"prompt": "x\\udcff", "total_s": None, "tokens": None}
    assert data["calls"][1]["tokens"] == str(10**30)
    assert data["paths"] == ["a/b"]
    assert data["tuple"] == [1, None]


def test_hostile_names_stay_json() -> None:
    assert json.loads(to_json(hostile_report()))["facts"]


def test_the_formats_own_keys_cannot_be_overwritten() -> None:
    with pytest.raises(FormatError, match="facts"):
        to_json(Report((), (), ()), {"facts": {}})
