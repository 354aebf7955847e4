"""``chimera personas``: who can write, and how to add one's own."""

from __future__ import annotations

import click
import msgspec

from chimera.agents.persona import all_personas, load_persona, user_folder


@click.command(name="personas")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the personas, or show the prompt and contract of the one called NAME."""
    personas = [load_persona(name)] if name else list(all_personas().values())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(personas), indent=2))
        return
    if name:
        persona = personas[0]
        click.echo(f"{persona.title} ({persona.source})\n")
        click.echo(f"sections: {', '.join(persona.sections)}")
        demands = msgspec.to_builtins(persona.contract)
        shown = {k: v for k, v in demands.items() if v not in (None, False, [], ())}
        click.echo(f"contract: {', '.join(f'{k}={v}' for k, v in shown.items()) or 'none'}\n")
        click.echo(persona.prompt)
        return
    width = max(len(p.name) for p in personas)
    for persona in personas:
        click.echo(f"{persona.name:<{width}}  {persona.summary}")
    click.echo(f"\nYour own: a .md file in {user_folder()}, or --persona path/to/file.md")
