"""``chimera report FOLDER``: explain a folder of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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
              help="The model: llamacpp (embedded) or llamacpp:/path/model.gguf.")  # fmt: skip
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
    max_file_mb: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Write a report about the results in FOLDER, or about stored runs (--run, --experiment).

    It is written as Markdown, HTML and JSON.

    Every number in it is a fact: click it in the HTML to see its file, rows and expression.
    """
    with source_of(asked) as source:
        how = Writing(
            persona=persona,
            output=output or (Path(source.output) if source.output else None),
            target=None if no_model else target,
            options=Options(**asked),
            as_json=as_json,
            max_file_mb=max_file_mb,
            shown=source.shown,
        )
        run_report(source.folder, how)
