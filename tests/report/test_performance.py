"""What the performance section shows of folders whose answer is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.agents.agent import Agent
from chimera.agents.persona import load_persona
from chimera.agents.workflow import work
from chimera.report.build import build_report
from chimera.report.markdown import to_markdown
from tests.facts.folders import repeated, write_csv, write_json


def report_on(folder: Path, persona: str = "technical") -> str:
    report, _, _ = build_report(work(str(folder), Agent(load_persona(persona)), None))
    return to_markdown(report)


def loads() -> list[dict[str, object]]:
    return [
        {"model": "a:1b", "concurrency": c, "ttft_s": v, "eval_rate_tokens_per_s": 60.5 - c / 4}
        for c, values in ((1, (0.125, 0.375)), (64, (1.75, 2.25)))
        for v in values
    ]


def test_the_headline_of_a_model_is_one_for_each_load(tmp_path: Path) -> None:
    write_csv(tmp_path / "runs.csv", loads())
    text = report_on(tmp_path)
    rows = [line for line in text.splitlines() if line.startswith("| `a:1b") and "TTFT" in line]
    assert ["concurrency 1`" in r for r in rows] == [True, False]
    assert ["**250**" in r for r in rows] == [True, False]
    assert ["concurrency 64`" in r and "**2000**" in r for r in rows] == [False, True]
    assert "**1125**" not in text  # the mean of both, which is a figure of neither
    assert "each load has figures of its own" in text


def test_a_recommendation_names_the_load_of_its_figure(tmp_path: Path) -> None:
    write_csv(tmp_path / "runs.csv", loads())
    text = report_on(tmp_path, "insight")
    assert "look at `a:1b, concurrency 1`, with **250 ms**" in text
    assert "This holds at that load only" in text


def test_configurations_have_the_unit_of_their_file(tmp_path: Path) -> None:
    rows = [{"model": "a:1b", "num_ctx": c, "tps": 50.5 + c} for c in (1, 2)]
    write_csv(tmp_path / "runs.csv", rows)
    text = report_on(tmp_path)
    assert "token rate as reported (unit not stated)" in text
    assert "tokens/s)" not in text


def test_what_was_measured_is_shown_though_it_is_no_key_metric(tmp_path: Path) -> None:
    write_csv(tmp_path / "runs.csv", [{"model": "a:1b", "accuracy": v} for v in (0.25, 0.75)])
    text = report_on(tmp_path)
    assert "accuracy (all)" in text
    assert "There are no measurements" not in text


def test_summaries_are_counted_and_their_medians_shown(tmp_path: Path) -> None:
    value = {"model": "a:1b", "requests_per_s": 1.75, "median_ttft_ms": 125.5}
    write_json(tmp_path / "summary.json", value)
    text = report_on(tmp_path)
    assert "with 0 records; beside them, 1 summary row of other tools." in text
    assert "median TTFT" in text
    assert "value request" not in text


def test_a_record_is_quoted_with_its_place_once(tmp_path: Path) -> None:
    write_csv(tmp_path / "runs.csv", repeated("a:1b", [10.5, 11.5]))
    assert "A record as it stands in `runs.csv:2`\n" in report_on(tmp_path)


@pytest.mark.parametrize(("prompt", "said"), [("", False), ("why?", True)])
def test_the_same_prompts_are_claimed_only_where_there_are_prompts(
    tmp_path: Path, prompt: str, said: bool
) -> None:
    rows = [{"model": "a:1b", "phase": p, "prompt": prompt, "ttft_s": v}
            for p, v in (("cold", 2.5), ("warm", 0.125), ("warm", 0.25))]  # fmt: skip
    write_csv(tmp_path / "runs.csv", rows)
    assert ("of the same prompts" in report_on(tmp_path)) is said


def test_a_summary_of_records_still_gives_what_they_lack(tmp_path: Path) -> None:
    value = {
        "model_id": "a:1b",
        "output_throughput_tokens_per_s": 96.5,
        "mean_ttft_ms": 150.25,
        "completed": 2,
        "mean_itl_ms": 12.5,
        "std_itl_ms": 2.5,
        "p50_tpot_ms": 3.5,
        "median_tpot_ms": 3.5,
        "ttfts": [0.1005, 0.2],
    }
    write_json(tmp_path / "run.json", value)
    text = report_on(tmp_path)
    assert "96.5" in text
    (itl,) = [line for line in text.splitlines() if "mean ITL" in line]
    assert itl.count("—") == 2  # requests are counted, and a mean of gaps is not one of these
    assert "median TPOT" in text
    assert "p50 TPOT" not in text
    assert "mean TTFT" not in text


def test_rows_of_a_summary_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    rows = [
        {"model": "a:1b", "num_ctx": 64, "num_batch": 8 * b, "mean_ttft_ms": 1.5 * b}
        for b in (1, 2)
    ]
    write_json(tmp_path / "summary.json", rows)
    text = report_on(tmp_path)
    assert "`model a:1b, num_batch 8`" in text
    assert "num_ctx" not in text.partition("Summaries of other tools")[2].partition("## ")[0]
