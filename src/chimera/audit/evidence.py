"""What the data says: records and summaries, chosen by what a claim names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from chimera.audit.arrays import Arrays
from chimera.audit.claim import Place
from chimera.audit.own_metrics import designed, promoted
from chimera.audit.plain import as_number, field_name, plain_level, with_alike
from chimera.audit.unread import leaves, tables_without_metric
from chimera.facts.dataset import Dataset, Members, Sample, dataset_of, identity_values
from chimera.ingest import Ingest
from chimera.ingest.columns import QUANTIZATION
from chimera.record.batch import Batch, Column

_STALE = re.compile(
    r"(?:^|[/_.\- ])(?:old|older|archived?|backups?|bak|prev|previous|stale|outdated|deprecated|"
    r"legacy|superseded|obsolete)(?:[/_.\- ]|$)",
    re.IGNORECASE,
)
_CONTAINERS = frozenset({"json", "csv", "md", "data", "summary", "results"})
_LENGTHS = frozenset({"n_prompt", "n_gen"})  # "prompts of 512 tokens" may be no setting at all
_NAMED = frozenset({"engine", "backend", "host", "config", "test", "workload", "gpu"})
_IDENTITIES = (
    "quantization", "engine", "backend", "host", "config", "test", "workload", "gpu"
)  # fmt: skip
_MAX_PLACES = 3
_MAX_CONTENT = 64_000_000


class Selector(msgspec.Struct, frozen=True):
    """What a claim is about: models (empty for all), settings and identities, files, a phase.

    ``loose`` takes in records that do not say how a setting was, too.
    """

    models: frozenset[str] = frozenset()
    settings: tuple[tuple[str, str], ...] = ()
    files: frozenset[str] = frozenset()
    phase: str = ""
    loose: bool = False

    @property
    def label(self) -> str:
        """For people."""
        return ", ".join(sorted(self.models)) or "all records"

    @property
    def filter(self) -> str:
        """The settings, for people."""
        parts = [f"{k}={v}" for k, v in self.settings]
        return ", ".join([*parts, *sorted(self.files), *([self.phase] if self.phase else [])])


class Summed(msgspec.Struct, frozen=True):
    """One value of a summary that another tool computed."""

    batch: Batch
    row: int
    column: Column

    @property
    def statistic(self) -> str:
        """That of its column; p50 is the median."""
        return "median" if self.column.statistic == "p50" else self.column.statistic

    @property
    def value(self) -> float:
        """In the canonical unit."""
        return float(self.column.values[self.row])

    @property
    def place(self) -> Place:
        """Where it stands."""
        return place_of(self.batch, self.row, self.column.name)


def place_of(batch: Batch, row: int, column: str) -> Place:
    """Where a record's value stands."""
    at = batch.pointers[row] if batch.pointers else str(batch.rows[row])
    return Place(batch.file, at, column)


def places_of(members: Members) -> tuple[Place, ...]:
    """The first few places of values."""
    return tuple(place_of(s.batch, s.index, c.name) for s, c in members[:_MAX_PLACES])


class Evidence:
    """Records and summaries of a folder. Files in a folder for old results stand apart."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.batches = [*promoted(ingest.batches), *tables_without_metric(ingest)]
        self.data: Dataset = dataset_of(self.batches)
        stale = {f.name for f in ingest.files if _STALE.search(f.name)}
        self.stale = stale if any(b.file not in stale for b in ingest.batches) else set()
        self.samples = [s for s in self.data.samples if s.batch.file not in self.stale]
        self.old = [s for s in self.data.samples if s.batch.file in self.stale]
        self.arrays = Arrays(ingest.folder)
        self._common = {k: plain_level(v) for k, v in self.data.common}
        self._levels: dict[int, dict[str, str]] = {}
        self._designs: dict[int, list[tuple[str, Column]]] = {}
        self.values_known: dict[object, Any] = {}  # what ``values.values_of`` worked out
        self._summaries: dict[tuple[Selector, str], list[Summed]] = {}
        self._with: dict[tuple[Selector, tuple[str, ...]], list[str]] = {}
        self._prefill: dict[int, Column | None] = {}
        self._row_levels: dict[tuple[int, int], dict[str, str]] = {}
        self._selected: dict[Selector, list[Sample]] = {}
        self._members: dict[tuple[Selector, str], Members] = {}
        self._identities: dict[tuple[int, str], list[Any]] = {}
        self.summed = [
            Summed(b, i, c)
            for b in self.data.summaries
            if b.file not in self.stale
            for c in b.metrics()
            for i in range(len(b))
            if c.values[i] is not None and not b.duplicate_of[i] and not b.outcomes[i]
        ]

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of the folder's files in lower case, to see whether a name occurs at all.

        Empty where there is no folder; files beyond the limit are left out.
        """
        found: dict[str, str] = {}
        size = 0
        for file in self.ingest.files:
            try:
                path = Path(self.ingest.folder) / file.name
                if file.size <= _MAX_CONTENT - size and path.is_file():
                    found[file.name] = path.read_text("utf-8", "replace").lower()
                    size += file.size
            except OSError:
                continue
        return found

    @cached_property
    def leaves(self) -> list[Summed]:
        """Numbers that stand in JSON files beside or below the records, each a summary's value."""
        return [
            Summed(b, 0, c) for b in leaves(self.ingest) for c in b.metrics()
            if b.file not in self.stale
        ]  # fmt: skip

    @cached_property
    def contents(self) -> str:
        """All texts as one."""
        return "\n".join(self.texts.values())

    @cached_property
    def _fields(self) -> dict[str, list[tuple[float, Place, str]]]:
        """Every numeric value by the last part of its column's name, as the file gives it."""
        found: dict[str, list[tuple[float, Place, str]]] = {}
        for batch in self.ingest.batches:
            for column in batch.columns:
                name = field_name(column.name)
                for row, raw in enumerate(column.raw):
                    value = as_number(raw)
                    if value is not None:
                        place = place_of(batch, row, column.name)
                        found.setdefault(name, []).append((value, place, column.unit))
        return found

    def field(self, name: str) -> list[tuple[float, Place, str]]:
        """(value, place, unit) of everything in a column of that name, in the file's own unit."""
        own = field_name(name)
        while own:
            found = self._fields.get(own) or self._keys(own)
            if found:
                return found
            head, _, own = own.partition("_")
            if head not in _CONTAINERS:
                return []
        return []

    def _keys(self, name: str) -> list[tuple[float, Place, str]]:
        """Numbers under a JSON key of that name in files that hold no table with it."""
        key = re.compile(rf'"{re.escape(name)}"\s*:\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)')
        return [
            (float(m[1]), Place(file, "", name), "")
            for file, text in self.texts.items()
            for m in key.finditer(text)
        ]

    def identity(self, batch: Batch, row: int, key: str) -> str | None:
        """An identity of one row; a quantization is read from the model's name where none is."""
        place = (id(batch), key)
        if place not in self._identities:
            self._identities[place] = identity_values(batch, key)
        value = self._identities[place][row]
        if value is None and key == "quantization":
            match = QUANTIZATION.search(str(self.identity(batch, row, "model") or ""))
            return match[1] if match else None
        return None if value is None else str(value)

    def levels(self, sample: Sample) -> dict[str, str]:
        """What was set for a record: settings and identities, in one form."""
        known = self._levels.get(id(sample))
        if known is None:
            known = dict(self._common)
            known |= {k: plain_level(v) for k, v in sample.parameters}
            if sample.prompt:
                known["prompt_id"] = plain_level(sample.prompt)
            for key in _IDENTITIES:
                value = self.identity(sample.batch, sample.index, key)
                if value is not None:
                    known.setdefault(key, value.lower())
            known.update(self._designed(sample.batch, sample.index))
            self._levels[id(sample)] = known = with_alike(known)
        return known

    def row_levels(self, batch: Batch, row: int) -> dict[str, str]:
        """What was set for a row of a summary."""
        place = (id(batch), row)
        if place not in self._row_levels:
            self._row_levels[place] = self._levels_of_row(batch, row)
        return self._row_levels[place]

    def _levels_of_row(self, batch: Batch, row: int) -> dict[str, str]:
        found = {k: plain_level(v) for k, v in batch.constants.items()}
        for column in batch.columns:
            if column.role == "parameter" and column.values[row] is not None:
                found[column.key] = plain_level(column.values[row])
        for key in _IDENTITIES:
            value = self.identity(batch, row, key)
            if value is not None:
                found.setdefault(key, value.lower())
        found.update(self._designed(batch, row))
        return with_alike(found)

    def _designed(self, batch: Batch, row: int) -> dict[str, str]:
        """Levels in columns that ingestion has no name for ("context_tokens")."""
        if id(batch) not in self._designs:
            self._designs[id(batch)] = designed(batch)
        return {
            key: plain_level(column.values[row])
            for key, column in self._designs[id(batch)]
            if column.values[row] is not None
        }

    def select(self, about: Selector) -> list[Sample]:
        """All records that have what is named, failures and warm-ups too."""
        if about not in self._selected:
            pool = self.old if about.files & self.stale else self.samples
            self._selected[about] = [s for s in pool if self._fits(s, about)]
        return self._selected[about]

    def _fits(self, sample: Sample, about: Selector) -> bool:
        if about.models and dict(sample.subject).get("model") not in about.models:
            return False
        if about.files and sample.batch.file not in about.files:
            return False
        if about.phase and (sample.phase == "cold") != (about.phase == "cold"):
            return False
        if not about.settings:
            return True
        return self._has(self.levels(sample), about)

    def _has(self, own: dict[str, str], about: Selector) -> bool:
        for key, value in about.settings:
            level = plain_level(value)
            if not self.knows(key, level):
                continue
            have = own.get(key)
            if have is None and about.loose:
                continue
            if have != level:
                return False
        return True

    def members(self, about: Selector, key: str) -> Members:
        """Values of a metric of the successful records, warm-ups left out."""
        known = (about, key)
        if known not in self._members:
            found: Members = []
            for sample in self.select(about):
                if sample.failure or sample.phase == "warm-up":
                    continue
                column = sample.batch.column(key, role="metric") or self._worked_out(sample, key)
                if column is not None and column.values[sample.index] is not None:
                    found.append((sample, column))
            self._members[known] = found
        return self._members[known]

    def _worked_out(self, sample: Sample, key: str) -> Column | None:
        """Prefill throughput of a table that has the prompt's tokens and their time.

        Ingestion leaves it out: some of the prompt may have come from a cache. As the value that
        a report prints it is the only one that can be meant.
        """
        if key != "prefill_throughput":
            return None
        batch = sample.batch
        if id(batch) not in self._prefill:
            tokens, time = batch.column("prompt_tokens"), batch.column("prefill_time")
            column = None
            if tokens and time and time.unit == "s":
                values = [
                    n / t if n and t else None
                    for n, t in zip(tokens.values, time.values, strict=True)
                ]
                name = f"{tokens.name} / {time.name}"
                column = Column(name, "metric", key, "", "tokens/s", 1.0, values, values)
            self._prefill[id(batch)] = column
        return self._prefill[id(batch)]

    def summaries(self, about: Selector, key: str) -> list[Summed]:
        """Values of a metric in summaries that have what is named."""
        known = (about, key)
        if known not in self._summaries:
            self._summaries[known] = [
                s for s in self.summed if s.column.key == key and self.summed_fits(s, about)
            ]
        return self._summaries[known]

    def deeper(self, about: Selector, key: str) -> list[Summed]:
        """As ``summaries``, of the numbers that no table holds."""
        return [s for s in self.leaves if s.column.key == key and self.summed_fits(s, about)]

    def summed_fits(self, summed: Summed, about: Selector) -> bool:
        """Whether a value of a summary has what is named."""
        if about.phase == "cold" or (about.files and summed.batch.file not in about.files):
            return False
        model = self.identity(summed.batch, summed.row, "model")
        if about.models and model not in about.models:
            return False
        if not about.settings:
            return True
        return self._has(self.row_levels(summed.batch, summed.row), about)

    def knows(self, key: str, level: str) -> bool:
        """Whether a setting chooses anything; a length or a name that no record has does not."""
        if key in _NAMED:
            return level in self.settings.get(key, ())
        return key not in _LENGTHS or key in self.settings

    @cached_property
    def settings(self) -> dict[str, set[str]]:
        """Every setting of the records with its levels."""
        found: dict[str, set[str]] = {}
        for sample in self.samples:
            for key, value in self.levels(sample).items():
                found.setdefault(key, set()).add(value)
        for summed in self.summed:
            for key, value in self.row_levels(summed.batch, summed.row).items():
                found.setdefault(key, set()).add(value)
        return found

    def models_with(self, about: Selector, keys: Sequence[str]) -> list[str]:
        """The models that have values of any of these metrics among what is named."""
        known = (about, tuple(keys))
        if known not in self._with:
            self._with[known] = self._models_with(about, keys)
        return self._with[known]

    def _models_with(self, about: Selector, keys: Sequence[str]) -> list[str]:
        found: dict[str, None] = {}
        for key in keys:
            for sample, _ in self.members(about, key):
                model = dict(sample.subject).get("model")
                if model:
                    found[model] = None
            for summed in self.summaries(about, key):
                model = self.identity(summed.batch, summed.row, "model")
                if model:
                    found[model] = None
        return list(found)
