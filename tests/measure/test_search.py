"""The highest rate that meets the limits."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.measure.plan import Load
from chimera.measure.search import (
    good_share,
    highest_meeting,
    rates_between,
    verdict,
)
from chimera.record.metrics.goodput import meets
from chimera.record.request import ErrorClass, Failure
from tests.measure.samples import REQUEST


@given(st.integers(1, 200), st.integers(-1, 199))
def test_the_border_is_found_in_few_steps(count: int, border: int) -> None:
    """Steps up to and including ``border`` meet."""
    tried: list[int] = []

    def is_met(step: int) -> bool:
        tried.append(step)
        return step <= border

    found = highest_meeting(count, is_met)
    assert found == (None if border < 0 else min(border, count - 1))
    assert len(tried) == len(set(tried))
    assert len(tried) <= 2 * count.bit_length() + 2


def test_the_rates_have_both_ends_and_even_strides() -> None:
    rates = [load.request_rate for load in rates_between(1.0, 10.0)]
    assert (rates[0], rates[-1]) == (1.0, 10.0)
    assert all(b / a < 1.11 for a, b in itertools.pairwise(rates) if a is not None and b)
    assert {load.arrival for load in rates_between(1, 2, "constant")} == {"constant"}


def test_a_good_request_succeeded_within_every_limit() -> None:
    # TTFT 100 ms, TPOT (149 - 100) / 3 ms
    assert meets(REQUEST, {"ttft_s": 0.1})
    assert not meets(REQUEST, {"ttft_s": 0.099})
    assert not meets(REQUEST, {"ttft_s": 1.0, "tpot_s": 0.001})
    failed = msgspec.structs.replace(REQUEST, error=Failure(ErrorClass.TIMEOUT, "late"))
    assert not meets(failed, {"ttft_s": 1.0})
    unknown = msgspec.structs.replace(REQUEST, first_token_ns=None)
    assert not meets(unknown, {"ttft_s": 1.0})
    assert good_share([REQUEST, failed], {"ttft_s": 1.0}) == 0.5
    assert good_share([], {"ttft_s": 1.0}) is None


@pytest.mark.parametrize(
    ("best", "shares", "said"),
    [
        (None, {0: 0.5}, "even 1 requests/s did not give 99% of requests with ttft <= 0.5 s"),
        (2, {0: 1.0, 2: 1.0}, "3 requests/s, the highest rate tried, still gave"),
        (0, {0: 1.0, 1: 0.9}, "is 1 requests/s; 2 gave 90.0%"),
    ],
)
def test_the_verdict_says_what_was_found(
    best: int | None, shares: dict[int, float], said: str
) -> None:
    loads = tuple(Load("poisson", None, rate) for rate in (1.0, 2.0, 3.0))
    assert said in verdict(loads, best, shares, {"ttft_s": 0.5})
