"""What the names of ``chimera.toml`` stand for: options that bench and doctor share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from chimera.cli.config import Config, Target, load_config
from chimera.engines.targets import Access

F = TypeVar("F", bound=Callable[..., Any])
_CONFIG = "chimera.config"
_RESOLVED = "chimera.resolved"


def key_options(function: F) -> F:
    """--api-key-env and --api-key-file."""
    env = click.option(
        "--api-key-env",
        metavar="NAME",
        help="Environment variable that holds the server's key.  [default: OPENAI_API_KEY, "
        "encrypted or to this machine only]",
    )
    file = click.option(
        "--api-key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File that holds nothing but the server's key.",
    )
    return env(file(function))


def config_option(function: F) -> F:
    """--config."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_take,
        help="The chimera.toml to use.  [default: the nearest one, here or in a folder above]",
    )(function)


def profile_option(function: F) -> F:
    """--profile; wants ``config_option`` as well."""
    return click.option(
        "--profile",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_take,
        help="Options from chimera.toml; those given here win.",
    )(function)


def config_of(ctx: click.Context) -> Config:
    """The configuration that the command was given."""
    found = ctx.meta[_CONFIG]
    assert isinstance(found, Config)
    return found


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Read the configuration once every option that it depends on is known.

    Eager options are dealt with before the others, in any order: the last of them reads.
    """
    if ctx.resilient_parsing:
        return value
    given = ctx.meta.setdefault("chimera.given", {})
    given[param.name] = value
    wanted = {p.name for p in ctx.command.params if p.name in ("config", "profile")}
    if wanted <= given.keys():
        config = ctx.meta[_CONFIG] = load_config(given["config"])
        if given.get("profile") is not None:
            ctx.default_map = config.profile(given["profile"], ctx.command)
    return value


def access_of(target: Target, config: Config, asked: dict[str, Any]) -> Access:
    """Where the key is: as the options say, else as the named target does."""
    env, file = asked["api_key_env"], asked["api_key_file"]
    if env is None and file is None:
        env = target.api_key_env
        if target.api_key_file is not None:
            file = Path(config.folder or ".") / Path(target.api_key_file).expanduser()
    return Access(api_key_env=env, api_key_file=file)


def resolve(ctx: click.Context, asked: dict[str, Any]) -> Access:
    """Put the target and workload of ``asked`` in the place of their names."""
    config = config_of(ctx)
    target = config.target(asked["target"])
    put = {
        "target": target.target,
        "workload": config.workload(asked["workload"]),
        "settings": {k: (v,) for k, v in target.options.items()} | asked["settings"],
    }
    ctx.meta[_RESOLVED] = {name for name, value in put.items() if value != asked[name]}
    asked |= put
    ctx.params |= put
    return access_of(target, config, asked)


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether a parameter's value is from the command line or ``chimera.toml``."""
    from click.core import ParameterSource

    given = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
    return ctx.get_parameter_source(name) in given or name in ctx.meta.get(_RESOLVED, ())
