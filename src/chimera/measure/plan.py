"""What a bench is to do: the grid of configurations, the loads, and the order of it all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from math import isfinite
from random import Random
from typing import Any

import msgspec

from chimera.engines.option_names import EXTRA
from chimera.errors import InputError
from chimera.measure.workloads import Workload
from chimera.record.run import Arrival, Configuration, Options, Plan

_FIELDS = {field.name: field for field in msgspec.structs.fields(Options)}
_MOST_CLIENTS = 65_535  # one machine has no more ports towards one server
_MOST_RATE = 1_000_000
_MOST_INT = 2**31 - 1  # engines keep these in 32 bits
_INT_OPTIONS = ("num_ctx", "num_thread", "num_gpu", "num_batch", "num_keep", "top_k")
Setting = int | float | str | bool


class Load(msgspec.Struct, frozen=True):
    """How requests come: ``concurrency`` clients (closed loop), or by the clock (open loop).

    ``request_rate`` is arrivals per second; None for a trace, whose prompts say when.
    """

    arrival: Arrival = "closed"
    concurrency: int | None = 1
    request_rate: float | None = None


ONE_CLIENT = Load()


class BenchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A bench: every setting of ``grid`` with every load, ``repeats`` times.

    ``options`` hold for all. ``requests`` is how many a block has; None takes every prompt
    once, and at least two for each of several clients. ``seconds`` is how long a block goes on
    sending instead. ``warmup`` is the number of unmeasured requests that each block begins with.
    ``until_percent`` repeats until the 95% interval of ``until_metric`` is at most that wide
    to either side of its mean, ``most_repeats`` at most. ``seed`` sets orders, arrivals and
    sampling. ``timeout_s`` limits each request, ``stall_s`` the silence within one.
    ``search`` tries only those of the ascending ``loads`` that it takes to find the highest
    that meets ``slo``. ``processes`` share the sending; monitors ``watch``.
    """

    target: str
    workload: Workload
    options: Options = Options()
    grid: dict[str, tuple[Setting, ...]] = {}
    loads: tuple[Load, ...] = (ONE_CLIENT,)
    requests: int | None = None
    seconds: float | None = None
    repeats: int = 5
    warmup: int | None = None
    until_percent: float | None = None
    until_metric: str = "decode_tokens_per_s"
    most_repeats: int = 100
    max_tokens: int = 64
    ignore_eos: bool = True
    cache_prompt: bool = False
    seed: int = 0
    timeout_s: float = 300.0
    stall_s: float | None = None
    slo: dict[str, float] = {}
    search: bool = False
    processes: int = 1
    watch: bool = True
    experiment: str = ""

    def configurations(self) -> tuple[Configuration, ...]:
        """The grid: every value of each option with every other, and with every load.

        Temperature 0 and the seed, unless set otherwise, make every repeat do the same work.

        Raises:
            InputError: a value that no engine takes, or one that stands twice.
        """
        self._check()
        points = [
            self._options(dict(zip(self.grid, values, strict=True)))
            for values in product(*self.grid.values())
        ]
        return tuple(
            Configuration(
                index=index,
                options=options,
                arrival=load.arrival,
                concurrency=load.concurrency,
                request_rate=load.request_rate,
            )
            for index, (options, load) in enumerate(product(points, self.loads))
        )

    def recorded(self) -> Plan:
        """As it stands in a run's record."""
        request = self._limits()
        request |= {"ignore_eos": self.ignore_eos, "cache_prompt": self.cache_prompt}
        closed = all(load.arrival == "closed" for load in self.loads)
        until = self.until_percent is not None
        return Plan(
            load="closed" if closed else "open",
            concurrency=max((load.concurrency or 1 for load in self.loads), default=1),
            repeats=self.repeats,
            order="blocks",
            order_seed=self.seed,
            request=request,
            warmup=self.warmup or 0,
            until_ci_percent=self.until_percent,
            most_repeats=self.most_repeats if until else None,
            slo=self.slo,
            timeout_s=self.timeout_s,
            stall_s=self.stall_s,
        )

    def _limits(self) -> dict[str, Any]:
        """One number where it holds for all prompts, else each prompt's own."""
        limits = {
            prompt.id: prompt.max_tokens or self.max_tokens for prompt in self.workload.prompts
        }
        if len(set(limits.values())) == 1:
            return {"max_tokens": next(iter(limits.values()))}
        return {"max_tokens": None, "max_tokens_by_prompt": limits}

    def block_size(self, load: Load) -> int | None:
        """How many requests a block has; None where its time ends it."""
        if load.arrival == "trace":
            return len(self.workload.prompts)
        if self.requests is not None:
            return self.requests
        if self.seconds is not None:
            rate = load.request_rate
            return None if rate is None else max(1, round(rate * self.seconds))
        clients = load.concurrency or 1
        return max(len(self.workload.prompts), 2 * clients if clients > 1 else 1)

    def _check(self) -> None:
        for name, values in self.grid.items():
            if len(set(map(repr, values))) != len(values):
                raise InputError(f"{name}: a value stands twice in {_listed(values)}")
        for load in self.loads:
            if load.concurrency is not None and not 1 <= load.concurrency <= _MOST_CLIENTS:
                raise InputError(
                    f"a concurrency is from 1 to {_MOST_CLIENTS:,}, not {load.concurrency}"
                )
            if load.request_rate is not None and not 0 < load.request_rate <= _MOST_RATE:
                raise InputError(
                    f"a request rate is above 0 and at most {_MOST_RATE:,} a second, "
                    f"not {load.request_rate:g}"
                )
        if len(set(self.loads)) != len(self.loads):
            raise InputError("a load stands twice among the concurrencies or request rates")
        limits = {"seconds": self.seconds, "timeout": self.timeout_s, "stall": self.stall_s}
        for name, value in limits.items():
            if value is not None and not 0 < value < 1e9:
                raise InputError(f"--{name} must be a number of seconds above 0, not {value}")
        if any(load.arrival == "trace" for load in self.loads) and any(
            prompt.at_s is None for prompt in self.workload.prompts
        ):
            raise InputError(
                "a replay needs a trace whose records say when they came: give one with --workload"
            )
        if self.repeats < 1 or self.max_tokens < 1:
            raise InputError("repeats and max tokens must be at least 1")

    def _options(self, point: dict[str, Setting]) -> Options:
        given = {"temperature": 0.0, "seed": self.seed} | self.options.as_set() | point
        return options_of(given)


def options_of(given: dict[str, Setting]) -> Options:
    """Options from names and values; a name without a field goes to ``other``.

    "extra." before a name says only that it is to be sent as it stands (see ``option_names``).

    Raises:
        InputError: a value of the wrong type, or one that no engine takes.
    """
    given = {name.removeprefix(EXTRA): value for name, value in given.items()}
    known = {name: value for name, value in given.items() if name in _FIELDS and name != "other"}
    other = {name: value for name, value in given.items() if name not in known}
    for name in ("num_ctx", "num_thread", "num_batch"):
        value = known.get(name)
        if isinstance(value, (int, float)) and value < 1:
            raise InputError(f"{name} must be at least 1, not {value}")
    for name, value in given.items():
        if isinstance(value, float) and not isfinite(value):
            raise InputError(f"{name}={value} is no number that an engine could take")
        if name in _INT_OPTIONS and isinstance(value, int) and abs(value) > _MOST_INT:
            raise InputError(f"{name} must be at most {_MOST_INT}, not {value}")
    try:
        return msgspec.convert({**known, "other": other}, Options)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`")
        shown = f" {name}={known[name]!r}:" if name in known else ""
        raise InputError(f"an option has a value that it cannot have:{shown} {error}") from None


def _listed(values: tuple[Setting, ...]) -> str:
    return ", ".join(map(str, values))


def load_of(configuration: Configuration) -> Load:
    """The load of a configuration."""
    return Load(configuration.arrival, configuration.concurrency, configuration.request_rate)


def block_order(plan: BenchPlan, configurations: int, repeat: int) -> list[int]:
    """The configurations in the order of one repeat.

    Shuffled anew in each, so that a slow drift of the machine meets all alike instead of
    looking like a difference between them. The same seed gives the same order.
    """
    order = list(range(configurations))
    _shuffle(order, Random(f"{plan.seed}:{repeat}"))  # noqa: S311 - an order, not a secret
    return order


def block_prompts(
    plan: BenchPlan, configuration: int, repeat: int, count: int | None
) -> Iterator[int]:
    """Which prompts a block sends, by their place in the workload; without end for None.

    Every prompt once before any comes again, each round in an order of its own.
    """
    random = Random(f"{plan.seed}:{repeat}:{configuration}")  # noqa: S311 - as above

    def rounds() -> Iterator[int]:
        while True:
            turn = list(range(len(plan.workload.prompts)))
            _shuffle(turn, random)
            yield from turn

    return islice(rounds(), count)


def _shuffle(items: list[int], random: Random) -> None:
    """Fisher-Yates on ``random()`` alone, whose values never change between Pythons."""
    for i in range(len(items) - 1, 0, -1):
        j = int(random.random() * (i + 1))
        items[i], items[j] = items[j], items[i]
