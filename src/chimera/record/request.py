"""What happened in a run: starts, requests, blocks, what monitors saw, and the end.

Times are integer nanoseconds since the run's zero, as in ``chimera.record.run``. What is not
known is None.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from chimera.record.environment import Pressure


class ErrorClass(StrEnum):
    """The closed set of ways in which a request fails; what a record calls its error."""

    CONNECT = "connect"  # no connection: refused, unreachable, no such host
    TIMEOUT = "timeout"  # the request's own limit passed, before or during the stream
    HTTP_STATUS = "http_status"  # the server answered with a status other than 200
    REDIRECT = "redirect"  # the server sent the client elsewhere; a measurement does not follow
    TLS = "tls"  # no trusted, encrypted connection: certificate, host name or handshake
    STALL = "stall"  # the stream stayed silent longer than its own limit, the connection open
    EMPTY = "empty"  # a regular end without a single token
    MALFORMED_STREAM = "malformed_stream"  # what came is not the protocol
    CUT_STREAM = "cut_stream"  # the stream ended before its last event
    SERVER_ERROR = "server_error"  # an error inside a stream that began with 200
    DOES_NOT_FIT = "does_not_fit"  # refused before sending: prompt + answer exceed the context
    PROMPT_CHANGED = "prompt_changed"  # the server evaluated another number of prompt tokens
    ENGINE_DIED = "engine_died"  # the server process ended
    ENGINE_START = "engine_start"  # the engine of this configuration never started
    CANCELLED = "cancelled"  # interrupted by the user


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why something failed: its class, and what was said, in one line.

    ``http_status`` is the status of the answer where it was not 200, otherwise None.
    """

    error_class: ErrorClass
    text: str
    http_status: int | None = None


class EngineStart(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="start",
    tag_field="type",
):
    """The start of one configuration's engine.

    ``start_ns`` to ``ready_ns`` is what the client waited; ``ready_ns`` is None after a
    failure. ``server_load_ns`` is the model's load as the server measured it, None where it
    does not say. ``num_ctx`` is the context (tokens) that the server really uses.
    """

    configuration: int
    start_ns: int
    ready_ns: int | None
    server_load_ns: int | None
    num_ctx: int | None
    error: Failure | None = None


class ServerPhases(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """What the server measured about itself, ns; None where it does not say."""

    load_ns: int | None = None
    queue_ns: int | None = None
    prefill_ns: int | None = None
    decode_ns: int | None = None
    total_ns: int | None = None


# cold: the first request after a start; warm-up: sent to warm, not to measure.
Phase = Literal["cold", "warmup", "measured"]


class Request(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="request",
    tag_field="type",
):
    """One request, whole or failed. All times ns since the run's zero.

    index             position in the run's order, from 0
    repeat            from 1; 0 for cold and warm-up requests
    intended_start_ns when the plan wanted it to start; None in a closed loop, where that is
                      as soon as the one before has ended
    start_ns          before connecting
    connected_ns      the connection (and its encryption) stood; None where it never did
    reused            whether the connection was open already
    sent_ns           just before the request's first byte; None if it was never sent
    first_byte_ns     the answer's headers were there
    first_token_ns    first token with text, reasoning included
    first_answer_ns   first token with text that is no reasoning; None if none came
    token_ns          arrival of each chunk that carried tokens, an empty end token included
    chunk_tokens      tokens in each of these chunks; None where the server does not tell
    end_ns            the last event, or when it failed
    lag_ns            longest time between a chunk's arrival at this machine and its reading
    stamped_by        who stamped arrivals: the "kernel" on receipt, or the "client" on reading
    tokens_basis      what output_tokens counts: "server" (its own count), "chunks" (those with
                      text, where the server gives no count), None if unknown
    reasoning_tokens  how many of output_tokens are reasoning, by the server's count
    finish_reason     "stop", "length" or "context"; None after a failure
    reloaded          whether the server loaded the model during this request
    error             None for a request that succeeded
    """

    index: int
    configuration: int
    prompt_id: str
    repeat: int
    phase: Phase
    intended_start_ns: int | None
    start_ns: int
    sent_ns: int | None
    first_byte_ns: int | None
    first_token_ns: int | None
    token_ns: tuple[int, ...]
    chunk_tokens: tuple[int, ...] | None
    end_ns: int
    prompt_tokens: int | None
    cached_tokens: int | None
    evaluated_tokens: int | None
    output_tokens: int | None
    tokens_basis: Literal["server", "chunks"] | None
    finish_reason: str | None
    server: ServerPhases = ServerPhases()
    connected_ns: int | None = None
    reused: bool = False
    first_answer_ns: int | None = None
    reasoning_tokens: int | None = None
    lag_ns: int | None = None
    stamped_by: Literal["kernel", "client"] = "client"
    reloaded: bool = False
    error: Failure | None = None


class Block(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="block",
    tag_field="type",
):
    """One configuration's measured requests of one repeat, sent under its load.

    ``start_ns`` to ``end_ns``, from the first request's start to the last one's end, is the
    benchmark duration of its throughput. ``planned`` is how many requests it should have.
    ``stopped`` is "complete", "interrupted" (Ctrl-C) or "errors" (nothing succeeded).
    """

    configuration: int
    repeat: int
    start_ns: int
    end_ns: int
    planned: int
    requests: int
    failed: int
    stopped: Literal["complete", "interrupted", "errors"]


class Watched(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="watched",
    tag_field="type",
):
    """What a monitor saw at one moment. ``source`` is "cpu", "memory", "gpu0", "server" ...;
    the names in ``values`` end in their unit. What could not be read is not there.
    """

    t_ns: int
    source: str
    values: dict[str, float]


class ClientCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the client itself did to the measurement.

    ``lag_*`` are over all reads: from a chunk's arrival at this machine to its reading, in
    ns, upper bounds within a factor of two; None where the system gives no time of arrival.
    ``dispatch_*`` are over all requests with an intended start: how late they began.
    ``watching_cpu_s`` is the CPU time of the monitors, None without them.
    """

    cpu_s: float
    wall_s: float
    processes: int
    reads: int
    lag_p50_ns: int | None
    lag_p99_ns: int | None
    lag_max_ns: int | None
    dispatch_p99_ns: int | None
    dispatch_max_ns: int | None
    watching_cpu_s: float | None = None


class RunEnd(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="end",
    tag_field="type",
):
    """How the run ended. ``stopped`` is "complete", "interrupted" (Ctrl-C), or "errors": it
    ended before its plan did, because nothing got through any more.

    ``pressure`` is the machine's CPU pressure after the run, None where it has none.
    ``not_watched`` says of each source of monitors that was not there why. ``notes`` are what
    the run itself has to say: why ``--until`` stopped, a clock that was set, and the like.
    """

    requests: int
    failed: int
    planned: int
    stopped: Literal["complete", "interrupted", "errors"]
    end_ns: int
    pressure: Pressure | None
    load_average: tuple[float, float, float] | None
    client: ClientCost | None = None
    not_watched: dict[str, str] = {}
    notes: tuple[str, ...] = ()
