"""Open-loop arrivals: the right rate, the right law, the same for the same seed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.errors import InputError
from chimera.measure.arrivals import intended_starts


def test_constant_arrivals_are_evenly_spaced() -> None:
    assert intended_starts("constant", 4.0, 4, "") == [0, 250_000_000, 500_000_000, 750_000_000]


def test_poisson_gaps_are_exponential() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    starts = intended_starts("poisson", 10.0, 4001, "a seed")
    gaps = [(b - a) / 1e9 for a, b in itertools.pairwise(starts)]
    assert scipy_stats.kstest(gaps, "expon", args=(0, 0.1)).pvalue > 0.01
    assert sum(gaps) / len(gaps) == pytest.approx(0.1, rel=0.05)


@given(
    st.sampled_from(["poisson", "constant"]),
    st.floats(0.01, 1e5),
    st.integers(0, 300),
    st.text(max_size=5),
)
def test_arrivals_begin_at_zero_and_never_go_back(
    arrival: str, rate: float, count: int, seed: str
) -> None:
    starts = intended_starts(arrival, rate, count, seed)  # type: ignore[arg-type]
    assert starts == intended_starts(arrival, rate, count, seed)  # type: ignore[arg-type]
    assert len(starts) == count
    assert starts == sorted(starts)
    assert starts[:1] in ([], [0])


def test_another_seed_gives_other_arrivals() -> None:
    assert intended_starts("poisson", 1, 9, "1") != intended_starts("poisson", 1, 9, "2")


def test_a_trace_is_replayed_from_its_first_record() -> None:
    assert intended_starts("trace", None, 3, "", [7.5, 7.0, 9.25]) == [
        0,
        500_000_000,
        2_250_000_000,
    ]


@pytest.mark.parametrize("times", [[], [1.0, None]])
def test_a_trace_without_times_is_refused(times: list[float | None]) -> None:
    with pytest.raises(InputError, match="a trace whose records say when they came"):
        intended_starts("trace", None, len(times), "", times)


def test_a_rate_is_needed() -> None:
    with pytest.raises(InputError, match="need a request rate"):
        intended_starts("poisson", None, 1, "")
