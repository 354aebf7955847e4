"""Names that a report presents as being in the data: models, files, settings' levels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chimera.audit.claim import Bound, Claim, Kind, Label, Place
from chimera.audit.evidence import Evidence
from chimera.audit.names import FAMILY, MODEL, Names, model_words
from chimera.audit.number import UNIT
from chimera.audit.phrases import Mention
from chimera.audit.plain import plain_level
from chimera.audit.sentence import Sentence
from chimera.record.vocabulary import METRIC_SPELLINGS, PARAMETER_SPELLINGS

_FILE = re.compile(
    r"(?<![\w/])(?:[\w.-]+/)*[\w.-]*\w\.(?:csv|tsv|jsonl?|ndjson|md|markdown|txt|ya?ml|log|parquet|"
    r"xlsx?|html?|ipynb|db|sqlite|png|svg|pdf|nsys-rep|ncu-rep|qdrep|pb|trace|zip|tar|gz)(?![\w])",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w./-])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?![\w/-]|\.\w|\()")
_MADE = re.compile(
    r"\b(?:should|could|would|will|must|writ(?:e|es|ten) to|sav(?:e|es|ed) (?:to|as|in)|creat\w+|"
    r"edit|rename|e\.g\.|for example|such as|install|requirements|config)\b",
    re.IGNORECASE,
)
_PRESENTED = re.compile(
    r"\b(?:fields?|columns?|keys?|metrics?|parameters?|config(?:uration)?s?|settings?|record|entry|"
    r"entries|tests?|runs?|files?|folder|directory|experiments?|rows?)\b",
    re.IGNORECASE,
)
_CONTAINERS = frozenset({"json", "csv", "md", "data"})
_MOST_LEVELS = 60
_PLAINFAMILY = re.compile(rf"{FAMILY}s?$", re.IGNORECASE)
_DETAIL = re.compile(r"\d")
_TEMPLATE = re.compile(r"[<>{}*]|_XX|YYYY|timestamp", re.IGNORECASE)


class Entities:
    """Looks for names that are nowhere in the data."""

    def __init__(self, evidence: Evidence, names: Names) -> None:
        self._evidence = evidence
        self._names = names
        self._levels = evidence.settings
        paths = [*names.files, *evidence.ingest.skipped]
        self._paths = "\n".join(paths).lower()
        self._words = {w for m in names.models for w in model_words(m)}
        documents = "\n".join(d.text for d in evidence.ingest.documents).lower()
        self._documents = documents

    def claims(self, sentence: Sentence, section: str, advice: bool) -> Iterator[Claim]:
        """A claim for each model, file and level of a setting that a sentence names."""
        text = sentence.text
        for named in sentence.named:
            if named.models or named.key == "file":
                what = "a model of the data" if named.models else "a file of the folder"
                yield self._claim(sentence, named.start, named.end, "supported", what, section)
        taken = [(n.start, n.end) for n in sentence.named]
        for match in _FILE.finditer(text):
            if not _overlaps(match, taken):
                taken.append(match.span())
                yield from self._file(sentence, match, section, advice)
        for match in MODEL.finditer(text):
            if " " in match[0] and UNIT.match(text, match.end()):
                continue  # "Gemma 4.7 s"
            if not _overlaps(match, taken):
                yield from self._model(sentence, match, section, advice)
        for match in _CODE.finditer(text):
            if not _overlaps(match, taken):
                yield from self._field(sentence, match, section, advice)
        for mention in sentence.settings:
            if mention.value is not None and mention.key in self._levels:
                yield from self._level(sentence, mention, section, advice)

    def _file(
        self, sentence: Sentence, match: re.Match[str], section: str, advice: bool
    ) -> Iterator[Claim]:
        name = match[0].lower()
        if name.rpartition("/")[2] in self._paths:
            yield self._claim(sentence, *match.span(), "supported", "a file of the folder", section)
        elif _MADE.search(sentence.text) or _TEMPLATE.search(name) or len(name.split(".")[0]) < 3:
            return
        else:
            reason = "the folder has no such file"
            yield self._claim(sentence, *match.span(), "fabricated", reason, section)

    def _field(
        self, sentence: Sentence, match: re.Match[str], section: str, advice: bool
    ) -> Iterator[Claim]:
        """A name as programs write them, which has to stand somewhere in the files."""
        name = match[0].lower()
        known = self._evidence.contents
        if (
            name in PARAMETER_SPELLINGS
            or name in METRIC_SPELLINGS
            or not known
            or advice
            or _TEMPLATE.search(name)
        ):
            return
        head, _, rest = name.partition("_")
        if head in _CONTAINERS and rest in known:
            return
        if name in known or name in self._paths:
            yield self._claim(
                sentence, *match.span(), "supported", "it stands in the files", section
            )
        elif _PRESENTED.search(sentence.text[max(0, match.start() - 40) : match.start()]) or (
            _PRESENTED.match(sentence.text[match.end() : match.end() + 24].strip("` *"))
        ):
            reason = "no file has a field or a name like that"
            yield self._claim(sentence, *match.span(), "fabricated", reason, section)

    def _model(
        self, sentence: Sentence, match: re.Match[str], section: str, advice: bool
    ) -> Iterator[Claim]:
        name = match[0].rstrip(".-_:").lower()
        end = match.start() + len(name)
        if _PLAINFAMILY.match(name):
            if (
                any(name.rstrip("s") in m.lower() for m in self._names.models)
                or name in self._paths
            ):
                return
            if advice:
                return
            reason = "no model of the data is of that family"
            yield self._claim(sentence, match.start(), end, "fabricated", reason, section)
            return
        if name in self._paths or name in self._documents or not self._names.models:
            return
        flat = re.sub(r"[^a-z0-9]+", "", name)
        if any(flat in re.sub(r"[^a-z0-9]+", "", m.lower()) for m in self._names.models):
            return
        words = model_words(name.replace("_", "-"))
        if words and all(w in self._words or w in self._paths for w in words):
            return
        if advice or not _DETAIL.search(name):
            return
        known = ", ".join(sorted(self._names.models)[:6])
        reason = f"no model of the data has that name (there are {known})"
        yield self._claim(sentence, match.start(), end, "fabricated", reason, section)

    def _level(
        self, sentence: Sentence, mention: Mention, section: str, advice: bool
    ) -> Iterator[Claim]:
        levels = self._levels[mention.key]
        value = mention.value or ""
        if plain_level(value) in levels or advice or len(levels) > _MOST_LEVELS:
            return
        shown = ", ".join(sorted(levels)[:8])
        reason = f"no record has {mention.key}={value} (there are {shown})"
        yield self._claim(sentence, mention.start, mention.end, "fabricated", reason, section)

    def _claim(
        self, sentence: Sentence, start: int, end: int, label: Label, reason: str, section: str
    ) -> Claim:
        kind: Kind = "name"
        text = sentence.text[start:end]
        places: Sequence[Place] = ()
        return Claim(
            start=sentence.start + start, end=sentence.start + end, text=text, kind=kind,
            label=label, reason=reason, section=section, places=tuple(places),
            bound=Bound(text, "name"),
        )  # fmt: skip


def _overlaps(match: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
    return any(s < match.end() and match.start() < e for s, e in spans)
