"""``chimera facts``, ``ingest`` and ``personas`` as a user runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.agents.folder import make_folder
from tests.cli.test_report import chimera


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "results")


def listed(folder: Path, *words: str) -> list[dict[str, object]]:
    done = chimera("facts", str(folder), "--json", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert isinstance(facts, list)
    return facts


def test_filters_narrow_the_list(folder: Path) -> None:
    everything = listed(folder)
    some = listed(folder, "--metric", "ttft", "--statistic", "mean", "--model", "alpha")
    assert 0 < len(some) < len(everything)
    assert {f["metric"] for f in some} == {"ttft"}
    assert not listed(folder, "--metric", "nonsense")


def test_a_table_for_people(folder: Path) -> None:
    done = chimera("facts", str(folder), "--metric", "ttft", cwd=folder)
    head, *rows = done.stdout.splitlines()
    assert head.split()[:3] == ["id", "about", "metric"]
    assert rows
    assert all(re.match(r"F[0-9a-f]{6,}", row) for row in rows)
    total = len(listed(folder))
    assert done.stderr.splitlines()[-1] == f"{len(rows)} facts of {total}"
    whole = chimera("facts", str(folder), cwd=folder)
    assert whole.stderr.splitlines()[-1] == f"{total} facts"


def test_explaining_a_fact_shows_its_rows_and_computes_it_again(folder: Path) -> None:
    fact = next(
        f
        for f in listed(folder, "--metric", "ttft", "--statistic", "mean")
        if f["subject"] == {"model": "beta:2b"}
    )
    done = chimera("facts", str(folder), "--explain", str(fact["id"]), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "beta_2b.csv:2  ttft_s = 2.0512" in done.stdout
    assert "agrees" in done.stdout.splitlines()[-1]
    again = json.loads(
        chimera("facts", str(folder), "--explain", str(fact["id"]), "--json", cwd=folder).stdout
    )
    assert again["recomputed"] == pytest.approx(fact["value"])
    assert again["agrees"] is True


def test_an_id_that_is_none_is_named(folder: Path) -> None:
    done = chimera("facts", str(folder), "--explain", "Fnone", cwd=folder)
    assert done.returncode == 2
    assert "Fnone" in done.stderr


def test_ingest_shows_each_file_and_its_notes(folder: Path) -> None:
    done = chimera("ingest", str(folder), "--notes", cwd=folder)
    assert done.returncode == 0
    for name in ("alpha_1b.csv", "rows.json", "copy.json", "notes.md"):
        assert name in done.stdout
    assert "byte-identical copy" in done.stdout
    content = json.loads(chimera("ingest", str(folder), "--json", cwd=folder).stdout)
    assert {f["outcome"] for f in content["files"]} >= {"samples", "document"}


def test_personas_are_listed_and_shown(tmp_path: Path) -> None:
    done = chimera("personas", cwd=tmp_path)
    assert all(name in done.stdout for name in ("technical", "insight", "collector"))
    assert "InsightAgent" in chimera("personas", "insight", cwd=tmp_path).stdout
    assert json.loads(chimera("personas", "--json", cwd=tmp_path).stdout)
    assert chimera("personas", "nobody", cwd=tmp_path).returncode == 2
