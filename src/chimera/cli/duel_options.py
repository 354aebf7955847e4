"""What `chimera duel` is asked, from words to agents and scenarios."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.agents.agent import Agent
from chimera.agents.duel.plan import (
    AS_GIVEN,
    SCENARIOS,
    Plan,
    Side,
    letter,
    sides_of,
    usable_cores,
)
from chimera.agents.persona import Persona, load_persona
from chimera.cli.bench_options import setting
from chimera.cli.config import Config
from chimera.cli.naming import access_of
from chimera.cli.running import NUM_CTX
from chimera.engines.option_names import check_names, kind_of
from chimera.errors import InputError
from chimera.measure.names import without_folder
from chimera.measure.plan import Setting, options_of

DEFAULT_AGENTS = ("llamacpp", "llamacpp")
_LOCAL = ("llamacpp", "ollama")


class Asked(msgspec.Struct, frozen=True):
    """One ``--agent``: its target, its settings, and its persona; "" for that of all."""

    target: str
    settings: dict[str, Setting]
    persona: str = ""


def parse_agent(text: str) -> Asked:
    """Read TARGET[,NAME=VALUE]... Raises InputError.

    >>> parse_agent("llamacpp,num_thread=1,persona=insight")
    Asked(target='llamacpp', settings={'num_thread': 1}, persona='insight')
    """
    target, *parts = text.split(",")
    settings: dict[str, Setting] = {}
    persona = ""
    for part in parts:
        name, equals, value = (p.strip() for p in part.partition("="))
        if not equals or not name or not value:
            raise InputError(
                f"--agent {text!r}: {part!r} is no NAME=VALUE; write TARGET,NAME=VALUE,... such as "
                "llamacpp,num_thread=1,persona=insight"
            )
        if name in settings or (name == "persona" and persona):
            raise InputError(f"--agent {text!r} sets {name!r} twice")
        if name == "persona":
            persona = value
        else:
            settings[name] = setting(value)
    if not target.strip():
        raise InputError(f"--agent {text!r} names no target; write TARGET,NAME=VALUE,...")
    return Asked(target.strip(), settings, persona)


def sides_asked(
    words: Sequence[str], common: dict[str, Setting], config: Config, asked: dict[str, Any]
) -> list[Side]:
    """The agents as given, before any scenario; ``common`` holds where they set nothing else.

    Temperature and seed are zero unless set, so that every repeat does the same work.

    Raises:
        InputError: an agent that cannot be understood, an unknown option, or no such persona.
    """
    sides = []
    personas: dict[str, Persona] = {}
    for place, text in enumerate(words or DEFAULT_AGENTS):
        one = parse_agent(text)
        named = config.target(one.target)
        given = common | named.options | one.settings
        for warning in check_names(named.target, given):
            click.echo(f"chimera: warning: {warning}", err=True)
        start: dict[str, Setting] = {"temperature": 0.0, "seed": 0}
        if kind_of(named.target) in _LOCAL:
            start["num_ctx"] = NUM_CTX
        persona = one.persona or asked["persona"]
        if persona not in personas:
            personas[persona] = load_persona(persona)
        name = letter(place)
        agent = Agent(
            personas[persona], named.target, options_of(start | given), name=f"Agent {name}"
        )
        sides.append(Side(name, agent, access_of(named, config, asked)))
    return sides


def plans_of(sides: Sequence[Side], asked: dict[str, Any], output: Path) -> list[Plan]:
    """A plan for each scenario: those asked for; without any, all three for the embedded agents
    of the default, and agents that were given as they are.

    Raises:
        InputError: there is no such scenario.
    """
    chosen = asked["scenario"] or ((AS_GIVEN,) if asked["agent"] else SCENARIOS)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + secrets.token_hex(2)
    return [
        Plan(
            folder=asked["folder"],
            scenario=scenario,
            sides=sides_of(scenario, sides, usable_cores()),
            repeats=asked["repeats"],
            warmup=asked["warmup"],
            seed=asked["seed"],
            most_findings=asked["findings"],
            max_bytes=asked["max_file_mb"] * 1_000_000,
            exclude=str(output.resolve()),
            experiment=f"duel-{stamp}-{scenario}",
            watch=asked["watch"],
        )
        for scenario in dict.fromkeys(chosen)
    ]


def command_of(plan: Plan) -> str:
    """The command that does one scenario again, without folders."""
    parts = ["chimera", "duel", Path(plan.folder).name, "--scenario", AS_GIVEN]
    for side in plan.sides:
        options = side.agent.options.as_set() | {"persona": side.agent.persona.name}
        listed = ",".join(f"{name}={value}" for name, value in options.items())
        parts += ["--agent", f"{without_folder(side.target)},{listed}"]
    parts += ["--repeats", str(plan.repeats), "--warmup", str(plan.warmup)]
    parts += ["--findings", str(plan.most_findings), "--seed", str(plan.seed)]
    return shlex.join(parts)
