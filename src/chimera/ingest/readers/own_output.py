"""What Chimera itself writes beside a report: no data, or a report would be read as a source."""

from __future__ import annotations

from chimera.ingest.readers.base import Content, Reader, Tables

REASON = "it is part of a report of Chimera's own, not data"
MARKDOWN_MARK = "<!-- chimera-report -->"
_FORMATS = ('"chimera-report"', '"chimera-calls"')
_LOOK = 100


def _is_own(content: Content) -> bool:
    head = content.text[:_LOOK]
    return '"format"' in head and any(name in head for name in _FORMATS)


def _read(_: Content) -> Tables:
    return [], REASON


OWN_OUTPUT = Reader("own output", _is_own, _read)
