"""Dates, quoted records, HTML, a report against itself, and reports that nobody wrote."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chimera.audit import Audit, Auditor


@pytest.fixture(scope="module")
def dated(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    """The made-up folder, last changed on 3 May 2026, with a record in JSON beside."""
    place = tmp_path_factory.mktemp("dated") / "results"
    shutil.copytree(folder, place)
    record = {
        "run": "r-17",
        "model": "mistral:7b",
        "created_at": "2026-05-02T10:00:00Z",
        "tps": 1.5,
    }
    (place / "runs.json").write_text(json.dumps([record]))
    moment = datetime(2026, 5, 3, 12, tzinfo=UTC).timestamp()
    for path in place.iterdir():
        os.utime(path, (moment, moment))
    return Auditor(place)


def label_of(audit: Audit, words: str) -> str:
    start = audit.text.index(words)
    over = [c for c in audit.claims if c.start < start + len(words) and start < c.end]
    exact = [c for c in over if c.text == words]
    return (exact or over)[0].label if over else "nothing"


@pytest.mark.parametrize(
    ("text", "words", "label"),
    [
        ("`requests.csv` was last modified on 2026-05-03.", "2026-05-03", "supported"),
        ("`requests.csv` was last modified on May 3, 2026.", "May 3, 2026", "supported"),
        ("`requests.csv` was last modified on 2026-05-07.", "2026-05-07", "contradicted"),
        ("All runs were made in May 2026.", "May 2026", "supported"),
        ("All runs were made in July 2025.", "July 2025", "contradicted"),
        ("The data is of February 30, 2026.", "February 30, 2026", "inconsistent"),
        ("**Date:** 2026-05-04\n\nx\n\n**Date:** June 9, 2026\n", "June 9, 2026", "inconsistent"),
    ],
)
def test_dates(dated: Auditor, text: str, words: str, label: str) -> None:
    assert label_of(dated.audit(text), words) == label


@pytest.mark.parametrize(
    ("record", "label"),
    [
        ('{"run": "r-17", "model": "mistral:7b", "tps": 1.5}', "supported"),
        ('{"run": "r-17", "model": "mistral:7b", "tps": 2.5}', "fabricated"),
        ('{"experiment": "e1", "alpha": 0.5, "latency": 1.0}', "fabricated"),
    ],
)
def test_quoted_records(dated: Auditor, record: str, label: str) -> None:
    text = f"For example:\n\n```json\n{record}\n```\n"
    assert label_of(dated.audit(text), record) == label


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- p95 latency: 15.584035 ms\n- p99 latency: 15.584035 ms\n", "15.584035 ms\n-"),
        ("- p95 latency: 20.5 ms\n- p99 latency: 10.5 ms\n", "10.5"),
        ("p99 is the worst-case latency.", "worst-case latency"),
        ("Okay, here's a technical report based on the data.", "Okay"),
        ("Of these, 93% of 7 requests succeeded.", "93%"),
        ("| Mean | Min | Max |\n|---|---|---|\n| 5.0 | 7.0 | 6.0 |\n", "6.0"),
        ("| Mean | Min | Max |\n|---|---|---|\n| 5.0 | 6.0 | 7.0 |\n", "5.0"),
        ("## Persona Prompt\n\nx\n", "Persona Prompt"),
    ],
)
def test_a_report_against_itself(text: str, words: str) -> None:
    audit = Auditor(None).audit(text)
    assert "inconsistent" in {c.label for c in audit.claims}, audit.claims
    assert {c.label for c in audit.claims} == {"inconsistent"}


def test_percentiles_in_order_are_fine() -> None:
    text = "- p95 latency: 10.5 ms\n- p99 latency: 20.5 ms\n\nThe worst case is the maximum.\n"
    assert Auditor(None).audit(text).claims == ()


def test_a_record_of_the_call_itself_is_not_held_against_the_folder(auditor: Auditor) -> None:
    text = (
        "## Metrics\n\n- Throughput: 41.14 tok/s\n- Tokens generated: 2322\n"
        "- Eval duration: 56428.98 ms\n"
    )
    audit = auditor.audit(text)
    assert label_of(audit, "41.14 tok/s") == "derivable"
    assert not any(c.is_bad for c in audit.claims)


def test_html_is_read_with_its_places(auditor: Auditor) -> None:
    page = (
        "<html><head><style>p{width:99.9%}</style></head><body><h2>mistral:7b</h2>"
        "<p>The mean TTFT was <b>432</b> ms.</p><table><tr><th>Model</th><th>Mean tok/s</th></tr>"
        "<tr><td>phi4:14b-q8_0</td><td>47.5</td></tr></table></body></html>"
    )
    audit = auditor.audit(page, name="report.html")
    assert {(c.text, c.label) for c in audit.claims if c.kind == "number"} == {
        ("432     ms", "supported"),
        ("47.5", "misattributed"),
    }
    assert all(page[c.start : c.end].strip() for c in audit.claims)


PIECES = st.sampled_from(
    ["mistral:7b", "47.5 tok/s", "1e999", "\u200b1\u200b2", "| a | b |\n|---|---|\n| 1 | 2 |\n",
     "> " * 30, "\u202e12 ms\u202c", "```json\n{\"a\": 1, \"b\": 2}\n```\n", "# ", "- ", "\n\n",
     "p99", "faster than", "phi4", "100%", "Feb 30, 2026", "of", "3 of 5", "(", "[", "<b>",
     "&#124;", "\x00"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.text(max_size=12), max_size=24).map(" ".join))
def test_any_text_ends_in_claims_that_stand_in_it(auditor: Auditor, text: str) -> None:
    for name in ("report.md", "report.html"):
        for claim in auditor.audit(text, name=name).claims:
            assert 0 <= claim.start < claim.end <= len(text)
            assert text[claim.start : claim.end].strip()


@pytest.mark.parametrize(
    "text",
    ["1" * 1_000_000, "[" * 20_000, "> " * 5_000 + "x 5 ms", "|" * 100_000,
     "- a\n" + "".join("  " * i + "- a\n" for i in range(300)), "<table>" * 3_000],
    ids=["digits", "brackets", "quotes", "pipes", "lists", "tables"],
)  # fmt: skip
def test_what_nobody_wrote_for_people_ends(auditor: Auditor, text: str) -> None:
    assert isinstance(auditor.audit(text), Audit)


def test_the_data_is_read_once_for_many_reports(auditor: Auditor) -> None:
    text = "mistral:7b reached 47.5 tok/s."
    assert len({auditor.audit(text, name=f"{i}.md").claims for i in range(20)}) == 1


def test_marks_between_a_number_and_its_unit_do_not_part_them(auditor: Auditor) -> None:
    audit = auditor.audit("The mean TTFT of mistral:7b was **0.5** ms, not **432** ms.")
    assert [c.label for c in audit.claims if c.kind == "number"] == ["contradicted", "supported"]
