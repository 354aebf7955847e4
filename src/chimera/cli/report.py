"""``chimera report FOLDER``: explain a folder of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chimera.cli.running import NUM_CTX, Writing, run_report
from chimera.engines.base import Options


@click.command(name="report")
@click.argument("folder", type=click.Path())
@click.option("--persona", default="technical", show_default=True, metavar="NAME|FILE",
              help="Who writes: see `chimera personas`.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where to write it; by default FOLDER's name with -report, here.")  # fmt: skip
@click.option("--no-model", is_flag=True, help="Write without any model (for CI and scripts).")
@click.option("--target", default="llamacpp", show_default=True,
              help="The model: llamacpp (embedded) or llamacpp:/path/model.gguf.")  # fmt: skip
@click.option("--num-ctx", type=click.IntRange(min=256), default=NUM_CTX, show_default=True,
              help="Context size of the model, in tokens.")  # fmt: skip
@click.option("--num-thread", type=click.IntRange(min=1), help="Threads of the model.")
@click.option("--num-gpu", type=click.IntRange(min=0), help="Layers on the GPU.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--top-p", type=click.FloatRange(0, 1))
@click.option("--top-k", type=click.IntRange(min=0))
@click.option("--repeat-penalty", type=click.FloatRange(min=0))
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--max-file-mb", type=int, default=256, show_default=True,
              help="Files larger than this are rejected by name.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
def command(
    folder: str,
    *,
    persona: str,
    output: Path | None,
    no_model: bool,
    target: str,
    max_file_mb: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Write a report about the results in FOLDER, as Markdown, HTML and JSON.

    Every number in it is a fact: click it in the HTML to see its file, rows and expression.
    """
    run_report(
        folder,
        Writing(
            persona=persona,
            output=output,
            target=None if no_model else target,
            options=Options(**options),
            as_json=as_json,
            max_file_mb=max_file_mb,
        ),
    )
