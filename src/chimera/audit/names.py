"""The names of the data (models, files, configurations ...) as they stand in a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from chimera.audit.own_metrics import OwnMetrics
from chimera.facts.dataset import Dataset, identity_values
from chimera.ingest import Ingest
from chimera.record.vocabulary import METRICS

_SPLIT = re.compile(r"[:/\s@-]+")
_TELLING = re.compile(r"\d")
_GENERIC = frozenset(
    [
        "instruct",
        "it",
        "chat",
        "base",
        "latest",
        "model",
        "models",
        "gguf",
        "ggml",
        "hf",
        "the",
        "a",
        "small",
        "large",
        "medium",
        "mini",
        "test",
        "default",
        "none",
        "true",
        "false",
        "all",
        "mean",
        "main",
        "run",
    ]
)
_IDENTITIES = ("quantization", "engine", "backend", "host", "gpu", "workload", "config", "test")
_PLAIN = frozenset({"quantization", "engine", "backend", "gpu"})  # may be one common word
_DISTINCT = re.compile(r"[\d_\-:/]|\w \w")
_WORD = re.compile(r"(?<![\w.])\w")
FAMILY = (
    r"(?:tiny|code|small?)?(?:llama|gemma|qwen|mistral|mixtral|phi|deepseek|gpt-?oss|falcon|yi|"
    r"granite|command-?r|smollm|starcoder|vicuna|olmo|glm|minicpm|nemotron|ministral|codestral)"
)
# A model as people write one: a family with a version, a size or a tag.
MODEL = re.compile(
    rf"(?<![\w/.-]){FAMILY}(?:[- ]?\d+(?:\.\d+)?)?(?:(?:[:/_-]| (?=\d+(?:\.\d+)?[bBmM]\b))"
    r"[A-Za-z0-9][\w.]*)*(?![\w]|\.cpp|-(?:bench|server|cli)\b)",
    re.IGNORECASE,
)
TAGGED = re.compile(r"(?<![\w/])[A-Za-z][\w.-]*:\d+(?:\.\d+)?[bBmM][\w.-]*")
_SHORT = 4  # of such names, none tells enough
_MAX_NAME = 80


class Named(msgspec.Struct, frozen=True):
    """A name of the data in a text. ``models`` are those that it stands for, several for a
    family; otherwise ``key`` and ``value`` are an identity, or a file's name.
    """

    start: int
    end: int
    key: str
    value: str
    models: frozenset[str] = frozenset()


def _spelt(words: Iterable[str]) -> str:
    """A pattern of a name's words, however they are joined."""
    return r"[-:/_ @.]{1,3}".join(re.escape(w).replace("_", "[-_ ]?") for w in words)


class Names:
    """Finds names of the data in text; the longest wins."""

    def __init__(self, ingest: Ingest, data: Dataset) -> None:
        self.models = _models(data)
        self.own = OwnMetrics(
            [*{id(s.batch): s.batch for s in data.samples}.values(), *data.summaries],
            frozenset(METRICS),
        )
        self.files = {f.name: f for f in ingest.files}
        self.values = _identities(data)
        self._meaning: dict[str, tuple[str, str, frozenset[str]]] = {}
        spelt: list[tuple[str, str]] = []
        for own, models in _model_words(self.models).items():
            spelt.append((_spelt(own), self._mean("model", "-".join(own), models)))
        for alias, model in _aliases(data).items():
            parts = [w for w in re.split(r"[\s_-]+", alias.lower()) if w]
            spelt.append((_spelt(parts), self._mean("model", alias, frozenset((model,)))))
        for model in self.models:
            if ":" not in model and "/" not in model:  # Ollama's tag where none is named
                words = re.escape(model)
                spelt.append((rf"{words}:latest", self._mean("model", model, frozenset((model,)))))
        taken: set[str] = set()
        for name in sorted(self.files, key=lambda n: (n.count("/"), n)):
            base = name.rpartition("/")[2]
            stem = base.rpartition(".")[0]
            meaning = self._mean("file", name, frozenset())
            spelt.extend(
                (re.escape(shown), meaning)
                for shown in dict.fromkeys((name, base, stem))
                if shown not in taken  # of two alike, the one nearer to the top is meant
                and len(shown) > _SHORT
                and (shown != stem or _DISTINCT.search(shown))
            )
            taken.update((name, base, stem))
        for key, values in self.values.items():
            for value in values:
                plain = key in _PLAIN or _DISTINCT.search(value)
                meaning = self._mean(key, value, frozenset())
                if plain and 2 < len(value) <= _MAX_NAME and value.lower() not in _GENERIC:
                    spelt.append((re.escape(value), meaning))
                spelt.extend((re.escape(part), meaning) for part in _telling_parts(value, values))
                if key == "prompt_id" and not plain and 2 < len(value) <= _MAX_NAME:
                    spelt.extend(_with_noun(value, meaning))
        self._by_letter = _by_letter(spelt)

    def _mean(self, key: str, value: str, models: frozenset[str]) -> str:
        token = f"{key}\0{value}"
        self._meaning[token] = (key, value, models)
        return token

    def find(self, text: str) -> list[Named]:
        """The names in a text, in order, none overlapping another."""
        found: list[Named] = []
        reached = 0
        for start in _WORD.finditer(text):
            entry = self._by_letter.get(start[0].lower())
            if entry is None or start.start() < reached:
                continue
            match = entry[0].match(text, start.start())
            if match is not None:
                key, value, models = self._meaning[entry[1][(match.lastindex or 1) - 1]]
                found.append(Named(match.start(), match.end(), key, value, models))
                reached = match.end()
        return found


def _telling_parts(value: str, values: Sequence[str]) -> list[str]:
    """Words of an identity that hold letters and digits and no other's: "H100" of "H100-SXM"."""
    words = re.split(r"[\s_/()-]+", value)
    if len(words) < 2:
        return []
    others = {w.lower() for v in values if v != value for w in re.split(r"[\s_/()-]+", v)}
    return [
        w
        for w in words
        if re.search(r"[A-Za-z]", w) and re.search(r"\d", w) and len(w) >= _SHORT
        if w.lower() not in others
    ]


def _with_noun(value: str, meaning: str) -> list[tuple[str, str]]:
    """A prompt that is called by a common word: "the long prompt", "prompt long"."""
    name = re.escape(value).replace("_", "[-_ ]")
    nouns = r"(?:prompts?|questions?|queries|inputs?|ones?|cases?|requests?)"
    return [(rf"{name}[- ]{nouns}", meaning), (rf"(?:prompt|case)[ :=]+[`\"']?{name}", meaning)]


def _by_letter(spelt: list[tuple[str, str]]) -> dict[str, tuple[re.Pattern[str], list[str]]]:
    """The patterns of names by their first letter, the longest first, with what each stands for."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for pattern, meaning in sorted(spelt, key=lambda pair: -len(pair[0])):
        groups.setdefault(pattern.lstrip("\\")[0].lower(), []).append((pattern, meaning))
    return {
        letter: (
            re.compile(
                rf"(?:{'|'.join(f'({p})' for p, _ in own)})(?![\w]|-\w|\.\d|:\w)", re.IGNORECASE
            ),
            [meaning for _, meaning in own],
        )
        for letter, own in groups.items()
    }


def _models(data: Dataset) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for subject in data.by_subject:
        model = dict(subject).get("model")
        if model:
            found[model] = None
    for batch in data.summaries:
        for value in identity_values(batch, "model"):
            if value is not None:
                found[str(value)] = None
    return tuple(found)


def _aliases(data: Dataset) -> dict[str, str]:
    """Other names of models: texts of a column like llama-bench's ``model_type``, each of which
    stands beside one model alone.
    """
    beside: dict[str, set[str]] = {}
    batches = {id(s.batch): s.batch for s in data.samples}
    for batch in (*batches.values(), *data.summaries):
        models = identity_values(batch, "model")
        for column in batch.columns:
            name = column.name.lower()
            if "model" not in name or column.key == "model" or column.role == "metric":
                continue
            for value, model in zip(column.raw, models, strict=True):
                if isinstance(value, str) and model and len(value) > _SHORT:
                    beside.setdefault(value, set()).add(str(model))
    return {alias: next(iter(m)) for alias, m in beside.items() if len(m) == 1}


def model_words(model: str) -> list[str]:
    """The words of a model's name: its last part, without a file's ending."""
    name = model.rpartition("/")[2] if "/" in model else model
    name = re.sub(r"\.(?:gguf|bin|safetensors)$", "", name, flags=re.IGNORECASE)
    return [w for w in _SPLIT.split(name.lower()) if w]


def _model_words(models: tuple[str, ...]) -> dict[tuple[str, ...], frozenset[str]]:
    """What stands for which models: whole names, beginnings (families), and telling parts."""
    words = {m: model_words(m) for m in models}
    meant: dict[tuple[str, ...], set[str]] = {}
    whole = {tuple(own): m for m, own in words.items()}
    for model, own in words.items():
        for take in range(len(own), 0, -1):
            meant.setdefault(tuple(own[:take]), set()).add(model)
        if "/" in model:
            meant.setdefault(tuple(_SPLIT.split(model.lower())), set()).add(model)
        plain = [w for w in own if w not in _GENERIC]
        if plain:
            meant.setdefault(tuple(plain), set()).add(model)
        lead = re.match(r"[a-z]{4,}", own[0]) if own else None
        if lead and lead[0] != own[0] and lead[0] not in _GENERIC:
            meant.setdefault((lead[0],), set()).add(model)
        for word in own[1:]:
            alone = sum(word in other for other in words.values()) == 1
            if word.isalpha() and len(word) >= _SHORT and word not in _GENERIC and alone:
                meant.setdefault((word,), set()).add(model)
        for skip in range(1, len(own) - 1):
            if _TELLING.search(own[skip]):
                meant.setdefault(tuple(own[skip:]), set()).add(model)
        for word in own[1:]:
            if _TELLING.search(word) and len(word) > 1:
                meant.setdefault((word,), set()).add(model)
    for own_words, model in whole.items():  # a whole name is that model, not a family
        meant[own_words] = {model}
    found = {w: frozenset(m) for w, m in meant.items() if "".join(w) not in _GENERIC and w != ("",)}
    return {w: m for w, m in found.items() if len("".join(w)) > 1}


def _identities(data: Dataset) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    batches = {id(s.batch): s.batch for s in data.samples}
    for batch in (*batches.values(), *data.summaries):
        for key in (*_IDENTITIES, "prompt_id"):
            for value in dict.fromkeys(map(str, filter(None, identity_values(batch, key)))):
                found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items() if len(values) <= 400}
