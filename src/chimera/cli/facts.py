"""``chimera facts FOLDER``: list facts, and explain one."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from chimera.cli.running import Terminal
from chimera.cli.stored import STORED_PLACES, source_of, source_options
from chimera.cli.words import visible
from chimera.errors import InputError
from chimera.facts import Fact, Facts, facts_of
from chimera.facts.dataset import LOAD
from chimera.facts.explain import Explanation, explain, find_facts
from chimera.facts.numbers import MISSING, display_unit, format_number
from chimera.facts.raw_cells import Row
from chimera.ingest import ingest_folder
from chimera.record.vocabulary import metric_label

_SHOWN = 200


@click.command(name="facts")
@source_options
@click.option("--metric", help="Only this metric: ttft, decode_throughput ...")
@click.option("--model", help="Only subjects whose model holds this text.")
@click.option("--statistic", help="Only this statistic: mean, median, p95, count ...")
@click.option("--scope", help="Only this scope: all, warm, cold ...")
@click.option("--file", "file", help="Only facts from files whose name holds this text.")
@click.option("--text", help="Only facts that hold this text anywhere in what they are about.")
@click.option("--explain", "identity", metavar="ID", help="Show the rows behind one fact.")
@click.option("--all", "everything", is_flag=True, help=f"List more than the first {_SHOWN}.")
@click.option("--max-file-mb", type=click.IntRange(min=1), default=256, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, never cut.")
def command(
    *,
    identity: str | None,
    everything: bool,
    max_file_mb: int,
    as_json: bool,
    **wanted: Any,
) -> None:
    """List the facts of FOLDER or of stored runs, or explain one.

    Explained are its rows, and its value computed again.
    """
    terminal, most = Terminal(), max_file_mb * 1_000_000
    with source_of(wanted) as source:
        ingest = ingest_folder(source.folder, progress=terminal.progress, max_bytes=most)
    facts = facts_of(ingest)
    terminal.done()
    if identity is not None:
        _explain(facts, identity, as_json)
        if source.shown and not as_json:
            click.echo(f"note        {STORED_PLACES}")
        return
    found = find_facts(facts, **wanted)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    if not found:
        metrics = ", ".join(sorted({f.metric for f in facts.book.facts.values() if f.origins})[:40])
        click.echo(f"no fact fits; the metrics here are: {visible(metrics)}", err=True)
        return
    shown = found if everything else found[:_SHOWN]
    _table(shown)
    if len(found) > len(shown):
        click.echo(f"... and {len(found) - len(shown)} more (--all, or a filter)", err=True)
    total = len(facts.book.facts)
    of = f" of {total}" if len(found) < total else ""
    click.echo(f"{len(found)} fact{'' if len(found) == 1 else 's'}{of}", err=True)


def _row(fact: Fact) -> tuple[str, ...]:
    low_high = MISSING
    unit = display_unit(fact.value, fact.unit)
    if fact.ci95 is not None:
        low, high = (format_number(v, fact.unit, to_unit=unit, with_unit=False) for v in fact.ci95)
        low_high = f"{low} to {high}"
    said = (f"{k} {v}" if k in LOAD else str(v) for k, v in fact.subject.items())
    about = ", ".join(said) or "the folder"
    return (
        fact.id,
        visible(about),
        metric_label(fact.metric),
        fact.statistic,
        visible(format_number(fact.value, fact.unit, to_unit=unit)),
        low_high,
        MISSING if fact.n is None else str(fact.n),
        fact.scope,
        ", ".join(fact.flags),
    )


def _table(facts: list[Fact]) -> None:
    head = ("id", "about", "metric", "statistic", "value", "95% interval", "n", "scope", "flags")
    rows = [head, *(_row(f) for f in facts)]
    widths = [min(44, max(len(row[i]) for row in rows)) for i in range(len(head))]
    for row in rows:
        cells = (
            cell if len(cell) <= width else cell[: width - 3] + "..."
            for cell, width in zip(row, widths, strict=True)
        )
        click.echo("  ".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip())


def _explain(facts: Facts, identity: str, as_json: bool) -> None:
    matches = [f for key, f in facts.book.facts.items() if identity and key.startswith(identity)]
    if len(matches) != 1:
        what = "no fact" if not matches else f"{len(matches)} facts"
        raise InputError(f"{what} with the id {identity!r}; `chimera facts FOLDER` lists them")
    explanation = explain(facts, matches[0])
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(explanation), indent=2))
        return
    _tell(matches[0], explanation)


def _tell(fact: Fact, explanation: Explanation) -> None:
    about = ", ".join(f"{k} {visible(v)}" for k, v in fact.subject.items()) or "the folder"
    click.echo(f"{fact.id}  {fact.statistic} of {metric_label(fact.metric)}  ({about})")
    click.echo(f"value       {fact.value!r} {fact.unit}")
    if fact.ci95:
        click.echo(f"interval    {fact.ci95[0]!r} to {fact.ci95[1]!r} (95%)")
    elif fact.ci_why:
        click.echo(f"interval    none: {fact.ci_why}")
    click.echo(f"n           {fact.n}; failed {fact.n_failed}; left out {fact.n_excluded} "
               f"{fact.excluded_why}".rstrip())  # fmt: skip
    click.echo(f"expression  {visible(fact.expression)}")
    if fact.flags:
        click.echo(f"flags       {', '.join(fact.flags)}")
    for line in explanation_lines(explanation):
        click.echo(line)


def explanation_lines(explanation: Explanation) -> list[str]:
    """The rows, operands and second computation of a fact, for people."""
    lines = []
    if explanation.operands:
        lines.append("computed from")
        lines += [
            f"  {o.id}  {o.statistic} of {metric_label(o.metric)} = {o.value!r} {o.unit}".rstrip()
            for o in explanation.operands
        ]
    if explanation.rows:
        lines.append(f"rows        {len(explanation.rows)}")
        lines += [_row_line(row) for row in explanation.rows]
    verdict = {True: "agrees", False: "DOES NOT AGREE", None: "not computed again"}
    what = f"{explanation.recomputed!r}: " if explanation.agrees is not None else ""
    why = f": {explanation.why}" if explanation.why else ""
    lines.append(f"again       {what}{verdict[explanation.agrees]}{visible(why)}")
    return lines


def _row_line(row: Row) -> str:
    cell = ""
    if row.column is not None:
        cell = f"  {visible(row.column)} = {visible(str(row.raw))}"
    value = "" if row.value is None else f"  -> {row.value!r} {row.unit}".rstrip()
    state = row.failure or row.phase
    return f"  {visible(row.place)}{cell}{value}" + (f"  ({visible(state)})" if state else "")
