"""``chimera bench``: measure a model and keep every sample."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.cli import bench_options as words
from chimera.cli import naming
from chimera.cli.bench_output import Progress, bench_text
from chimera.cli.bench_store import Place, keeping, store_option
from chimera.cli.numbers import FiniteRange
from chimera.cli.selftest import cache_folder
from chimera.engines.option_names import check_names
from chimera.engines.targets import Access, open_target
from chimera.measure.bench import run_bench
from chimera.measure.files import write_side_files
from chimera.measure.plan import BenchPlan
from chimera.measure.selftest import kept_selftest
from chimera.measure.summary import summarise
from chimera.measure.workloads import open_workload
from chimera.measure.workloads.built_in import SUITES
from chimera.measure.workloads.counting import TargetCounter
from chimera.measure.workloads.opening import without_folder
from chimera.record.runfile import RunFile

EXIT_NOTHING_SUCCEEDED = 1
EXIT_INTERRUPTED = 130


@click.command(name="bench")
@click.argument("target", default="llamacpp")
@click.option(
    "--set",
    "-s",
    "settings",
    metavar="NAME=VALUE,...",
    multiple=True,
    callback=words.settings,
    help="An option of the engine (num_ctx, num_thread, temperature ...); several values are "
    "compared, and several options give every combination.",
)
@click.option(
    "--workload",
    "-w",
    metavar="WORKLOAD",
    default="built-in",
    show_default=True,
    help="What to ask: a suite ("
    + ", ".join(SUITES)
    + "), a file (.txt, .jsonl, .json, .csv, .tsv), "
    "or synthetic:in=512,out=128,n=32. built-in:short,long and FILE:first=10 take a part.",
)
@click.option(
    "--concurrency",
    "-c",
    metavar="N,...",
    callback=words.whole_numbers,
    help="Closed loop: so many clients, each with one request at a time; several are compared.",
)
@click.option(
    "--rate",
    metavar="R,...",
    callback=words.numbers,
    help="Open loop: so many requests start each second, whatever became of those before.",
)
@click.option(
    "--arrival",
    type=click.Choice(["poisson", "constant"]),
    default="poisson",
    show_default=True,
    help="How the requests of an open loop come.",
)
@click.option(
    "--find-rate",
    metavar="LOW:HIGH",
    callback=words.rate_range,
    help="Search the highest rate between these that meets --slo; each rate that is tried is "
    "measured --repeats times.",
)
@click.option("--replay", is_flag=True, help="Open loop at the times of the workload's trace.")
@click.option("--requests", "-n", type=click.IntRange(1), help="Requests of each block.")
@click.option("--seconds", type=FiniteRange(0.1), help="Time of each block instead.")
@click.option(
    "--repeats", type=click.IntRange(1), default=5, show_default=True, help="Repeats of each."
)
@click.option(
    "--until",
    metavar="[METRIC=]P%",
    callback=words.until,
    help="Repeat on until the 95% interval is that narrow: ci=2%, ttft=5%.",
)
@click.option(
    "--most-repeats",
    type=click.IntRange(2),
    default=100,
    show_default=True,
    help="The most repeats with --until.",
)
@click.option(
    "--warmup", type=click.IntRange(0), help="Unmeasured requests at the beginning of each block."
)
@click.option(
    "--slo", metavar="ttft=500ms,...", callback=words.slo, help="What good requests meet."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Tokens of each answer, where the workload does not say; all of them are generated "
    "where the engine can.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Client processes that share the load.",
)
@click.option(
    "--watch/--no-watch",
    default=True,
    help="Watch the machine and the server meanwhile.  [default: watch]",
)
@click.option("--stop-at-eos", is_flag=True, help="Let answers end by themselves.")
@click.option("--cache-prompt", is_flag=True, help="Let the server reuse a prompt's beginning.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="For orders, arrivals, sampling and made text.",
)
@click.option(
    "--timeout",
    type=FiniteRange(0.1),
    default=300.0,
    show_default=True,
    help="Limit of one request, in seconds.",
)
@click.option(
    "--stall",
    type=FiniteRange(0.1),
    default=60.0,
    show_default=True,
    help="Limit of the silence within an answer, in seconds.",
)
@click.option("--experiment", metavar="NAME", help="What this run and others belong to.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the run's files into this folder as well; with --no-store it is bench-<time> "
    "by default.",
)
@store_option
@click.option("--no-store", is_flag=True, help="Keep the run in a folder only.")
@click.option(
    "--resume",
    metavar="ID",
    help='Go on with a run that was stopped or killed, with the same options; "latest" for the '
    "newest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@naming.key_options
@naming.profile_option
@naming.config_option
@click.pass_context
def command(ctx: click.Context, /, **asked: Any) -> None:
    """Measure a model and keep every sample.

    TARGET is what to measure: llamacpp (the embedded model, the default),
    llamacpp:/path/model.gguf, ollama:MODEL, openai:MODEL@URL, or a name from chimera.toml.

    Every configuration meets every prompt in each repeat, in random order; cold starts are
    set apart. The run goes to the store, and `chimera report --run ID` explains it. With
    --output a folder holds run.jsonl (everything), requests.csv (one row per request) and
    environment.json.
    """
    access = naming.resolve(ctx, asked)
    for warning in check_names(asked["target"], asked["settings"]):
        click.echo(f"chimera: warning: {warning}", err=True)
    with TargetCounter(asked["target"], access) as counter:
        workload = open_workload(asked["workload"], seed=asked["seed"], count_tokens=counter)
    plan = words.plan_of(asked, workload)
    for note in workload.notes:
        click.echo(f"chimera: note: {note}", err=True)
    plan.configurations()  # what cannot be done is said before anything is made
    with keeping(asked["store"], asked["no_store"], asked["resume"], asked["output"]) as place:
        file = _measure(plan, place, command_line(ctx), access)
    summary = summarise(file)
    kept, what = (place.folder or "the store"), (place.folder or f"--run {summary.run_id}")
    following = f"Every sample is in {kept}; next: chimera report {what}"
    text = msgspec.json.encode(summary) if asked["as_json"] else bench_text(summary, following)
    click.echo(text)
    if summary.stopped == "interrupted":
        click.echo(
            f"chimera: stopped; {summary.requests} of {summary.planned} requests were measured "
            f"and are kept{place.how_to_go_on(summary.run_id)}",
            err=True,
        )
        ctx.exit(EXIT_INTERRUPTED)
    if summary.requests == summary.failed or summary.stopped == "errors":
        ctx.exit(EXIT_NOTHING_SUCCEEDED)


def _measure(plan: BenchPlan, place: Place, command: str, access: Access) -> RunFile:
    progress = Progress()
    try:
        file = run_bench(
            plan,
            place.begin,
            command=command,
            access=access,
            open_engine=partial(open_target, access=access),
            instrument=kept_selftest(cache_folder()),
            on_progress=progress,
            resume=place.earlier,
            unsaved=place.unsaved,
        )
    finally:
        progress.end()
    if place.folder is not None:
        write_side_files(place.folder, file)
    return file


def command_line(ctx: click.Context) -> str:
    """The command as it was given, without the folders of paths: `chimera bench ...`.

    What comes from chimera.toml stands in it as if it had been given.
    """
    words_ = ["chimera", "bench"]
    for param in ctx.command.params:
        name = param.name or ""
        if not param.expose_value or not naming.is_given(ctx, name):
            continue
        value = ctx.params[name]
        if isinstance(param, click.Argument):
            words_.append(_shown(value))
            continue
        if name == "store":  # it says where this user keeps runs, and may hold a password
            continue
        flag = max(param.opts, key=len)
        if isinstance(value, bool):
            words_ += [flag] if value else param.secondary_opts[:1]
        elif name == "workload":
            words_ += [flag, without_folder(str(value))]
        elif name == "settings":
            for key, values in value.items():
                words_ += [flag, f"{key}={','.join(map(str, values))}"]
        elif isinstance(value, dict):
            words_ += [flag, ",".join(f"{k.removesuffix('_s')}={v:g}" for k, v in value.items())]
        elif name == "find_rate":
            words_ += [flag, f"{value[0]:g}:{value[1]:g}"]
        elif name == "until":
            words_ += [flag, f"{value[0]}={value[1]:g}%"]
        else:
            words_ += [flag, _shown(value)]
    return shlex.join(words_)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
    if isinstance(value, Path):
        return value.name
    kind, colon, rest = str(value).partition(":")
    return f"{kind}:{os.path.basename(rest)}" if colon and kind == "llamacpp" else str(value)
