"""One folder read once, any number of reports held against it."""

from __future__ import annotations

from pathlib import Path

from chimera.audit.claim import Audit
from chimera.ingest import ingest_folder


class Auditor:
    """Holds reports against the data of one folder; without one, against themselves alone."""

    def __init__(self, data: Path | None = None) -> None:
        self.data = "" if data is None else str(data)
        self._ingest = None if data is None else ingest_folder(data)

    def audit(self, text: str, *, name: str = "report.md") -> Audit:
        """All claims of a report, Markdown or (by ``name`` or its beginning) HTML."""
        return Audit(name=name, text=text, claims=(), data=self.data)


def audit_folder(report: str, data: Path | None, *, name: str = "report.md") -> Audit:
    """Audit one report against one folder."""
    return Auditor(data).audit(report, name=name)
