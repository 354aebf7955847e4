"""Personas: small text files that say what an agent is asked and what its report must hold.

A persona is a Markdown file whose head, between two lines of ``+++``, is TOML: name, title,
sections, and a contract that code checks. What follows is the prompt that is sent to the model.
"""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from chimera.errors import InputError

SECTIONS = (
    "summary",
    "ingestion",
    "performance",
    "findings",
    "recommendations",
    "tradeoffs",
    "risks",
    "inventory",
    "coverage",
    "gaps",
    "appendix",
)


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the finished report is checked for; None and empty mean no demand.

    Words are counted in the persona's own sections, not in the standing ones after them.
    ``weigh`` are words that the recommendations must mention.
    """

    min_words: int | None = None
    max_words: int | None = None
    numbered_sections: bool = False
    recommendations: int | None = None
    weigh: tuple[str, ...] = ()
    risk_rows: int | None = None
    bold_metrics: bool = False
    required_tables: tuple[str, ...] = ()


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A persona as read. ``prompt`` is what the model is asked."""

    name: str
    title: str
    sections: tuple[str, ...]
    summary: str = ""
    numbered: bool = False
    bold_metrics: bool = False
    contract: Contract = Contract()
    prompt: str = ""
    source: str = ""


def parse_persona(text: str, source: str) -> Persona:
    """Read a persona file's text. Raises InputError that names what is wrong and where."""
    parts = text.replace("\r\n", "\n").split("+++\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise InputError(
            f"{source} is no persona: it must begin with a line of +++, TOML, and another +++"
        )
    try:
        head = tomllib.loads(parts[1])
        persona = msgspec.convert({**head, "prompt": parts[2].strip()}, Persona)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: the head is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InputError(f"{source}: {error}") from None
    unknown = [s for s in persona.sections if s not in SECTIONS]
    if unknown or not persona.sections:
        known = ", ".join(SECTIONS)
        raise InputError(f"{source}: no section {unknown[:1] or '[]'}; sections are {known}")
    if not persona.prompt:
        raise InputError(f"{source}: the prompt is missing; write it below the second +++")
    return msgspec.structs.replace(persona, source=source)


def user_folder() -> Path:
    """Where a user's own personas are looked for (``CHIMERA_PERSONAS`` overrides it)."""
    override = os.environ.get("CHIMERA_PERSONAS")
    if override:
        return Path(override)
    import platformdirs  # only needed here, and not at every start

    return Path(platformdirs.user_config_dir("chimera")) / "personas"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"cannot read the persona {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"the persona {str(path)!r} is no UTF-8 text") from None


def all_personas() -> dict[str, Persona]:
    """The personas by name: those that come with Chimera, then the user's own.

    A user's persona of the same name replaces ours. Broken files raise InputError.
    """
    found: dict[str, Persona] = {}
    shipped = resources.files("chimera.agents") / "personas"
    for entry in sorted(shipped.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".md"):
            persona = parse_persona(entry.read_text("utf-8"), entry.name)
            found[persona.name] = msgspec.structs.replace(persona, source="built in")
    folder = user_folder()
    if folder.is_dir():
        for path in sorted(folder.glob("*.md")):
            persona = parse_persona(_read(path), str(path))
            found[persona.name] = persona
    return found


def load_persona(name: str) -> Persona:
    """A persona by its name, or by the path of its file. Raises InputError."""
    if name.endswith(".md") or "/" in name or os.sep in name:
        return parse_persona(_read(Path(name)), name)
    personas = all_personas()
    if name not in personas:
        known = ", ".join(personas)
        raise InputError(f"no persona {name!r}; there are {known}, or give the path of a .md file")
    return personas[name]
