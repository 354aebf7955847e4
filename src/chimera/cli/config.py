"""``chimera.toml``: names for targets and workloads, and profiles of options.

[targets.fast]                       # `chimera bench fast`
target = "ollama:gemma3:270m@http://127.0.0.1:11434"
options = { num_ctx = 4096, temperature = 0.0 }
api_key_env = "MY_KEY"               # the name of a variable, never a key

[workloads.chat]                     # `--workload chat`
workload = "prompts/chat.jsonl"      # relative to this file

[profiles.nightly]                   # `--profile nightly`
repeats = 10
concurrency = "1,4,16"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.errors import InputError
from chimera.measure.plan import Setting
from chimera.measure.workloads.built_in import SUITES

FILE = "chimera.toml"


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named target. ``api_key_env`` and ``api_key_file`` say where a key is, never the key."""

    target: str
    options: dict[str, Setting] = {}
    api_key_env: str | None = None
    api_key_file: str | None = None


class NamedWorkload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named workload."""

    workload: str


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a ``chimera.toml`` holds. ``folder`` is where it lies, None where there is none."""

    targets: dict[str, Target] = {}
    workloads: dict[str, NamedWorkload] = {}
    profiles: dict[str, dict[str, Any]] = {}
    folder: str | None = None

    def target(self, name: str) -> Target:
        """The target of that name; what is no name is a target itself."""
        return self.targets.get(name) or Target(target=name)

    def workload(self, name: str) -> str:
        """The workload of that name; what is no name is a workload itself."""
        found = self.workloads.get(name)
        if found is None:
            return name
        spec = found.workload
        if spec.partition(":")[0] in ("synthetic", *SUITES):
            return spec
        # The file may be followed by which part of it is wanted; a colon may stand in its name.
        place = Path(self.folder or ".") / Path(spec).expanduser()
        there = place.exists() or place.with_name(place.name.rpartition(":")[0] or "-").exists()
        return str(place) if there else spec

    def profile(self, name: str, command: click.Command) -> dict[str, Any]:
        """The options of a profile, by the command's own parameter names.

        Raises:
            InputError: no such profile, or an option that the command does not have.
        """
        if name not in self.profiles:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise InputError(f"no profile {name!r} in {FILE}; it has: {known}")
        flags = {
            flag.lstrip("-"): param
            for param in command.params
            for flag in param.opts
            if flag.startswith("--")
        }
        found: dict[str, Any] = {}
        for key, value in self.profiles[name].items():
            param = flags.get(key) or flags.get(key.replace("_", "-"))
            if param is None or param.name in ("profile", "config"):
                raise InputError(f"profile {name!r} in {FILE}: no option {key!r}")
            found[param.name] = _as_given(value, param, f"profile {name!r} in {FILE}: {key}")
        return found


def load_config(path: Path | None = None) -> Config:
    """The file at ``path``, or ``chimera.toml`` here or in a folder above; empty without one.

    Raises:
        InputError: it cannot be read or understood; names the key.
    """
    found = path or _nearest()
    if found is None:
        return Config()
    try:
        data = tomllib.loads(found.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {found}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{found} is no TOML: {error}") from None
    if "folder" in data:
        raise InputError(f"{found}: unknown key 'folder'")
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise InputError(f"{found}: {error}") from None
    return msgspec.structs.replace(config, folder=str(found.resolve().parent))


def _nearest() -> Path | None:
    here = Path.cwd()
    return next((p for folder in (here, *here.parents) if (p := folder / FILE).is_file()), None)


def _as_given(value: Any, param: click.Parameter, where: str) -> Any:
    """A TOML value as the command line would give it; a list may stand for "1,4,16"."""
    if isinstance(value, bool):
        if not getattr(param, "is_flag", False):
            raise InputError(f"{where} is neither true nor false")
        return value
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float | str) for item in items):
        raise InputError(f"{where} cannot be {value!r}")
    if getattr(param, "multiple", False):
        return tuple(map(str, items))
    return ",".join(map(str, items))
