"""Numbers as printed, read back."""

from __future__ import annotations

from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from chimera.facts.numbers import MISSING, format_plain


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda v: abs(v) > 1e-300 or v == 0))
def test_a_printed_number_is_the_value_to_its_last_digit(value: float) -> None:
    text = format_plain(value)
    assert len(text) < 26
    assert isclose(float(text.replace(",", "")), value, rel_tol=6e-4, abs_tol=0.0)


def test_what_is_no_number_is_missing() -> None:
    assert format_plain(float("nan")) == format_plain(float("inf")) == MISSING
    assert format_plain(1e300) == "1.000000e+300"
    assert format_plain(1234567.891) == "1,234,568"
