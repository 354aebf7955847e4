"""The machine and the programs of a run: what is known of them, and why something is not."""

from __future__ import annotations

import msgspec


class Pressure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Linux's pressure stall information for the CPU.

    ``avg10`` and ``avg60`` are the percentage of the last 10 and 60 s in which some task had
    to wait for a CPU; ``total_us`` is the sum of such time since the machine started.
    """

    avg10: float
    avg60: float
    total_us: int


class Gpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One graphics processor as its driver names it. ``memory_bytes`` None if it won't say."""

    name: str
    driver: str
    memory_bytes: int | None


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a run took place. A None has its reason in ``not_learnt``, by field name.

    ``host`` is a short hash of the machine's name unless the name itself was asked for: equal
    hashes mean the same machine. ``usable_cpus`` is what this process may run on,
    ``cpu_quota`` what a container's limit allows (in CPUs). ``pressure`` and
    ``load_average`` (1, 5, 15 minutes) were read before the run. ``gpus`` is empty where
    there is none, None where nobody could say.
    """

    captured_utc: str
    host: str | None
    os: str
    machine: str
    cpu_model: str | None
    physical_cores: int | None
    logical_cpus: int | None
    usable_cpus: int | None
    cpu_quota: float | None
    memory_bytes: int | None
    gpus: tuple[Gpu, ...] | None
    python: str
    packages: dict[str, str]
    pressure: Pressure | None
    load_average: tuple[float, float, float] | None
    not_learnt: dict[str, str]
