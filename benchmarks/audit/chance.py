"""What random numbers reach: how often one of the right format is taken for a true one."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.audit.adapter import Judge, Open
from benchmarks.audit.cases import GOOD, Case
from benchmarks.audit.scoring import overlaps
from benchmarks.audit.truth import prints_as

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_LEADING = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")


@dataclass
class Chance:
    """``somewhere``: the share that "it occurs in the folder" accepts; ``audit``: ours."""

    tried: int = 0
    somewhere: int = 0
    audit: int = 0


def all_numbers(folder: Path) -> list[float]:
    """Every number in every file, as a checker that looks for a value anywhere would see them."""
    found: list[float] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.extend(float(text) for text in _NUMBER.findall(_plain(path)))
    return sorted(set(found))


def _plain(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        return " ".join(cell for row in csv.reader(io.StringIO(text)) for cell in row)
    if path.suffix == ".json":
        return json.dumps(json.loads(text))
    return text


def measure(cases: Sequence[Case], open_judge: Open, seed: int, limit: int = 500) -> Chance:
    """One value of each true report is replaced by a random one of its format and magnitude."""
    rng = random.Random(f"{seed}/chance")
    pools: dict[str, list[float]] = {}
    judges: dict[str, Judge] = {}
    total = Chance()
    for case in cases[:limit]:
        values = [claim for claim in case.claims if claim.cell is not None]
        if not values:
            continue
        claim = rng.choice(values)
        match = _LEADING.match(case.text[claim.start : claim.end])
        if match is None or claim.cell is None:
            continue
        number = _random_like(rng, match[0])
        if number == match[0]:
            continue
        changed = case.text[: claim.start] + number + case.text[claim.start + len(match[0]) :]
        key = str(case.world.root)
        if key not in pools:
            pools[key], judges[key] = all_numbers(case.world.root), open_judge(case.world.root)
        total.tried += 1
        total.somewhere += any(prints_as(v, number) for v in pools[key])
        moved = replace(claim, end=claim.end + len(number) - len(match[0]))
        near = [f for f in judges[key](changed) if overlaps(f, moved.start, moved.end)]
        total.audit += any(f.label in GOOD for f in near)
    return total


def _random_like(rng: random.Random, number: str) -> str:
    """The same places and as many digits; the first that counts stays above zero."""
    digits = "".join(rng.choice("0123456789") if c.isdigit() else c for c in number)
    head = re.match(r"[+-]?0(?:\.0*)?", number)
    start = head.end() if head else 0
    if start < len(digits) and digits[start] == "0":
        digits = digits[:start] + rng.choice("123456789") + digits[start + 1 :]
    return number[:start] + digits[start:]
