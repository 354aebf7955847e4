"""The audit against whole reports whose statements are marked."""

from __future__ import annotations

from benchmarks.audit.adapter import open_audit
from benchmarks.audit.marked import Statement, standing, unmarked


def test_marks_are_taken_out_and_places_kept() -> None:
    text, statements = unmarked("A {T:is 4} and {F:unit:B is 5 s}.\n")
    assert text == "A is 4 and B is 5 s.\n"
    assert statements == [Statement(2, 6, ""), Statement(11, 19, "unit")]
    assert text[11:19] == "B is 5 s"


def test_true_statements_of_whole_reports_raise_few_alarms() -> None:
    total = standing(open_audit)
    assert total.true > 900
    assert total.wrong.total() > 450
    rate, precision, recall = total.alarm_rate, total.precision, total.recall
    assert rate is not None
    assert precision is not None
    assert recall is not None
    # What is reached today, with some room for change; no target.
    assert rate < 0.03
    assert precision > 0.88
    assert recall > 0.38
