"""An audit against whole reports in which every statement is marked as true or wrong.

``{T:statement}`` is true of the report's folder and ``{F:kind:statement}`` is not; the marks are
taken out before the audit reads the report. The folders are made up for this, but for the example.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.audit.adapter import Judge, Open
from benchmarks.audit.cases import BAD

REPORTS = Path(__file__).parent / "reports"
EXAMPLE = Path(__file__).parents[2] / "examples" / "gemma3-270m-cpu"
_MARK = re.compile(r"\{(T|F:\w+):(.*?)\}", re.DOTALL)
# A cause or a judgement is no value that the data could show to be wrong.
_WORDS = frozenset({"unfounded", "praise"})


@dataclass(frozen=True)
class Statement:
    """``kind`` is "" for a true one."""

    start: int
    end: int
    kind: str


@dataclass
class Standing:
    """How many true statements there are and raise an alarm, how many wrong ones and are found."""

    true: int = 0
    alarms: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float | None:
        """The share of the wrong statements that is found; None where there is none."""
        return self.found.total() / self.wrong.total() if self.wrong else None

    @property
    def precision(self) -> float | None:
        """The share of the statements with an alarm that is wrong; None without any alarm."""
        flagged = self.found.total() + self.alarms
        return self.found.total() / flagged if flagged else None

    @property
    def alarm_rate(self) -> float | None:
        """The share of the true statements that raise an alarm; None where there is none."""
        return self.alarms / self.true if self.true else None


def unmarked(text: str) -> tuple[str, list[Statement]]:
    """A report without its marks, and its statements with their places in it."""
    plain, statements, at = "", [], 0
    for match in _MARK.finditer(text):
        plain += text[at : match.start()]
        statements.append(
            Statement(len(plain), len(plain) + len(match[2]), match[1].partition(":")[2])
        )
        plain += match[2]
        at = match.end()
    return plain + text[at:], statements


def standing(open_judge: Open, folder: Path = REPORTS) -> Standing:
    """Over all reports of a folder, whose ``index.json`` names the data of each."""
    total = Standing()
    judges: dict[str, Judge] = {}
    for name, data in json.loads((folder / "index.json").read_text(encoding="utf-8")).items():
        if data not in judges:
            judges[data] = open_judge(EXAMPLE if data == "example" else folder / "data" / data)
        text, statements = unmarked((folder / name).read_text(encoding="utf-8"))
        claims = judges[data](text)
        for one in statements:
            labels = {c.label for c in claims if c.start < one.end and one.start < c.end}
            flagged = bool(labels & BAD) or (one.kind in _WORDS and "unsupported" in labels)
            if not one.kind:
                total.true += 1
                total.alarms += flagged
            else:
                total.wrong[one.kind] += 1
                total.found[one.kind] += flagged
    return total
