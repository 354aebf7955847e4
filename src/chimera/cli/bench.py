"""``chimera bench``: measure a model and keep every sample."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from chimera.cli.bench_output import Progress, bench_table
from chimera.errors import OutputError
from chimera.measure.bench import run_bench
from chimera.measure.files import RUN_FILE, write_side_files
from chimera.measure.plan import BenchPlan
from chimera.measure.summary import summarise
from chimera.measure.workloads import open_workload
from chimera.measure.workloads.built_in import SUITES
from chimera.measure.workloads.counting import TargetCounter
from chimera.measure.workloads.opening import without_folder
from chimera.record.runfile import RunFile

EXIT_NOTHING_SUCCEEDED = 1
EXIT_INTERRUPTED = 130


def _numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Whole numbers separated by commas; none if the option was not given."""
    if value is None:
        return ()
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        message = f"{value!r} is no list of whole numbers such as 1024,4096"
        raise click.BadParameter(message, ctx, param) from None


@click.command(name="bench")
@click.option(
    "--target",
    default="llamacpp",
    show_default=True,
    help="What to measure: llamacpp (the embedded model) or llamacpp:/path/model.gguf.",
)
@click.option(
    "--num-ctx",
    metavar="N,N,...",
    callback=_numbers,
    help="Context sizes to compare, in tokens; by default the engine's own.",
)
@click.option(
    "--threads",
    metavar="N,N,...",
    callback=_numbers,
    help="Numbers of threads to compare; by default the engine's own.",
)
@click.option(
    "--workload",
    metavar="WORKLOAD",
    default="built-in",
    show_default=True,
    help="What to ask: a suite (" + ", ".join(SUITES) + "), a file (.txt, .jsonl, .json, .csv), "
    "or synthetic:in=512,out=128,n=32. built-in:short,long and FILE:first=10 take a part.",
)
@click.option(
    "--repeats", type=click.IntRange(1), default=5, show_default=True, help="Repeats of each."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Tokens of each answer, where the workload does not say; all of them are generated.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="For the order, the sampling and made text.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=300.0,
    show_default=True,
    help="Limit of one request, in seconds.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the results; by default bench-<time> here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Measure a model and keep every sample.

    One client sends one request after another. Every configuration meets every prompt in
    each repeat, in random order; cold starts are set apart. The folder then holds run.jsonl
    (everything), requests.csv (one row per request) and environment.json, and
    `chimera report FOLDER` explains them.
    """
    asked = _Asked(**given)
    folder = asked.output or Path(f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    with TargetCounter(asked.target) as counter:
        workload = open_workload(asked.workload, seed=asked.seed, count_tokens=counter)
    plan = BenchPlan(
        target=asked.target,
        workload=workload,
        num_ctx=asked.num_ctx,
        num_thread=asked.threads,
        repeats=asked.repeats,
        max_tokens=asked.max_tokens,
        seed=asked.seed,
        timeout_s=asked.timeout,
    )
    for note in plan.notes():
        click.echo(f"chimera: note: {note}", err=True)
    file = _measure(plan, folder, command_line(ctx))
    summary = summarise(file)
    click.echo(msgspec.json.encode(summary) if asked.as_json else bench_table(summary, folder))
    if summary.stopped == "interrupted":
        click.echo(
            f"chimera: stopped; {summary.requests} of {summary.planned} requests were measured "
            f"and are kept in {folder}",
            err=True,
        )
        ctx.exit(EXIT_INTERRUPTED)
    if summary.requests == summary.failed:
        ctx.exit(EXIT_NOTHING_SUCCEEDED)


class _Asked(msgspec.Struct, frozen=True):
    """The options as click gives them."""

    target: str
    num_ctx: tuple[int, ...]
    threads: tuple[int, ...]
    workload: str
    repeats: int
    max_tokens: int
    seed: int
    timeout: float
    output: Path | None
    as_json: bool


def _measure(plan: BenchPlan, folder: Path, command: str) -> RunFile:
    """Run the plan into ``folder``, which is removed again if nothing was written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror or error}") from error
    progress = Progress()
    try:
        file = run_bench(plan, folder / RUN_FILE, command=command, on_progress=progress)
    except BaseException:
        with suppress(OSError):  # not empty: it was there before, or a run was begun
            folder.rmdir()
        raise
    finally:
        progress.end()
    write_side_files(folder, file)
    return file


def command_line(ctx: click.Context) -> str:
    """The command as it was given, without the folders of paths: `chimera bench ...`."""
    words = ["chimera", "bench"]
    for param in ctx.command.params:
        name = param.name or ""
        if ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        flag = max(param.opts, key=len)
        if isinstance(value, bool):
            words.append(flag)
        elif name == "workload":
            words += [flag, without_folder(value)]
        else:
            words += [flag, _shown(value)]
    return shlex.join(words)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Path):
        return value.name
    kind, colon, rest = str(value).partition(":")
    return f"{kind}:{os.path.basename(rest)}" if colon else str(value)
