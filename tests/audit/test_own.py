"""Chimera's own reports: every number is held against its fact, computed again from the data."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from chimera.audit import GOOD, Auditor
from chimera.audit.own import Ledger, read_ledger
from chimera.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module", params=["folder", "example", "corpus"])
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, folder: Path
) -> tuple[Path, str, Ledger]:
    """(the data, our report about it, its ledger)."""
    data = folder
    if request.param == "example":
        data = EXAMPLES / "gemma3-270m-cpu"
    elif request.param == "corpus":
        data = request.getfixturevalue("corpus") / "tr108"
    out = tmp_path_factory.mktemp("report")
    assert main(["report", str(data), "--no-model", "--output", str(out)]) == 0
    ledger = read_ledger((out / "report.json").read_bytes())
    assert ledger is not None
    return data, (out / "report.md").read_text(), ledger


def test_our_reports_hold_nothing_but_what_the_data_says(own: tuple[Path, str, Ledger]) -> None:
    data, text, ledger = own
    claims = Auditor(data).audit(text, ledger=ledger).claims
    assert len([c for c in claims if c.kind == "number"]) > 100
    assert [(c.text, c.label, c.reason) for c in claims if c.label not in GOOD] == []


def test_every_changed_number_is_found(own: tuple[Path, str, Ledger]) -> None:
    data, text, ledger = own
    auditor = Auditor(data)
    claims = [c for c in auditor.audit(text, ledger=ledger).claims if c.kind == "number"]
    for claim in claims[5 :: len(claims) // 6]:
        digits = [i for i in range(claim.start, claim.end) if text[i].isdigit()]
        place = digits[-1]
        other = str((int(text[place]) + 1) % 10)
        changed = text[:place] + other + text[place + 1 :]
        bad = [c for c in auditor.audit(changed, ledger=ledger).claims if c.is_bad]
        assert any(c.start <= place < c.end for c in bad), (claim, changed[place - 30 : place + 10])


def test_a_report_about_other_data_does_not_pass(
    own: tuple[Path, str, Ledger], tmp_path: Path
) -> None:
    _, text, ledger = own
    (tmp_path / "other.csv").write_text("model,tokens_per_s\na,1.5\nb,2.5\n")
    claims = Auditor(tmp_path).audit(text, ledger=ledger).claims
    assert sum(c.label == "contradicted" for c in claims) > 50


def test_a_copy_of_the_data_with_other_dates_does_not_fail(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert main(["report", str(folder), "--no-model", "--output", str(out)]) == 0
    ledger = read_ledger((out / "report.json").read_bytes())
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for path in copy.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    claims = Auditor(copy).audit((out / "report.md").read_text(), ledger=ledger).claims
    other = {c.label for c in claims if c.label not in GOOD}
    assert other == {"unverifiable"}


def test_what_is_no_ledger_is_none() -> None:
    assert read_ledger(b"{}") is None
    assert read_ledger(b"nonsense") is None
