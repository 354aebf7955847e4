"""What the audit says of single sentences about a folder whose figures are known.

qwen2.5 56.876 tok/s (59.902 and 53.851 at the two contexts), TTFT 315.92 ms; phi4 33.313, 549.2 ms,
4 of its 20 requests failed; mistral 47.536, 431.98 ms.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.audit import Auditor, Claim

TRUE = ("supported", "derivable")
WRONG = ("contradicted", "misattributed", "fabricated", "inconsistent")
Q, P, M = "qwen2.5:7b-q4_K_M", "phi4:14b-q8_0", "mistral:7b"

HOLDS = [
    (f"{Q} reached a mean of 56.9 tok/s.", "56.9 tok/s"),
    (f"{Q} reached 56.9 tok/s and {M} 47.5.", "47.5"),
    (f"Mean time to first token was 316 ms for {Q} and 549 ms for {P}.", "549 ms"),
    (f"The mean TTFT of {M} was 0.432 s.", "0.432 s"),
    (f"{M}: about 430 ms to the first token.", "430 ms"),
    ("At num_ctx=2048, qwen2.5 generated 59.9 tokens per second.", "59.9 tokens per second"),
    ("With 8192 tokens of context qwen2.5 does 53.9 tok/s.", "53.9 tok/s"),
    ("phi4 completed 16 of 20 requests.", "16 of 20"),
    ("phi4 completed 16 of 20 requests; 4 failed.", "4"),
    ("4 of the 60 requests failed (6.7%).", "6.7%"),
    ("All three models stay above 30 tok/s.", "All"),
    (f"{Q} is the fastest of the three models.", "fastest"),
    (
        f"{Q} is the fastest, followed by {M} and {P}.",
        f"{Q} is the fastest, followed by {M} and {P}",
    ),
    (f"{M} is faster than {P}.", "faster"),
    (f"{P} trails {M}.", "trails"),
    (f"qwen2.5 is 1.2x faster than {M} and 71% faster than phi4.", "1.2x"),
    (f"qwen2.5 is 1.2x faster than {M} and 71% faster than phi4.", "71%"),
    ("The gap between qwen2.5 and phi4 is 23.6 tok/s.", "23.6 tok/s"),
    ("Throughput falls as num_ctx grows.", "falls"),
    ("TTFT rises with context length.", "rises"),
    ("Going from 2048 to 8192 tokens of context lowers throughput by about 10%.", "10%"),
    (f"{M} ranks second in throughput.", "second"),
    ("qwen2.5's throughput ranges from 53.5 to 60.4 tok/s.", "53.5 to 60.4 tok/s"),
    (f"Every request of {M} succeeded.", "Every"),
    ("The folder has one CSV file.", "one"),
    ("We measured three models.", "three"),
]

FALLS = [
    (f"{Q} reached a mean of 59.6 tok/s.", "59.6 tok/s"),
    (f"{Q} reached a mean of 65.9 tok/s.", "65.9 tok/s"),
    (f"{Q} reached 47.5 tok/s on average.", "47.5 tok/s"),
    (f"The mean TTFT of {M} was 432 s.", "432 s"),
    (f"The p95 TTFT of {M} was 0.432 s.", "0.432 s"),
    ("At num_ctx=8192, qwen2.5 generated 59.9 tokens per second.", "59.9 tokens per second"),
    ("phi4 completed 18 of 20 requests.", "18 of 20"),
    ("4 of the 60 requests failed (9.7%).", "9.7%"),
    ("No model exceeds 55 tok/s.", "No"),
    ("All models stay above 40 tok/s.", "All"),
    ("All requests succeeded.", "All"),
    (f"{M} is the fastest of the three models.", "fastest"),
    (f"{P} is faster than {M}.", "faster"),
    (f"{P} outperforms {M}.", "outperforms"),
    ("qwen2.5 is 2.2x faster than phi4.", "2.2x"),
    ("Throughput rises as num_ctx grows.", "rises"),
    ("TTFT falls with context length.", "falls"),
    (f"{M} ranks third in throughput.", "third"),
    (
        f"{P} is the fastest, followed by {M} and {Q}.",
        f"{P} is the fastest, followed by {M} and {Q}",
    ),
    ("The folder has three CSV files.", "three"),
    ("We measured five models.", "five"),
    ("llama3.1:8b was not measured in results_final.csv.", "results_final.csv"),
    ("llama3.1:8b reached 12.3 tok/s.", "llama3.1:8b"),
]


def claim_at(auditor: Auditor, text: str, words: str) -> Claim:
    """The claim that stands exactly, or else first, where these words do."""
    claims = auditor.audit(text).claims
    start = text.index(words)
    over = [c for c in claims if c.start < start + len(words) and start < c.end]
    assert over, f"no claim at {words!r}; there are {[c.text for c in claims]}"
    exact = [c for c in over if c.text == words]
    return (exact or over)[0]


@pytest.mark.parametrize(("text", "words"), HOLDS)
def test_what_the_data_says_is_supported(auditor: Auditor, text: str, words: str) -> None:
    claim = claim_at(auditor, text, words)
    assert claim.label in TRUE, claim


@pytest.mark.parametrize(("text", "words"), FALLS)
def test_what_the_data_contradicts_is_found(auditor: Auditor, text: str, words: str) -> None:
    claim = claim_at(auditor, text, words)
    assert claim.label in WRONG, claim


@pytest.mark.parametrize(("text", "words"), HOLDS)
def test_a_true_sentence_has_no_wrong_claim(auditor: Auditor, text: str, words: str) -> None:
    assert [c for c in auditor.audit(text).claims if c.is_bad] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("phi4 is slower because its context is larger.", "because"),
        ("The results of phi4 are impressive.", "impressive"),
        ("TTFT suffers due to the bottleneck in memory.", "due to"),
    ],
)
def test_causes_and_praise_are_not_supported(auditor: Auditor, text: str, words: str) -> None:
    assert claim_at(auditor, text, words).label == "unsupported"


def test_a_wrong_value_comes_with_the_right_one_and_its_place(auditor: Auditor) -> None:
    claim = claim_at(auditor, f"The mean TTFT of {M} was 0.5 s.", "0.5 s")
    assert claim.right == "0.4 s"
    assert claim.places[0].file == "requests.csv"
    assert claim.places[0].column == "ttft_ms"
    assert claim.bound is not None
    assert (claim.bound.subject, claim.bound.metric, claim.bound.statistic) == (M, "ttft", "mean")


def test_a_value_that_only_occurs_somewhere_is_not_supported(auditor: Auditor) -> None:
    claim = claim_at(auditor, f"{P} reached a mean of 47.5 tok/s.", "47.5 tok/s")
    assert claim.label == "misattributed"
    assert M in claim.reason


def test_a_value_cut_off_is_a_warning(auditor: Auditor) -> None:
    claim = claim_at(auditor, f"{M} has a mean TTFT of 431.9 ms.", "431.9 ms")
    assert claim.label == "supported"
    assert "cut off" in claim.warning


def test_advice_is_no_finding(auditor: Auditor) -> None:
    text = "## Recommendations\n\nAim for a TTFT of 100 ms."
    assert claim_at(auditor, text, "100 ms").label == "unverifiable"


def test_a_heading_names_the_model_of_what_follows(auditor: Auditor) -> None:
    text = f"## {P}\n\nThe mean TTFT was 549 ms.\n\n## {M}\n\nThe mean TTFT was 432 ms.\n"
    assert {c.label for c in auditor.audit(text).claims if c.kind == "number"} == {"supported"}
    swapped = text.replace("549", "x").replace("432", "549").replace("x", "432")
    assert {c.label for c in auditor.audit(swapped).claims if c.kind == "number"} == {
        "misattributed"
    }


def test_of_an_empty_folder_nothing_was_measured(tmp_path: Path) -> None:
    claims = Auditor(tmp_path).audit(f"{M} reached 47.5 tok/s. There are 3 CSV files.").claims
    assert {c.label for c in claims if c.kind in ("number", "count")} == {"fabricated"}


def test_without_data_nothing_is_held_against_it() -> None:
    assert Auditor(None).audit(f"{M} reached 47.5 tok/s.").claims == ()
