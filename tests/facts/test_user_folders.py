"""Folders as users have them: what is found in them, and what must not be."""

from __future__ import annotations

import json
from pathlib import Path

from chimera.facts import Facts
from chimera.facts.findings import Finding
from tests.facts.folders import facts_in


def facts(folder: Path) -> Facts:
    return facts_in(folder)


def text(finding: Finding) -> str:
    return " ".join("".join(s.text for s in clause.variants[0]) for clause in finding.says)


def finding(found: Facts, kind: str) -> Finding:
    return next(f for f in found.findings if f.kind == kind)


def test_timeouts_leave_survivors_and_the_advice_follows_from_them(tmp_path: Path) -> None:
    rows = [f"m,{1 + i / 7:.4f},{'' if i % 2 else 'ReadTimeout: 30s'}" for i in range(12)]
    (tmp_path / "r.csv").write_text("model,e2e_latency_s,error\n" + "\n".join(rows) + "\n")
    failures = finding(facts(tmp_path), "failures")
    assert "6 of 12 records failed" in text(failures)
    assert "survivors" in text(failures)
    assert failures.advice is not None
    advice = "".join(s.text for s in failures.advice.variants[0])
    assert "time limit" in advice
    assert "reachable" not in advice


def test_unreachable_servers_get_their_own_advice(tmp_path: Path) -> None:
    rows = ["m,1.5,", "m,1.7,", "m,,Connection refused"]
    (tmp_path / "r.csv").write_text("model,e2e_latency_s,error\n" + "\n".join(rows) + "\n")
    failures = finding(facts(tmp_path), "failures")
    assert failures.advice is not None
    assert "reachable" in "".join(s.text for s in failures.advice.variants[0])
    assert "survivors" not in text(failures)


def test_the_highest_row_of_a_sweep_of_summaries_is_said_without_a_verdict(tmp_path: Path) -> None:
    rows = [(1, 90.5), (8, 610.25), (64, 1500.75), (128, 1490.5)]
    lines = ["model,max_concurrency,output_throughput_tok_s,p50_ttft_ms,p99_ttft_ms"]
    lines += [f"m,{c},{v},{20 + c},{40 + 5 * c}" for c, v in rows]
    (tmp_path / "sweep.csv").write_text("\n".join(lines) + "\n")
    highest = finding(facts(tmp_path), "summary")
    assert "1500.75 tokens/s at concurrency=64" in text(highest)
    assert "1490.5 tokens/s at concurrency=128" in text(highest)
    assert "not told apart" in text(highest)


def test_two_machines_are_two_subjects(tmp_path: Path) -> None:
    for host, base in (("alpha", 70.0), ("beta", 28.0)):
        lines = [
            json.dumps({"model": "m", "host": host, "decode_tokens_per_s": base + i / 9})
            for i in range(6)
        ]
        (tmp_path / f"{host}.jsonl").write_text("\n".join(lines) + "\n")
    found = facts(tmp_path)
    means = {
        dict(s)["host"]: found.book.find(s, "decode_throughput", "mean")
        for s in found.data.by_subject
    }
    assert {h: round(f.value) for h, f in means.items() if f and isinstance(f.value, float)} == {
        "alpha": 70,
        "beta": 28,
    }


def test_a_comparison_without_recorded_settings_says_so(tmp_path: Path) -> None:
    lines = ["model,decode_tokens_per_s"]
    lines += [f"a,{50 + i / 9}" for i in range(6)] + [f"b,{40 + i / 7}" for i in range(6)]
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n")
    speed = finding(facts(tmp_path), "speed")
    assert "settings and prompts are not recorded" in text(speed)
    assert "shared condition" not in text(speed)


def test_a_figure_pooled_over_models_supports_no_claim(tmp_path: Path) -> None:
    lines = ["model,config_name,num_ctx,ttft_s"]
    for model, base in (("a:1b", 0.1), ("b:2b", 0.2)):
        lines += [f"{model},c1,1024,{base + i / 1000}" for i in range(4)]
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n")
    table = "| config_name | num_ctx | mean_ttft_s |\n|---|---|---|\n| c1 | 1024 | 0.1515 |\n"
    (tmp_path / "README.md").write_text("# Results\n\n" + table)
    claims = facts(tmp_path).claims
    assert claims.supported.value == 0  # 0.1515 is the mean of both models together


def test_values_that_nothing_could_check_are_said(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("model,decode_tokens_per_s\nalpha:7b,49.9\nalpha:7b,50.1\n")
    table = "| model | tokens_s |\n|---|---|\n| omega:9b | 999 |\n"
    (tmp_path / "README.md").write_text("# Results\n\n" + table)
    assert "could not be held against" in text(finding(facts(tmp_path), "unchecked"))
