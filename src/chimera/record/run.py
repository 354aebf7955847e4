"""One run of a benchmark and everything kept of it: the types that all else is derived from.

Every sample is kept; summaries are computed from these records and never stored instead of
them. Times are integer nanoseconds on one process's monotonic clock, relative to the run's
zero, whose wall-clock time is ``Run.zero_utc``. What is not known is None, and where the
reason is not plain it stands in a ``not_learnt`` beside it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

from chimera.record.environment import Environment, Pressure


class ErrorClass(StrEnum):
    """The closed set of ways in which a request fails; what a record calls its error."""

    CONNECT = "connect"  # no connection: refused, unreachable, no such host
    TIMEOUT = "timeout"  # the request's own limit passed, before or during the stream
    HTTP_STATUS = "http_status"  # the server answered with a status other than 200
    MALFORMED_STREAM = "malformed_stream"  # what came is not the protocol
    CUT_STREAM = "cut_stream"  # the stream ended before its last event
    SERVER_ERROR = "server_error"  # an error inside a stream that began with 200
    DOES_NOT_FIT = "does_not_fit"  # refused before sending: prompt + answer exceed the context
    PROMPT_CHANGED = "prompt_changed"  # the server evaluated another number of prompt tokens
    ENGINE_DIED = "engine_died"  # the server process ended
    ENGINE_START = "engine_start"  # the engine of this configuration never started
    CANCELLED = "cancelled"  # interrupted by the user


class Options(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The options of an engine, as set. None means unset: the server's default holds."""

    num_ctx: int | None = None
    num_thread: int | None = None
    num_gpu: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    num_predict: int | None = None

    def as_set(self) -> dict[str, int | float]:
        """Only what is set, by name."""
        return {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}


class ModelIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model this is. A field is None where ``not_learnt`` gives the reason.

    ``file`` is a file name without its folder. ``parameters`` is the count of weights.
    """

    name: str
    file: str | None = None
    sha256: str | None = None
    quantization: str | None = None
    size_bytes: int | None = None
    parameters: int | None = None
    not_learnt: dict[str, str] = {}


class Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One prompt of a workload. Its text is not kept; its hash tells equal from changed."""

    id: str
    sha256: str
    characters: int


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked: ``sha256`` covers every prompt's id and text, in order."""

    name: str
    sha256: str
    prompts: tuple[Prompt, ...]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One point of the grid; requests refer to it by ``index``."""

    index: int
    options: Options


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the run was to be done.

    ``order`` names the rule that put the requests in their order, "interleaved" means: in
    each repeat every configuration with every prompt once, shuffled anew by ``order_seed``.
    ``request`` is what every request asked for (max_tokens, temperature ...), as set.
    """

    load: Literal["closed"]
    concurrency: int
    repeats: int
    order: Literal["interleaved"]
    order_seed: int
    request: dict[str, Any]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which Chimera measured. The commit is None outside a checkout, with the reason."""

    version: str
    git_commit: str | None
    git_dirty: bool | None
    not_learnt: dict[str, str] = {}


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for a whole run. ``zero_utc`` (ISO 8601) is when the run's clock was 0.

    ``engine_version`` is None where the server does not tell it. ``command`` is the command
    line without folders. ``not_learnt`` gives a reason for whatever else is missing.
    """

    id: str
    zero_utc: str
    target: str
    engine: str
    engine_version: str | None
    model: ModelIdentity
    configurations: tuple[Configuration, ...]
    workload: Workload
    plan: Plan
    code: Code
    command: str
    environment: Environment
    not_learnt: dict[str, str] = {}


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something failed: its class, and what was said, in one line."""

    error_class: ErrorClass
    text: str


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
    sent_ns           just before the request's first byte; None if it was never sent
    first_byte_ns     the answer's headers were there
    first_token_ns    first token with text
    token_ns          arrival of each chunk that carried tokens, an empty end token included
    chunk_tokens      tokens in each of these chunks; None where the server does not tell
    end_ns            the last event, or when it failed
    tokens_basis      what output_tokens counts: "server" (its own count), None if unknown
    finish_reason     "stop", "length" or "context"; None after a failure
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
    tokens_basis: Literal["server"] | None
    finish_reason: str | None
    server: ServerPhases = ServerPhases()
    error: Failure | None = None


class RunEnd(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag="end",
    tag_field="type",
):
    """How the run ended. ``stopped`` is "complete" or "interrupted" (Ctrl-C).

    ``pressure`` is the machine's CPU pressure after the run, None where it has none.
    """

    requests: int
    failed: int
    planned: int
    stopped: Literal["complete", "interrupted"]
    end_ns: int
    pressure: Pressure | None
    load_average: tuple[float, float, float] | None
