"""The records of a folder as samples that can be grouped: what each is about, and its condition.

A subject is what may be compared (a model; with engine, backend or hardware where the folder
holds several). A condition is what else was set for a record (parameters and prompt); subjects
are compared only where their conditions are the same.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chimera.record.batch import Batch, Column

Subject = tuple[tuple[str, str], ...]
Condition = tuple[tuple[str, Any], ...]
_PARTS = ("model", "quantization", "engine", "engine_version", "backend", "gpu", "cpu", "workload")
_NO_SETTING = re.compile(r"reason|status|time|date|result|score|error|finish|rank|count")
_MAX_LEVELS = 12
_COLD_FACTOR = 5.0
_COLD_MIN_S = 0.1


class Sample(msgspec.Struct):
    """One record. ``failure`` is "" when it succeeded; ``phase`` is "", "warm-up" or "cold".

    ``cold_why`` says how the cold start is known ("recorded", "load time", "first of its file").
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

    def value(self, column: Column) -> float | None:
        return column.values[self.index]  # type: ignore[no-any-return]

    @property
    def condition(self) -> Condition:
        """Everything that was set: parameters, prompt, and columns of no known name that take
        a few values (they may be settings, so records that differ in them are not alike)."""
        prompt = (("prompt", self.prompt),) if self.prompt else ()
        return (*self.parameters, *prompt, *self.other)


class Dataset(msgspec.Struct):
    """All records of a folder that count: no duplicates. ``varying`` are the identities that
    take several values and so are part of the subject; ``common`` are the parameters that every
    record has with one value, which tell nothing apart."""

    samples: list[Sample]
    summaries: list[Batch]
    varying: tuple[str, ...]
    by_subject: dict[Subject, list[Sample]]
    common: Condition = ()

    def good(self, subject: Subject) -> list[Sample]:
        """Successful records of a subject, without warm-up."""
        return [s for s in self.by_subject[subject] if not s.failure and s.phase != "warm-up"]

    def label(self, subject: Subject) -> str:
        """The shortest name of a subject that tells it from the others."""
        return subject_label(subject)


def subject_label(subject: Subject) -> str:
    """A subject's name for people: the model first, then what sets it apart."""
    parts = dict(subject)
    head = parts.pop("model", None) or parts.pop("file", None) or "not named"
    return ", ".join([head, *parts.values()])


def condition_label(condition: Condition) -> str:
    """A condition for people: "num_ctx=1024, temperature=0.2"."""
    return ", ".join(f"{k}={v}" for k, v in condition)


def dataset_of(batches: list[Batch]) -> Dataset:
    """Group the records of ``batches``; duplicates are left out."""
    varying = _varying(batches)
    samples: list[Sample] = []
    for batch in batches:
        if batch.kind == "sample":
            samples.extend(_samples(batch, varying))
    common = _set_apart_common(samples)
    by_subject: dict[Subject, list[Sample]] = {}
    for sample in samples:
        by_subject.setdefault(sample.subject, []).append(sample)
    for members in by_subject.values():
        _infer_cold(members)
    summaries = [
        b
        for b in batches
        if b.kind == "summary" and not b.derived_from and not all(b.duplicate_of)
    ]
    return Dataset(samples, summaries, varying, by_subject, common)


def _set_apart_common(samples: list[Sample]) -> Condition:
    """Take the parameters that are the same in every sample out of the samples."""
    if not samples:
        return ()
    common = set(samples[0].parameters)
    for sample in samples:
        common.intersection_update(sample.parameters)
        if not common:
            return ()
    for sample in samples:
        sample.parameters = tuple(p for p in sample.parameters if p not in common)
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
    for key in _PARTS[1:]:
        seen: dict[Any, set[Any]] = {}
        for batch in batches:
            if batch.kind != "sample" or all(batch.duplicate_of):
                continue
            models = identity_values(batch, "model")
            for model, value in zip(models, identity_values(batch, key), strict=True):
                if value is not None:
                    seen.setdefault(model, set()).add(value)
        if any(len(values) > 1 for values in seen.values()):
            varying.append(key)
    return tuple(varying)


def _samples(batch: Batch, varying: tuple[str, ...]) -> list[Sample]:
    identities = [(key, identity_values(batch, key)) for key in varying]
    constants = [
        (k, v)
        for k, v in batch.constants.items()
        if k not in _PARTS and k not in ("host", "test", "config", "run", "prompt", "prompt_id")
    ]
    columns = [c for c in batch.columns if c.role == "parameter"]
    fixed = sorted((k, v) for k, v in constants if not any(c.key == k for c in columns))
    prompt = batch.column("prompt", role="identity") or batch.column("prompt_id", role="identity")
    possible = _possible_settings(batch)
    samples = []
    for i in range(len(batch)):
        if batch.duplicate_of[i]:
            continue
        subject = tuple((k, str(v[i])) for k, v in identities if v[i] is not None)
        if not any(k == "model" for k, _ in subject):
            subject = (("file", batch.file), *subject)
        parameters = tuple(
            sorted([*fixed, *((c.key, v) for c in columns if (v := c.values[i]) is not None)])
        )
        samples.append(
            Sample(
                batch,
                i,
                subject,
                parameters,
                str(prompt.values[i]) if prompt and prompt.values[i] else "",
                batch.phases[i],
                batch.outcomes[i],
                "recorded" if batch.phases[i] == "cold" else "",
                tuple((c.name, c.raw[i]) for c in possible),
            )
        )
    return samples


def _possible_settings(batch: Batch) -> list[Column]:
    """Columns of no known name with a few whole or short values: they may be settings."""
    found = []
    for column in batch.columns:
        if column.role not in ("unknown", "label") or _NO_SETTING.search(column.name.lower()):
            continue
        values = {v for v in column.raw if v not in (None, "")}
        if 2 <= len(values) <= _MAX_LEVELS and len(values) * 2 <= len(batch):
            if all(isinstance(v, int) or len(str(v)) <= 24 for v in values):
                found.append(column)
    return found


def _infer_cold(samples: list[Sample]) -> None:
    """Mark records that paid a model load, where the file does not say so itself."""
    loads: list[tuple[Sample, float]] = []
    bare: dict[int, list[tuple[Sample, float]]] = {}
    for sample in samples:
        if sample.failure or sample.phase:
            continue
        load = sample.batch.column("load_time")
        ttft = sample.batch.column("ttft")
        if load is not None and load.unit == "s" and load.role == "metric":
            value = sample.value(load)
            if value is not None:
                loads.append((sample, value))
        elif ttft is not None and ttft.unit == "s":
            value = sample.value(ttft)
            if value is not None:
                bare.setdefault(id(sample.batch), []).append((sample, value))
    if len(loads) >= 2:
        usual = _low_median([v for _, v in loads])
        for sample, value in loads:
            if value > max(_COLD_FACTOR * usual, usual + _COLD_MIN_S):
                sample.phase, sample.cold_why = "cold", "load time"
    for members in bare.values():
        first, value = members[0]
        rest = [v for _, v in members[1:]]
        if len(rest) >= 2 and value > max(
            _COLD_FACTOR * _low_median(rest), _low_median(rest) + _COLD_MIN_S
        ):
            first.phase, first.cold_why = "cold", "first of its file"


def _low_median(values: list[float]) -> float:
    """The median of the lower half: what a warm record takes, even when a third are cold."""
    ordered = sorted(values)
    half = ordered[: max(1, (len(ordered) + 1) // 2)]
    return half[len(half) // 2]
