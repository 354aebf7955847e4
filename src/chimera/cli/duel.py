"""``chimera duel FOLDER``: agents side by side, measured alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from chimera.agents.duel.contest import Duel, run_duel
from chimera.agents.duel.keeping import Keeper
from chimera.agents.duel.plan import AS_GIVEN, MOST_FINDINGS, SCENARIOS, Plan, check
from chimera.cli import bench_options as words
from chimera.cli import naming
from chimera.cli.bench_store import opened_store, store_option
from chimera.cli.duel_options import command_of, plans_of, sides_asked
from chimera.cli.duel_output import Progress, tell
from chimera.cli.running import rendered, report_files
from chimera.errors import InputError
from chimera.measure.environment import capture_environment
from chimera.record.environment import Environment
from chimera.record.run import Run
from chimera.record.runfile import Sink
from chimera.report.duel.combined import Combined, as_data, combined
from chimera.report.duel.overview import overview
from chimera.report.duel.quality import made_of
from chimera.report.writing import write_report
from chimera.store.contract import Store

EXIT_NOTHING_SUCCEEDED = 1
EXIT_INTERRUPTED = 130
_PERSONA = "technical"


@click.command(name="duel")
@click.argument("folder", type=click.Path())
@click.option("--scenario", multiple=True, type=click.Choice([*SCENARIOS, AS_GIVEN]),
              help="May be given several times.  "
              "[default: all three; as_given with --agent]")  # fmt: skip
@click.option("--agent", multiple=True, metavar="TARGET[,NAME=VALUE]...",
              help="An agent: its target, options and persona; given twice or more.  "
              "[default: llamacpp, twice]")  # fmt: skip
@click.option("--set", "-s", "settings", metavar="NAME=VALUE", multiple=True,
              callback=words.settings,
              help="An option of every agent that does not set it.")  # fmt: skip
@click.option("--persona", default=_PERSONA, show_default=True, metavar="NAME|FILE",
              help="Who writes, unless an agent says otherwise.")  # fmt: skip
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True,
              help="Times that the agents work together; below 3 there are no "
              "intervals.")  # fmt: skip
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True,
              help="Unmeasured workflows of each agent at the beginning.")  # fmt: skip
@click.option("--findings", type=click.IntRange(1), default=MOST_FINDINGS, show_default=True,
              help="How many findings the model is asked about: more make longer "
              "prompts.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="For the orders.")
@click.option("--watch/--no-watch", default=True, help="Watch the machine.  [default: watch]")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where to write the reports; by default FOLDER-duel, here.")  # fmt: skip
@click.option("--max-file-mb", type=click.IntRange(1), default=256, show_default=True,
              help="Files larger than this are rejected by name.")  # fmt: skip
@store_option
@click.option("--no-store", is_flag=True, help="Keep the calls in the reports only.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
@naming.key_options
@naming.config_option
@click.pass_context
def command(ctx: click.Context, /, **asked: Any) -> None:
    """Let agents report on FOLDER side by side, and measure what they do to each other.

    Each agent works alone, before and after, and all work together, several times. The reports
    give the speedup against alone, what each phase lost, and each agent's own report.

    baseline_vs_chimera: A with its engine's own settings, the others tuned to a share of the
    cores. chimera_hetero: all tuned, in different ways. chimera_homo: all tuned alike.
    """
    several = [name for name, values in asked["settings"].items() if len(values) > 1]
    if several:
        raise InputError(f"--set {several[0]} has several values; an agent has one of each option")
    if not Path(asked["folder"]).is_dir():
        raise InputError(f"{asked['folder']!r} is no folder; give one that holds results")
    common = {name: values[0] for name, values in asked["settings"].items()}
    config = naming.config_of(ctx)
    sides = sides_asked(asked["agent"], common, config, asked)
    output = asked["output"] or Path(f"{Path(asked['folder']).resolve().name or 'folder'}-duel")
    plans = plans_of(sides, asked, output)
    for plan in plans:
        check(plan)
    _try_writing(output)
    done = _all(plans, asked, output)
    interrupted = any(one.figures.duel.interrupted for one in done)
    content = _overall(done, output, interrupted, len(plans))
    if asked["as_json"]:
        click.echo(content)
    else:
        tell(done, output, len(plans))
    if interrupted:
        click.echo("chimera: stopped; what was whole is in the reports", err=True)
        ctx.exit(EXIT_INTERRUPTED)
    if all(one.speedup.speedup.value is None for one in done):
        ctx.exit(EXIT_NOTHING_SUCCEEDED)


def _try_writing(output: Path) -> None:
    """Refuse a folder that cannot be written before anything is measured for it."""
    is_new = not output.exists()
    write_report(output, {"report.json": b""} if is_new else {})
    if is_new:
        (output / "report.json").unlink()
        output.rmdir()


def _all(plans: Sequence[Plan], asked: dict[str, Any], output: Path) -> list[Combined]:
    """Every scenario in turn, until one is stopped; each one's reports are written at its end.

    Raises KeyboardInterrupt where nothing at all was whole.
    """
    done: list[Combined] = []
    warm: set[Any] = set()
    environment = capture_environment()
    progress = Progress(len(plans))
    store = nullcontext() if asked["no_store"] else opened_store(asked["store"])
    with store as kept:
        for place, plan in enumerate(plans):
            progress.scenario(place, plan)
            with _keeper(plan, kept, environment) as keeper:
                duel = run_duel(
                    plan,
                    on_progress=progress,
                    on_turn=keeper.keep if keeper else lambda _: None,
                    warm=warm,
                    environment=environment,
                )
                if keeper:
                    keeper.finish(duel)
            progress.end()
            if any(turn.kind != "warm-up" for turn in duel.turns):
                goal = output / plan.scenario if len(plans) > 1 else output
                done.append(_write(duel, keeper, goal))
            if duel.interrupted:
                break
    if not done:
        raise KeyboardInterrupt
    return done


@contextmanager
def _keeper(plan: Plan, store: Store | None, environment: Environment) -> Iterator[Keeper | None]:
    if store is None:
        yield None
        return

    def begin(run: Run, tags: tuple[str, ...]) -> Sink:
        return store.begin(run, tags=tags)

    keeper = Keeper(plan, command_of(plan), environment, begin)
    try:
        yield keeper
    finally:
        keeper.close()


def _write(duel: Duel, keeper: Keeper | None, goal: Path) -> Combined:
    """The combined report of a scenario and each agent's own, beside it."""
    made = {number: made_of(work) for number, work in duel.works.items()}
    one = combined(duel, made, keeper.run_ids if keeper else {})
    for side in duel.plan.sides:
        own = [t.number for t in duel.of(side.name, "together")]
        if own:
            last = made[own[-1]]
            files = report_files(last.work, last.report, last.contract, last.written)
            write_report(goal / f"agent-{side.name.lower()}", files)
    write_report(goal, rendered(one.report, {"duel": as_data(duel)}))
    return one


def _overall(done: Sequence[Combined], output: Path, interrupted: bool, planned: int) -> bytes:
    """report.json of the whole duel; of several scenarios a report over all of them is written."""
    data: dict[str, Any] = {}
    for one in done:
        data |= as_data(one.figures.duel)
    if planned == 1:
        return rendered(done[0].report, {"duel": data})["report.json"]
    files = rendered(overview(done, interrupted), {"duel": data})
    write_report(output, files)
    return files["report.json"]
