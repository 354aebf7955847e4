"""A workload is one short string.

built-in                                a suite that comes with Chimera
prompts.jsonl                           a file: .txt, .jsonl, .json, .csv, .tsv
synthetic:in=512,out=128,n=32           made text of these lengths, in tokens
built-in:short,medium                   only these prompts of a suite or a file
prompts.jsonl:first=100                 only the first ones
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import msgspec

from chimera.errors import InputError
from chimera.measure.workloads.built_in import SUITES, suite
from chimera.measure.workloads.files import read_rows
from chimera.measure.workloads.synthetic import parse_synthetic, synthetic_workload
from chimera.measure.workloads.traces import Reading, prompts_of
from chimera.measure.workloads.workload import CountTokens, Workload

_SYNTHETIC = "synthetic"
_IDS_SHOWN = 20


class _Part(msgspec.Struct, frozen=True):
    """Which prompts are wanted: the first ones, or those of these ids; neither means all."""

    first: int | None = None
    ids: tuple[str, ...] = ()


def open_workload(spec: str, *, seed: int = 0, count_tokens: CountTokens | None = None) -> Workload:
    """The workload that ``spec`` names.

    ``seed`` decides made text, that of ``synthetic:`` and of traces that only have lengths;
    ``count_tokens`` makes its lengths exact instead of estimates.

    Raises:
        InputError: no such workload, or one that is broken; names the value and, in a file,
            the line.
    """
    spec = spec.strip()
    head, colon, rest = spec.partition(":")
    if head == _SYNTHETIC:
        return synthetic_workload(parse_synthetic(rest, seed), count_tokens)
    if head in SUITES:
        return _part_of(suite(head), _parse_part(rest) if colon else _Part())
    path, part = _file(spec)
    return _part_of(_from_file(path, part.first, seed, count_tokens), part)


def without_folder(spec: str) -> str:
    """``spec`` as it may be recorded: a file's folder is nobody's business."""
    if spec.partition(":")[0] in (_SYNTHETIC, *SUITES) or _existing(spec):
        return spec if ":" in spec and not _existing(spec) else Path(spec).name
    head, colon, rest = spec.rpartition(":")
    return f"{Path(head).name}{colon}{rest}" if colon else Path(spec).name


def _file(spec: str) -> tuple[Path, _Part]:
    """The file that ``spec`` names, and which part of it."""
    if path := _existing(spec):  # a colon may stand in a file's name
        return path, _Part()
    head, colon, rest = spec.rpartition(":")
    if colon and (path := _existing(head)):
        return path, _parse_part(rest)
    raise InputError(
        f"no workload {spec!r:.200}: neither a file nor a suite; the suites are "
        f"{', '.join(SUITES)}, and synthetic:in=512,out=128,n=32 makes text"
    )


def _existing(name: str) -> Path | None:
    if not name:
        return None
    try:
        path = Path(name).expanduser()
        return path if path.exists() else None
    except PermissionError as error:
        raise InputError(f"cannot read {name!r}: {error.strerror}") from error
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, no such user's home
        return None


def _parse_part(text: str) -> _Part:
    if number := re.fullmatch(r"\s*first\s*=(.*)", text):
        if not re.fullmatch(r"\s*[1-9][0-9]{0,8}\s*", number[1]):
            raise InputError(f"first={number[1]!r:.60}: first is how many prompts, 1 or more")
        return _Part(first=int(number[1]))
    ids = tuple(name.strip() for name in text.split(",") if name.strip())
    if not ids:
        raise InputError("no prompt chosen behind the colon; give ids, or first=10, or no colon")
    if len(set(ids)) < len(ids):
        raise InputError(f"a prompt stands twice in {text!r:.80}; repeats are set elsewhere")
    return _Part(ids=ids)


def _from_file(
    path: Path, first: int | None, seed: int, count_tokens: CountTokens | None
) -> Workload:
    reading = Reading()
    asked = list(islice(reading.read(read_rows(path, in_part=first is not None)), first))
    # A name need not be text; it is recorded in a file that is.
    name = path.name.encode("utf-8", "backslashreplace").decode()
    if not asked:
        why = "; ".join(("", *reading.notes()))
        raise InputError(f"{name} holds no prompt{why}")
    prompts, notes = prompts_of(asked, seed, count_tokens)
    return Workload(name, prompts, (*reading.notes(), *notes))


def _part_of(workload: Workload, part: _Part) -> Workload:
    if part.first is not None:
        return msgspec.structs.replace(workload, prompts=workload.prompts[: part.first])
    if not part.ids:
        return workload
    there = {prompt.id: prompt for prompt in workload.prompts}
    for wanted in part.ids:
        if wanted not in there:
            shown = ", ".join(list(there)[:_IDS_SHOWN]) + (
                " ..." if len(there) > _IDS_SHOWN else ""
            )
            raise InputError(f"no prompt {wanted!r:.80}; the prompts are: {shown}")
    chosen = [there[wanted] for wanted in part.ids]
    # A trace stays in the order of its times, which is that of the file.
    chosen.sort(key=lambda prompt: prompt.at_s or 0.0)
    return msgspec.structs.replace(workload, prompts=tuple(chosen))
