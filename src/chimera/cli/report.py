"""``chimera report FOLDER``: explain a folder of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chimera.agents.agent import Grade
from chimera.agents.asking import Budget, parse_budget
from chimera.cli.numbers import FiniteRange
from chimera.cli.running import NUM_CTX, Writing, run_report
from chimera.cli.stored import source_of, source_options
from chimera.engines.base import Options


@click.command(name="report")
@source_options
@click.option("--persona", default="technical", show_default=True, metavar="NAME|FILE",
              help="Who writes: see `chimera personas`.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where to write it; by default FOLDER-report or ID-report, here.")  # fmt: skip
@click.option("--no-model", is_flag=True, help="Write without any model (for CI and scripts).")
@click.option("--target", default="llamacpp", show_default=True,
              help="The model: llamacpp (embedded), llamacpp:/path/model.gguf, ollama:MODEL, "
              "openai:MODEL@URL.")  # fmt: skip
@click.option("--grade", type=click.Choice(("auto", "cite", "choose")), default="auto",
              show_default=True, help="How the model writes: sentences of its own, checked (cite), "
              "wordings of code's (choose), or what a short trial shows it can do.")  # fmt: skip
@click.option("--budget", metavar="LIMITS", default="",
              help="The most that is asked of the model: calls=8,tokens=2000,seconds=60, or a "
              "part of it.")  # fmt: skip
@click.option("--num-ctx", type=click.IntRange(min=256), default=NUM_CTX, show_default=True,
              help="Context size of the model, in tokens.")  # fmt: skip
@click.option("--num-thread", type=click.IntRange(min=1), help="Threads of the model.")
@click.option("--num-gpu", type=click.IntRange(min=0), help="Layers on the GPU.")
@click.option("--temperature", type=FiniteRange(min=0), default=0.0, show_default=True)
@click.option("--top-p", type=FiniteRange(0, 1))
@click.option("--top-k", type=click.IntRange(min=0))
@click.option("--repeat-penalty", type=FiniteRange(min=0))
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--max-file-mb", type=int, default=256, show_default=True,
              help="Files larger than this are rejected by name.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
def command(
    *,
    persona: str,
    output: Path | None,
    no_model: bool,
    target: str,
    grade: Grade,
    budget: str,
    max_file_mb: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Write a report about the results in FOLDER, or about stored runs (--run, --experiment).

    It is written as Markdown, HTML and JSON.

    Every number in it is a fact: click it in the HTML to see its file, rows and expression.
    """
    limits = parse_budget(budget) if budget else Budget()
    with source_of(asked) as source:
        how = Writing(
            persona=persona,
            output=output or (Path(source.output) if source.output else None),
            target=None if no_model else target,
            options=Options(**asked),
            as_json=as_json,
            max_file_mb=max_file_mb,
            shown=source.shown,
            grade=grade,
            budget=limits,
        )
        run_report(source.folder, how)
