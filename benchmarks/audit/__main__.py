"""The whole table: ``python -m benchmarks.audit``, and ``python -m benchmarks.audit labels``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.audit import chance, labels, marked, peers
from benchmarks.audit.adapter import open_audit
from benchmarks.audit.cases import mutated_cases, true_cases
from benchmarks.audit.scoring import Score, score
from benchmarks.audit.shapes import worlds

GROUPS = {
    "numbers": "numbers, units, attributions",
    "relations": "comparisons, ranks, directions",
    "words": "causes, adjectives",
    "others": "records, dates, names",
}


def percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f} %"


def figures(total: Score) -> dict[str, object]:
    """A score as plain data; shares are None where there was nothing to share."""
    return {
        "recall": {group: total.recall(group) for group in GROUPS},
        "told_apart": {group: total.apart(group) for group in GROUPS},
        "kinds": {
            kind: {
                "cases": s.cases,
                "found": s.found,
                "told_apart": s.told_apart,
                "shapes": len(s.shapes),
            }
            for kind, s in total.kinds.items()
        },
        "true_claims": total.true_claims,
        "false_alarms": total.false_alarms,
        "false_alarms_elsewhere": total.elsewhere,
        "false_alarm_rate": total.false_alarm_rate,
        "precision": total.precision,
        "supported": total.supported,
        "abstained": total.abstained,
        "unnoticed": total.unnoticed,
        "cells": total.cells,
        "bound": total.bound,
        "bound_to_the_right_cell": total.bound_right,
        "by_family": total.alarms,
    }


def print_table(name: str, total: Score) -> None:
    click.echo(
        f"\n{name}\n{'kind':28}{'cases':>7}{'shapes':>8}{'found':>7}{'apart':>7}{'recall':>10}"
    )
    for kind, one in total.kinds.items():
        counts = f"{one.cases:7}{len(one.shapes):8}{one.found:7}{one.told_apart:7}"
        click.echo(f"{kind:28}{counts}{percent(one.recall):>10}")
    for group, title in GROUPS.items():
        apart = f"told apart from the truth {percent(total.apart(group))}"
        click.echo(f"{title:57}{percent(total.recall(group)):>10}  {apart}")
    click.echo(
        f"true claims: {total.true_claims}; supported {total.supported}, abstained "
        f"{total.abstained}, not noticed {total.unnoticed}\n"
        f"false alarms: {total.false_alarms} and {total.elsewhere} elsewhere, "
        f"{percent(total.false_alarm_rate)} of the true claims; precision "
        f"{percent(total.precision)}"
    )
    right = total.bound_right / total.cells if total.cells else None
    click.echo(f"bound to the right cell: {percent(right)} of {total.cells} ({total.bound} bound)")
    for family, (claims, alarms) in sorted(total.alarms.items()):
        if alarms:
            click.echo(f"  false alarms in {family}: {alarms} of {claims}")


@click.group(invoke_without_command=True)
@click.option("--split", type=click.Choice(["build", "held-out", "all"]), default="build")
@click.option("--seed", default=1, show_default=True)
@click.option("--per-kind", default=50, show_default=True, help="cases of each mutation")
@click.option("--folders", default=10, show_default=True, help="folders of each shape")
@click.option("--json", "as_json", is_flag=True, help="the figures as JSON")
@click.option("--misses", is_flag=True, help="list what was missed and the false alarms")
@click.option("--peer", type=click.Choice(["numaudit"]), help="judge the same cases with it too")
@click.option("--peers-venv", type=click.Path(path_type=Path), help="where the peer is installed")
@click.pass_context
def main(
    ctx: click.Context,
    /,
    split: str,
    seed: int,
    per_kind: int,
    folders: int,
    as_json: bool,
    misses: bool,
    **peer: object,
) -> None:
    """What the audit finds in labelled cases that are made from a seed."""
    if ctx.invoked_subcommand:
        return
    splits = ["build", "held-out"] if split == "all" else [split]
    venv = peer["peers_venv"]
    command = peers.numaudit(venv if isinstance(venv, Path) else None) if peer["peer"] else None
    report: dict[str, object] = {"seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        made = worlds(Path(folder), seed, folders)
        for one in splits:
            true = true_cases(made, one, seed, per_kind)
            cases = true + mutated_cases(made, one, seed, per_kind)
            total = score(cases, open_audit)
            random = chance.measure(true, open_audit, seed)
            report[one] = figures(total) | {"random_numbers": vars(random)}
            if not as_json:
                print_table(one, total)
                click.echo(
                    f"random numbers of the same format: {random.tried} tried, {random.somewhere} "
                    f"occur somewhere in the folder, {random.audit} pass the audit"
                )
            for kind, text in total.misses if misses else ():
                click.echo(f"  {kind}: {text!r}", err=as_json)
            if command:
                other = score(cases, peers.Numaudit(command, cases).open)
                report[f"{one}, numaudit"] = figures(other)
                if not as_json:
                    print_table(f"{one}, numaudit", other)
            elif peer["peer"]:
                report[f"{one}, numaudit"] = peers.NOT_INSTALLED
                if not as_json:
                    click.echo(f"numaudit: {peers.NOT_INSTALLED}")
    if as_json:
        click.echo(json.dumps(report, indent=2))


@main.command("labels")
@click.option("--corpus", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--split", type=click.Choice(["build", "held-out", "all"]), default="all")
@click.option("--folder", type=click.Path(path_type=Path), default=labels.LABELS, help="of labels")
def by_hand(corpus: Path, split: str, folder: Path) -> None:
    """What the audit says of real reports, against claims labelled by hand."""
    total = labels.compare(corpus, open_audit, split, folder)
    click.echo(
        f"{total.reports} reports; called wrong: {total.flagged} labelled claims, {total.right} "
        f"rightly (precision {percent(total.precision)}), and {len(total.unlabelled)} unlabelled; "
        f"wrong claims found: {total.found} of {total.bad} (recall {percent(total.recall)})"
    )
    for title in ("wrongly", "missed", "unlabelled", "skipped"):
        for line in getattr(total, title):
            click.echo(f"{title}: {line}")


@main.command("reports")
@click.option("--folder", type=click.Path(path_type=Path), default=marked.REPORTS)
def whole_reports(folder: Path) -> None:
    """What the audit says of whole reports whose statements are marked as true or wrong."""
    total = marked.standing(open_audit, folder)
    for kind, count in sorted(total.wrong.items()):
        click.echo(f"{kind:16} {total.found[kind]:4} of {count:4}")
    click.echo(
        f"wrong statements found: {total.found.total()} of {total.wrong.total()} "
        f"(recall {percent(total.recall)}); alarms at true ones: {total.alarms} of {total.true} "
        f"({percent(total.alarm_rate)}); precision {percent(total.precision)}"
    )


if __name__ == "__main__":
    sys.exit(main())
