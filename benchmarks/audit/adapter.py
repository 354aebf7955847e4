"""The one file that touches the audit. Everything else asks for a ``Judge``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Found:
    """A claim as the audit labels it; subject, metric and statistic are None if it is not bound."""

    start: int
    end: int
    kind: str
    label: str
    reason: str = ""
    subject: str | None = None
    metric: str | None = None
    statistic: str | None = None


class Judge(Protocol):
    """Reads reports about one folder."""

    def __call__(self, text: str) -> Sequence[Found]: ...


Open = Callable[[Path | None], Judge]


def open_audit(data: Path | None) -> Judge:
    """Chimera's audit; the folder is read once. Raises ModuleNotFoundError where there is none."""
    # Asked for by name, because the cases and their tests stand without it.
    auditor: Any = importlib.import_module("chimera.audit").Auditor(data)

    def judge(text: str) -> list[Found]:
        return [_found(claim) for claim in auditor.audit(text, name="report.md").claims]

    return judge


def _found(claim: Any) -> Found:
    bound = claim.bound
    return Found(
        claim.start,
        claim.end,
        claim.kind,
        claim.label,
        claim.reason,
        bound.subject if bound else None,
        bound.metric if bound else None,
        bound.statistic if bound else None,
    )
