"""The records of a folder as samples that can be grouped: what each is about, and its condition.

A subject is what may be compared (a model; with engine, backend or hardware where the folder
holds several). A condition is what else was set for a record (parameters and prompt); subjects
are compared only where their conditions are the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from chimera.facts.cold_starts import mark_cold_starts
from chimera.ingest.columns import parameter_value
from chimera.record.batch import Batch, Column

Subject = tuple[tuple[str, str], ...]
Condition = tuple[tuple[str, Any], ...]
_PARTS = (
    "model", "quantization", "engine", "engine_version", "backend", "host", "gpu", "cpu", "workload"
)  # fmt: skip
LOAD = ("concurrency", "request_rate")
_NO_CONDITION = frozenset({*_PARTS, "test", "config", "run", "prompt", "prompt_id"})
_NO_SETTING = re.compile(r"reason|status|time|date|result|score|error|finish|rank|count")
_RATES = frozenset({"token_rate", "decode_throughput", "wall_throughput"})  # maybe one and the same
_MAX_LEVELS = 12
_MOST_LOADS = 24  # of more, none is a group of records that anybody could look at
_MAX_SETTING = 24  # characters of a text that may be a setting


class Sample(msgspec.Struct):
    """One record. ``failure`` is "" when it succeeded; ``phase`` is "", "warm-up" or "cold".

    ``cold_why`` says how the cold start is known ("recorded", "load time", "first of its file").
    ``condition`` is everything that was set: parameters, prompt, and ``other``: columns of no
    known name that take a few values (they may be settings, so records that differ in them are
    not alike). ``repeat`` is None where the table names no repeats, or one for all.
    """

    batch: Batch
    index: int
    subject: Subject
    parameters: Condition
    prompt: str
    phase: str
    failure: str
    cold_why: str = ""
    other: Condition = ()
    condition: Condition = ()
    repeat: tuple[int, str] | None = None

    def value(self, column: Column) -> float | None:
        """The record's value in a column of its table; None where it has none."""
        return column.values[self.index]  # type: ignore[no-any-return]


Members = list[tuple[Sample, Column]]


class Dataset(msgspec.Struct):
    """All records of a folder that count: no duplicates.

    ``varying`` are the identities that take several values and so are part of the subject;
    ``common`` are the parameters that every record has with one value, which tell nothing apart
    and are left out of the records' own. ``blocks`` are no records but the requests of one
    configuration in one repeat together, by subject.
    """

    samples: list[Sample]
    summaries: list[Batch]
    varying: tuple[str, ...]
    by_subject: dict[Subject, list[Sample]]
    common: Condition = ()
    blocks: dict[Subject, list[Sample]] = {}
    _measured: dict[Subject, dict[tuple[str, str], Members]] = {}

    _populations: dict[Subject, list[Subject]] = {}

    def records(self, subject: Subject) -> list[Sample]:
        """All records of a subject, or of one of its ``populations``."""
        return self._of(self.by_subject, subject)

    def blocks_of(self, subject: Subject) -> list[Sample]:
        """All blocks of a subject, or of one of its ``populations``."""
        return self._of(self.blocks, subject)

    def _of(self, by_subject: dict[Subject, list[Sample]], subject: Subject) -> list[Sample]:
        if subject in self.by_subject:
            return by_subject.get(subject, [])
        ends = range(len(subject) - 1, 0, -1)
        base = next(subject[:i] for i in ends if subject[:i] in self.by_subject)
        load = subject[len(base) :]
        names = tuple(name for name, _ in load)
        return [s for s in by_subject.get(base, []) if load_of(s, names) == load]

    def good(self, subject: Subject) -> list[Sample]:
        """Successful records of a subject, without warm-up."""
        return [s for s in self.records(subject) if not s.failure and s.phase != "warm-up"]

    def measured(self, subject: Subject) -> dict[tuple[str, str], Members]:
        """``members_of`` the good records of a subject and its blocks, worked out once."""
        if subject not in self._measured:
            own = members_of(self.good(subject))
            self._measured[subject] = {**members_of(self.blocks_of(subject)), **own}
        return self._measured[subject]

    def populations(self, subject: Subject) -> list[Subject]:
        """The subject itself, or itself at each load where its good records differ in that.

        What one request takes at concurrency 1 and at 64 are two things, and a mean of both is
        a figure of neither.
        """
        if subject not in self._populations:
            settings = [dict(p) for p in dict.fromkeys(s.parameters for s in self.good(subject))]
            ranks = {n: in_order({own.get(n) for own in settings}) for n in LOAD}
            names = [n for n in LOAD if len(ranks[n]) > 1]
            loads = {tuple(ranks[n].index(own.get(n)) for n in names) for own in settings}
            apart = len(loads) <= _MOST_LOADS and bool(names)
            self._populations[subject] = [
                (*subject, *((names[k], level_label(ranks[names[k]][i])) for k, i in enumerate(at)))
                for at in (sorted(loads) if apart else [()])
            ]
        return self._populations[subject]

    def label(self, subject: Subject) -> str:
        """The shortest name of a subject that tells it from the others."""
        return subject_label(subject)


def load_of(sample: Sample, names: tuple[str, ...] = LOAD) -> Subject:
    """What a record says of its load, of these parameters."""
    return _load(sample.parameters, names)


@lru_cache(maxsize=4096)
def _load(parameters: Condition, names: tuple[str, ...]) -> Subject:
    own = dict(parameters)
    return tuple((name, level_label(own.get(name))) for name in names)


def members_of(samples: list[Sample]) -> dict[tuple[str, str], Members]:
    """For each (metric, unit) the samples that hold a value of it, with its column."""
    found: dict[tuple[str, str], Members] = {}
    table: Batch | None = None
    columns: list[tuple[Column, list[Any], Members]] = []
    for sample in samples:
        if sample.batch is not table:
            table = sample.batch
            columns = [
                (c, c.values, found.setdefault((c.key, c.unit), []))
                for c in table.metrics()
                if not c.statistic
            ]
        index = sample.index
        for column, values, members in columns:
            if values[index] is not None:
                members.append((sample, column))
    return {key: members for key, members in found.items() if members}


def subject_label(subject: Subject) -> str:
    """A subject's name for people: the model first, then what sets it apart."""
    parts = dict(subject)
    head = parts.pop("model", None) or parts.pop("file", None) or "not named"
    shown = [f"{k.replace('_', ' ')} {v}" if k in LOAD else v for k, v in parts.items()]
    return ", ".join([head, *shown])


def condition_label(condition: Condition) -> str:
    """A condition for people: "num_ctx=1024, temperature=0.2"."""
    return ", ".join(f"{k}={v}" for k, v in condition)


def level_label(level: object) -> str:
    """A parameter's level for people; None is a parameter that a record does not set."""
    return "not set" if level is None else str(level)


def in_order(levels: set[Any]) -> list[Any]:
    """Levels of one parameter, which may mix kinds: numbers by size, then texts, then not set."""
    return sorted(
        levels,
        key=lambda v: (
            (0, v, "") if isinstance(v, (int, float)) else (2 if v is None else 1, 0, str(v))
        ),
    )


def dataset_of(batches: list[Batch]) -> Dataset:
    """Group the records of ``batches``; duplicates are left out."""
    varying = _varying(batches)
    found: dict[str, list[Sample]] = {"sample": [], "block": [], "summary": []}
    for batch in batches:
        if batch.kind != "summary":
            found[batch.kind].extend(_samples(batch, varying))
    samples = found["sample"]
    common = _set_apart_common(samples, found["block"])
    by_subject, blocks = _by_subject(samples), _by_subject(found["block"])
    for members in by_subject.values():
        mark_cold_starts(members)
    return Dataset(samples, _summaries(batches), varying, by_subject, common, blocks)


def _by_subject(samples: list[Sample]) -> dict[Subject, list[Sample]]:
    """The samples of each subject; their conditions are known from here on."""
    found: dict[Subject, list[Sample]] = {}
    for sample in samples:
        asked = (("prompt", sample.prompt),) if sample.prompt else ()
        sample.condition = (*sample.parameters, *asked, *sample.other)
        found.setdefault(sample.subject, []).append(sample)
    return found


def _summaries(batches: list[Batch]) -> list[Batch]:
    """The summaries that count: whole ones, and of those computed from records of the folder the
    metrics that these records lack (vLLM keeps each TTFT, and of the throughput only the sum).
    """
    measured: dict[str, set[str]] = {}
    for batch in batches:
        if batch.kind == "sample":
            keys = {c.key for c in batch.metrics()}
            measured.setdefault(batch.file, set()).update(keys, _RATES if keys & _RATES else ())
    found = []
    for batch in batches:
        if batch.kind != "summary" or all(batch.duplicate_of):
            continue
        if batch.derived_from:
            known = measured.get(batch.derived_from, set())
            columns = [c for c in batch.columns if c.role != "metric" or c.key not in known]
            batch = replace(batch, columns=columns)
        if batch.metrics():
            found.append(batch)
    return found


def _set_apart_common(samples: list[Sample], blocks: list[Sample]) -> Condition:
    """Take the parameters that are the same in every record out of the records and blocks."""
    common = set(samples[0].parameters) if samples else set()
    for sample in samples:
        common.intersection_update(sample.parameters)
        if not common:
            return ()
    for sample in (*samples, *blocks):
        sample.parameters = tuple([p for p in sample.parameters if p not in common])
    return tuple(sorted(common, key=lambda p: p[0]))


def identity_values(batch: Batch, key: str) -> list[Any]:
    """The values of an identity for each record of a batch; None where it is not said."""
    column = batch.column(key, role="identity")
    if column is not None:
        return column.values
    return [batch.constants.get(key)] * len(batch)


def _varying(batches: list[Batch]) -> tuple[str, ...]:
    """Identities beside the model that take several values and do not just repeat it."""
    varying = ["model"]
    open_ones = [b for b in batches if b.kind == "sample" and not all(b.duplicate_of)]
    for key in _PARTS[1:]:
        seen: dict[Any, set[Any]] = {}
        for batch in open_ones:
            if key not in batch.constants and batch.column(key, role="identity") is None:
                continue
            values = zip(
                identity_values(batch, "model"),
                identity_values(batch, key),
                batch.duplicate_of,
                strict=True,
            )
            for model, value, duplicate in values:
                if value is not None and not duplicate:
                    seen.setdefault(model, set()).add(str(value))
        if any(len(found) > 1 for found in seen.values()):
            varying.append(key)
    return tuple(varying)


def _parameter_columns(batch: Batch) -> list[tuple[str, list[Any]]]:
    """(name, values) of each parameter column; a second one of the same key keeps its own name."""
    found: dict[str, list[Any]] = {}
    for column in batch.columns:
        if column.role == "parameter":
            key = column.key if column.key not in found else column.name
            found.setdefault(key, column.values)
    return list(found.items())


def _samples(batch: Batch, varying: tuple[str, ...]) -> list[Sample]:
    identities = [(key, identity_values(batch, key)) for key in varying]
    columns = _parameter_columns(batch)
    own = {name for name, _ in columns}
    n = len(batch)
    fixed = [
        (k, [v] * n)
        for k, v in batch.constants.items()
        if k not in _NO_CONDITION and k not in own and v is not None
    ]
    settings = sorted([*columns, *fixed], key=lambda kv: kv[0])
    prompts = batch.column("prompt", role="identity") or batch.column("prompt_id", role="identity")
    possible = _possible_settings(batch)
    repeats = _repeats(batch)
    samples = []
    for i in range(n):
        if batch.duplicate_of[i]:
            continue
        subject = tuple([(k, str(v[i])) for k, v in identities if v[i] is not None])
        if not subject or subject[0][0] != "model":
            subject = (("file", batch.file), *subject)
        parameters = tuple([(k, v[i]) for k, v in settings if v[i] is not None])
        prompt = str(prompts.values[i]) if prompts and prompts.values[i] else ""
        other = tuple([(name, values[i]) for name, values in possible])
        phase = batch.phases[i]
        samples.append(
            Sample(
                batch,
                i,
                subject,
                parameters,
                prompt,
                phase,
                batch.outcomes[i],
                "recorded" if phase == "cold" else "",
                other,
                repeat=repeats[i],
            )
        )
    return samples


def _repeats(batch: Batch) -> list[tuple[int, str]] | list[None]:
    """The repeat of each record, which is one of its table."""
    column = batch.column("repeat", role="status")
    table = id(batch)
    found = [] if column is None else [(table, str(value)) for value in column.raw]
    return found if len(set(found)) > 1 else [None] * len(batch)


def _possible_settings(batch: Batch) -> list[tuple[str, list[Any]]]:
    """Columns of no known name with a few whole or short values: they may be settings.

    Their values are in one form, so that 3 in JSON and "3" in CSV are the same.
    """
    found = []
    for column in batch.columns:
        if column.role not in ("unknown", "label") or _NO_SETTING.search(column.name.lower()):
            continue
        try:
            kinds = set(column.raw) - {None, ""}
            few = 2 <= len(kinds) <= _MAX_LEVELS and len(kinds) * 2 <= len(batch)
            if few and all(isinstance(v, int) or len(str(v)) <= _MAX_SETTING for v in kinds):
                found.append((column.name, [parameter_value(v) for v in column.raw]))
        except TypeError:  # lists or objects are no setting
            continue
    return found
