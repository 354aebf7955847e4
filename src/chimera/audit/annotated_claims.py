"""The claims beside an annotated report: the filter, and the list with the evidence of each."""

from __future__ import annotations

from chimera.audit.claim import LABELS, Audit, Claim, Label
from chimera.audit.lines import Lines
from chimera.report.html_text import text

# A label is told by its sign as well as by its colour.
SYMBOLS: dict[Label, str] = {
    "supported": "✓",
    "derivable": "≈",
    "contradicted": "✗",
    "misattributed": "⇄",
    "inconsistent": "≠",
    "ambiguous": "?",
    "fabricated": "∅",
    "unsupported": "○",
    "unverifiable": "–",
}


def filters(audit: Audit) -> str:
    """One box a label with its count; without script they only count."""
    boxes = "".join(
        f'<label class="f {label}"><input type="checkbox" value="{label}" checked'
        f"{'' if audit.count(label) else ' disabled'}>"
        f'<span class="sign" aria-hidden="true">{SYMBOLS[label]}</span>'
        f"<span>{label}</span><b>{audit.count(label)}</b></label>"
        for label in LABELS
    )
    return (
        '<nav class="toc" aria-label="Claims"><fieldset id="filter"><legend>Claims</legend>'
        f'{boxes}</fieldset><p class="walk"><button type="button" id="previous">Previous</button>'
        '<button type="button" id="next">Next</button></p></nav>\n'
    )


def claim_list(audit: Audit, anchors: dict[int, str]) -> str:
    """Every claim with its evidence, in the order of the audit; ``c1`` is the first one's id."""
    lines = Lines(audit.text)
    items = "".join(
        _item(number, claim, lines, anchors.get(number - 1))
        for number, claim in enumerate(audit.claims, start=1)
    )
    return (
        '<section id="claims" class="appendix"><h2>Claims</h2>\n<details open id="claim-list">'
        f'<summary>All claims with their evidence</summary><ol class="claims">{items}</ol>'
        "</details></section>\n"
    )


def _item(number: int, claim: Claim, lines: Lines, anchor: str | None) -> str:
    line, column = lines.at(claim.start)
    place = f"line {line}, column {column}"
    if anchor is not None:
        place = f'<a class="at" href="#{anchor}">{place}</a>'
    rows = [("Right value", claim.right), ("From", claim.expression), ("Warning", claim.warning)]
    bound = claim.bound
    if bound is not None:
        rows += [
            ("About", bound.subject),
            ("Metric", bound.metric),
            ("Statistic", bound.statistic),
            ("Unit", bound.unit),
            ("Where", bound.filter),
        ]
    rows += [("Kind", claim.kind), ("Section", claim.section)]
    said = "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in rows if value)
    places = "".join(
        f"<li><code>{text(p.file)}</code><span>"
        + " · ".join(
            f"{name} {text(value)}"
            for name, value in (("row", p.row), ("column", p.column))
            if value
        )
        + "</span></li>"
        for p in claim.places
    )
    return (
        f'<li id="c{number}" class="{claim.label}"><p class="label">'
        f'<span class="sign" aria-hidden="true">{SYMBOLS[claim.label]}</span> {claim.label}</p>'
        f"<h3>{text(' '.join(claim.text.split()))}</h3><p>{text(claim.reason)}</p>"
        f'<p class="place">{place}</p><dl>{said}</dl>'
        + (f"<ul>{places}</ul>" if places else "")
        + "</li>"
    )
