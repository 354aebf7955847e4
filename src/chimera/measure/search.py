"""The highest request rate that still meets the limits (SLOs), found by bisection."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chimera.measure.plan import Load
from chimera.record.metrics.goodput import meets
from chimera.record.request import Request
from chimera.record.run import Arrival

SHARE = 0.99  # of a block's requests that must meet every limit
_STEP = 1.1  # the rates that are tried lie this factor apart


def rates_between(low: float, high: float, arrival: Arrival = "poisson") -> tuple[Load, ...]:
    """The loads that a search may try, in ascending order: both ends, and a grid between."""
    rates = [low]
    while rates[-1] * _STEP < high:
        rates.append(rates[-1] * _STEP)
    if high > low:
        rates.append(high)
    return tuple(Load(arrival, None, float(f"{rate:.4g}")) for rate in rates)


def good_share(requests: Iterable[Request], slo: dict[str, float]) -> float | None:
    """Share of measured requests that succeeded within every limit; None without any.

    A request that failed, or for which a limited metric is not known, is not good.
    """
    found = [request for request in requests if request.phase == "measured"]
    if not found:
        return None
    return sum(meets(request, slo) for request in found) / len(found)


def highest_meeting(count: int, is_met: Callable[[int], bool]) -> int | None:
    """The highest of ``count`` ascending steps that meets, None if not even the first does.

    Steps are tried from the first in growing strides until one fails, then by bisection, as
    if whatever lies above a failing step failed as well.
    """
    if count < 1 or not is_met(0):
        return None
    low, stride = 0, 1
    high = count
    while low + stride < count:
        if not is_met(low + stride):
            high = low + stride
            break
        low += stride
        stride *= 2
    else:
        if low < count - 1:
            if is_met(count - 1):
                return count - 1
            high = count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if is_met(middle):
            low = middle
        else:
            high = middle
    return low


def step_line(load: Load, share: float, following: Load | None) -> str:
    """One line on one rate that was tried, and which is next; None ends the search."""
    met = "enough" if share >= SHARE else f"too few ({SHARE:.0%} are wanted)"
    then = "the search ends" if following is None else f"next {following.request_rate:g} requests/s"
    return f"{load.request_rate:g} requests/s: {share:.1%} met every limit, {met}; {then}"


def verdict(
    loads: tuple[Load, ...], best: int | None, shares: dict[int, float], slo: dict[str, float]
) -> str:
    """One line on what the search found."""
    limits = " and ".join(
        f"{name.removesuffix('_s')} <= {value:g} s" for name, value in slo.items()
    )
    asked = f"{SHARE:.0%} of requests with {limits}"
    if best is None:
        lowest = loads[0].request_rate
        return f"even {lowest:g} requests/s did not give {asked}; begin lower with --find-rate"
    rate = loads[best].request_rate
    above = [index for index, share in shares.items() if index > best and share < SHARE]
    if not above:
        return f"{rate:g} requests/s, the highest rate tried, still gave {asked}; try higher ones"
    failed = min(above)
    return (
        f"the highest rate that gave {asked} is {rate:g} requests/s; "
        f"{loads[failed].request_rate:g} gave {shares[failed]:.1%}"
    )
