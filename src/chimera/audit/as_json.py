"""An audit as JSON: one stable object per report, documented in docs/auditing.md."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from chimera.audit.claim import BAD, GOOD, LABELS, Audit, Claim
from chimera.audit.lines import Lines

FORMAT = "chimera-audit"
VERSION = 1


def as_json(audit: Audit) -> dict[str, Any]:
    """The audit in types that JSON has; every text can be encoded as UTF-8.

    ``sha256`` is that of the report's text as UTF-8; ``start`` and ``end`` count its characters
    from 0, ``line`` and ``column`` from 1.
    """
    lines = Lines(audit.text)
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": _plain(audit.name),
        "data": _plain(audit.data) or None,
        "sha256": sha256(audit.text.encode("utf-8", "backslashreplace")).hexdigest(),
        "verdict": verdict(audit),
        "claims_total": len(audit.claims),
        "counts": {label: audit.count(label) for label in LABELS},
        "notes": [_plain(note) for note in audit.notes],
        "claims": [_claim(claim, lines) for claim in audit.claims],
    }


def verdict(audit: Audit) -> str:
    """One word: "wrong" (something is), "open" (something could not be told), "holds", "empty"."""
    labels = {claim.label for claim in audit.claims}
    if labels & BAD:
        return "wrong"
    if labels - GOOD:
        return "open"
    return "holds" if labels else "empty"


def _claim(claim: Claim, lines: Lines) -> dict[str, Any]:
    line, column = lines.at(claim.start)
    bound = claim.bound
    return {
        "start": claim.start,
        "end": claim.end,
        "line": line,
        "column": column,
        "text": _plain(claim.text),
        "section": _plain(claim.section),
        "kind": claim.kind,
        "label": claim.label,
        "reason": _plain(claim.reason),
        "right": None if claim.right is None else _plain(claim.right),
        "expression": _plain(claim.expression),
        "warning": _plain(claim.warning),
        "bound": None
        if bound is None
        else {
            "subject": _plain(bound.subject),
            "metric": _plain(bound.metric),
            "statistic": _plain(bound.statistic),
            "unit": None if bound.unit is None else _plain(bound.unit),
            "filter": _plain(bound.filter),
        },
        "places": [
            {"file": _plain(p.file), "row": _plain(p.row), "column": _plain(p.column)}
            for p in claim.places
        ],
    }


def _plain(text: str) -> str:
    """Half a surrogate pair, as a file name may hold one, has no UTF-8 and is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
