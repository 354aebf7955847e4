"""What reports of many kinds do with words, tables and files, beyond the plainest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from chimera.audit import Auditor
from chimera.audit.claim import Claim

RUNS = """model,prompt_id,threads,decode_tps,ttft_ms
tiny-1b,short,1,80.1,40
tiny-1b,short,1,80.7,42
tiny-1b,long,1,75.2,940
tiny-1b,long,1,75.8,960
tiny-1b,short,2,95.1,30
tiny-1b,short,2,95.5,32
tiny-1b,long,2,88.2,510
tiny-1b,long,2,88.8,520
"""
QUANTS = """quant,ppl,tok_s,vram_gb
F16,7.412,31.8,16.9
Q8_0,7.418,55.6,9.7
Q4_K_M,7.562,88.7,6.2
"""
LEVELS = """run_id,concurrency,requests,errors,rps,p50_ms,p99_ms
r1,1,60,0,1.85,519,668
r2,1,60,0,1.87,505,683
r1,8,480,0,6.64,563,840
r2,8,480,0,6.58,574,873
r1,64,3840,48,32.40,2004,6557
r2,64,3840,21,31.14,1968,6057
"""


@pytest.fixture
def runs(tmp_path: Path) -> Auditor:
    (tmp_path / "runs.csv").write_text(RUNS)
    return Auditor(tmp_path)


@pytest.fixture
def levels(tmp_path: Path) -> Auditor:
    (tmp_path / "load.csv").write_text(LEVELS)
    return Auditor(tmp_path)


def label(claims: Sequence[Claim], text: str) -> str:
    found = [c.label for c in claims if c.text == text]
    assert found, f"no claim {text!r} among {[c.text for c in claims]}"
    return found[-1]


def labels(auditor: Auditor, text: str) -> dict[str, str]:
    return {c.text: c.label for c in auditor.audit(text).claims}


@pytest.mark.parametrize(
    ("sentence", "number", "wanted"),
    [
        ("With two threads, tiny-1b decodes at 91.9 tok/s on average.", "91.9 tok/s", "supported"),
        ("With two threads, tiny-1b decodes at 78.0 tok/s on average.", "78.0 tok/s", "bad"),
        ("Single-thread mean decode speed of tiny-1b is 78.0 tok/s.", "78.0 tok/s", "supported"),
        ("On the long prompt the mean TTFT of tiny-1b is 732 ms.", "732 ms", "supported"),
        ("On the long prompt the mean TTFT of tiny-1b is 36 ms.", "36 ms", "bad"),
        ("Mean TTFT of tiny-1b fell from 0.50 s to 0.27 s when going from one thread to two.",
         "0.27 s", "supported"),
    ],
)  # fmt: skip
def test_levels_in_words(runs: Auditor, sentence: str, number: str, wanted: str) -> None:
    said = label(runs.audit(sentence).claims, number)
    assert (said in ("contradicted", "misattributed")) == (wanted == "bad"), said
    if wanted != "bad":
        assert said == wanted


@pytest.mark.parametrize(
    ("sentence", "word", "wanted"),
    [
        ("Two threads are faster than one thread.", "faster", "supported"),
        ("One thread is faster than two threads.", "faster", "contradicted"),
        ("On the long prompt, one thread has a lower TTFT than two threads.", "lower",
         "contradicted"),
        ("The short prompt and the long prompt have a similar TTFT.", "similar", "contradicted"),
        ("The short prompt and the long prompt differ in TTFT.", "differ", "supported"),
        ("One thread and two threads have an identical decode throughput.", "identical",
         "contradicted"),
    ],
)  # fmt: skip
def test_levels_are_compared(runs: Auditor, sentence: str, word: str, wanted: str) -> None:
    assert label(runs.audit(sentence).claims, word) == wanted


def test_every_record_is_held_against_a_bound(runs: Auditor) -> None:
    assert (
        labels(runs, "Every request of tiny-1b decoded faster than 70 tok/s.")["Every"]
        == "supported"
    )
    wrong = "Every request of tiny-1b decoded faster than 90 tok/s."
    assert labels(runs, wrong)["Every"] == "contradicted"
    right = "None of the requests of tiny-1b had a TTFT above 2 seconds."
    assert labels(runs, right)["None"] == "supported"


def test_a_model_that_is_not_there_has_no_other_models_values(runs: Auditor) -> None:
    table = (
        "| Model | Decode speed (tok/s) |\n|---|---|\n| tiny-1b | 84.9 |\n| huge-70b:70b | 12.3 |\n"
    )
    claims = runs.audit(table).claims
    assert label(claims, "84.9") == "supported"
    assert label(claims, "12.3") == "unverifiable"


def test_line_ends_of_windows_change_nothing(runs: Auditor) -> None:
    text = "# R\n\n| Threads | Decode (tok/s) |\n|---|---|\n| 1 | 78.0 |\n| 2 | 91.9 |\n"
    plain = [(c.text, c.label) for c in runs.audit(text).claims]
    windows = runs.audit(text.replace("\n", "\r\n"))
    assert [(c.text, c.label) for c in windows.claims] == plain
    assert all(windows.text[c.start : c.end] == c.text for c in windows.claims)


@pytest.mark.parametrize("fence", ["", "```\n"])
def test_levels_as_headers(levels: Auditor, fence: str) -> None:
    text = (
        f"{fence}| users | 1 | 8 | 64 |\n|---|---|---|---|\n| req/s | 1.86 | 6.61 | 35.2 |\n{fence}"
    )
    found = labels(levels, text)
    assert (found["1.86"], found["6.61"], found["35.2"]) == (
        "supported",
        "supported",
        "contradicted",
    )


def test_columns_of_a_code_block_are_a_table(levels: Auditor) -> None:
    text = (
        "```\nconcurrency   rps\n1             1.86\n8             6.61\n64            35.2\n```\n"
    )
    assert labels(levels, text)["35.2"] == "contradicted"


def test_errors_counted_beside_requests_fail_no_record(levels: Auditor) -> None:
    found = labels(levels, "In total 8,760 requests were sent, of which 69 failed.")
    assert found["8,760"] == "supported"
    found = labels(levels, "| users | 64 |\n|---|---|\n| req/s | 31.77 |\n| other | 1 |\n")
    assert "fabricated" not in found.values()


def test_the_cells_tell_what_a_column_is_of(tmp_path: Path) -> None:
    (tmp_path / "quants.csv").write_text(QUANTS)
    text = (
        "| File | quality | speed | memory |\n|---|---|---|---|\n| F16 | 7.412 | 31.8 | 16.9 |\n"
        "| Q8_0 | 7.418 | 55.6 | 11.3 |\n| Q4_K_M | 7.562 | 88.7 | 6.2 |\n"
    )
    claims = Auditor(tmp_path).audit(text).claims
    assert label(claims, "7.418") == "supported"
    wrong = [c for c in claims if c.is_bad]
    assert [(c.text, c.right) for c in wrong] == [("11.3", "9.7")]


def test_columns_without_a_name_of_the_field_are_metrics(tmp_path: Path) -> None:
    (tmp_path / "quants.csv").write_text(QUANTS)
    auditor = Auditor(tmp_path)
    claims = auditor.audit("Q8_0 has a perplexity of 7.418.").claims
    assert label(claims, "7.418") == "supported"
    claims = auditor.audit("Q4_K_M has a perplexity of 7.418.").claims
    assert label(claims, "7.418") in ("contradicted", "misattributed")


def test_numbers_deep_in_json_support(tmp_path: Path) -> None:
    deep = {"results": {"task_a": {"exact_match": 0.392, "stderr": 0.017}}, "model": "tiny-1b"}
    (tmp_path / "eval.json").write_text(json.dumps(deep))
    rows = ["| task | exact match | stderr |", "|---|---|---|", "| task a | 0.392 | 0.017 |"]
    text = "\n".join([*rows, "| x | 1 | 2 |", ""])
    assert not any(c.is_bad for c in Auditor(tmp_path).audit(text).claims)


def test_what_is_said_of_no_certain_setting_is_not_contradicted(levels: Auditor) -> None:
    found = labels(levels, "The service reaches 17.5 requests per second.")
    assert found["17.5 requests per second"] == "unsupported"


def test_a_sentence_does_not_end_inside_a_unit(runs: Auditor) -> None:
    text = "With 1 thread tiny-1b makes 78.0 tokens/s. With 2 threads it makes 91.9 tokens/s."
    found = labels(runs, text)
    assert (found["78.0 tokens/s"], found["91.9 tokens/s"]) == ("supported", "supported")
