"""Looking a target over before it is measured: what works, how, and what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from chimera.engines.base import Completion, CompletionRequest, Measurable, RequestFailed
from chimera.errors import EngineError

PROMPT = "Count from one to twenty: one, two, three,"
_TOKENS = 8


class Check(msgspec.Struct, frozen=True):
    """One thing looked at. "missing" leaves a gap in what can be known; "failed" ends it."""

    name: str
    result: Literal["ok", "missing", "failed"]
    text: str


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of a target, in their order, and how long they took."""

    target: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def measurable(self) -> bool:
        """Whether nothing failed."""
        return all(check.result != "failed" for check in self.checks)


def examine(target: str, open_engine: Callable[[], Measurable], timeout_s: float) -> Examination:
    """Look a target over with one start and two short requests. Never raises for what it finds.

    Raises:
        InputError: the target is none.
    """
    begun = time.monotonic()
    engine = open_engine()
    try:
        checks = tuple(_checks(engine, timeout_s))
    finally:
        engine.close()
    return Examination(target=target, checks=checks, seconds=time.monotonic() - begun)


def _checks(engine: Measurable, timeout_s: float) -> Iterator[Check]:
    try:
        load = engine.start()
    except EngineError as error:
        yield Check("reachable", "failed", str(error))
        return
    version = engine.version or "version unknown"
    yield Check("reachable", "ok", f"{engine.name} {version} at {engine.address}")
    try:
        model = engine.model()
    except EngineError as error:
        yield Check("model", "failed", str(error))
        return
    yield Check("model", "ok", _described(model.name, model.quantization, model.sha256))
    for field, why in model.not_learnt.items():
        yield Check(f"model {field}", "missing", why)
    if load.num_ctx is None:
        yield Check("context", "missing", "the server does not say how large its context is")
    else:
        yield Check("context", "ok", f"{load.num_ctx} tokens")
    request = CompletionRequest(
        prompt=PROMPT, max_tokens=_TOKENS, ignore_eos=True, cache_prompt=False, timeout_s=timeout_s
    )
    try:
        engine.complete(request)
        done = engine.complete(request)
    except EngineError as error:
        kind = f"{error.error_class.value}: " if isinstance(error, RequestFailed) else ""
        yield Check("answers", "failed", f"{kind}{error}")
        return
    yield Check("answers", "ok", f"{_TOKENS} tokens asked, {len(done.token_ns)} chunks came")
    yield from _measuring(done)
    yield from _counting(engine, done)
    for name, why in engine.cannot.items():
        yield Check(name, "missing", why)


def _described(name: str, quantization: str | None, digest: str | None) -> str:
    parts = [name, quantization or "", f"digest {digest[:12]}" if digest else ""]
    return ", ".join(part for part in parts if part)


def _measuring(done: Completion) -> Iterator[Check]:
    if len(set(done.token_ns)) > 1:
        yield Check("streams", "ok", f"{len(set(done.token_ns))} separate arrivals")
    else:
        yield Check("streams", "missing", "all came at once: TTFT and ITL cannot be told apart")
    who = "the kernel, on receipt" if done.stamped_by == "kernel" else "the client, on reading"
    yield Check("arrivals stamped by", "ok", who)
    said = {
        "load": done.server_load_ns,
        "queue": done.server_queue_ns,
        "prefill": done.server_prefill_ns,
        "decode": done.server_decode_ns,
        "total": done.server_total_ns,
    }
    known = [name for name, value in said.items() if value is not None]
    missing = [name for name, value in said.items() if value is None]
    if known:
        yield Check("server's own times", "ok", ", ".join(known))
    if missing:
        yield Check("server's own times", "missing", "not told: " + ", ".join(missing))


def _counted(engine: Measurable) -> int | None:
    try:
        return engine.count_tokens(PROMPT)
    except EngineError:  # a server that counted at its start and does not now
        return None


def _counting(engine: Measurable, done: Completion) -> Iterator[Check]:
    if done.tokens_basis == "server":
        yield Check("output tokens", "ok", f"counted by the server: {done.output_tokens}")
    else:
        text = "the server counts none: chunks are counted in their place"
        yield Check("output tokens", "missing", text)
    if done.prompt_tokens is None:
        yield Check("prompt tokens", "missing", "the server does not count them")
    else:
        yield Check("prompt tokens", "ok", f"counted by the server: {done.prompt_tokens}")
    if done.chunk_tokens is None and done.output_tokens not in (None, len(done.token_ns)):
        text = f"{done.output_tokens} tokens came in {len(done.token_ns)} chunks"
        yield Check("token times", "missing", f"{text}: times are those of chunks")
    else:
        yield Check("token times", "ok", "one chunk is one token")
    if _counted(engine) is None:
        text = "no tokenizer to ask: whether a prompt fits shows only afterwards"
        yield Check("counts before sending", "missing", text)
    else:
        yield Check("counts before sending", "ok", "the server's own tokenizer")
    if done.cached_tokens is None:
        text = "not told: a warm cache shows only in the times"
        yield Check("cached tokens", "missing", text)
    else:
        yield Check("cached tokens", "ok", f"told: {done.cached_tokens} of the second request")
