"""The report as JSON: every number printed, with its fact, for programs to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from chimera.errors import FormatError
from chimera.facts.fact import Fact
from chimera.facts.text import Spans
from chimera.report.document import Report
from chimera.report.ledger import ledger, verify
from chimera.report.walk import numbered_names, used_facts

FORMAT = "chimera-report"
VERSION = 1
_LARGEST = 2**63 - 1


def to_json(report: Report, extra: Mapping[str, Any] | None = None) -> bytes:
    """The report's numbers and facts, and ``extra`` under its own keys, as indented JSON.

    What has no JSON form is written as null (NaN, infinity) or as text (paths, integers beyond
    64 bits). Raises UnboundNumber as ``verify`` does, FormatError when a key of ``extra`` is
    one of the format's own.
    """
    verify(report)
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "title": _text(report.title),
        "meta": [{"label": label, "text": _text(value)} for label, value in report.meta],
        "sections": [{"key": s.key, "title": _text(s.title)} for s in report.sections],
        "numbers": ledger(report),
        "names": numbered_names(report),
        "facts": {key: _fact(fact) for key, fact in used_facts(report).items()},
    }
    taken = sorted(content.keys() & (extra or {}).keys())
    if taken:
        raise FormatError(f"report.json has its own {', '.join(taken)}; give it another key")
    content |= dict(extra or {})
    return msgspec.json.format(msgspec.json.encode(_plain(content)), indent=2) + b"\n"


def _text(some: Spans) -> str:
    return "".join(span.text for span in some)


def _fact(fact: Fact) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__ if name != "id"}


def _plain(value: Any) -> Any:
    """``value`` in the types that JSON has; sets are sorted so that the order is stable."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # A file name may hold bytes that are not UTF-8; they become \udcXX in plain sight.
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else str(value)
    if isinstance(value, Mapping):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(v) for v in value), key=repr)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, PurePath):
        return _plain(str(value))
    return _plain(msgspec.to_builtins(value, str_keys=True))
