"""What Ollama is asked, where it is looked for, and what is made of what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chimera.engines.base import (
    CompletionRequest,
    ErrorClass,
    Message,
    Options,
    RequestFailed,
)
from chimera.engines.ollama import Ollama, _reload_ns
from chimera.engines.ollama_body import load_body, request_body
from chimera.engines.ollama_host import ollama_address
from chimera.engines.ollama_server import Entry, Shown, find, identity, told
from chimera.engines.targets import open_target
from chimera.engines.wire.address import parse_address
from chimera.errors import EngineError, InputError
from chimera.testing.mock_server import MockServer
from tests.engines.fault_server import FaultServer, reply

REQUEST = CompletionRequest(prompt="p", max_tokens=4)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(defaults="ttft_ms=1&itl_ms=1&tokens=8") as server:
        yield server


# --- the address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", "http://127.0.0.1:11434"),
        (" 'box' ", "http://box:11434"),
        ("box:1", "http://box:1"),
        (":1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:11434"),
        ("[::]:1", "http://[::1]:1"),
        ("http://box:1", "http://box:1"),
        ("http://box", "http://box"),
        ("https://box", "https://box"),
        ("ollama.com", "https://ollama.com"),
        ("https://box:1/behind/", "https://box:1/behind"),
    ],
)
def test_every_form_of_ollama_host(
    host: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert ollama_address().url == expected
    assert ollama_address("other:2").url == "http://other:2"


def test_an_address_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://me:secret@box")
    with pytest.raises(InputError) as caught:
        ollama_address()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("ollama:gemma3:270m", "Ollama('http://127.0.0.1:11434', 'gemma3:270m')"),
        ("ollama:gemma3:270m@box:1", "Ollama('http://box:1', 'gemma3:270m')"),
        ("ollama:gemma3:270m@box", "Ollama('http://box:11434', 'gemma3:270m')"),
        ("ollama:hf.co/a/b:Q4@http://box:1", "Ollama('http://box:1', 'hf.co/a/b:Q4')"),
        ("ollama@box:1", "Ollama('http://box:1', '')"),
        ("ollama", "Ollama('http://127.0.0.1:11434', '')"),
    ],
)
def test_targets(target: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert repr(open_target(target)) == expected


# --- requests


def test_only_what_is_set_is_sent() -> None:
    assert request_body(CompletionRequest(prompt="p"), Options(), "m") == {
        "model": "m",
        "prompt": "p",
        "stream": True,
        "truncate": False,
        "shift": False,
    }


def test_all_that_is_set_is_sent_where_ollama_looks_for_it() -> None:
    options = Options(
        num_ctx=512,
        num_thread=2,
        num_gpu=0,
        temperature=0.5,
        num_predict=9,
        keep_alive="10m",
        think=False,
        other={"mirostat": 1, "raw": True},
    )
    request = CompletionRequest(
        messages=(Message("user", "p"),),
        max_tokens=4,
        temperature=0.1,
        seed=3,
        stop=("x",),
        json_schema={"type": "object"},
    )
    assert request_body(request, options, "m") == {
        "model": "m",
        "messages": [{"role": "user", "content": "p"}],
        "stream": True,
        "truncate": False,
        "shift": False,
        "think": False,
        "raw": True,
        "format": {"type": "object"},
        "keep_alive": "10m",
        "options": {
            "num_ctx": 512,
            "num_thread": 2,
            "num_gpu": 0,
            "temperature": 0.1,
            "num_predict": 4,
            "seed": 3,
            "stop": ["x"],
            "mirostat": 1,
        },
    }


def test_the_model_is_loaded_with_the_same_options_and_never_unloaded() -> None:
    options = Options(num_ctx=512, keep_alive="-1")
    assert load_body(options, "m") == {
        "model": "m",
        "options": {"num_ctx": 512},
        "keep_alive": -1,
        "stream": False,
    }
    for zero in ("0", "0s", "00m"):
        assert "keep_alive" not in load_body(Options(keep_alive=zero), "m")
    assert request_body(REQUEST, Options(keep_alive="0"), "m")["keep_alive"] == 0


def test_no_token_at_all_is_never_asked_for() -> None:
    with pytest.raises(InputError, match="no limit"):
        open_target("ollama:m", Options(num_predict=0))
    with pytest.raises(EngineError, match="no limit"):
        request_body(CompletionRequest(prompt="p", max_tokens=0), Options(), "m")


# --- the start


def test_what_the_server_says_is_known_after_the_start(server: MockServer) -> None:
    with open_target(f"ollama:mock@{server.url}") as engine:
        model, about = engine.model(), engine.about()
        assert (model.name, model.sha256, model.quantization) == ("mock", "0" * 64, "Q4_0")
        assert model.size_bytes == 1_000_000_000
        assert set(model.not_learnt) == {"file"}
        assert about["loaded_models"][0]["context_length"] == 131_072
        assert about["version"] == engine.version
        assert engine.address == server.url
        assert engine.start().num_ctx == 131_072
    assert engine.about() == {}


def test_a_model_that_was_there_before_is_not_cold() -> None:
    with MockServer(defaults="load_ms=50") as server:
        loads = []
        for _ in range(2):
            with open_target(f"ollama:mock@{server.url}") as engine:
                loads.append(engine.start().cold)
        assert loads == [True, False]


def test_the_only_model_is_taken_and_several_are_named(server: MockServer) -> None:
    with open_target(f"ollama@{server.url}") as engine:
        assert engine.model().name == "mock"
    tags = b'{"version":"1","models":[{"name":"a:1"},{"name":"b:2"}]}'
    with FaultServer(reply("200 OK", tags)) as two, pytest.raises(EngineError, match="a:1, b:2"):
        open_target(f"ollama@127.0.0.1:{two.port}").start()


def test_what_is_no_ollama_is_said() -> None:
    for answer, words in (
        (reply("404 Not Found", b"nothing"), "is it an Ollama"),
        (reply("200 OK", b'{"a":1}'), "no Ollama"),
        (reply("200 OK", b"<html>"), "else than JSON"),
    ):
        with FaultServer(answer) as other, pytest.raises(EngineError, match=words):
            open_target(f"ollama:m@127.0.0.1:{other.port}").start()
    with pytest.raises(EngineError, match="ollama serve"):
        open_target("ollama:m@127.0.0.1:1").start()


def test_a_key_is_sent_and_not_shown(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", "secret-key-value")
    address = parse_address(server.url)
    with Ollama(address, "mock", api_key_env="GATE") as engine:
        call = engine.prepare(REQUEST)
        assert b"Bearer secret-key-value" in call.data
        assert "secret" not in repr(engine.about()) + repr(engine)
        assert engine.about()["key_from"] == "the environment variable GATE"


def test_a_prompt_that_fills_the_context_may_have_been_cut() -> None:
    with (
        MockServer(defaults="prompt=131072&tokens=2&ttft_ms=1&itl_ms=1") as server,
        open_target(f"ollama:mock@{server.url}") as engine,
        pytest.raises(RequestFailed) as caught,
    ):
        engine.complete(REQUEST)
    assert caught.value.error_class is ErrorClass.PROMPT_CHANGED
    assert caught.value.partial is not None


# --- what is made of it


def test_models_are_found_by_name_or_by_what_they_are() -> None:
    entries = [Entry("gemma3:270m", digest="d"), Entry("other:latest", digest="e")]
    assert find(entries, "Gemma3:270M") is entries[0]
    assert find(entries, "other") is entries[1]
    assert find(entries, "alias", "d") is entries[0]
    assert find(entries, "gemma3") is None


def test_nothing_learnt_has_its_reason_and_no_folder_is_told() -> None:
    model = identity("m", None, Shown())
    assert set(model.not_learnt) == {"file", "sha256", "quantization", "size_bytes", "parameters"}
    info: dict[str, Any] = {"general.architecture": "g", "g.context_length": 9, "g.other": "/x"}
    shown = Shown(
        modelfile=f"# c\nFROM /data/blobs/sha256-{'a' * 64}\nTEMPLATE x",
        parameters='num_ctx     1024\nstop   "x"',
        model_info=info,
    )
    about = told("1", shown, [])
    assert about["weights_sha256"] == "a" * 64
    assert about["model_parameters"] == ["num_ctx 1024", 'stop "x"']
    assert (about["architecture"], about["longest_context"]) == ("g", 9)
    assert "/" not in repr(about)


def test_a_reload_is_told_from_a_look_up() -> None:
    ms = 1_000_000
    assert _reload_ns(1000 * ms, 100 * ms) == 500 * ms
    assert _reload_ns(60_000 * ms, 100 * ms) == 1000 * ms  # from a slow disk
    assert _reload_ns(600 * ms, 300 * ms) == 450 * ms
    assert _reload_ns(None, 50 * ms) == 400 * ms
    assert _reload_ns(None, 300 * ms) == 900 * ms
