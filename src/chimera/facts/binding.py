"""Which records a row of a document's table is about, by what the row names."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chimera.facts.dataset import Dataset, Sample, identity_values
from chimera.ingest.columns import QUANTIZATION, parameter_value
from chimera.ingest.names import Reading, read_name
from chimera.ingest.readers.markdown import DocumentTable
from chimera.record.batch import Column

BOUND = ("model", "config", "quantization", "prompt", "backend", "test", "engine")
_NO_SETTINGS = frozenset({"quantization", "prompt", "test", "backend", "engine"})
_SEPARATORS = re.compile(r"[^a-z0-9.]+")
_MARKS = str.maketrans("", "", "*`")
_CHANGE = re.compile(r"delta|diff|change|gain|improve|speed-?up|Δ|±|\bvs\b", re.IGNORECASE)


def plain(text: str) -> str:
    """A cell or a name without the marks of Markdown."""
    return text.translate(_MARKS).strip()


def words(text: str) -> str:
    """A text as lower case words joined by "-", so that names can be found in it."""
    return _SEPARATORS.sub("-", text.lower()).strip("-")


class Columns(msgspec.Struct, frozen=True):
    """What the names of a table's columns say. ``changes`` are the readings of differences."""

    readings: tuple[Reading, ...]
    changes: frozenset[int]

    @property
    def measure(self) -> bool:
        """Whether any column holds a metric."""
        return any(r.role == "metric" for r in self.readings)


def columns_of(table: DocumentTable) -> Columns:
    """Read the names of a table's columns."""
    readings = tuple(read_name(plain(name)) for name in table.names)
    changing = {
        reading for name, reading in zip(table.names, readings, strict=True) if _CHANGE.search(name)
    }
    return Columns(readings, frozenset(i for i, r in enumerate(readings) if r in changing))


class Row(msgspec.Struct):
    """What a row names: parameters and identities by key, and models of the folder."""

    named: dict[str, Any]
    models: set[str]

    @property
    def about(self) -> str:
        """What the row names, for people."""
        if "config" in self.named:
            return str(self.named["config"])
        if self.named:
            return ", ".join(f"{k}={v}" for k, v in self.named.items())
        return ", ".join(sorted(self.models))

    @property
    def is_model_alone(self) -> bool:
        """Whether the row names one model and no setting at all."""
        return len(self.models) == 1 and not set(self.named) - _NO_SETTINGS

    def binds(self, statistic: str) -> bool:
        """Whether the row names enough to be held against records.

        A configuration, two settings, or a model together with a setting or a statistic.
        """
        named = set(self.named)
        settings = named - _NO_SETTINGS
        model = bool(self.models) or "quantization" in named
        return "config" in named or len(settings) >= 2 or (model and bool(settings or statistic))


class Binder:
    """The successful records of a folder, found by what a row names."""

    def __init__(self, data: Dataset) -> None:
        self._by_model: dict[str, list[Sample]] = {}
        for subject in data.by_subject:
            model = dict(subject).get("model", "")
            self._by_model.setdefault(model, []).extend(data.good(subject))
        self._spelt = {m: words(m) for m in self._by_model if words(m)}
        self._common = dict(data.common)
        self._positions: dict[tuple[str, str], dict[str, list[int]]] = {}

    def is_parallel(self, member: tuple[Sample, Column]) -> bool:
        """Whether a record was taken while others were, as far as it says so."""
        own = dict(member[0].parameters).get("concurrency", self._common.get("concurrency"))
        return own not in (None, 1)

    def models_in(self, text: str) -> set[str]:
        """The models that a text names in full, the longest name where several overlap."""
        found = f"-{words(text)}-"
        hits = [m for m, spelt in self._spelt.items() if f"-{spelt}-" in found]
        return {
            m for m in hits if not any(m != o and self._spelt[m] in self._spelt[o] for o in hits)
        }

    def context_of(self, table: DocumentTable) -> set[str]:
        """The models that the nearest heading or line above a table names."""
        for text in (table.before, *table.headings):
            found = self.models_in(text)
            if found:
                return found
        return set()

    def row(self, cells: tuple[str, ...], columns: Columns, context: set[str]) -> Row | None:
        """What a row names; None when it names a model that is none of the folder's."""
        named: dict[str, Any] = {}
        for cell, reading in zip(cells, columns.readings, strict=True):
            text = plain(cell)
            if not text:
                continue
            if reading.role == "parameter":
                named[reading.key] = parameter_value(text)
            elif reading.role == "identity" and reading.key in BOUND:
                named[reading.key] = text
            elif QUANTIZATION.fullmatch(text):
                named["quantization"] = text
        said = named.pop("model", None)
        if said is None:
            return Row(named, context)
        models = self.models_in(said) or self._short_for(said, context)
        return Row(named, models) if models else None

    def _short_for(self, said: str, context: set[str]) -> set[str]:
        """The one model of which ``said`` is a part: "270m" for gemma3:270m, of those in view."""
        part = words(said)
        hits = {m for m, spelt in self._spelt.items() if part and f"-{part}-" in f"-{spelt}-"}
        hits = hits & context or hits
        return hits if len(hits) == 1 else set()

    def matching(self, row: Row) -> list[Sample]:
        """The records that have everything the row names; none when it names nothing."""
        if not row.named and not row.models:
            return []
        found: list[Sample] = []
        for model in [m for m in self._by_model if m in row.models] or self._by_model:
            pool = self._by_model[model]
            hits = [self._at(model, k, str(v).lower()) for k, v in row.named.items()]
            if not hits:
                found.extend(pool)
                continue
            hits.sort(key=len)
            others = [set(h) for h in hits[1:]]
            found.extend(pool[i] for i in hits[0] if all(i in o for o in others))
        return found

    def _at(self, model: str, key: str, value: str) -> list[int]:
        """The places, among the records of a model, of those that have that value."""
        place = (model, key)
        if place not in self._positions:
            at = self._positions[place] = {}
            for i, own in enumerate(self._values(model, key)):
                if own is not None:
                    at.setdefault(str(own).lower(), []).append(i)
        return self._positions[place].get(value, [])

    def _values(self, model: str, key: str) -> list[Any]:
        """For each record of a model its setting or identity of that key; None where neither."""
        match = QUANTIZATION.search(model) if key == "quantization" else None
        otherwise = self._common.get(key, match[1] if match else None)
        identities: dict[int, list[Any]] = {}
        found = []
        for sample in self._by_model[model]:
            batch = sample.batch
            if id(batch) not in identities:
                identities[id(batch)] = identity_values(batch, key)
            own = dict(sample.parameters).get(key, identities[id(batch)][sample.index])
            found.append(otherwise if own is None else own)
        return found
