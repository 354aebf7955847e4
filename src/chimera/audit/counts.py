"""What can be counted in a folder: files, records, models, configurations, prompts ..."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from chimera.audit.claim import Place
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.plain import as_number
from chimera.facts.dataset import Sample
from chimera.record.vocabulary import metric_label

_TYPES = {"json": ("JSON",), "csv": ("CSV", "TSV"), "markdown": ("Markdown",), "jsonl": ("JSONL",)}

_FAILED = re.compile(r"fail|error", re.IGNORECASE)
_COUNTED = re.compile(r"request|sample|count|complet|total|num_|n_|runs|error|fail", re.IGNORECASE)
_DONE = re.compile(r"complet|success|succeed|passed", re.IGNORECASE)


class Count(msgspec.Struct, frozen=True):
    """A count, what of, and where to look. ``main`` marks what is meant first."""

    value: int
    what: str
    main: bool = True
    places: tuple[Place, ...] = ()


class Counter:
    """Counts of what a claim names."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._files = evidence.ingest.files

    def of(self, noun: str, about: Selector, like: str = "") -> list[Count]:
        """All counts that a noun may mean for that; ``like`` is a part of the files' names."""
        if "+" in noun:
            parts = [self.of(one, about, like)[:1] for one in noun.split("+")]
            if all(parts):
                total = sum(p[0].value for p in parts)
                return [Count(total, " and ".join(p[0].what for p in parts))]
            return []
        if noun == "types":
            kinds = sorted({f.type for f in self._files})
            return [Count(len(kinds), f"types of files ({', '.join(kinds)})")]
        if noun.startswith("files"):
            return self._of_files(noun, like, about)
        records = self._evidence.select(about)
        where = about.label + (f" at {about.filter}" if about.filter else "")
        if noun == "cold":
            cold = [s for s in records if s.phase == "cold"]
            return [Count(len(cold), f"cold starts of {where}")]
        if noun == "copies":
            batches = self._evidence.ingest.batches
            copied = sum(
                d is not None for b in batches if b.kind == "sample" for d in b.duplicate_of
            )
            return [Count(copied, "rows that repeat others")]
        if noun in ("records", "failed", "succeeded"):
            return self._of_records(noun, records, where, about)
        return self._of_kinds(noun, records, where, about)

    def _of_files(self, noun: str, like: str, about: Selector) -> list[Count]:
        kinds = _TYPES.get(noun.partition(":")[2])
        files = [f for f in self._files if kinds is None or f.type in kinds]
        what = f"{' or '.join(kinds)} files" if kinds else "files"
        if like:
            spelt = re.sub(r"[^a-z0-9]+", "", like.lower())
            files = [f for f in files if spelt in re.sub(r"[^a-z0-9]+", "", f.name.lower())]
            return [Count(len(files), f"{what} with {like!r} in their path")]
        found = [Count(len(files), what)]
        if kinds == ("JSON",):
            more = sum(f.type == "JSONL" for f in self._files)
            if more:
                found.append(Count(len(files) + more, f"{what} and JSON Lines", False))
        if kinds is None:
            data = sum(f.outcome in ("samples", "summaries") for f in files)
            found.append(Count(data, "files with benchmark data", False))
        return found

    def _of_records(
        self, noun: str, records: list[Sample], where: str, about: Selector
    ) -> list[Count]:
        good = [s for s in records if not s.failure]
        counts = {
            "records": Count(len(records), f"records of {where}"),
            "succeeded": Count(len(good), f"records of {where} that succeeded"),
            "failed": Count(len(records) - len(good), f"records of {where} that failed"),
        }
        if noun != "records" and not records:
            return self._told(noun, about)
        if noun != "records":
            return [counts[noun], *self._told(noun, about)]
        rows = {
            (id(s.batch), s.row)
            for s in self._evidence.summed
            if self._evidence.summed_fits(s, about)
        }
        if rows and not records:
            told = self._requests(about)
            own = Count(len(rows), f"rows of summaries of {where}", not told)
            return [*told, own, *self._deeper(about)]
        found = [counts["records"], counts["succeeded"]]
        warm = [s for s in good if s.phase == ""]
        found.append(Count(len(warm), f"warm records of {where}", False))
        if not about.models:
            named = [s for s in records if s.subject[0][0] == "model"]
            found.append(Count(len(named), f"records of {where} that name a model"))
            fine = sum(not s.failure for s in named)
            found.append(Count(fine, f"records of {where} that name a model and succeeded"))
        if rows:
            found.append(Count(len(rows), f"rows of summaries of {where}"))
        found.extend(self._requests(about))
        for name in about.files:
            file = next((f for f in self._files if f.name == name), None)
            if file is not None:
                whole = file.n_records + file.n_summaries
                found.append(Count(whole, f"rows of {name}"))
        return found

    def _deeper(self, about: Selector) -> list[Count]:
        """Counts that stand beside the records of JSON files."""
        return [
            Count(int(s.value), f"{s.column.name} in {s.batch.file}", False, (s.place,))
            for s in self._evidence.leaves
            if _COUNTED.search(s.column.name) and s.value.is_integer()
            if self._evidence.summed_fits(s, msgspec.structs.replace(about, loose=True))
        ]

    def _told(self, noun: str, about: Selector) -> list[Count]:
        """How many failed or succeeded by the counts that summaries give, row by row and in all."""
        found: list[Count] = []
        total, rows = 0, 0
        by_file: dict[str, int] = {}
        seen: set[tuple[int, int]] = set()
        for summed in self._evidence.summed:
            place = (id(summed.batch), summed.row)
            if place in seen or not self._evidence.summed_fits(summed, about):
                continue
            seen.add(place)
            for column in summed.batch.columns:
                value = as_number(column.raw[summed.row])
                name = column.name.lower()
                if value is None or not value.is_integer() or "/" in name:
                    continue
                if not (_FAILED if noun == "failed" else _DONE).search(name):
                    continue
                at = Place(summed.batch.file, str(summed.batch.rows[summed.row]), column.name)
                found.append(
                    Count(int(value), f"{column.name} in {summed.batch.file}", True, (at,))
                )
                total, rows = total + int(value), rows + 1
                by_file[summed.batch.file] = by_file.get(summed.batch.file, 0) + int(value)
                break
        for file, part in by_file.items():
            found.append(Count(part, f"{noun} by the summaries of {file}", False))
        found.extend(self._deeper(about))
        if rows > 1:
            found.insert(0, Count(total, f"{noun} by all summaries together"))
        return found

    def of_values(self, keys: Sequence[str], about: Selector) -> list[Count]:
        """How many records have a value of a metric, cold starts with and without."""
        found = []
        for key in keys:
            members = self._evidence.members(about, key)
            warm = [m for m in members if m[0].phase != "cold"]
            for group, what in ((members, ""), (warm, ", warm")):
                if group:
                    found.append(Count(len(group), f"values of {metric_label(key)}{what}"))
        return found

    def _requests(self, about: Selector) -> list[Count]:
        """What summaries say of their own number of requests."""
        found: dict[int, Count] = {}
        totals = 0
        seen: set[tuple[int, int]] = set()
        for summed in self._evidence.summed:
            place = (id(summed.batch), summed.row)
            if place in seen or not self._evidence.summed_fits(summed, about):
                continue
            seen.add(place)
            for column in summed.batch.columns:
                number = as_number(column.raw[summed.row]) if column.key == "count" else None
                if number is not None and number.is_integer():
                    value = int(number)
                    what = f"{column.name} in {summed.batch.file}"
                    at = str(summed.batch.rows[summed.row])
                    found.setdefault(
                        value,
                        Count(value, what, True, (Place(summed.batch.file, at, column.name),)),
                    )
                    totals += value
                    break
        if len(found) > 1 or (found and len(seen) > 1):
            found.setdefault(totals, Count(totals, "requests of all summaries together"))
        return list(found.values())

    def _of_kinds(
        self, noun: str, records: list[Sample], where: str, about: Selector
    ) -> list[Count]:
        if noun == "models":
            return self._of_models(about)
        if noun == "configurations":
            return self._of_configurations(records, where)
        keys = {
            "prompts": ("prompt_id",),
            "quantizations": ("quantization",),
            "concurrency": ("concurrency",),
            "engines": ("engine", "backend"),
        }.get(noun)
        if noun == "repeats":
            return self._of_repeats(records, where)
        if keys is None:
            return []
        found = []
        for key in keys:
            levels = {self._evidence.levels(s).get(key) for s in records} - {None}
            for summed in self._evidence.summed:
                if self._evidence.summed_fits(summed, about):
                    level = self._evidence.row_levels(summed.batch, summed.row).get(key)
                    levels |= {level} - {None}
            if levels:
                found.append(Count(len(levels), f"distinct {key} of {where}"))
        return found

    def _of_models(self, about: Selector) -> list[Count]:
        names = {dict(s.subject).get("model") for s in self._evidence.select(about)}
        good = {dict(s.subject).get("model") for s in self._evidence.select(about) if not s.failure}
        for summed in self._evidence.summed:
            if self._evidence.summed_fits(summed, about):
                name = self._evidence.identity(summed.batch, summed.row, "model")
                names.add(name)
                good.add(name)
        names -= {None}
        good -= {None}
        found = [Count(len(names), "models with records or summaries")]
        if len(good) != len(names):
            found.append(Count(len(good), "models with a record that succeeded", False))
        language = {dict(s.subject).get("model") for s in self._evidence.select(about)} - {None}
        if language and len(language) != len(names):
            found.append(Count(len(language), "models with records of single requests"))
        return found

    def _of_configurations(self, records: list[Sample], where: str) -> list[Count]:
        by_model: dict[str, set[object]] = {}
        named: dict[str, set[str]] = {}
        for sample in records:
            model = dict(sample.subject).get("model", "")
            if sample.parameters:
                by_model.setdefault(model, set()).add(sample.parameters)
            config = self._evidence.identity(sample.batch, sample.index, "config")
            if config:
                named.setdefault(model, set()).add(config)
        found: list[Count] = []
        for groups in (named, by_model):
            if not groups:
                continue
            everything = set().union(*groups.values())
            found.append(Count(len(everything), f"distinct configurations of {where}"))
            for model, own in groups.items():
                found.append(Count(len(own), f"distinct configurations of {model or where}"))
            total = sum(map(len, groups.values()))
            found.append(Count(total, f"configurations of {where}, those of each model counted"))
        return found

    def _of_repeats(self, records: list[Sample], where: str) -> list[Count]:
        by_condition: dict[object, int] = {}
        for sample in records:
            key = (sample.subject, sample.condition)
            by_condition[key] = by_condition.get(key, 0) + 1
        sizes = sorted(set(by_condition.values()), reverse=True)
        return [Count(n, f"records of one configuration and prompt of {where}") for n in sizes]
