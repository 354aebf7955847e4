"""Which model a table is about, when its rows do not say.

In this order: the table's own columns, the enclosing JSON, a copy of the same rows that names
it, the file's name (first against the models that the folder names elsewhere). The content
wins over the path, and where they contradict each other that is noted.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chimera.ingest.tables import Note
from chimera.record.batch import Batch

_SEPARATORS = re.compile(r"[^a-z0-9.]+")
_FAMILY = re.compile(
    r"(?:tiny|code|small?)?(?:llama|gemma|qwen|mistral|mixtral|phi|deepseek|gpt-?oss|falcon|yi|"
    r"granite|command-?r|smollm|starcoder|vicuna|olmo|glm|minicpm|nemotron|ministral|codestral)"
    r"\d*(?:\.\d+)?$"
)
_DETAIL = re.compile(
    r"(?:\d+(?:\.\d+)?[bm]|a\d+b|instruct|it|chat|qat|base|latest|mini|medium|large|small|coder|"
    r"i?q\d|k|[msl]|[01]|xs|xxs|fp16|bf16|fp8|int8|int4|awq|gptq|v\d+(?:\.\d+)?|r1|\d(?:\.\d+)?)$"
)
_LLM_METRICS = frozenset(
    {
        "ttft",
        "tpot",
        "itl",
        "token_rate",
        "decode_throughput",
        "wall_throughput",
        "output_throughput",
        "input_throughput",
        "total_throughput",
        "prefill_throughput",
        "output_tokens",
        "prefill_time",
        "decode_time",
        "e2e_latency",
    }
)
_DECIMAL_IN_PATH = re.compile(r"\dp\d")
_PATH_SETTING = re.compile(
    r"(?:^|[^a-z])(temp|t|ctx|c|gpu|g|batch|bs|threads?)[-_=]?(\d+(?:[p.]\d+)?)"
)
_SETTINGS = {
    "temp": "temperature",
    "t": "temperature",
    "ctx": "num_ctx",
    "c": "num_ctx",
    "gpu": "num_gpu",
    "g": "num_gpu",
    "batch": "batch_size",
    "bs": "batch_size",
    "thread": "num_thread",
    "threads": "num_thread",
}


@lru_cache(maxsize=2048)
def _words(text: str) -> str:
    return _SEPARATORS.sub("-", text.lower()).strip("-.")


@lru_cache(maxsize=2048)
def _is_family(word: str) -> bool:
    return _FAMILY.match(word) is not None


def models_of(batch: Batch) -> list[str]:
    """The models that the rows or the enclosing objects of a batch name."""
    column = batch.column("model", role="identity")
    if column is not None:
        return list(dict.fromkeys(str(v) for v in dict.fromkeys(column.values) if v))
    constant = batch.constants.get("model")
    return [str(constant)] if constant else []


def is_about_llm(batch: Batch) -> bool:
    """Whether a batch holds a metric that only language models have."""
    return any(c.role == "metric" and c.key in _LLM_METRICS for c in batch.columns)


def _known(models: list[list[str]]) -> dict[str, str]:
    """Spellings of the known models as they appear in paths -> the model's name."""
    known: dict[str, str] = {}
    for model in dict.fromkeys(m for named in models for m in named):
        known.setdefault(_words(model), model)
        base, _, tag = model.partition(":")
        if tag == "latest":  # Ollama's default tag: "gemma3" is "gemma3:latest"
            known[_words(base)] = model
    known.pop("", None)
    return known


def _hit(stem: str, known: dict[str, str]) -> str | None:
    """The longest known spelling that a path holds as whole words."""
    path = f"-{stem}-"
    hits = [s for s in known if s in path and f"-{s}-" in path]
    return max(hits, key=len) if hits else None


def _from_path(file: str, known: dict[str, str]) -> str | None:
    folders, _, name = file.rpartition("/")
    stem = _words(name.rpartition(".")[0])
    hit = _hit(stem, known)
    if hit:
        return known[hit]
    for folder in reversed(folders.split("/")):
        if ":" in known.get(_words(folder), ""):
            return known[_words(folder)]
    return _by_family(stem)


def _by_family(stem: str) -> str | None:
    """A model's name made of a known family and the details that follow it."""
    parts = stem.split("-")
    for i, part in enumerate(parts):
        if _is_family(part):
            end = i + 1
            while end < len(parts) and _DETAIL.match(parts[end]):
                end += 1
            return "-".join(parts[i:end])
    return None


def resolve_models(batches: list[Batch], notes: list[Note]) -> None:
    """Give every batch about a language model its model, or leave it unnamed and say so."""
    models = [models_of(b) for b in batches]
    known = _known(models)
    by_file: dict[str, set[str]] = {}
    for batch, named in zip(batches, models, strict=True):
        by_file.setdefault(batch.file, set()).update(named)
    for i, batch in enumerate(batches):
        if not models[i] and batch.kind == "sample" and any(batch.duplicate_of):
            models[i] = _from_copy(batch, by_file)
    told: dict[str, str] = {}
    for batch, named in zip(batches, models, strict=True):
        if named:
            if "model" not in batch.constants_from:
                _compare_path(batch, named, known, notes)
            continue
        if not is_about_llm(batch):
            continue
        model = _from_path(batch.file, known)
        if model:
            batch.constants["model"] = model
            batch.constants_from["model"] = "path"
            if told.setdefault(batch.file, model) is model:
                notes.append(Note("model-from-path", batch.file, detail=model))
        elif batch.kind == "sample":
            notes.append(Note("model-unknown", batch.file, tuple(batch.rows)))


def _from_copy(batch: Batch, by_file: dict[str, set[str]]) -> list[str]:
    """The model of the batches that this one repeats, when they agree on one; none otherwise."""
    found: set[str] = set()
    for place in batch.duplicate_of:
        if place:
            file = place.partition("#")[0]
            found |= by_file.get(file) or by_file.get(file.rpartition(":")[0], set())
    if len(found) != 1:
        return []
    model = found.pop()
    batch.constants["model"] = model
    batch.constants_from["model"] = "copy"
    return [model]


def _family_of(text: str) -> str | None:
    for part in _words(text).split("-"):
        if _is_family(part):
            return part.rstrip("0123456789.")
    return None


def _compare_path(
    batch: Batch, models: list[str], known: dict[str, str], notes: list[Note]
) -> None:
    """Note a path that names another model, or another setting, than the content."""
    stem = batch.file.rpartition("/")[2].rpartition(".")[0]
    path_family = _family_of(stem)
    if path_family:
        families = {_family_of(m) for m in models}
        if None not in families and path_family not in families:
            notes.append(Note("path-contradicts", batch.file, detail=stem, other=models[0]))
            return
    if len(models) == 1:
        tagged = {s: m for s, m in known.items() if ":" in m}
        best = tagged.get(_hit(_words(stem), tagged) or "")
        if best and best != models[0] and not _words(models[0]).startswith(_words(best)):
            notes.append(Note("path-contradicts", batch.file, detail=stem, other=models[0]))
            return
    if _DECIMAL_IN_PATH.search(batch.file):
        _compare_settings(batch, notes)


def _compare_settings(batch: Batch, notes: list[Note]) -> None:
    """``temp0p8`` in a path against the temperatures of the rows."""
    for word, number in _PATH_SETTING.findall(batch.file.lower()):
        key = _SETTINGS[word]
        column = batch.column(key, role="parameter")
        values = set(column.values) if column else {batch.constants.get(key)}
        values.discard(None)
        if values and "p" in number and float(number.replace("p", ".")) not in values:
            detail = f"{word}{number}"
            other = f"{key} {min(map(str, values))}"
            notes.append(Note("path-contradicts", batch.file, detail=detail, other=other))
