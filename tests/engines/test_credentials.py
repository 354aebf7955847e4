"""A key reaches the server and nobody else: not a record, not an error, not a repr."""

from __future__ import annotations

import json
import pickle
import traceback
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.engines.base import CompletionRequest, RequestFailed
from chimera.engines.credentials import Credentials
from chimera.engines.openai import OpenAI
from chimera.engines.targets import Access, open_target
from chimera.engines.wire.address import Address, parse_address
from chimera.errors import ChimeraError, EngineError, InputError
from tests.engines.fault_server import END, HEAD, RouteServer, event, reply
from tests.engines.test_openai_faults import CHAT, WHOLE, Script, models, said

KEY = "sk-proj-Zx81vWq0aKt77"
HEADER = "tenant-9081726354"
LOCAL = Address("http", "127.0.0.1", 1)
ELSEWHERE = Address("http", "inference.example", 80)


@pytest.fixture(autouse=True)
def _no_key_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def assert_hidden(*things: Any) -> None:
    """Nothing of a key's middle stands in what is kept, said or shown."""
    for thing in things:
        text = thing if isinstance(thing, str) else repr(thing)
        for secret in (KEY, KEY[:12], HEADER):
            assert secret not in text


def sent(server: RouteServer) -> str:
    return server.received.partition(b"\r\n\r\n")[0].decode()


def test_the_usual_variable_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    with (
        RouteServer({"GET /v1/models": models(), CHAT: WHOLE}) as server,
        open_target(f"openai@http://127.0.0.1:{server.port}") as engine,
    ):
        engine.complete(CompletionRequest(prompt="p"))
        assert f"Authorization: Bearer {KEY}\r\n" in sent(server) + "\r\n"
        assert engine.about()["key_from"] == "the environment variable OPENAI_API_KEY"
        assert_hidden(engine.about(), engine, vars(engine), engine.model())


def test_a_variable_a_file_and_headers_can_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    monkeypatch.setenv("MINE", KEY)
    (tmp_path / "key").write_text(KEY + "\n")
    named = Access(api_key_env="MINE", headers={"X-Tenant": HEADER})
    for access in (named, Access(api_key_file=tmp_path / "key", headers={"X-Tenant": HEADER})):
        with RouteServer({"GET /v1/models": models(), CHAT: WHOLE}) as server:
            target = f"openai@http://127.0.0.1:{server.port}"
            with open_target(target, access=access) as engine:
                engine.complete(CompletionRequest(prompt="p"))
                assert f"Bearer {KEY}" in sent(server)
                assert f"X-Tenant: {HEADER}" in sent(server)
                assert_hidden(engine.about(), engine, vars(engine))
                assert str(tmp_path) not in repr(engine.about())


def test_the_usual_key_does_not_go_readable_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert not Credentials(ELSEWHERE, default_env="OPENAI_API_KEY").headers()
    assert Credentials(ELSEWHERE, default_env="OPENAI_API_KEY").withheld
    secure = parse_address("https://inference.example/v1")
    for credentials in (
        Credentials(LOCAL, default_env="OPENAI_API_KEY"),
        Credentials(secure, default_env="OPENAI_API_KEY"),
        Credentials(ELSEWHERE, key_env="OPENAI_API_KEY"),
    ):
        assert credentials.headers() == {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (Access(api_key_env="NOT_THERE"), "NOT_THERE holds no key"),
        (Access(api_key_file=Path("/no/such/key")), "from the file '/no/such/key'"),
        (Access(api_key_file=Path("/")), "cannot read a key"),
        (Access(api_key_env="A", api_key_file=Path("b")), "not both"),
        (Access(headers={"X-A": f"{KEY}\r\nX-B: 1"}), "cannot be sent in a header"),
        (Access(headers={"X A": "1"}), "cannot be the name of a header"),
    ],
)
def test_a_key_that_cannot_be_used_is_the_users_input(access: Access, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        open_target("openai:m@http://127.0.0.1:1/v1", access=access)
    assert_hidden(str(caught.value))


def test_keys_with_odd_characters_are_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for value in (KEY + "\r\nX-Evil: 1", KEY + "ü", KEY + "\x00"):
        (tmp_path / "key").write_text(value)
        with pytest.raises(InputError, match="cannot be sent") as caught:
            Credentials(LOCAL, key_file=tmp_path / "key")
        assert_hidden(str(caught.value))
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not text"):
        Credentials(LOCAL, key_file=tmp_path / "key")


QUOTED = [
    [reply("401 Unauthorized", f'{{"error":{{"message":"bad key {KEY}"}}}}'.encode())],
    [reply("500 Oops", f"<pre>Authorization: Bearer {KEY} {HEADER}</pre>".encode())],
    [reply("500 Oops", f"{'x' * 60} Bearer {KEY}".encode())],
    [reply("200 OK", f"{'x' * 68}{KEY}".encode())],
    [HEAD, event(json.dumps({"error": {"message": f"{KEY} / {HEADER}"}})), END],
    [HEAD, event(f"{KEY} {HEADER}"), END],
    [HEAD, event(f'{{"a":"{KEY}"}}'), END],
    [f"{KEY}\r\n\r\n".encode()],
    [HEAD, said(f"you sent {KEY}"), END],
]


def _use(engine: OpenAI, when: str) -> None:
    if when == "start":
        engine.start()
    engine.complete(CompletionRequest(prompt="p"))


@pytest.mark.parametrize("script", QUOTED)
@pytest.mark.parametrize("when", ["start", "request"])
def test_a_server_that_quotes_the_key_is_not_repeated(
    script: list[bytes], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", KEY)
    with RouteServer({"GET /v1/models": models(), CHAT: WHOLE}) as server:
        address = Address("http", "127.0.0.1", server.port, "/v1")
        engine = OpenAI(address, api_key_env="MINE", headers={"X-Tenant": HEADER})
        if when == "request":
            engine.start()
        server.routes[CHAT] = list(script)
        with pytest.raises(ChimeraError) as caught:
            _use(engine, when)
    error = caught.value
    assert_hidden(str(error), "".join(traceback.format_exception(error)))
    assert_hidden(engine.cannot, engine.about())
    if isinstance(error, RequestFailed):
        assert_hidden(error.text, error.partial, msgspec.json.encode(error.partial).decode())


def test_a_list_of_models_that_quotes_the_key_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINE", KEY)
    quoted = models({"id": f"m-{KEY}", "owned_by": KEY}, {"id": "n"})
    refused: Script = [reply("401 Unauthorized", f'{{"error":"{KEY}"}}'.encode())]
    for listed in (quoted, refused):
        with RouteServer({"GET /v1/models": listed}) as server:
            address = Address("http", "127.0.0.1", server.port, "/v1")
            with pytest.raises(EngineError) as caught:
                OpenAI(address, api_key_env="MINE").start()
        assert_hidden("".join(traceback.format_exception(caught.value)))
    quoted = models({"id": f"m-{KEY}", "owned_by": KEY})
    with RouteServer({"GET /v1/models": quoted, CHAT: WHOLE}) as server:
        address = Address("http", "127.0.0.1", server.port, "/v1")
        with OpenAI(address, api_key_env="MINE") as engine:
            done = engine.complete(CompletionRequest(prompt="p"))
            assert_hidden(engine, engine.model(), engine.about(), done)


def test_a_refused_key_is_said_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", KEY)
    refused = reply("401 Unauthorized", b'{"error":"no"}')
    with RouteServer({"GET /v1/models": [refused]}) as server:
        address = Address("http", "127.0.0.1", server.port, "/v1")
        with pytest.raises(EngineError, match="refused the key from the environment variable MINE"):
            OpenAI(address, api_key_env="MINE").start()
        with pytest.raises(EngineError, match="set OPENAI_API_KEY"):
            OpenAI(address).start()


def test_credentials_do_not_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", KEY)
    credentials = Credentials(LOCAL, key_env="MINE")
    assert_hidden(credentials)
    with pytest.raises(TypeError, match="not be copied"):
        pickle.dumps(credentials)
