"""What every engine must do, as tests: inherit from ``EngineContract`` and give two fixtures.

    @pytest.fixture(scope="session")
    def engine() -> Iterator[Engine]:
        with MyEngine(options=CONTRACT_OPTIONS) as engine:
            yield engine

    @pytest.fixture
    def fresh_engine() -> Iterator[Engine]:
        yield MyEngine(options=CONTRACT_OPTIONS)

    class TestMyEngine(EngineContract): ...

The model may be any that continues text. No test looks at how long something took.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, ClassVar

import msgspec
import pytest

from chimera.engines.base import (
    Completion,
    CompletionRequest,
    Engine,
    ErrorClass,
    Measurable,
    Message,
    Options,
    RequestFailed,
)
from chimera.engines.wire.call import Exchange
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.errors import EngineError

CONTRACT_OPTIONS = Options(num_ctx=512, num_thread=2, temperature=0.0, seed=1)
PROMPT = "The days of the week are Monday, Tuesday,"


class EngineContract:
    """The contract of ``chimera.engines.base.Engine``, with ``CONTRACT_OPTIONS``.

    An engine that cannot do a thing says so here, and its test then looks for what the
    engine has to say about that in ``Engine.cannot``. Nothing is passed over in silence.

    counts_prompt      ``count_tokens`` knows the tokens of any text
    says_cached        answers say how much of the prompt was still in the server's cache
    has_grammar        ``grammar`` bounds the answer
    reuses_as_asked    ``cache_prompt`` False evaluates the whole prompt
    ignores_eos        ``ignore_eos`` goes on until ``max_tokens``
    refuses_early      what does not fit the context is refused before it is sent
    is_chat            a prompt goes out as a chat of one message
    takes_empty        "" is continued, and not refused as EMPTY
    sets_context       num_ctx is what the server uses; what does not fit is refused
    stops_at_strings   stop strings end an answer
    obeys_schema       ``json_schema`` bounds the answer
    takes_chats        ``messages`` are answered, and not refused
    refused            a request that the server refuses, and a word of its message, if any
    """

    counts_prompt = True
    says_cached = True
    has_grammar = True
    reuses_as_asked = True
    ignores_eos = True
    refuses_early = True
    is_chat = False
    takes_empty = True
    sets_context = True
    stops_at_strings = True
    obeys_schema = True
    takes_chats = True
    refused: ClassVar[tuple[CompletionRequest, str] | None] = (
        CompletionRequest(prompt=PROMPT, max_tokens=4, grammar="root ::= ["),
        "grammar",
    )

    @staticmethod
    def sampling(raw_request: dict[str, Any]) -> dict[str, Any]:
        """The part of a request that holds temperature and seed."""
        return raw_request

    def test_start_is_done_once(self, engine: Engine) -> None:
        load = engine.start()
        assert load == engine.start()
        assert load.ready_ns > load.start_ns
        if self.sets_context:
            assert load.num_ctx == CONTRACT_OPTIONS.num_ctx

    def test_says_what_it_is(self, engine: Engine) -> None:
        assert engine.name
        assert engine.options == CONTRACT_OPTIONS
        assert engine.options.as_set() == {
            "num_ctx": 512,
            "num_thread": 2,
            "temperature": 0.0,
            "seed": 1,
        }

    def test_model_is_known_or_the_reason_is_given(self, engine: Engine) -> None:
        model = engine.model()
        assert model.name
        missing = {k for k, v in msgspec.structs.asdict(model).items() if v is None}
        assert missing == set(model.not_learnt)
        assert "/" not in (model.file or "")

    def test_what_it_cannot_is_said(self, engine: Measurable) -> None:
        can = {
            "grammar": self.has_grammar,
            "cache_prompt": self.reuses_as_asked,
            "ignore_eos": self.ignores_eos,
        }
        for field, able in can.items():
            assert able or engine.cannot[field]
            assert not able or field not in engine.cannot

    def test_tokens_are_counted_as_the_server_will(self, engine: Engine) -> None:
        for text in (PROMPT, "<eos> <bos>", "Grüße, 世界 🎉", "a\n\n\tb"):
            counted = engine.count_tokens(text)
            assert (counted is not None) == self.counts_prompt
            if counted is not None:
                done = engine.complete(CompletionRequest(prompt=text, max_tokens=1))
                assert counted == done.prompt_tokens

    def test_an_empty_prompt_is_answered_or_called_empty(self, engine: Engine) -> None:
        empty = CompletionRequest(prompt="", max_tokens=1)
        counted = engine.count_tokens("")
        if self.takes_empty:
            assert counted in (None, engine.complete(empty).prompt_tokens)
        else:
            with pytest.raises(RequestFailed) as caught:
                engine.complete(empty)
            assert caught.value.error_class is ErrorClass.EMPTY

    def test_a_chat_is_answered(self, engine: Engine) -> None:
        if not self.takes_chats:
            with pytest.raises(EngineError, match="no chat"):
                engine.complete(CompletionRequest(messages=(Message("user", PROMPT),)))
            return
        turns = (Message("user", PROMPT), Message("assistant", "Friday"), Message("user", "And?"))
        done = engine.complete(CompletionRequest(messages=turns, max_tokens=4))
        assert done.output_tokens
        assert done.prompt_tokens

    def test_a_completion_is_whole(self, engine: Engine) -> None:
        pieces: list[str] = []
        done = engine.complete(
            CompletionRequest(prompt=PROMPT, max_tokens=8, ignore_eos=True), pieces.append
        )
        assert done.text == "".join(pieces) != ""
        assert done.output_tokens == 8
        assert done.tokens_basis == "server"
        assert done.finish_reason == "length"
        assert done.chunk_tokens is None or sum(done.chunk_tokens) == done.output_tokens
        assert done.raw_reply is not None
        if self.is_chat:
            assert done.raw_request["messages"] == [{"role": "user", "content": PROMPT}]
        else:
            assert done.raw_request["prompt"] == PROMPT

    def test_times_are_in_order(self, engine: Engine) -> None:
        done = engine.complete(CompletionRequest(prompt=PROMPT, max_tokens=8, ignore_eos=True))
        assert done.sent_ns is not None
        assert done.first_byte_ns is not None
        assert done.first_token_ns == done.token_ns[0]
        stamps = [done.start_ns, done.sent_ns, done.first_byte_ns, *done.token_ns, done.end_ns]
        assert stamps == sorted(stamps)
        # A stream that was stamped when it ended would have one time for all.
        assert len(set(done.token_ns)) > 1

    def test_temperature_zero_repeats_itself(self, engine: Engine) -> None:
        request = CompletionRequest(prompt=PROMPT, max_tokens=12, cache_prompt=False)
        assert engine.complete(request).text == engine.complete(request).text

    def test_a_request_overrides_the_options(self, engine: Engine) -> None:
        request = CompletionRequest(
            prompt=PROMPT, max_tokens=4, temperature=0.7, seed=7, ignore_eos=True
        )
        sent = self.sampling(engine.complete(request).raw_request)
        assert (sent["temperature"], sent["seed"]) == (0.7, 7)

    def test_a_grammar_bounds_the_answer(self, engine: Engine) -> None:
        if not self.has_grammar:
            pytest.skip("this engine has no grammar, and says so")
        request = CompletionRequest(
            prompt="Is water wet? ", max_tokens=8, grammar='root ::= "maybe" | "never"'
        )
        done = engine.complete(request)
        assert done.text in ("maybe", "never")
        assert done.finish_reason == "stop"

    def test_a_schema_bounds_the_answer(self, engine: Engine) -> None:
        if not self.obeys_schema:
            pytest.skip("its words have no meaning")
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {"a": {"enum": ["yes", "no"]}},
            "required": ["a"],
            "additionalProperties": False,
        }
        request = CompletionRequest(prompt="Is water wet? ", max_tokens=40, json_schema=schema)
        done = engine.complete(request)
        assert done.text.lstrip().startswith("{")
        if done.finish_reason == "stop":
            assert msgspec.json.decode(done.text)["a"] in ("yes", "no")

    def test_a_stop_string_ends_the_answer(self, engine: Engine) -> None:
        if not self.stops_at_strings:
            pytest.skip("does not look at its answers")
        whole = engine.complete(CompletionRequest(prompt=PROMPT, max_tokens=8)).text
        stop = whole.strip()[2:4]
        done = engine.complete(CompletionRequest(prompt=PROMPT, max_tokens=8, stop=(stop,)))
        assert done.text == whole[: whole.index(stop)]
        assert done.finish_reason == "stop"

    def test_the_prefix_is_reused_or_not_as_asked(self, engine: Engine) -> None:
        prompt = PROMPT * 4
        first = CompletionRequest(prompt=prompt, max_tokens=1)
        engine.complete(first)
        cached = engine.complete(first)
        assert (cached.cached_tokens is not None) == self.says_cached
        if cached.cached_tokens is not None and cached.evaluated_tokens is not None:
            assert cached.cached_tokens > 0
            assert cached.cached_tokens + cached.evaluated_tokens == cached.prompt_tokens
        if self.reuses_as_asked:
            fresh = engine.complete(
                CompletionRequest(prompt=prompt, max_tokens=1, cache_prompt=False)
            )
            assert (fresh.cached_tokens, fresh.evaluated_tokens) == (0, fresh.prompt_tokens)

    def test_what_does_not_fit_is_refused(self, engine: Engine) -> None:
        """Before it is sent, or by the server: a prompt is never cut in silence."""
        if not self.sets_context:
            pytest.skip("its context has no end")
        requests = [CompletionRequest(prompt=PROMPT * 80, max_tokens=1)]
        if self.refuses_early:
            requests.append(CompletionRequest(prompt=PROMPT, max_tokens=512))
        for request in requests:
            with pytest.raises(RequestFailed) as caught:
                engine.complete(request)
            assert caught.value.error_class is ErrorClass.DOES_NOT_FIT
            if self.refuses_early:
                assert "512" in caught.value.text
        self._still_works(engine)

    def test_a_full_context_is_said(self, engine: Engine) -> None:
        if not self.sets_context:
            pytest.skip("its context has no end")
        prompt = PROMPT * 43
        done = engine.complete(CompletionRequest(prompt=prompt, ignore_eos=True))
        assert done.finish_reason == "context"

    def test_a_timeout_keeps_what_came(self, engine: Engine) -> None:
        with pytest.raises(RequestFailed) as caught:
            engine.complete(
                CompletionRequest(prompt=PROMPT, max_tokens=440, timeout_s=0.4, ignore_eos=True)
            )
        assert caught.value.error_class is ErrorClass.TIMEOUT
        partial = caught.value.partial
        assert isinstance(partial, Completion)
        assert partial.finish_reason is None
        assert partial.output_tokens is None
        self._still_works(engine)

    def test_a_refused_request_has_the_servers_words(self, engine: Engine) -> None:
        if self.refused is None:
            pytest.skip("refuses nothing")
        request, word = self.refused
        with pytest.raises(RequestFailed, match=word) as caught:
            engine.complete(request)
        assert caught.value.error_class is ErrorClass.HTTP_STATUS
        self._still_works(engine)

    def test_prepared_requests_run_side_by_side(self, engine: Measurable) -> None:
        """What a load generator does: all are sent at once, on one loop."""
        request = CompletionRequest(prompt=PROMPT, max_tokens=3, ignore_eos=True)
        calls = [engine.prepare(request) for _ in range(3)]
        ended: list[Exchange] = []
        with closing(Loop()) as loop, closing(Wire(loop)) as wire:
            for call in calls:
                wire.send(call, ended.append)
            loop.run(lambda: len(ended) == len(calls))
        for exchange in ended:
            done = engine.finish(exchange)
            assert (done.output_tokens, done.finish_reason) == (3, "length")

    def test_what_it_says_about_the_server_can_be_kept(self, engine: Measurable) -> None:
        told = engine.about()
        assert msgspec.json.decode(msgspec.json.encode(told)) == told
        assert engine.address is not None

    def test_an_interrupt_in_the_stream_passes_through(self, engine: Engine) -> None:
        def interrupt(_: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            engine.complete(CompletionRequest(prompt=PROMPT, max_tokens=200), interrupt)
        self._still_works(engine)

    def test_use_before_start_and_after_close_is_an_error(self, fresh_engine: Engine) -> None:
        request = CompletionRequest(prompt=PROMPT, max_tokens=1)
        with pytest.raises(EngineError, match="start"):
            fresh_engine.complete(request)
        fresh_engine.start()
        fresh_engine.complete(request)
        fresh_engine.close()
        fresh_engine.close()
        for use in (lambda: fresh_engine.complete(request), fresh_engine.model):
            with pytest.raises(EngineError, match="closed"):
                use()

    @staticmethod
    def _still_works(engine: Engine) -> None:
        assert engine.complete(CompletionRequest(prompt=PROMPT, max_tokens=2)).output_tokens == 2
