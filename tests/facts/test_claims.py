"""Tables of documents against records: what binds, what holds, what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.facts import Facts
from chimera.facts.claims import printed_slack
from chimera.facts.explain import explain
from tests.facts.folders import facts_in, write_csv

ROWS = [
    {"model": m, "num_ctx": c, "prompt": p, "eval_rate_tokens_per_s": v, "ttft_s": v / 1000}
    for m, c, p, v in (
        ("gemma3:270m", 1024, "a", 281.25),
        ("gemma3:270m", 1024, "b", 283.75),
        ("gemma3:270m", 2048, "a", 290.5),
        ("gemma3:latest", 1024, "a", 101.7846),
        ("gemma3:latest", 2048, "a", 103.1565),
    )
]


def facts_with(folder: Path, header: str, *rows: str, above: str = "# Report") -> Facts:
    write_csv(folder / "runs.csv", ROWS)
    rule = "|" + "---|" * (header.count("|") - 1)
    text = "\n".join([above, "", header, rule, *rows, ""])
    (folder / "report.md").write_text(text, encoding="utf-8")
    return facts_in(folder)


def verdicts(facts: Facts) -> tuple[object, object, object]:
    c = facts.claims
    return c.supported.value, c.contradicted.value, c.unbound.value


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("101.78", (1, 0, 0)),  # the record, rounded
        ("101.8", (1, 0, 0)),
        ("102", (1, 0, 0)),
        ("102.31", (0, 1, 0)),
        ("**102.31 tok/s**", (0, 1, 0)),
        ("~102.31", (0, 0, 1)),  # about is no value
        ("-3.2", (0, 0, 1)),
        ("102.31 ms", (0, 0, 1)),  # a rate in milliseconds says something else
    ],
)
def test_a_value_of_one_record(tmp_path: Path, said: str, expected: tuple[int, ...]) -> None:
    facts = facts_with(
        tmp_path, "| model | num_ctx | tok/s |", f"| gemma3:latest | 1024 | {said} |"
    )
    assert verdicts(facts) == expected


def test_means_of_parts_are_supported(tmp_path: Path) -> None:
    facts = facts_with(
        tmp_path,
        "| model | mean tok/s | sd tok/s | max tok/s |",
        "| gemma3:270m | 285.17 | 4.78 | 290.5 |",  # over all
        "| gemma3:270m | 282.5 | 1.77 | 283.8 |",  # over num_ctx 1024
        "| gemma3:270m | 285.88 | 4.63 | 281.3 |",  # over prompt a; sd with n
        "| gemma3:270m | 299.0 | 77.0 | 299.0 |",
    )
    assert verdicts(facts)[1] == 3


def test_another_models_row_is_not_held_against_the_heading(tmp_path: Path) -> None:
    header = "| model | num_ctx | tok/s |"
    facts = facts_with(tmp_path, header, "| qwen3:4b | 1024 | 55.5 |", above="# gemma3:latest")
    assert verdicts(facts) == (0, 0, 1)


def test_a_short_name_stands_for_the_one_model_that_it_fits(tmp_path: Path) -> None:
    header = "| model | num_ctx | tok/s |"
    rows = ("| 270m | 2048 | 290.5 |", "| gemma3 | 2048 | 55.5 |")  # gemma3 is either
    assert verdicts(facts_with(tmp_path, header, *rows)) == (1, 0, 1)


def test_a_setting_that_all_records_share_still_binds(tmp_path: Path) -> None:
    rows = [{"model": "a:1b", "num_gpu": 99, "num_ctx": c, "eval_rate_tokens_per_s": v}
            for c, v in ((1, 50.25), (2, 60.75))]  # fmt: skip
    write_csv(tmp_path / "runs.csv", rows)
    table = "| num_gpu | num_ctx | tok/s |\n|---|---|---|\n| 99 | 1 | 50.25 |\n| 99 | 2 | 61.5 |\n"
    (tmp_path / "r.md").write_text(table, encoding="utf-8")
    assert verdicts(facts_in(tmp_path)) == (1, 1, 0)


def test_changes_and_other_rates_are_left_alone(tmp_path: Path) -> None:
    facts = facts_with(
        tmp_path,
        "| model | num_ctx | tok/s change | prefill tok/s |",
        "| gemma3:latest | 1024 | 5.5 | 1200.5 |",
    )
    assert verdicts(facts)[1] == 0


def test_a_contradiction_names_the_closest_record(tmp_path: Path) -> None:
    facts = facts_with(
        tmp_path, "| model | num_ctx | TTFT (ms) |", "| gemma3:latest | 1024 | 128 |"
    )
    (claim,) = facts.claims.contradictions
    assert (claim.claimed.value, claim.claimed.unit) == (0.128, "s")
    assert claim.actual.value == pytest.approx(0.1017846)
    assert claim.line == 5
    assert claim.matching.value == 1


@pytest.mark.parametrize(
    ("text", "value", "slack"),
    [("1.2k", 1200.0, 50.0), ("100", 100.0, 0.5), ("1,234.50", 1234.5, 0.005), ("0", 0.0, 0.5),
     ("3e-3", 0.003, 0.0005), (".25", 0.25, 0.005)],
)  # fmt: skip
def test_the_last_printed_digit(text: str, value: float, slack: float) -> None:
    assert printed_slack(text, value) == pytest.approx(slack)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("512 tok/s", "contradicted"),
        ("279.9", "contradicted"),
        ("281", "within"),  # 280.5 to 281.5 as printed: the lowest record is in it
        ("290.5", "within"),
        ("285.17", "within"),  # the mean, but it does not say that it is one
    ],
)
def test_a_bare_value_of_a_model_is_held_against_the_range_of_its_records(
    tmp_path: Path, said: str, label: str
) -> None:
    facts = facts_with(tmp_path, "| model | tok/s |", f"| gemma3:270m | {said} |")
    found = {k: getattr(facts.claims, k).value for k in ("contradicted", "within", "unbound")}
    assert found == {"contradicted": 0, "within": 0, "unbound": 0, label: 1}


def test_the_range_is_shown_as_facts(tmp_path: Path) -> None:
    facts = facts_with(tmp_path, "| model | tok/s |", "| gemma3:270m | 512 |")
    (claim,) = facts.claims.contradictions
    assert claim.low is not None
    assert claim.high is not None
    assert (claim.low.value, claim.high.value, claim.high.n) == (281.25, 290.5, 3)
    assert explain(facts, claim.high).agrees
    (finding,) = [f for f in facts.findings if f.kind == "documents"]
    assert {claim.low.id, claim.high.id} <= {f.id for f in finding.facts}


def test_what_several_models_could_mean_is_never_held_against_all_of_them(tmp_path: Path) -> None:
    header = "| quantization | tok/s |"
    facts = facts_with(tmp_path, header, "| q4_0 | 512 |", above="# gemma3:270m, gemma3:latest")
    assert verdicts(facts) == (0, 0, 1)


def test_a_cold_start_does_not_widen_the_range(tmp_path: Path) -> None:
    rows = [{"model": "a:1b", "phase": p, "ttft_s": v}
            for p, v in (("cold", 2.3), ("warm", 0.12), ("warm", 0.14))]  # fmt: skip
    write_csv(tmp_path / "runs.csv", rows)
    table = "| model | TTFT (s) |\n|---|---|\n| a:1b | 1.75 |\n| a:1b | 2.3 |\n| a:1b | 0.13 |\n"
    (tmp_path / "r.md").write_text(table, encoding="utf-8")
    facts = facts_in(tmp_path)
    assert (facts.claims.contradicted.value, facts.claims.within.value) == (1, 2)
    (claim,) = facts.claims.contradictions
    assert claim.high is not None
    assert (claim.high.value, claim.high.scope) == (0.14, "warm")


def test_the_rate_of_many_requests_together_is_not_held_against_single_ones(tmp_path: Path) -> None:
    rows = [{"model": "a:1b", "concurrency": c, "eval_rate_tokens_per_s": v}
            for c, v in ((8, 50.25), (8, 60.75))]  # fmt: skip
    write_csv(tmp_path / "runs.csv", rows)
    (tmp_path / "r.md").write_text("| model | tok/s |\n|---|---|\n| a:1b | 430 |\n", "utf-8")
    assert verdicts(facts_in(tmp_path)) == (0, 0, 1)


def test_one_value_is_spoken_of_as_one(tmp_path: Path) -> None:
    facts = facts_with(tmp_path, "| model | num_ctx | tok/s |", "| qwen3:4b | 1 | 5 |",
                       "| gemma3:latest | 1024 | 512 |")  # fmt: skip
    (finding,) = [f for f in facts.findings if f.kind == "documents"]
    said = " ".join(
        "".join(s.text for s in c.variants[0] if hasattr(s, "text")) for c in finding.says
    )
    assert " value in tables of documents is contradicted" in said
    assert " value in documents could not be held against any record and is neither" in said
