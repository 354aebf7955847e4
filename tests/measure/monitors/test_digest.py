"""Summaries and the two verdicts, on samples whose answers are worked out by hand."""

from __future__ import annotations

import pytest

from chimera.measure.monitors.digest import ValueDigest, digest
from chimera.measure.monitors.neighbours import NEIGHBOUR_PERCENT, neighbour_load
from chimera.measure.monitors.sample import Sample
from chimera.measure.monitors.thermal import LEAST_SAMPLES, thermal_drift


def series(source: str, name: str, values: list[float]) -> list[Sample]:
    return [Sample(at, source, {name: value}) for at, value in enumerate(values)]


def test_mean_min_max_of_a_window() -> None:
    samples = series("cpu", "cpu_percent", [100.0, 10.0, 20.0, 60.0, 100.0])
    assert digest(samples, 1, 3) == (
        ValueDigest(source="cpu", name="cpu_percent", n=3, mean=30.0, min=10.0, max=60.0),
    )


def test_the_order_of_arrival_does_not_matter() -> None:
    samples = series("server", "prompt_tokens_total", [5.0, 7.0, 12.0])
    assert digest(reversed(samples)) == digest(samples)


@pytest.mark.parametrize(
    ("values", "increase"),
    [([5.0, 7.0, 12.0], 7.0), ([5.0], None), ([5.0, 9.0, 2.0, 8.0], None), ([3.0, 3.0], 0.0)],
)
def test_a_sum_has_an_increase_and_no_mean(values: list[float], increase: float | None) -> None:
    """A sum that fell began anew: what it was before is not known."""
    (found,) = digest(series("server", "ttft_s_sum", values))
    assert (found.n, found.increase) == (len(values), increase)
    assert found.mean is found.min is found.max is None


def test_no_samples_no_values() -> None:
    assert digest([]) == ()
    assert digest(series("cpu", "cpu_percent", [1.0]), from_ns=5) == ()


def heat(temperatures: list[float], clocks: list[float], source: str = "gpu0") -> list[Sample]:
    return [
        Sample(at, source, {"temperature_c": c, "clock_hz": hz})
        for at, (c, hz) in enumerate(zip(temperatures, clocks, strict=True))
    ]


HOT = [60.0, 60.0, 64.0, 66.0, 68.0, 70.0, 72.0, 74.0]  # quarters: 60 and 73
SLOW = [2e9, 2e9, 2e9, 1.9e9, 1.9e9, 1.8e9, 1.8e9, 1.8e9]  # 2.0 and 1.8: a tenth less
EVEN = [2e9] * 8


def test_hotter_and_slower_is_a_drift() -> None:
    found = thermal_drift(heat(HOT, SLOW))
    assert found is not None
    (one,) = found
    assert one.source == "gpu0"
    assert one.n == 8
    assert one.rise_c == pytest.approx(13)
    assert one.clock_fall_share == pytest.approx(0.1)
    assert one.throttled_share is None
    assert one.drifted


@pytest.mark.parametrize(
    ("temperatures", "clocks"),
    [(HOT, EVEN), ([60.0] * 8, SLOW), (HOT[::-1], SLOW), (HOT, SLOW[::-1]), ([60.0] * 8, EVEN)],
)
def test_one_without_the_other_is_none(temperatures: list[float], clocks: list[float]) -> None:
    """A GPU with nothing to do slows down as well, but cools."""
    found = thermal_drift(heat(temperatures, clocks))
    assert found is not None
    assert not found[0].drifted


def test_a_flag_is_enough() -> None:
    samples = series("cpu", "thermal_throttle_flag", [0.0, 1.0, 0.0, 0.0])
    found = thermal_drift(samples)
    assert found is not None
    assert found[0].throttled_share == 0.25
    assert found[0].rise_c is None
    assert found[0].drifted


def test_without_data_there_is_no_verdict() -> None:
    assert thermal_drift([]) is None
    assert thermal_drift(series("cpu", "cpu_percent", [1.0] * 20)) is None
    assert thermal_drift(series("gpu0", "temperature_c", [float(c) for c in range(20)])) is None
    few = LEAST_SAMPLES - 1
    assert thermal_drift(heat(HOT[:few], SLOW[:few])) is None


def test_each_source_has_its_own() -> None:
    found = thermal_drift(heat(HOT, SLOW) + heat(HOT, EVEN, "gpu1"))
    assert found is not None
    assert [(one.source, one.drifted) for one in found] == [("gpu0", True), ("gpu1", False)]


def load(at: int, machine: float, steal: float = 0.0, **ours: float) -> list[Sample]:
    values = {"cpu_percent": machine, "logical_cpus": 4.0, "steal_percent": steal}
    return [
        Sample(at, "cpu", values),
        *(Sample(at, source, {"cpu_percent": percent}) for source, percent in ours.items()),
    ]


def test_what_neither_client_nor_server_used() -> None:
    """Of four CPUs 80 % is 320 % of a core; ours were 200, 30 and 2: 88 left, 22 % of all."""
    samples = load(1, 80.0, client=30.0, watcher=2.0, process=200.0)
    samples += load(2, 50.0, client=0.0, watcher=0.0, process=200.0)  # nothing left
    found = neighbour_load(samples)
    assert found is not None
    assert found.n == 2
    assert found.mean_percent == pytest.approx(11)
    assert found.max_percent == pytest.approx(22)
    assert found.steal_percent == 0
    assert found.disturbed


def test_what_the_hypervisor_takes_is_a_neighbour_too() -> None:
    quiet = neighbour_load(load(1, 51.0, client=0.0, watcher=0.0, process=200.0))
    stolen = neighbour_load(
        load(1, 51.0, NEIGHBOUR_PERCENT, client=0.0, watcher=0.0, process=200.0)
    )
    assert quiet is not None
    assert stolen is not None
    assert (quiet.disturbed, stolen.disturbed) == (False, True)


def test_an_unknown_server_is_not_taken_for_a_neighbour() -> None:
    samples = load(1, 80.0, client=30.0, watcher=2.0)
    assert neighbour_load(samples) is None
    elsewhere = neighbour_load(samples, server_elsewhere=True)
    assert elsewhere is not None
    assert elsewhere.mean_percent == pytest.approx(72)


def test_a_round_without_rates_does_not_count() -> None:
    first = [Sample(1, "cpu", {"logical_cpus": 4.0}), Sample(1, "client", {"threads": 1.0})]
    assert neighbour_load(first) is None
    assert neighbour_load([]) is None
