"""What holds for a whole run of a benchmark: model, grid, workload, plan, code and machine.

What happened in it is in ``chimera.record.request``.

Every sample is kept; summaries are computed from these records and never stored instead of
them. Times are integer nanoseconds on one process's monotonic clock, relative to the run's
zero, whose wall-clock time is ``Run.zero_utc``. What is not known is None, and where the
reason is not plain it stands in a ``not_learnt`` beside it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from chimera.record.environment import Environment


class Options(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The options of an engine, as set. None means unset: the server's default holds.

    ``other`` holds options without a field here, under the server's own names.
    """

    num_ctx: int | None = None
    num_thread: int | None = None
    num_gpu: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    num_predict: int | None = None
    min_p: float | None = None
    repeat_last_n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    num_batch: int | None = None
    num_keep: int | None = None
    keep_alive: str | None = None
    think: bool | None = None
    other: dict[str, int | float | str | bool] = {}

    def __hash__(self) -> int:
        """Equal options are one configuration, also with some in ``other``."""
        return hash(msgspec.json.encode(self, order="sorted"))

    def as_set(self) -> dict[str, int | float | str | bool]:
        """Only what is set, by name."""
        named = msgspec.structs.asdict(self)
        del named["other"]
        return {k: v for k, v in named.items() if v is not None} | self.other


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


# How requests come: each client's next one after its answer, or by the clock.
Arrival = Literal["closed", "poisson", "constant", "trace"]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One point of the grid: options and load; requests refer to it by ``index``.

    ``concurrency`` is the number of clients with one active request each (closed loop), and
    in an open loop None. ``request_rate`` is the intended arrivals per second of an open
    loop; None in a closed one, and where a trace gives the times.
    """

    index: int
    options: Options
    arrival: Arrival = "closed"
    concurrency: int | None = 1
    request_rate: float | None = None


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the run was to be done.

    ``order`` names the rule that put the requests in their order. "blocks": a block is one
    configuration's requests of one repeat; in each repeat the blocks, and the prompts of each,
    are shuffled anew by ``order_seed``. "interleaved" (version 1): in each repeat every
    configuration with every prompt once, shuffled anew.
    ``request`` is what every request asked for (max_tokens, temperature ...), as set.
    ``repeats`` is the least number of them; ``until_ci_percent`` goes on beyond it until the
    interval of the mean between repeats is that narrow, to at most ``most_repeats``.
    ``slo`` are the limits that a good request meets, by metric, in the metric's unit.
    """

    load: Literal["closed", "open"]
    concurrency: int = 1
    repeats: int
    order: Literal["interleaved", "blocks"]
    order_seed: int
    request: dict[str, Any]
    warmup: int = 0
    until_ci_percent: float | None = None
    most_repeats: int | None = None
    slo: dict[str, float] = {}
    timeout_s: float | None = None
    stall_s: float | None = None


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which Chimera measured. The commit is None outside a checkout, with the reason."""

    version: str
    git_commit: str | None
    git_dirty: bool | None
    not_learnt: dict[str, str] = {}


class SelfTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What this client adds to the truth, measured against a server that knows it.

    ``streams`` ran at once. Biases are measured minus true: of the mean and the 99th
    percentile of TTFT in ns, of the mean ITL in percent; positive means too slow.
    ``chunks_per_cpu_s`` is how many chunks a second of the client's CPU time can take.
    """

    captured_utc: str
    streams: int
    requests: int
    ttft_bias_mean_ns: int
    ttft_bias_p99_ns: int
    itl_bias_percent: float
    chunks_per_cpu_s: float


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for a whole run. ``zero_utc`` (ISO 8601) is when the run's clock was 0.

    ``experiment`` is the user's name for what several runs belong to, "" for none.
    ``server`` is what the server said about itself (loaded models, memory, settings).
    ``instrument`` is the newest self-test of this client on this machine, None without one.

    ``engine_version`` is None where the server does not tell it. ``command`` is the command
    line without folders. ``not_learnt`` gives a reason for whatever else is missing.
    """

    id: str
    zero_utc: str
    target: str
    experiment: str = ""
    engine: str
    engine_version: str | None
    model: ModelIdentity
    configurations: tuple[Configuration, ...]
    workload: Workload
    plan: Plan
    code: Code
    command: str
    environment: Environment
    server: dict[str, Any] = {}
    instrument: SelfTest | None = None
    not_learnt: dict[str, str] = {}
