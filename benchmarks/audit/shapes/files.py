"""Files with a date, older values beside them, and the lines of a CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import random
from collections.abc import Sequence
from pathlib import Path

from benchmarks.audit.world import DataFile, Group

Row = dict[str, object]
STALE_DRIFT = ((0.55, 0.8), (1.3, 1.8))  # how far older values lie from today's


def some_date(rng: random.Random) -> dt.date:
    return dt.date(2025, 1, 10) + dt.timedelta(days=rng.randrange(420))


def write(root: Path, name: str, text: str, date: dt.date, rows: int | None = None) -> DataFile:
    """The file, last modified at noon (UTC) of ``date``."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    noon = dt.datetime.combine(date, dt.time(12), dt.UTC).timestamp()
    os.utime(path, (noon, noon))
    return DataFile(name, date, rows)


def csv_text(rows: Sequence[Row]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def drifted(rng: random.Random) -> float:
    return rng.uniform(*rng.choice(STALE_DRIFT))


def older_groups(rng: random.Random, groups: Sequence[Group]) -> list[Group]:
    """The same groups as an earlier campaign might have measured them."""
    found = []
    for group in groups:
        if group.metric.key == "tokens":
            continue
        factor = drifted(rng)
        mean = group.statistics()["mean"] * factor
        found.append(Group(group.model, group.metric, group.settings, (mean,), (("mean", mean),)))
    return found


_HEADERS = {
    "ttft": ("Mean TTFT (s)", 1, 4),
    "tpot": ("Mean TPOT (ms)", 1000, 3),
    "latency": ("Mean latency (s)", 1, 3),
    "load": ("Mean load time (s)", 1, 4),
    "decode": ("Mean decode throughput (tokens/s)", 1, 2),
    "prefill": ("Mean prefill throughput (tokens/s)", 1, 1),
    "output_rate": ("Mean output throughput (tokens/s)", 1, 1),
    "request_rate": ("Request throughput (requests/s)", 1, 3),
}


def older_document(root: Path, groups: Sequence[Group], date: dt.date) -> DataFile:
    """Last year's notes: a table of what has been measured again since."""
    keys = list(dict.fromkeys(g.metric.key for g in groups))
    subjects = list(dict.fromkeys((g.model, g.settings) for g in groups))
    lines = [
        f"# Results of {date:%B %Y}",
        "",
        "Superseded by the new measurements.",
        "",
        "| Model | Settings | " + " | ".join(_HEADERS[k][0] for k in keys) + " |",
        "|---|---|" + "---|" * len(keys),
    ]
    for model, settings in subjects:
        row = []
        for key in keys:
            _, factor, decimals = _HEADERS[key]
            hits = [
                g for g in groups if (g.model, g.settings, g.metric.key) == (model, settings, key)
            ]
            row.append(f"{hits[0].values[0] * factor:.{decimals}f}" if hits else "")
        named = ", ".join(f"{name}={value}" for name, value in settings)
        lines.append(f"| {model} | {named} | " + " | ".join(row) + " |")
    return write(root, f"notes-{date:%Y-%m}.md", "\n".join(lines) + "\n", date)
