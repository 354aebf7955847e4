"""``chimera demo``: the main job on the example measurements, with the embedded model."""

from __future__ import annotations

from pathlib import Path

import click

import chimera
from chimera.cli.running import NUM_CTX, Writing, run_report
from chimera.engines.base import Options
from chimera.errors import InputError

EXAMPLE = "gemma3-270m-cpu"


def example_folder() -> Path:
    """The example measurements: inside the installed package, or in the checkout."""
    package = Path(chimera.__file__).parent
    for place in (package / "examples", package.parent.parent / "examples"):
        if (place / EXAMPLE).is_dir():
            return place / EXAMPLE
    raise InputError("the example measurements are not installed; run it from a checkout")


@click.command(name="demo")
@click.option("--no-model", is_flag=True, help="Write without the embedded model.")
@click.option("--persona", default="technical", show_default=True, metavar="NAME|FILE")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              default=Path("chimera-demo-report"), show_default=True)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of a summary.")
def command(no_model: bool, persona: str, output: Path, as_json: bool) -> None:
    """Report on measurements of a small model that Chimera itself made, and say where it is."""
    run_report(
        str(example_folder()),
        Writing(
            persona=persona,
            output=output,
            target=None if no_model else "llamacpp",
            options=Options(num_ctx=NUM_CTX, temperature=0.0, seed=0),
            as_json=as_json,
        ),
    )
