"""Where the time of a request goes, and what the client saw against what the server says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chimera.measure.summary.distribution import interval
from chimera.measure.summary.types import Check, TimeShares
from chimera.record.request import Request

PARTS = ("connect", "queue", "load", "prefill", "decode")


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """One request's time in ns; the parts and ``rest`` add up to ``total``.

    A part is None where nobody tells it; its time is within ``rest`` then. ``rest`` below zero
    says that the server counts time in which the client was not waiting.
    """

    total: int
    connect: int | None
    queue: int | None
    load: int | None
    prefill: int | None
    decode: int | None
    rest: int


def split(request: Request) -> Split:
    """Where a request's time went, from its start to its end."""
    total = request.end_ns - request.start_ns
    connected = request.connected_ns
    server = request.server
    parts = {
        "connect": None if connected is None else connected - request.start_ns,
        "queue": server.queue_ns,
        "load": server.load_ns,
        "prefill": server.prefill_ns,
        "decode": server.decode_ns,
    }
    rest = total - sum(part for part in parts.values() if part is not None)
    return Split(total=total, rest=rest, **parts)


def time_shares(requests: Sequence[Request]) -> TimeShares | None:
    """The mean of each part over successful requests; None without any.

    A part counts as known where at least one request tells it; in those that do not it is
    within the rest.
    """
    splits = [split(request) for request in requests if request.error is None]
    if not splits:
        return None
    n = len(splits)

    def mean_of(part: str) -> float | None:
        known = [value for one in splits if (value := getattr(one, part)) is not None]
        return sum(known) / n / 1e9 if known else None

    return TimeShares(
        n=n,
        total_s=sum(one.total for one in splits) / n / 1e9,
        connect_s=mean_of("connect"),
        queue_s=mean_of("queue"),
        load_s=mean_of("load"),
        prefill_s=mean_of("prefill"),
        decode_s=mean_of("decode"),
        rest_s=sum(one.rest for one in splits) / n / 1e9,
    )


def _until_first_token(request: Request) -> int | None:
    server = request.server
    if server.prefill_ns is None or request.first_token_ns is None or request.sent_ns is None:
        return None
    said = server.prefill_ns + (server.load_ns or 0) + (server.queue_ns or 0)
    return request.first_token_ns - request.sent_ns - said


def _decoding(request: Request) -> int | None:
    if request.server.decode_ns is None or len(request.token_ns) < 2:
        return None
    return request.token_ns[-1] - request.token_ns[0] - request.server.decode_ns


def _altogether(request: Request) -> int | None:
    if request.server.total_ns is None or request.sent_ns is None:
        return None
    return request.end_ns - request.sent_ns - request.server.total_ns


_CHECKS: dict[str, Callable[[Request], int | None]] = {
    "TTFT minus the server's load, queue and prefill": _until_first_token,
    "first to last token minus the server's decode": _decoding,
    "sent to end minus the server's total": _altogether,
}


def checks(requests: Sequence[Request]) -> tuple[Check, ...]:
    """Client against server, for each comparison that some request allows."""
    found = []
    for what, difference in _CHECKS.items():
        values = ((r.repeat, difference(r)) for r in requests if r.error is None)
        seconds = interval((repeat, None if ns is None else ns / 1e9) for repeat, ns in values)
        if seconds is not None:
            found.append(Check(what=what, difference_s=seconds))
    return tuple(found)
