"""Asking the model: every call within a budget, tried twice at most, recorded whole."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from chimera.agents.calls import Call, record
from chimera.engines.base import CompletionRequest, Engine, ErrorClass, Load, RequestFailed
from chimera.errors import ChimeraError, InputError

TIMEOUT_S = 120.0  # of a call, beside what its tokens may take
_TOKEN_S = 0.5  # slower than this, no model is of use
_LEAST_TOKENS = 8
_SHOWN_EVERY_S = 0.1
_MARGIN_TOKENS = 8
# Where nobody counts: fewer characters a token than any text of ours has, so that it fits.
_CHARACTERS_A_TOKEN = 2.5
_ATTEMPTS = 2
_REFUSED = (400, 422)
Say = Callable[[str], None]


class Budget(msgspec.Struct, frozen=True):
    """The most that a workflow may ask of the model; None means no limit.

    ``calls`` counts every attempt, ``tokens`` what is generated, ``seconds`` the time in calls.
    """

    calls: int | None = None
    tokens: int | None = None
    seconds: float | None = None

    @property
    def text(self) -> str:
        """As ``parse_budget`` reads it; "" without any limit."""
        parts = msgspec.structs.asdict(self).items()
        return ",".join(f"{k}={v:g}" for k, v in parts if v is not None)


def parse_budget(text: str) -> Budget:
    """Read "calls=8,tokens=2000,seconds=60", any part of it. Raises InputError.

    >>> parse_budget("calls=8,seconds=2.5")
    Budget(calls=8, tokens=None, seconds=2.5)
    """
    found: dict[str, int | float] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = (p.strip() for p in part.partition("="))
        known = name in Budget.__struct_fields__ and equals and name not in found
        try:
            number = float(value) if name == "seconds" else int(value)
        except ValueError:
            known, number = False, 0
        if not known or not 0 <= number < float("inf"):
            raise InputError(
                f"the budget {part!r} is not understood; write it as calls=8,tokens=2000,seconds=60"
            )
        found[name] = number
    if not found:
        raise InputError("the budget is empty; write it as calls=8,tokens=2000,seconds=60")
    return msgspec.convert(found, Budget)


class Caller:
    """One model at work. ``calls`` are all attempts in order; ``error`` says why no more are made.

    ``engine_s`` is the wall time in the engine's hands, counting included. ``load`` tells which
    context the server really has; ``over_budget`` says what of the budget was used up, "" nothing.
    """

    def __init__(
        self,
        engine: Engine,
        budget: Budget | None = None,
        say: Say = lambda _: None,
        load: Load | None = None,
    ) -> None:
        self.engine = engine
        self.budget = budget or Budget()
        self.say = say
        self.calls: list[Call] = []
        self.engine_s = 0.0
        self.error = ""
        self.over_budget = ""
        self._load = load

    @property
    def takes_grammar(self) -> bool:
        """Whether the engine passes a GBNF grammar on to its server."""
        return "grammar" not in getattr(self.engine, "cannot", {})

    @property
    def context(self) -> int | None:
        """The tokens that prompt and answer may have together; None where nobody says."""
        sizes = (getattr(self.engine.options, "num_ctx", None), self._load and self._load.num_ctx)
        return min((s for s in sizes if s), default=None)

    def stopped(self) -> bool:
        """Whether no call can be made any more; notes it where the budget is the reason."""
        self.over_budget = self.over_budget or self._used_up()
        return bool(self.error or self.over_budget)

    def count(self, text: str) -> int | None:
        """Prompt tokens of ``text`` by the server's own tokenizer; None where it has none.

        Raises:
            ChimeraError, OSError, ValueError: it could not be asked.
        """
        begun = time.perf_counter()
        try:
            return self.engine.count_tokens(text)
        finally:
            self.engine_s += time.perf_counter() - begun

    def fits(self, call: Call, output_tokens: int) -> bool:
        """Whether the call's prompt and so many tokens of answer fit the context.

        Fills ``counted_tokens``; where nobody counts, a length that is on the safe side decides.
        A tokenizer that fails ends in ``call.error`` and False.
        """
        try:
            call.counted_tokens = self.count(call.prompt)
        except (ChimeraError, OSError, ValueError) as error:
            call.error = f"the prompt could not be counted: {error}"
            return False
        guess = int(len(call.prompt) / _CHARACTERS_A_TOKEN)
        tokens = guess if call.counted_tokens is None else call.counted_tokens
        return self.context is None or tokens + output_tokens + _MARGIN_TOKENS <= self.context

    def ask(self, call: Call, max_tokens: int) -> Call:
        """Make the call that ``call`` describes; a failed one is tried once more.

        Returns the last attempt; its ``error`` is "" when it succeeded. Each attempt is kept in
        ``calls``. Where a server refuses the JSON schema, the second attempt goes without. Never
        raises because of the engine; after two failures ``error`` is set and nothing more is asked.
        """
        last = call
        for attempt in range(1, _ATTEMPTS + 1):
            if not self.error and self.stopped():
                last.error = last.error or f"not asked: {self.over_budget}"
                break
            last = msgspec.structs.replace(last, attempt=attempt, error="")
            self.calls.append(last)
            failed = self._attempt(last, max_tokens)
            if not last.error:
                return last
            if failed is None:
                continue
            if failed.http_status in _REFUSED and last.json_schema is not None:
                last = msgspec.structs.replace(last, json_schema=None)
            elif failed.error_class is ErrorClass.DOES_NOT_FIT:
                break
        if not self.over_budget:
            self.error = last.error
        return last

    def _attempt(self, call: Call, max_tokens: int) -> RequestFailed | None:
        """One request; fills the call. Returns how the request failed where the engine says."""
        request = CompletionRequest(
            prompt=call.prompt,
            grammar=call.grammar or None,
            json_schema=call.json_schema,
            max_tokens=max_tokens,
            timeout_s=TIMEOUT_S + _TOKEN_S * max_tokens,
        )
        request = self._within(request)
        begun = time.perf_counter()
        try:
            record(call, self.engine.complete(request, self._watch(call.purpose)))
        except RequestFailed as error:
            if error.partial is not None:
                record(call, error.partial)
            call.error = f"attempt {call.attempt}: {error}"
            return error
        except (ChimeraError, OSError, ValueError) as error:
            call.error = f"attempt {call.attempt}: {error}"
        finally:
            took = time.perf_counter() - begun
            self.engine_s += took
            call.waited_s = took
        return None

    def _within(self, request: CompletionRequest) -> CompletionRequest:
        """The request, cut down to what is left of the budget."""
        most, timeout = request.max_tokens, request.timeout_s
        if self.budget.tokens is not None and most is not None:
            most = max(1, min(most, self.budget.tokens - self._tokens()))
        if self.budget.seconds is not None:
            timeout = max(0.05, min(timeout, self.budget.seconds - self._seconds()))
        return msgspec.structs.replace(request, max_tokens=most, timeout_s=timeout)

    def _tokens(self) -> int:
        return sum(c.output_tokens or 0 for c in self.calls)

    def _seconds(self) -> float:
        return sum(c.waited_s or 0.0 for c in self.calls)

    def _used_up(self) -> str:
        budget = self.budget
        if budget.calls is not None and len(self.calls) >= budget.calls:
            return f"the budget of {budget.calls} calls is used up"
        if budget.tokens is not None and budget.tokens - self._tokens() < _LEAST_TOKENS:
            return f"the budget of {budget.tokens} tokens is used up"
        if budget.seconds is not None and self._seconds() >= budget.seconds:
            return f"the budget of {budget.seconds:g} s is used up"
        return ""

    def _watch(self, purpose: str) -> Callable[[str], None]:
        """Says how far an answer has come, some times a second."""
        state = [0, time.monotonic()]

        def on_token(_: str) -> None:
            state[0] += 1
            now = time.monotonic()
            if now - state[1] >= _SHOWN_EVERY_S:
                state[1] = now
                self.say(f"{purpose}: {state[0]} tokens")

        return on_token
