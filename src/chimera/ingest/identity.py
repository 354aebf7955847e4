"""Which model a table is about, when its rows do not say.

In this order: the table's own columns, the enclosing JSON, a copy of the same rows that names
it, the file's name (first against the models that the folder names elsewhere). The content
wins over the path, and where they contradict each other that is noted.
"""

from __future__ import annotations

import re

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
        "total_throughput",
        "prefill_throughput",
        "output_tokens",
        "prefill_time",
        "decode_time",
        "e2e_latency",
    }
)
_PATH_SETTING = re.compile(r"(?:^|[^a-z])(temp|t|ctx|c|gpu|g|batch|bs|threads?)[-_=]?(\d+(?:[p.]\d+)?)")
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


def _words(text: str) -> str:
    return _SEPARATORS.sub("-", text.lower()).strip("-.")


def models_of(batch: Batch) -> list[str]:
    """The models that the rows or the enclosing objects of a batch name."""
    column = batch.column("model", role="identity")
    if column is not None:
        return list(dict.fromkeys(str(v) for v in column.values if v))
    constant = batch.constants.get("model")
    return [str(constant)] if constant else []


def is_about_llm(batch: Batch) -> bool:
    """Whether a batch holds a metric that only language models have."""
    return any(c.role == "metric" and c.key in _LLM_METRICS for c in batch.columns)


def _known(batches: list[Batch]) -> dict[str, str]:
    """Spellings of the known models as they appear in paths -> the model's name."""
    known: dict[str, str] = {}
    for batch in batches:
        for model in models_of(batch):
            spelling = _words(model)
            known.setdefault(spelling, model)
            base, _, tag = model.partition(":")
            if tag == "latest":  # Ollama's default tag: "gemma3" is "gemma3:latest"
                known[_words(base)] = model
    return known


def _contains(path: str, spelling: str) -> bool:
    return f"-{spelling}-" in f"-{path}-"


def _from_path(file: str, known: dict[str, str]) -> str | None:
    folders, _, name = file.rpartition("/")
    stem = _words(name.rpartition(".")[0])
    hits = [s for s in known if _contains(stem, s)]
    if hits:
        return known[max(hits, key=len)]
    for folder in reversed(folders.split("/")):
        if _words(folder) in known and ":" in known[_words(folder)]:
            return known[_words(folder)]
    return _by_family(stem)


def _by_family(stem: str) -> str | None:
    """A model's name made of a known family and the details that follow it."""
    parts = stem.split("-")
    for i, part in enumerate(parts):
        if _FAMILY.match(part):
            end = i + 1
            while end < len(parts) and _DETAIL.match(parts[end]):
                end += 1
            return "-".join(parts[i:end])
    return None


def resolve_models(batches: list[Batch], notes: list[Note]) -> None:
    """Give every batch about a language model its model, or leave it unnamed and say so."""
    known = _known(batches)
    named: dict[str, str] = {}
    for batch in batches:
        if not models_of(batch) and batch.kind == "sample":
            _from_copy(batch, batches)
    for batch in batches:
        models = models_of(batch)
        if models:
            if "model" not in batch.constants_from:
                _compare_path(batch, models, known, notes)
            continue
        if not is_about_llm(batch):
            continue
        model = _from_path(batch.file, known)
        if model:
            batch.constants["model"] = model
            batch.constants_from["model"] = "path"
            if batch.file not in named:
                named[batch.file] = model
                notes.append(Note("model-from-path", batch.file, detail=model))
        elif batch.kind == "sample":
            notes.append(Note("model-unknown", batch.file, tuple(batch.rows)))


def _from_copy(batch: Batch, batches: list[Batch]) -> None:
    """The model of the batch that this one repeats, when all its copies agree on one."""
    files = {d.partition("#")[0].rpartition(":")[0] or d for d in batch.duplicate_of if d}
    files |= {d.partition("#")[0] for d in batch.duplicate_of if d and "#" in d}
    models = {m for b in batches if b.file in files and b is not batch for m in models_of(b)}
    if len(models) == 1:
        batch.constants["model"] = models.pop()
        batch.constants_from["model"] = "copy"


def _family_of(text: str) -> str | None:
    for part in _words(text).split("-"):
        if _FAMILY.match(part):
            return re.sub(r"[\d.]+$", "", part)
    return None


def _compare_path(
    batch: Batch, models: list[str], known: dict[str, str], notes: list[Note]
) -> None:
    """Note a path that names another model, or another setting, than the content."""
    stem = batch.file.rpartition("/")[2].rpartition(".")[0]
    path_family = _family_of(stem)
    families = {_family_of(m) for m in models}
    if path_family and None not in families and path_family not in families:
        notes.append(Note("path-contradicts", batch.file, detail=stem, other=models[0]))
        return
    hits = [s for s in known if _contains(_words(stem), s) and ":" in known[s]]
    if hits and known[max(hits, key=len)] not in models and len(models) == 1:
        best = known[max(hits, key=len)]
        if _words(best) != _words(models[0]) and not _words(models[0]).startswith(_words(best)):
            notes.append(Note("path-contradicts", batch.file, detail=stem, other=models[0]))
            return
    for word, number in _PATH_SETTING.findall(batch.file.lower()):
        key = _SETTINGS[word]
        column = batch.column(key, role="parameter")
        values = set(column.values) if column else {batch.constants.get(key)}
        values.discard(None)
        if values and "p" in number and float(number.replace("p", ".")) not in values:
            detail = f"{word}{number}"
            other = f"{key} {sorted(map(str, values))[0]}"
            notes.append(Note("path-contradicts", batch.file, detail=detail, other=other))
