"""The report about a real folder of 101 files, against values worked out by other means."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MEANS = {
    "gemma3:latest": ("100.594", 46),
    "gemma3:270m": ("286.159", 39),
    "gemma3:1b-it-qat": ("183.653", 41),
    "llama3.1:8b-instruct-q4_0": ("77.672", 51),
    "llama3.1:8b-instruct-q5_K_M": ("65.145", 10),
    "llama3.1:8b-instruct-q8_0": ("46.485", 10),
}
TIES = {
    "gemma3:latest": ("g60_c2048_t0.8", "103.156", 0.32),
    "gemma3:270m": ("g999_c4096_t0.8", "303.898", 0.20),
    "gemma3:1b-it-qat": ("g60_c1024_t0.4", "187.175", 0.37),
    "llama3.1:8b-instruct-q4_0": ("temperature=0.4", "78.42", 1.5),
}


@pytest.fixture(scope="module")
def report(
    corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any], int]:
    """(Markdown, report.json, size of the HTML) of the corpus folder, with its real times."""
    place = tmp_path_factory.mktemp("corpus")
    shutil.copytree(corpus / "tr108", place / "tr108")
    restore = [sys.executable, str(corpus / "restore_mtimes.py")]
    subprocess.run([*restore, "tr108", str(corpus / "tr108.manifest.csv")], cwd=place, check=True)
    words = [sys.executable, "-m", "chimera", "report", "tr108", "--no-model", "-o", "out"]
    subprocess.run(words, cwd=place, check=True, capture_output=True)
    out = place / "out"
    content = json.loads((out / "report.json").read_text())
    return (out / "report.md").read_text(), content, (out / "report.html").stat().st_size


Report = tuple[str, dict[str, Any], int]


def test_files_by_type_and_their_newest_changes(report: Report) -> None:
    text = report[0]
    assert "101 files (28 CSV, 44 JSON, 29 Markdown)" in text
    for stamp in ("2025-11-14 18:53:30 UTC", "2025-10-08 17:20:51 UTC", "2025-11-14 18:54:07 UTC"):
        assert stamp in text
    assert "and 23 more" in text


def test_records_are_counted_once(report: Report) -> None:
    assert "274 (197 succeeded, 77 failed)" in report[0]


@pytest.mark.parametrize("model", MEANS)
def test_mean_throughput_of_each_model(report: Report, model: str) -> None:
    mean, n = MEANS[model]
    row = next(
        line
        for line in report[0].splitlines()
        if line.startswith(f"| `{model}`") and "decode throughput (all)" in line
    )
    assert f"**{mean}**" in row
    assert f"| {n} |" in " ".join(row.split()) + " |"


@pytest.mark.parametrize("model", TIES)
def test_no_winner_among_single_runs(report: Report, model: str) -> None:
    configuration, value, gap = TIES[model]
    text = next(
        x
        for x in report[0].splitlines()
        if "cannot be told apart" in x and model in x and configuration in x
    )
    assert value in text
    found = [
        f["value"]
        for f in report[1]["facts"].values()
        if f["statistic"] == "gap in residual sd" and f["subject"].get("model") == model
    ]
    assert len(found) == 1
    assert round(found[0], 2 if gap < 1 else 1) == gap


def test_no_effect_is_claimed_where_reloads_explain_it(report: Report) -> None:
    claimed = [f["key"] for f in report[1]["findings"] if f["key"].startswith("effect:")]
    assert not [k for k in claimed if ":temperature:" in k or ":num_ctx:" in k]
    assert "Cold starts are confounded with settings" in report[0]


def test_documents_that_contradict_the_data_are_named(report: Report) -> None:
    row = next(
        line
        for line in report[0].splitlines()
        if "Gemma3_Benchmark_Report.md:53" in line and "TTFT" in line
    )
    assert "128" in row
    assert "143.172" in row


def test_the_page_stays_small(report: Report) -> None:
    assert report[2] < 1_000_000
