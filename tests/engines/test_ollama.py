"""Ollama: what is sent, what a host may be, what is learnt of the server and its model."""

from __future__ import annotations

from typing import Any

import pytest

from chimera.engines.base import (
    CompletionRequest,
    ErrorClass,
    Options,
    RequestFailed,
)
from chimera.engines.ollama import Ollama
from chimera.engines.ollama_server import identity, parameter_count, parse_host, request_body
from chimera.engines.targets import Access, open_target
from chimera.engines.wire.address import Address
from chimera.errors import EngineError, InputError
from tests.engines.fault_server import RouteServer, reply
from tests.engines.test_ollama_faults import DIGEST, GENERATE, at, page, routes


def test_every_option_is_sent_under_ollamas_name() -> None:
    options = Options(
        num_ctx=1, num_thread=2, num_gpu=3, temperature=0.5, top_p=0.9, top_k=7, seed=3,
        repeat_penalty=1.1, num_predict=9, min_p=0.1, repeat_last_n=8, presence_penalty=0.2,
        frequency_penalty=0.3, num_batch=4, num_keep=5, keep_alive="5m", think=False,
        other={"main_gpu": 1},
    )  # fmt: skip
    body = request_body("m", CompletionRequest(prompt="p"), options, raw=False)
    top = {"keep_alive": "5m", "think": False}
    assert body == {
        "model": "m", "prompt": "p", "stream": True, "truncate": False, "shift": False,
        "options": {k: v for k, v in options.as_set().items() if k not in top},
    } | top  # fmt: skip
    request = CompletionRequest(
        prompt="p", max_tokens=4, temperature=0.0, seed=1, stop=("x",), json_schema={"a": 1}
    )
    body = request_body("m", request, options, raw=True)
    assert (body["raw"], body["format"]) == (True, {"a": 1})
    sent = body["options"]
    assert (sent["num_predict"], sent["temperature"], sent["seed"]) == (4, 0.0, 1)
    assert sent["stop"] == ["x"]


@pytest.mark.parametrize(
    ("text", "sent"), [("60", 60), ("-1", -1), ("0", 0), ("5m", "5m"), ("1h30m", "1h30m")]
)
def test_keep_alive_in_seconds_is_a_number(text: str, sent: Any) -> None:
    options = Options(keep_alive=text)
    assert (
        request_body("m", CompletionRequest(prompt="p"), options, raw=False)["keep_alive"] == sent
    )


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (CompletionRequest(prompt=""), "empty prompt"),
        (CompletionRequest(prompt="p", max_tokens=0), "no limit"),
    ],
)
def test_what_means_something_else_to_ollama_is_refused(
    request_: CompletionRequest, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        request_body("m", request_, Options(), raw=False)


def test_an_answer_longer_than_the_context_is_not_asked_for() -> None:
    with RouteServer(routes()) as server, Ollama(at(server), "m:1b") as engine:
        with pytest.raises(RequestFailed, match="context of 16 tokens") as caught:
            engine.prepare(CompletionRequest(prompt="p", max_tokens=16))
        assert caught.value.error_class is ErrorClass.DOES_NOT_FIT


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:9", "http://box:9"),
        (" 'box:9' ", "http://box:9"),
        ("http://box:9", "http://box:9"),
        ("http://box:9/path/", "http://box:9/path"),
        ("http://box", "http://box"),
        ("https://box", "https://box"),
        ("ollama.com", "https://ollama.com"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:9", "http://127.0.0.1:9"),
        ("http://0.0.0.0:9", "http://127.0.0.1:9"),
        (":9", "http://127.0.0.1:9"),
        ("::", "http://[::1]:11434"),
        ("[::]:9", "http://[::1]:9"),
        ("::1", "http://[::1]:11434"),
        ("fe80::1", "http://[fe80::1]:11434"),
    ],
)
def test_a_host_has_many_forms(text: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_host(text).url == url
    monkeypatch.setenv("OLLAMA_HOST", text)
    assert repr(open_target("ollama:m:1b")) == f"Ollama({url!r}, 'm:1b')"


@pytest.mark.parametrize("text", ["box:port", "ftp://box", "http://", "me:geheim@box"])
def test_a_wrong_host_is_the_users_input(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_host(text)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("ollama:gemma3:270m@127.0.0.1:11435", "Ollama('http://127.0.0.1:11435', 'gemma3:270m')"),
        ("ollama:hub/me/m:1b@http://box:1", "Ollama('http://box:1', 'hub/me/m:1b')"),
        ("ollama:m@box", "Ollama('http://box:11434', 'm')"),
        ("ollama@box", "Ollama('http://box:11434', '')"),
        ("ollama-raw:m@box", "Ollama('http://box:11434', 'm')"),
    ],
)
def test_a_target_names_model_and_host(target: str, shown: str) -> None:
    assert repr(open_target(target)) == shown


def test_the_only_model_is_taken_and_a_missing_one_has_its_next_step() -> None:
    with RouteServer(routes()) as server:
        with open_target(f"ollama@127.0.0.1:{server.port}") as engine:
            assert engine.model().name == "m:1b"
        with pytest.raises(EngineError, match=r"ollama pull nope \(it has: m:1b\)"):
            open_target(f"ollama:nope@127.0.0.1:{server.port}").start()
        server.routes["GET /api/tags"] = page(models=None)
        with pytest.raises(EngineError, match="it has: no model"):
            open_target(f"ollama:nope@127.0.0.1:{server.port}").start()
    with pytest.raises(EngineError, match="ollama serve"):
        open_target(f"ollama:nope@127.0.0.1:{server.port}").start()
    with RouteServer({}) as server, pytest.raises(EngineError, match="no Ollama server"):
        open_target(f"ollama:nope@127.0.0.1:{server.port}").start()


def test_the_load_carries_the_options_of_the_requests() -> None:
    options = Options(num_ctx=16, num_thread=2, keep_alive="60")
    with RouteServer(routes()) as server, Ollama(at(server), "m:1b", options) as engine:
        loading = server.last_body(GENERATE)
        assert loading == {
            "model": "m:1b",
            "options": {"num_ctx": 16, "num_thread": 2},
            "keep_alive": 60,
            "stream": False,
        }
        load = engine.start()
        assert (load.cold, load.num_ctx, load.server_load_ns) == (False, 16, None)
        assert engine.about()["loaded"] == [
            {"name": "m:1b", "digest": DIGEST, "vram_bytes": 5, "num_ctx": 16}
        ]


@pytest.mark.parametrize(
    ("before", "after", "cold", "num_ctx"),
    [
        pytest.param([], [("d", 16)], True, 16, id="loaded"),
        pytest.param([("d", 16)], [("d", 16)], False, 16, id="was loaded"),
        pytest.param([("d", 8)], [("d", 16)], True, 16, id="with another context"),
        pytest.param([("e", 16)], [("e", 16)], False, 16, id="shares another's weights"),
        pytest.param([], [("e", 16), ("f", 8)], True, 99, id="shares one of several"),
        pytest.param([], [("d", None)], True, 99, id="an older server"),
    ],
)
def test_whether_it_was_loaded_already(
    before: list[Any], after: list[Any], cold: bool, num_ctx: int
) -> None:
    class Lists(RouteServer):
        def script(self, request: bytes) -> Any:
            script = super().script(request)
            if self.requests[-1][0] != "GET /api/ps":
                return script
            asked = any(place == GENERATE for place, _ in self.requests)
            listed = [
                {"digest": DIGEST if digest == "d" else digest, "context_length": size}
                for digest, size in (after if asked else before)
            ]
            return page(models=listed)

    with Lists(routes()) as server, Ollama(at(server), "m:1b", Options(num_ctx=99)) as engine:
        load = engine.start()
    assert (load.cold, load.num_ctx) == (cold, num_ctx)


def test_an_identity_says_what_was_not_learnt() -> None:
    model = identity("m:1b", {}, {"details": {"quantization_level": "unknown"}})
    assert set(model.not_learnt) == {"file", "sha256", "quantization", "size_bytes", "parameters"}
    shown = {"details": {"parameter_size": "1.5B"}, "model_info": {"general.parameter_count": 7}}
    assert identity("m", {"digest": f"sha256:{DIGEST}"}, shown).parameters == 7
    assert identity("m", {"digest": f"sha256:{DIGEST}"}, shown).sha256 == DIGEST
    assert [parameter_count(t) for t in ("270M", "1.5B", "12K", "7", "x")] == [
        270_000_000, 1_500_000_000, 12_000, 7, None,
    ]  # fmt: skip


def test_a_server_behind_a_gate_gets_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", "gate-key-123456")
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-this-server")
    with RouteServer(routes()) as server:
        target = f"ollama:m:1b@127.0.0.1:{server.port}"
        with open_target(target):
            assert b"not-for-this-server" not in server.received
        with open_target(target, access=Access(api_key_env="GATE")) as engine:
            assert b"Bearer gate-key-123456" in server.received
            assert "gate-key" not in repr((engine.about(), vars(engine)))
            server.routes[GENERATE] = [reply("403 No", b'{"error":"gate-key-123456 is old"}')]
            with pytest.raises(RequestFailed) as caught:
                engine.complete(CompletionRequest(prompt="p"))
            assert "gate-key" not in caught.value.text


def test_other_options_that_ollama_does_not_know_are_said() -> None:
    engine = Ollama(Address("http", "h", 1), "m", Options(other={"main_gpu": 1, "nonsense": 2}))
    assert "nonsense" in engine.cannot
    assert "main_gpu" not in engine.cannot
    assert {"cache_prompt", "ignore_eos", "grammar"} <= set(engine.cannot)
