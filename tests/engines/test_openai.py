"""OpenAI's interface: what is asked at the start, what is sent, what is learnt of the server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chimera.engines.base import CompletionRequest, ErrorClass, Message, Options, RequestFailed
from chimera.engines.names import quantization_in
from chimera.engines.openai import OpenAI
from chimera.engines.openai_body import LLAMA_SERVER, OLLAMA, VLLM, Dialect
from chimera.engines.targets import open_target
from chimera.engines.wire.address import Address
from chimera.errors import EngineError, InputError
from tests.engines.fault_server import RouteServer, reply
from tests.engines.test_openai_faults import CHAT, PLAIN, PLAIN_WHOLE, WHOLE, Script, models

ALL = Options(
    num_ctx=1, num_thread=1, num_gpu=1, temperature=0.5, top_p=0.9, top_k=7, repeat_penalty=1.1,
    seed=3, num_predict=9, min_p=0.1, repeat_last_n=8, presence_penalty=0.2, frequency_penalty=0.3,
    num_batch=2, num_keep=3, keep_alive="5m", think=False, other={"mirostat": 1},
)  # fmt: skip


def ok(body: Any) -> Script:
    return [reply("200 OK", json.dumps(body).encode())]


def refused(text: str, status: str = "400 Bad Request") -> Script:
    return [reply(status, json.dumps({"error": {"message": text}}).encode())]


class RefusingServer(RouteServer):
    """Refuses requests that hold a field it does not know, as OpenAI does."""

    def __init__(self, *unknown: str, named: bool = True, status: int = 400) -> None:
        super().__init__({"GET /v1/models": models(), CHAT: WHOLE})
        self._unknown, self._named, self._status = unknown, named, status

    def script(self, request: bytes) -> Any:
        script = super().script(request)
        place, body = self.requests[-1]
        found = [name for name in self._unknown if place == CHAT and name in json.loads(body)]
        if not found:
            return script
        said = f"Unrecognized request argument: {found[0]}" if self._named else "no"
        return refused(said, f"{self._status} Bad")


def at(server: RouteServer) -> Address:
    return Address("http", "127.0.0.1", server.port, "/v1")


def test_only_what_is_set_is_sent() -> None:
    body = Dialect("m", chat=True).body(CompletionRequest(prompt="p"), Options())
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "p"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_chat_goes_out_as_it_is() -> None:
    request = CompletionRequest(messages=(Message("system", "s"), Message("user", "u")))
    body = Dialect("m", chat=True).body(request, Options())
    assert body["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
    ]


@pytest.mark.parametrize("kind", [None, VLLM, LLAMA_SERVER, OLLAMA])
@pytest.mark.parametrize("chat", [True, False])
def test_every_option_is_sent_or_said_to_be_impossible(kind: str | None, chat: bool) -> None:
    dialect = Dialect("m", chat=chat, kind=kind)
    body = dialect.body(CompletionRequest(prompt="p"), ALL)
    names = {
        "num_predict": "max_tokens",
        "repeat_penalty": "repeat_penalty" if kind == LLAMA_SERVER else "repetition_penalty",
        "think": "reasoning_effort" if kind == OLLAMA else "chat_template_kwargs",
    }
    for option in ALL.as_set():
        assert names.get(option, option) in body or dialect.cannot()[option]
    assert body["mirostat"] == 1
    assert (body["seed"], body["max_tokens"], body["temperature"]) == (3, 9, 0.5)


def test_the_request_goes_before_the_options() -> None:
    request = CompletionRequest(
        prompt="p", max_tokens=4, temperature=0.0, seed=1, stop=("x",), ignore_eos=True,
        cache_prompt=False, grammar="g", json_schema={"type": "object"},
    )  # fmt: skip
    body = Dialect("m", chat=False, kind=LLAMA_SERVER).body(request, ALL)
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (4, 0.0, 1)
    assert (body["stop"], body["ignore_eos"], body["cache_prompt"]) == (["x"], True, False)
    assert (body["grammar"], body["json_schema"]) == ("g", {"type": "object"})
    body = Dialect("m", chat=True).body(request, Options())
    assert "grammar" not in body
    assert "cache_prompt" not in body
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("status", [400, 422])
def test_refused_fields_are_found_out_and_left_out(named: bool, status: int) -> None:
    unknown = ("stream_options", "ignore_eos", "top_k")
    with (
        RefusingServer(*unknown, named=named, status=status) as server,
        OpenAI(at(server), options=Options(top_k=4, temperature=0.1)) as engine,
    ):
        done = engine.complete(CompletionRequest(prompt="p", ignore_eos=True))
        assert set(unknown) <= set(engine.cannot)
        assert not set(unknown) & set(done.raw_request)
        assert done.raw_request["temperature"] == 0.1
        assert "refused" in engine.cannot["ignore_eos"]


def test_the_newer_name_of_the_limit_is_taken_where_it_is_asked_for() -> None:
    class Newer(RefusingServer):
        def script(self, request: bytes) -> Any:
            script = super().script(request)
            if script[0] == WHOLE[0] or self.requests[-1][0] != CHAT:
                return script
            return refused("Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead.")

    with Newer("max_tokens") as server, OpenAI(at(server)) as engine:
        sent = engine.complete(CompletionRequest(prompt="p", max_tokens=4)).raw_request
    assert sent["max_completion_tokens"] == 4
    assert "max_tokens" not in sent


def test_a_refusal_that_no_field_explains_is_said() -> None:
    with RouteServer({"GET /v1/models": models(), CHAT: refused("no luck")}) as server:
        with pytest.raises(EngineError, match="no luck"):
            OpenAI(at(server)).start()
        assert len(server.requests) < 12


def test_the_only_model_is_taken_and_several_are_named() -> None:
    with RouteServer({"GET /v1/models": models({"id": "org/one"}), CHAT: WHOLE}) as server:
        target = f"openai@http://127.0.0.1:{server.port}"
        with open_target(target) as engine:
            assert engine.model().name == "org/one"
            assert engine.address == f"http://127.0.0.1:{server.port}/v1"
        server.routes["GET /v1/models"] = models({"id": "one"}, {"id": "two:b"})
        with pytest.raises(EngineError, match=r"lists these models: one, two:b; .*openai:MODEL@"):
            open_target(target).start()
        with pytest.raises(EngineError, match=r"'three'; it lists: one, two:b"):
            open_target(f"openai:three@127.0.0.1:{server.port}/v1").start()
        with open_target(f"openai:two:b@127.0.0.1:{server.port}") as engine:
            assert engine.model().name == "two:b"
        server.routes["GET /v1/models"] = ok({"data": []})
        with pytest.raises(EngineError, match="lists no model"):
            open_target(target).start()


def test_a_server_without_a_list_is_asked_by_name() -> None:
    with RouteServer({CHAT: WHOLE, PLAIN: PLAIN_WHOLE}) as server:
        address = f"http://127.0.0.1:{server.port}"
        with open_target(f"openai-completions:m@{address}") as engine:
            done = engine.complete(CompletionRequest(prompt="p", max_tokens=4))
            assert done.raw_request["prompt"] == "p"
            assert "messages" in engine.cannot
            with pytest.raises(EngineError, match="no chat"):
                engine.complete(CompletionRequest(messages=(Message("user", "u"),)))
        with pytest.raises(EngineError, match="404"):
            open_target(f"openai@{address}").start()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("openai", "no address"),
        ("openai:m", "no address"),
        ("openai-completions:m", "openai-completions:MODEL@http"),
        ("openai:m@http://user:geheim@host/v1", "must not hold a user"),
        ("openai:m@ftp://host/v1", "no address of a server"),
        ("openai:m@http://host:port", "no address of a server"),
        ("OpenAI:m@http://h", "unknown target"),
        ("openai:@http://h", "names no model; the server lists its models under URL/models"),
        ("openai:", "names no model"),
        ("openai-completions: @h", "openai-completions@URL takes the only one"),
        ("ollama:", "names no model; `ollama list` shows the models"),
        ("ollama:@h:1", "names no model"),
        ("llamacpp:", "names no model; give the path"),
        ("openai-chat:m@http://user:geheim@h", "unknown target"),
    ],
)
def test_a_wrong_target_is_the_users_input(target: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        open_target(target)
    assert "geheim" not in str(caught.value)


def test_what_llama_cpp_tells_is_learnt() -> None:
    meta = {"n_ctx": 512, "n_params": 268098176, "size": 246587904, "ftype": "Q4_K - Medium"}
    entry = {"id": "gemma.gguf", "owned_by": "llamacpp", "meta": meta, "aliases": ["g"]}
    props = {"build_info": "b1", "total_slots": 2, "model_path": "/secret/folder/x.gguf"}
    props["default_generation_settings"] = {"n_ctx": 256}
    routes = {"GET /v1/models": models(entry), "GET /props": ok(props), CHAT: WHOLE}
    with RouteServer(routes) as server, OpenAI(at(server), "g") as engine:
        assert engine.start().num_ctx == 256
        model = engine.model()
        assert (model.quantization, model.parameters) == ("Q4_K_M", 268098176)
        assert (model.size_bytes, set(model.not_learnt)) == (246587904, {"file", "sha256"})
        assert engine.version == "llama.cpp b1"
        about = engine.about()
        assert (about["kind"], about["total_slots"], about["api"]) == ("llama.cpp", 2, "chat")
        assert "folder" not in repr(about)
        assert engine.metrics_url == f"http://127.0.0.1:{server.port}/metrics"


def test_what_vllm_tells_is_learnt_and_its_tokens_are_counted() -> None:
    entry = {"id": "org/m-AWQ", "owned_by": "vllm", "max_model_len": 64}
    routes = {"GET /v1/models": models(entry), CHAT: WHOLE}
    routes |= {"GET /version": ok({"version": "0.9"}), "POST /tokenize": ok({"count": 3})}
    with RouteServer(routes) as server, OpenAI(at(server)) as engine:
        assert (engine.start().num_ctx, engine.version) == (64, "vLLM 0.9")
        assert engine.model().quantization == "AWQ"
        assert engine.count_tokens("p") == 3
        server.routes["POST /tokenize"] = ok({"count": 4})
        with pytest.raises(RequestFailed, match="4 tokens but the server used 3") as caught:
            engine.complete(CompletionRequest(prompt="another"))
        assert caught.value.error_class is ErrorClass.PROMPT_CHANGED
        server.routes["POST /tokenize"] = ok({"count": 62})
        with pytest.raises(RequestFailed, match="do not fit the context of 64") as caught:
            engine.complete(CompletionRequest(prompt="long", max_tokens=4))
        assert caught.value.error_class is ErrorClass.DOES_NOT_FIT


def test_a_count_that_was_wrong_for_the_trial_is_not_used() -> None:
    entry = {"id": "m", "owned_by": "vllm", "max_model_len": 64}
    routes = {"GET /v1/models": models(entry), CHAT: WHOLE, "POST /tokenize": ok({"count": 5})}
    with RouteServer(routes) as server, OpenAI(at(server)) as engine:
        assert engine.count_tokens("p") is None
        assert engine.complete(CompletionRequest(prompt="p")).prompt_tokens == 3


def test_a_version_page_alone_makes_no_vllm() -> None:
    routes = {"GET /v1/models": models(), CHAT: WHOLE, "GET /version": ok({"version": "7"})}
    with RouteServer(routes) as server, OpenAI(at(server)) as engine:
        assert engine.version == "7"
        assert "kind" not in engine.about()


def test_a_path_as_a_models_name_loses_its_folders() -> None:
    entry = {"id": "/data/models/x-Q8_0.gguf"}
    with RouteServer({"GET /v1/models": models(entry), CHAT: WHOLE}) as server:
        with OpenAI(at(server)) as engine:
            assert (engine.model().name, engine.model().quantization) == ("x-Q8_0.gguf", "Q8_0")
        assert server.last_body(CHAT)["model"] == "/data/models/x-Q8_0.gguf"


def test_a_server_that_is_not_there_has_its_next_step() -> None:
    with RouteServer({}) as server:
        address = at(server)
    with pytest.raises(EngineError, match="start the server, or correct the address"):
        OpenAI(address, "m").start()


def test_quantizations_in_names() -> None:
    assert quantization_in("m:7b-instruct-q4_K_M") == "q4_K_M"
    assert quantization_in("llama3:8b") is None
