"""An audit against claims of real reports that were labelled by hand."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.audit.adapter import Found, Judge, Open
from benchmarks.audit.cases import BAD
from benchmarks.audit.scoring import overlaps

LABELS = Path(__file__).parent / "labels"


@dataclass(frozen=True)
class Labelled:
    start: int
    end: int
    kind: str
    labels: frozenset[str]


@dataclass
class Agreement:
    """``flagged`` overlap a labelled claim, ``right`` one that is bad, ``unlabelled`` none."""

    reports: int = 0
    flagged: int = 0
    right: int = 0
    bad: int = 0
    found: int = 0
    unlabelled: list[str] = field(default_factory=list)
    wrongly: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float | None:
        return self.right / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        return self.found / self.bad if self.bad else None


def compare(corpus: Path, open_judge: Open, split: str = "all", folder: Path = LABELS) -> Agreement:
    """Over the label files of a split; a report that is missing or changed is skipped and named."""
    total = Agreement()
    judges: dict[str | None, Judge] = {}
    for path in sorted(folder.glob("*.json")):
        labelled = json.loads(path.read_text(encoding="utf-8"))
        if split not in {"all", labelled["split"]}:
            continue
        report = corpus / labelled["report"]
        if not report.is_file():
            total.skipped.append(f"{labelled['report']}: not there")
            continue
        content = report.read_bytes()
        if hashlib.sha256(content).hexdigest() != labelled["sha256"]:
            total.skipped.append(f"{labelled['report']}: not the file that was labelled")
            continue
        claims = [
            Labelled(c["start"], c["end"], c["kind"], frozenset(c["labels"]))
            for c in labelled["claims"]
        ]
        text = content.decode("utf-8")
        data = labelled.get("data")
        if data not in judges:
            judges[data] = open_judge(_folder(corpus, data))
        total.reports += 1
        _add(total, labelled["report"], text, claims, list(judges[data](text)))
    return total


def _folder(corpus: Path, data: str | None) -> Path | None:
    """What a report describes: a folder of the corpus, an "empty" one, or None."""
    return Path(tempfile.mkdtemp()) if data == "empty" else corpus / data if data else None


def _add(
    total: Agreement, name: str, text: str, claims: list[Labelled], found: list[Found]
) -> None:
    for flag in (f for f in found if f.label in BAD):
        near = [c for c in claims if overlaps(flag, c.start, c.end)]
        place = f"{name}:{flag.start}: {text[flag.start : flag.end]!r} {flag.label}: {flag.reason}"
        if not near:
            total.unlabelled.append(place)
            continue
        total.flagged += 1
        if any(c.labels & BAD for c in near):
            total.right += 1
        else:
            total.wrongly.append(place)
    for claim in (c for c in claims if c.labels and c.labels <= BAD):
        total.bad += 1
        if any(f.label in BAD and overlaps(f, claim.start, claim.end) for f in found):
            total.found += 1
        else:
            total.missed.append(f"{name}:{claim.start}: {text[claim.start : claim.end]!r}")
