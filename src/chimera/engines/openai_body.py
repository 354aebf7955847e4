"""What a request says in the words of each kind of server behind OpenAI's interface."""

from __future__ import annotations

from typing import Any

from chimera.engines.base import CompletionRequest, Options

LLAMA_SERVER = "llama.cpp"
VLLM = "vLLM"
SGLANG = "SGLang"
OLLAMA = "Ollama"

_STANDARD = ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")
# Not OpenAI's, but known to nearly every server that people run themselves.
_COMMON = ("top_k", "min_p")
_AT_START = "it is set where the server is started, not with a request"
_CHAT_ONLY = "plain completions have no template, so nothing to switch thinking with"


class Dialect:
    """How one server is spoken to.

    ``kind`` is which server it is, None where that is not known. ``refused`` gathers the
    fields of a body that it said it does not know; they are left out from then on.
    """

    def __init__(self, model: str, *, chat: bool, kind: str | None = None) -> None:
        self.model = model
        self.chat = chat
        self.kind = kind
        self.refused: dict[str, str] = {}
        self.limit_field = "max_tokens"

    @property
    def path(self) -> str:
        return "/chat/completions" if self.chat else "/completions"

    def body(self, request: CompletionRequest, options: Options) -> dict[str, Any]:
        """The JSON body of a request: what is set and can be passed on, and nothing else."""
        body: dict[str, Any] = {"model": self.model}
        if self.chat:
            body["messages"] = chat_of(request)
        else:
            body["prompt"] = request.prompt
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        body |= options.other
        optional = self._sampling(options) | self._asked(request, options)
        body.update({name: value for name, value in optional.items() if value is not None})
        return {name: value for name, value in body.items() if name not in self.refused}

    def _sampling(self, options: Options) -> dict[str, Any]:
        found = {name: getattr(options, name) for name in (*_STANDARD, *_COMMON)}
        if self.kind == LLAMA_SERVER:
            found["repeat_penalty"] = options.repeat_penalty
            found["repeat_last_n"] = options.repeat_last_n
        else:
            found["repetition_penalty"] = options.repeat_penalty
        if self.chat and options.think is not None:
            if self.kind == OLLAMA:
                found["reasoning_effort"] = "medium" if options.think else "none"
            else:
                found["chat_template_kwargs"] = {"enable_thinking": options.think}
        return found

    def _asked(self, request: CompletionRequest, options: Options) -> dict[str, Any]:
        most = request.max_tokens if request.max_tokens is not None else options.num_predict
        found: dict[str, Any] = {
            self.limit_field: most,
            "stop": list(request.stop) or None,
            "ignore_eos": True if request.ignore_eos and self.kind != OLLAMA else None,
        }
        # Only what is set, so that an option stays where the request has nothing to say.
        if request.temperature is not None:
            found["temperature"] = request.temperature
        if request.seed is not None:
            found["seed"] = request.seed
        if self.kind == LLAMA_SERVER:
            found["grammar"] = request.grammar
            found["cache_prompt"] = None if request.cache_prompt else False
        if request.json_schema is not None:
            found |= self._schema(request.json_schema)
        return found

    def _schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self.kind == LLAMA_SERVER and not self.chat:
            return {"json_schema": schema}  # it passes over response_format in completions
        wanted = {"name": "answer", "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": wanted}}

    def cannot(self) -> dict[str, str]:
        """See ``Engine.cannot``."""
        found = dict.fromkeys(("num_ctx", "num_thread", "num_gpu", "num_batch"), _AT_START)
        found["num_keep"] = "OpenAI's interface has no such field"
        found["keep_alive"] = "OpenAI's interface has no such field"
        if self.kind != LLAMA_SERVER:
            found["grammar"] = "only llama.cpp's server takes a GBNF grammar here"
            found["cache_prompt"] = "the server alone decides what it keeps of earlier prompts"
            found["repeat_last_n"] = "only llama.cpp's server has such a field here"
        if self.kind == OLLAMA:
            why = "Ollama passes over this field here; its native interface has it"
            found |= dict.fromkeys(("top_k", "min_p", "repeat_penalty"), why)
            found["ignore_eos"] = "Ollama has no such option"
        if not self.chat:
            found["think"] = _CHAT_ONLY
            found["messages"] = "plain completions take a prompt, no chat"
        return found | {_OPTION_OF.get(name, name): why for name, why in self.refused.items()}

    def refuse(self, said: str, body: dict[str, Any]) -> bool:
        """Learn from a refusal of ``body`` which fields to leave out; False if nothing is left.

        A server that does not know a field mostly names it. One that does not gets a request
        with OpenAI's own fields alone.
        """
        if "max_completion_tokens" in said and self.limit_field == "max_tokens":
            self.limit_field = "max_completion_tokens"
            return True
        extra = [n for n in body if n not in _NEEDED and n != self.limit_field]
        named = [n for n in extra if n in said]
        leave = named or [n for n in extra if n not in _STANDARD and n != "stop"]
        for name in leave:
            self.refused[name] = f"the server refused it: {said}"
        return bool(leave)


_NEEDED = frozenset({"model", "messages", "prompt", "stream"})
_OPTION_OF = {
    "repetition_penalty": "repeat_penalty",
    "chat_template_kwargs": "think",
    "reasoning_effort": "think",
}


def chat_of(request: CompletionRequest) -> list[dict[str, str]]:
    """A request's chat; a prompt is a chat of one message by the user."""
    if not request.messages:
        return [{"role": "user", "content": request.prompt}]
    return [{"role": message.role, "content": message.content} for message in request.messages]
