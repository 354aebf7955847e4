"""Records that a report quotes: whether any file of the folder holds them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chimera.audit.claim import Place
from chimera.audit.document import Block
from chimera.audit.evidence import Evidence
from chimera.audit.verdict import Verdict
from chimera.record.batch import Batch

_PAIR = re.compile(
    r"\"([^\"\n]{1,60})\"\s*:\s*(\"(?:[^\"\\\n]|\\.)*\"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)"
)
_NEAR = 4000  # characters within which a record's fields stand
_FEW = 2


def snippet_verdict(block: Block, evidence: Evidence) -> Verdict | None:
    """The verdict on a code block that presents a record; None where it presents none."""
    text = block.text.strip()
    if text.startswith(("{", "[")):
        pairs = [(m[1], _value(m[2])) for m in _PAIR.finditer(text)]
    else:
        pairs = _of_lines(text)
    if len(pairs) < _FEW:
        return None
    if not evidence.texts:
        return (
            None
            if evidence.ingest.files
            else Verdict("fabricated", "the folder is empty", kind="snippet")
        )
    best, where = 0, ""
    for file, content in evidence.texts.items():
        found = max(_in_json(pairs, content), _in_lines(pairs, content))
        if found > best:
            best, where = found, file
    for batch in evidence.ingest.batches:
        found = _in_batch(pairs, batch)
        if found > best:
            best, where = found, batch.file
    if best == len(pairs):
        return Verdict("supported", f"it stands in {where}", places=(Place(where),), kind="snippet")
    strange = [k for k, _ in pairs if f'"{k.lower()}"' not in evidence.contents and k.lower() not in evidence.contents]  # fmt: skip
    why = f"no file knows {', '.join(strange[:4])}" if strange else (
        f"at most {best} of its {len(pairs)} fields stand together in a file ({where or 'none'})"
    )  # fmt: skip
    return Verdict("fabricated", f"no file holds this record: {why}", kind="snippet")


def _of_lines(text: str) -> list[tuple[str, Any]]:
    """The fields of the first row of comma-separated lines; none where it is something else."""
    lines = [line.split(",") for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or len(lines[0]) < 3 or any(len(line) != len(lines[0]) for line in lines):
        return []
    names = [n.strip().strip('"') for n in lines[0]]
    if not all(re.fullmatch(r"[A-Za-z_][\w .()/%-]*", n) for n in names):
        return []
    return [(n, v.strip().strip('"')) for n, v in zip(names, lines[1], strict=True)]


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text.strip('"')


def _in_json(pairs: list[tuple[str, Any]], content: str) -> int:
    """How many fields stand together, near the rarest of them, in a JSON text (lower case)."""
    places = [[m.start() for m in _pattern(k, v).finditer(content)] for k, v in pairs]
    known = [p for p in places if p]
    if not known:
        return 0
    rarest = min(known, key=len)
    return max(
        sum(any(abs(at - place) <= _NEAR for at in own) for own in places) for place in rarest[:200]
    )


def _pattern(key: str, value: Any) -> re.Pattern[str]:
    if isinstance(value, str):
        shown = re.escape(msgspec.json.encode(value).decode().lower())
    elif isinstance(value, bool) or value is None:
        shown = {True: "true", False: "false", None: "null"}[value]
    else:
        shown = re.escape(f"{value!r}".lower()) + r"0*(?![\d.])"
    return re.compile(rf'"{re.escape(key.lower())}"\s*:\s*{shown}')


def _in_lines(pairs: list[tuple[str, Any]], content: str) -> int:
    """How many values stand in one line of a table whose header has the keys (lower case)."""
    head, _, body = content.partition("\n")
    names = [n.strip(' "\r\t') for n in re.split(r"[,;\t]", head)]
    wanted = [(names.index(k.lower()), v) for k, v in pairs if k.lower() in names]
    if len(wanted) < _FEW:
        return 0
    best = 0
    for line in body.splitlines()[:200_000]:
        cells = re.split(r"[,;\t]", line)
        best = max(best, sum(i < len(cells) and _same(cells[i], v) for i, v in wanted))
    return best


def _in_batch(pairs: list[tuple[str, Any]], batch: Batch) -> int:
    """How many fields stand in one record as ingestion read it, constants of its file included."""
    columns = {c.name.lower(): c.raw for c in batch.columns}
    wanted = [(columns[k.lower()], v) for k, v in pairs if k.lower() in columns]
    fixed = sum(
        str(batch.constants.get(k, "")).lower() == str(v).lower()
        for k, v in pairs
        if k.lower() not in columns
    )
    if len(wanted) < _FEW:
        return 0
    return fixed + max(
        (sum(_same(_text(raw[i]), v) for raw, v in wanted) for i in range(len(batch))), default=0
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(raw: Any) -> str:
    return "" if raw is None else str(raw).lower()


def _same(cell: str, value: Any) -> bool:
    text = cell.strip(' "\r')
    if isinstance(value, str):
        return text == value.lower() or _number(text) == _number(value) is not None
    if value is None:
        return text in ("", "null", "none")
    try:
        return float(text) == float(value)
    except ValueError:
        return text == str(value).lower()
