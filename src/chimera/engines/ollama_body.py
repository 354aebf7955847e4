"""What a request says in Ollama's words."""

from __future__ import annotations

import re
from typing import Any

from chimera.engines.base import CompletionRequest, Options
from chimera.errors import EngineError, InputError

CANNOT = {
    "cache_prompt": "Ollama alone decides what it keeps of earlier prompts",
    "ignore_eos": "Ollama has no such option",
    "grammar": "Ollama takes a JSON schema, but no GBNF grammar",
}

# Of Options, what stands beside Ollama's "options" and not in them.
_BESIDE = frozenset({"keep_alive", "think"})
# Ollama's own fields beside its "options", for Options.other.
FIELDS = frozenset(
    {"raw", "system", "template", "suffix", "format", "logprobs", "top_logprobs", "tools"}
    | {"truncate", "shift", "think"}
)
# What Ollama takes in "options" beside the fields of Options; the second line only older versions.
MORE = frozenset({"typical_p", "main_gpu", "use_mmap"}) | frozenset(
    {"mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline", "tfs_z", "numa", "low_vram"}
    | {"use_mlock", "f16_kv", "vocab_only", "logits_all"}
)
_NO_LIMIT = "Ollama takes 0 tokens for no limit; ask for 1 at least, or for -1 to have no limit"


def check_options(options: Options) -> None:
    """Refuse what Ollama would take for something else.

    Raises:
        InputError: says what, and what to write.
    """
    if options.num_predict == 0 or options.other.get("num_predict") == 0:
        raise InputError(f"num_predict=0: {_NO_LIMIT}")


def fields_of(options: Options, model: str) -> dict[str, Any]:
    """The fields of any request: the model, its options, how long it stays."""
    inside = {k: v for k, v in options.as_set().items() if k not in _BESIDE | FIELDS}
    body: dict[str, Any] = {"model": model}
    if options.keep_alive is not None:
        body["keep_alive"] = _duration(options.keep_alive)
    if inside:
        body["options"] = inside
    return body


def load_body(options: Options, model: str) -> dict[str, Any]:
    """A question without a prompt loads the model; with keep_alive 0 it would unload it."""
    body = fields_of(options, model)
    if re.fullmatch(r"0+([a-zµ]+)?", str(body.get("keep_alive"))):
        del body["keep_alive"]
    return body | {"stream": False}


def request_body(request: CompletionRequest, options: Options, model: str) -> dict[str, Any]:
    """The body of /api/generate, or of /api/chat where the request has messages.

    Raises:
        EngineError: it asks for no token at all.
    """
    most = limit_of(request, options)
    if most == 0:
        raise EngineError(_NO_LIMIT)
    body = fields_of(options, model)
    asked = {
        "num_predict": most,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    inside = body.get("options", {}) | {k: v for k, v in asked.items() if v is not None}
    if inside:
        body["options"] = inside
    if request.messages:
        body["messages"] = [{"role": m.role, "content": m.content} for m in request.messages]
    else:
        body["prompt"] = request.prompt
    # Otherwise Ollama cuts a prompt that is too long, or its beginning while it answers, and
    # says nothing.
    body |= {"stream": True, "truncate": False, "shift": False}
    if options.think is not None:
        body["think"] = options.think
    body |= {k: v for k, v in options.other.items() if k in FIELDS}
    if request.json_schema is not None:
        body["format"] = request.json_schema
    return body


def limit_of(request: CompletionRequest, options: Options) -> int | None:
    """The most tokens that an answer may have; None where nobody said."""
    return options.num_predict if request.max_tokens is None else request.max_tokens


def _duration(text: str) -> str | int:
    """Ollama takes numbers as seconds, and text only with a unit."""
    return int(text) if re.fullmatch(r"-?\d+", text) else text
