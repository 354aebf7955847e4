"""Numbers of tables, bound by row and header."""

from __future__ import annotations

from chimera.audit import Auditor

TABLE = """
| Model | Mean tok/s | Mean TTFT (ms) | n | Failed |
|---|---|---|---|---|
| qwen2.5:7b-q4_K_M | 56.9 | 316 | 20 | 0 |
| phi4:14b-q8_0 | 33.3 | 549 | 16 | 4 |
| mistral:7b | 47.5 | 432 | 20 | 0 |
"""
TURNED = """
| Metric | Value | Unit |
|---|---|---|
| Mean throughput of qwen2.5 | 56.9 | tok/s |
| Mean TTFT of phi4 | 0.549 | s |
| p95 TTFT of mistral:7b | {p95} | ms |
"""
SETTINGS = """
Results of qwen2.5:7b-q4_K_M

| num_ctx | Decode speed (tok/s) | TTFT (ms) |
|---|---|---|
| 2048 | 59.9 | {ttft} |
| 8192 | 53.9 | 333 |
"""


def labels(auditor: Auditor, text: str) -> dict[str, str]:
    return {c.text.strip(): c.label for c in auditor.audit(text).claims if c.kind != "name"}


def test_every_cell_of_a_true_table_is_supported(auditor: Auditor) -> None:
    claims = [c for c in auditor.audit(TABLE).claims if c.kind != "name"]
    assert len(claims) == 12
    assert {c.label for c in claims} == {"supported"}


def test_a_cell_of_another_row_is_misattributed(auditor: Auditor) -> None:
    swapped = TABLE.replace("| 33.3 |", "| 47.5 |")
    wrong = [c for c in auditor.audit(swapped).claims if c.is_bad]
    assert [(c.text.strip(), c.label, c.right) for c in wrong] == [
        ("47.5", "misattributed", "33.3 tokens/s")
    ]
    assert swapped[wrong[0].start : wrong[0].end] == "47.5"


def test_a_wrong_count_is_found(auditor: Auditor) -> None:
    wrong = [c for c in auditor.audit(TABLE.replace("| 16 | 4 |", "| 18 | 2 |")).claims if c.is_bad]
    assert [c.text.strip() for c in wrong] == ["18", "2"]


def test_rows_may_name_metric_and_unit(auditor: Auditor) -> None:
    assert labels(auditor, TURNED.format(p95=999))["0.549"] == "supported"
    assert labels(auditor, TURNED.format(p95=999))["999"] == "contradicted"
    assert labels(auditor, TURNED.replace("| s |", "| ms |").format(p95=1))["0.549"] == (
        "contradicted"
    )


def test_a_column_of_a_setting_chooses_the_records(auditor: Auditor) -> None:
    good = labels(auditor, SETTINGS.format(ttft=299))
    assert (good["59.9"], good["53.9"], good["333"]) == ("supported",) * 3
    turned = labels(auditor, SETTINGS.replace("59.9", "53.9", 1).format(ttft=299))
    assert turned["53.9"] in ("misattributed", "supported")
    assert sum(c.is_bad for c in auditor.audit(SETTINGS.replace("59.9", "53.9", 1)).claims) >= 1
