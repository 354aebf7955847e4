"""Every kind of finding is built, in every wording, and every word of it is licensed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chimera.errors import UnboundNumber
from chimera.facts import Facts, facts_of
from chimera.facts.findings import Finding
from chimera.facts.findings.base import Clause
from chimera.facts.lexicon import unproven
from chimera.facts.text import Name, Num, Spans, Text
from chimera.ingest import ingest_folder
from tests.facts.folders import Rows, facts_in, repeated, sweep_rows, write_csv, write_json

RATE = "eval_rate_tokens_per_s"
Build = Callable[[Path], None]


def csv_of(rows: Rows) -> Build:
    def build(folder: Path) -> None:
        write_csv(folder / "runs.csv", rows)

    return build


def cold_sweep(model: str, seed: int) -> list[dict[str, Any]]:
    """A sweep in blocks of which each first record of a block pays a load, all on one level."""
    rng = random.Random(seed)
    rows = []
    for threads in (1, 2, 4):
        for first, temperature in ((True, 0.2), (False, 0.2), (False, 0.6), (False, 0.8)):
            load = 2.0 if first else 0.01
            rate = 100 + rng.gauss(0, 1) + 9 * threads
            rows.append({"model": model, "num_thread": threads, "temperature": temperature,
                         "load_s": load, "ttft_s": load + 0.2 + rng.random() / 50,
                         RATE: 40.0 if first else rate})  # fmt: skip
    return rows


def document(folder: Path) -> None:
    write_csv(folder / "runs.csv", sweep_rows(4))
    table = "| model | num_ctx | num_thread | tok/s |\n|---|---|---|---|\n"
    rows = "".join(f"| alpha:1b | 1024 | {n} | {v} |\n" for n, v in ((1, 250.5), (2, 333.25)))
    for name in ("a.md", "b.md"):
        (folder / name).write_text(f"# {name}\n\n{table}{rows}", encoding="utf-8")


def summaries(folder: Path) -> None:
    runs = [{"mean_ms": m, "p95_ms": m * 2, "n": 40} for m in (15.123, 15.456, 15.789)]
    value = {
        "latency": {"mean_ms": 15.456, "p95_ms": 15.789, "p99_ms": 15.789, "n": 3},
        "runs": runs,
    }
    write_json(folder / "summary.json", value)


def disagreeing(folder: Path) -> None:
    rows = [{"tokens_per_second": 10.5 + i, "ttft_ms": 100.0 + i} for i in range(5)]
    value = {
        "model": "alpha:1b",
        "avg_tokens_per_second": 99.25,
        "avg_ttft_ms": 7.5,
        "results": rows,
    }
    write_json(folder / "runs.json", value)


def copies(folder: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(folder / name, sweep_rows(8))


FOLDERS: dict[str, tuple[Build, set[str]]] = {
    "a leader of two": (
        csv_of(repeated("a:1b", [9.5, 9.6, 9.7]) + repeated("b:7b", [5.1, 5.2, 5.3])),
        {"speed"},
    ),
    "a leader of four, and a span": (
        csv_of([r for i in range(4) for r in repeated(f"m{i}:7b", [i + 1.01, i + 1.02, i + 1.03])]),
        {"speed", "spread"},
    ),
    "a leader that is certain of some": (
        csv_of(repeated("a:1b", [9.5, 9.6, 9.7]) + repeated("b:7b", [5.1, 5.2, 5.3])
               + repeated("c:1b", [9.0, 1.0, 3.0])),
        {"speed"},
    ),
    "a tie": (
        csv_of(repeated("a:1b", [9.5, 4.6, 9.7]) + repeated("b:7b", [9.1, 5.2, 9.9])),
        {"speed"},
    ),
    "never measured alike": (
        csv_of(repeated("a:1b", [9.5, 9.6], num_ctx=1) + repeated("b:7b", [9.1, 9.2], num_ctx=2)),
        {"speed"},
    ),
    "lower is better": (
        csv_of([{"model": m, "ttft_s": v + i / 100} for m, v in (("a", 1.5), ("b", 3.5), ("c", 9))
                for i in range(4)]),
        {"speed", "spread"},
    ),
    "one run each": (csv_of(sweep_rows(1) + sweep_rows(2, model="beta:2b")), {"one-run"}),
    "no effect": (csv_of(sweep_rows(3, repeats=3)), {"no-effect", "best-untold"}),
    "an effect and a best": (
        csv_of(sweep_rows(4, repeats=3, effect={("num_thread", 4): 30.0, ("num_ctx", 2048): 9.0})),
        {"effect", "best"},
    ),
    "an effect in blocks": (
        csv_of(sweep_rows(4, repeats=3, effect={("num_ctx", 2048): 30.0}, shuffled=False)),
        {"effect"},
    ),
    "several leaders untold": (
        csv_of(sweep_rows(5) + sweep_rows(6, model="beta:2b") + sweep_rows(7, model="gamma:9b")),
        {"best-untold", "one-run"},
    ),
    "changing together": (
        csv_of([{"model": "a:1b", "num_ctx": 1024 * k, "num_batch": 64 * k, RATE: 50 + i / 3 + k}
                for i in range(4) for k in (1, 2, 3)]),
        {"together"},
    ),
    "cold and confounded": (csv_of(cold_sweep("a:1b", 1)), {"cold", "confounded"}),
    "cold and confounded, several": (
        csv_of(cold_sweep("a:1b", 1) + cold_sweep("b:1b", 2)),
        {"cold", "confounded"},
    ),
    "cold once, load apart": (
        csv_of([{"model": "a:1b", "phase": p, "load_s": load, "ttft_s": 0.2 + i / 90,
                 RATE: 50.5 - i}
                for i, (p, load) in enumerate((("cold", 3.5), *[("warm", 0.001)] * 4))]),
        {"cold"},
    ),
    "failures": (
        csv_of([*repeated("a:1b", [5.5, 5.6]),
                *({"model": "a:1b", RATE: 0, "error": f"error number {i} " + "x" * 90}
                  for i in range(5))]),
        {"failures"},
    ),
    "documents": (document, {"documents"}),
    "percentiles": (summaries, {"percentiles"}),
    "disagreeing summaries": (disagreeing, {"summaries"}),
    "copies": (copies, {"copies"}),
    "no model": (csv_of([{RATE: v, "ttft_s": v / 40} for v in (5.5, 5.6, 5.7)]), {"missing"}),
}  # fmt: skip
KINDS = {
    "speed", "spread", "one-run", "no-effect", "best-untold", "effect", "best", "together", "cold",
    "confounded", "failures", "documents", "percentiles", "summaries", "copies", "missing",
}  # fmt: skip


def clauses(finding: Finding) -> list[Clause]:
    return [*finding.says, *([finding.advice] if finding.advice else [])]


def words_of_ours(wording: Spans) -> str:
    return " ".join(s.text for s in wording if isinstance(s, Text))


def check(facts: Facts) -> None:
    known = set(facts.book.facts)
    for finding in facts.findings:
        for clause in clauses(finding):
            assert len(clause.variants) >= 1
            for wording in clause.variants:
                assert not any(c.isnumeric() for c in words_of_ours(wording))
                for span in wording:
                    assert not isinstance(span, Num) or span.fact.id in known
                    assert span.text
        title = words_of_ours(finding.title)
        allowed = frozenset({"argmax", "difference", "counted", "extreme", "single-factor"})
        assert not unproven(title, allowed), title
        for clause in finding.says:
            for wording in clause.variants:
                own = finding.evidence | _licence(clause)
                assert not unproven(words_of_ours(wording), own), words_of_ours(wording)


def _licence(clause: Clause) -> frozenset[str]:
    """The evidence that a clause may have beyond its finding's: a certain interval, a count."""
    facts = [s.fact for s in clause.variants[0] if isinstance(s, Num)]
    certain = [f for f in facts if f.ci95 and (f.ci95[0] > 0 or f.ci95[1] < 0)]
    kinds = {"counted", "extreme"}
    if certain or not facts or any(f.statistic == "ratio" for f in facts):
        kinds |= {"difference", "argmax"}
    return frozenset(kinds)


@pytest.mark.parametrize("name", FOLDERS)
def test_findings_are_built_in_every_wording(tmp_path: Path, name: str) -> None:
    build, kinds = FOLDERS[name]
    build(tmp_path)
    facts = facts_in(tmp_path)
    assert kinds <= {f.kind for f in facts.findings}, [f.key for f in facts.findings]
    check(facts)


def test_every_kind_is_triggered() -> None:
    assert set().union(*(kinds for _, kinds in FOLDERS.values())) == KINDS


@pytest.mark.corpus
@pytest.mark.parametrize("folder", ["tr108", "formats", "synthetic_traps"])
def test_findings_of_the_corpus(corpus: Path, folder: str) -> None:
    check(facts_in(corpus / folder))


def test_recommendations_name_only_what_the_data_name(tmp_path: Path) -> None:
    known = {"chimera bench"}
    for name, (build, _) in FOLDERS.items():
        folder = tmp_path / name
        folder.mkdir()
        build(folder)
        facts = facts_in(folder)
        names = set(known)
        for fact in facts.book:
            names.update((*fact.subject.values(), *fact.subject.keys(), fact.metric))
        for finding in facts.findings:
            for wording in finding.advice.variants if finding.advice else ():
                for span in wording:
                    if isinstance(span, Name) and span.code:
                        assert any(span.text in n for n in names), span.text


def test_names_full_of_numbers_and_marks_stay_names(tmp_path: Path) -> None:
    hostile = ["9<b>8</b>", "a|b ½", "two faster best", "x\ny 77", "{F3a9}"]
    rows = []
    for i, model in enumerate(hostile):
        rows += cold_sweep(model, i)
        rows.append({"model": model, "error": f"{model} failed 3 times"})
    write_csv(tmp_path / "runs 99 best.csv", rows)
    facts = facts_in(tmp_path)
    assert {"cold", "confounded", "failures"} <= {f.kind for f in facts.findings}
    check(facts)


def test_a_wording_without_proof_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_proof(*_: object) -> list[Finding]:
        raise UnboundNumber("no evidence for 'best'")

    monkeypatch.setattr("chimera.facts.findings.collect.missing_findings", without_proof)
    (tmp_path / "r.csv").write_text("model,tokens_s,error\nm,5,\nm,,timed out\n")
    kinds = {f.kind for f in facts_of(ingest_folder(str(tmp_path))).findings}
    assert {"unworded", "failures"} <= kinds
