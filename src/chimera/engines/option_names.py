"""Which options each kind of server documents, so that a mistyped one is not compared in silence.

llama.cpp and Ollama pass over a field that they do not know, so an unknown name is refused
there. What a server with OpenAI's interface takes is open: an unknown name is sent, and said.
``extra.NAME`` sends NAME wherever it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from chimera.engines.ollama_body import FIELDS as OLLAMA_FIELDS
from chimera.engines.ollama_body import MORE as OLLAMA_MORE
from chimera.errors import InputError
from chimera.record.run import Options

EXTRA = "extra."
COMMON = tuple(f.name for f in msgspec.structs.fields(Options) if f.name != "other")

# Of /completion in the README of llama.cpp's server, what is one value and not ours to set.
_LLAMACPP = frozenset(
    {"dynatemp_range", "dynatemp_exponent", "typical_p", "top_n_sigma", "mirostat", "mirostat_tau"}
    | {"mirostat_eta", "dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n"}
    | {"xtc_probability", "xtc_threshold", "min_keep", "n_probs", "n_indent", "n_keep", "id_slot"}
    | {"n_discard", "n_cache_reuse", "t_max_predict_ms", "return_tokens", "timings_per_token"}
    | {"return_progress", "post_sampling_probs", "adaptive_target", "adaptive_decay"}
)
# Of the references of OpenAI, vLLM and SGLang, the same.
_OPENAI = _LLAMACPP | frozenset(
    {"n", "best_of", "logprobs", "top_logprobs", "user", "echo", "suffix", "service_tier", "store"}
    | {"reasoning_effort", "verbosity", "parallel_tool_calls", "prompt_cache_key"}
    | {"use_beam_search", "repetition_penalty", "length_penalty", "min_tokens", "priority"}
    | {"include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens"}
    | {"truncate_prompt_tokens", "prompt_logprobs", "add_special_tokens", "add_generation_prompt"}
    | {"continue_final_message", "min_new_tokens", "no_stop_trim", "regex", "ebnf"}
)
_KNOWN = {
    "llamacpp": _LLAMACPP | frozenset(COMMON),
    "ollama": OLLAMA_FIELDS | OLLAMA_MORE | frozenset(COMMON),
    "openai": _OPENAI | frozenset(COMMON),
}
_OPEN = frozenset({"openai"})
# Every request sets these itself, so that a value given here would be lost.
_LENGTH = "how long answers are is for --max-tokens"
_OURS = {
    **dict.fromkeys(("num_predict", "n_predict"), _LENGTH),
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), _LENGTH),
    **dict.fromkeys(("prompt", "messages"), "what is asked is for --workload"),
    "model": "the model is part of the target",
    "cache_prompt": "it is for --cache-prompt",
    "ignore_eos": "it is for --stop-at-eos",
    **dict.fromkeys(("stream", "stream_options"), "every answer is streamed: that is measured"),
}


def check_names(target: str, names: Iterable[str]) -> tuple[str, ...]:
    """Refuse names of options that the server of ``target`` does not document.

    Returns what is to be said of those that are sent all the same. Names may begin with
    "extra.". A target of no known kind is for ``open_target`` to refuse.

    Raises:
        InputError: an unknown name, one that a request sets itself, or one that stands twice;
            says the nearest known name, and how to send it nevertheless.
    """
    kind = kind_of(target)
    seen: set[str] = set()
    said = []
    for given in names:
        name = given.removeprefix(EXTRA)
        if not name or name in seen:
            why = "set twice" if name else "no name of an option"
            raise InputError(f"the option {given!r} is {why}")
        seen.add(name)
        if name in _OURS:
            raise InputError(f"{name!r} cannot be set as an option: {_OURS[name]}")
        if given.startswith(EXTRA) or is_known(kind, name):
            continue
        near = nearest(kind, name)
        if kind not in _OPEN:
            raise InputError(
                f"{kind} documents no option {name!r}; {near}; if the server has it all the same, "
                f"write {EXTRA}{name}"
            )
        said.append(
            f"no server with OpenAI's interface documents an option {name!r}, and one that does "
            f"not know it may pass over it; {near}"
        )
    return tuple(said)


def undocumented(engine: str, options: Options) -> tuple[str, ...]:
    """The names among ``options`` that such an engine does not document."""
    return tuple(name for name in options.other if not is_known(engine, name))


def is_known(kind: str, name: str) -> bool:
    """Whether servers of that kind document the option; True for a kind that is not known."""
    return kind not in _KNOWN or name in _KNOWN[kind]


def nearest(kind: str, name: str) -> str:
    """Which option was perhaps meant, for the end of a sentence."""
    near = get_close_matches(name.lower(), sorted(_KNOWN[kind] - _OURS.keys()), n=1)
    return f"the nearest is {near[0]}" if near else f"common ones are {', '.join(COMMON[:6])}"


def kind_of(target: str) -> str:
    """The engine that a target names: "llamacpp", "ollama", "openai", or a word of no meaning."""
    kind = target.strip().partition(":")[0].partition("@")[0]
    return kind.removesuffix("-completions")
