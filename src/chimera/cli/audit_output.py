"""What ``chimera audit`` shows: one report by section, many as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.text import Text

from chimera.audit import BAD, GOOD, LABELS, Audit, Claim
from chimera.audit.as_json import verdict
from chimera.audit.lines import Lines
from chimera.cli.words import aligned, visible

_WIDTH = 78  # characters of a claim's text
_COLOURS = {
    "supported": "green",
    "derivable": "green",
    "contradicted": "bold red",
    "misattributed": "magenta",
    "inconsistent": "red",
    "fabricated": "bold red",
    "ambiguous": "yellow",
    "unsupported": "yellow",
    "unverifiable": "bright_black",
}
_VERDICTS = {
    "wrong": ("wrong: {bad} of {all} claims do not hold", "bold red"),
    "open": ("nothing found wrong; {open} of {all} claims could not be told", "yellow"),
    "holds": ("holds: all {all} claims are supported or derivable", "bold green"),
    "empty": ("no claim found: nothing was checked", "yellow"),
}


def show_one(audit: Audit, *, everything: bool = False) -> None:
    """The claims that need attention, section by section, then the verdict with its counts.

    Colours where standard output is a terminal and NO_COLOR is unset.
    """
    console = Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)
    lines = Lines(audit.text)
    against = f"against {audit.data}" if audit.data else "without data, against itself alone"
    console.print(Text(visible(audit.name), "bold"), Text(visible(against)))
    section = None
    for claim in sorted(audit.claims, key=lambda c: (c.start, c.end)):
        if claim.label in GOOD and not claim.warning and not everything:
            continue
        if claim.section != section:
            section = claim.section
            console.print()
            console.print(Text(visible(section) or "(before any heading)", "bold underline"))
        for line in _claim(claim, lines):
            console.print(line)
    console.print()
    for note in audit.notes:
        console.print(Text(f"note  {visible(note)}", "yellow"))
    console.print(_counts(audit))
    words, style = _VERDICTS[verdict(audit)]
    console.print(Text(words.format(**_sums(audit)), style))


def _claim(claim: Claim, lines: Lines) -> list[Text]:
    line, _ = lines.at(claim.start)
    text = " ".join(claim.text.split())
    text = text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
    head = Text(f"  line {line:<5} ")
    head.append(f"{claim.label:<13} ", _COLOURS[claim.label])
    head.append(visible(text), "bold")
    rows = [("", claim.reason)]
    if claim.right is not None:
        rows.append(("right", claim.right))
    rows += [("from", claim.expression), ("warning", claim.warning)]
    for place in claim.places:
        where = place.file + (f", row {place.row}" if place.row else "")
        rows.append(("see", where + (f", column {place.column}" if place.column else "")))
    shown = [head]
    for name, said in rows:
        if said:
            body = Text(f"{'':13}{name:<8}" if name else f"{'':13}")
            body.append(visible(said), "green" if name == "right" else "")
            shown.append(body)
    return shown


def _sums(audit: Audit) -> dict[str, int]:
    bad = sum(claim.label in BAD for claim in audit.claims)
    good = sum(claim.label in GOOD for claim in audit.claims)
    return {"all": len(audit.claims), "bad": bad, "open": len(audit.claims) - bad - good}


def _counts(audit: Audit) -> Text:
    text = Text(f"{len(audit.claims)} claims: ")
    for i, label in enumerate(LABELS):
        count = audit.count(label)
        text.append(", " if i else "")
        text.append(f"{count} {label}", _COLOURS[label] if count else "")
    return text


def show_summary(audits: Sequence[Audit]) -> None:
    """One line a report, and one of sums."""
    rows = [("report", "claims", *LABELS, "verdict")]
    for audit in audits:
        counts = (str(audit.count(label)) for label in LABELS)
        rows.append((visible(audit.name), str(len(audit.claims)), *counts, verdict(audit)))
    sums = [sum(audit.count(label) for audit in audits) for label in LABELS]
    wrong = sum(verdict(audit) == "wrong" for audit in audits)
    totals = (str(sum(sums)), *(str(count) for count in sums))
    rows.append((f"{len(audits)} reports", *totals, f"{wrong} wrong"))
    click.echo("\n".join(aligned(rows)))
