"""Ollama's own words, recorded from a real server (0.24.0): the contract, and further answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.engines.base import CompletionRequest, ErrorClass, Message, Options, RequestFailed
from chimera.engines.ollama import Ollama
from chimera.engines.wire.address import Address
from chimera.testing.engine_contract import CONTRACT_OPTIONS
from chimera.testing.recording import Player
from tests.engines.test_contract_ollama import OllamaContract
from tools.record_exchanges import KINDS, OPTIONS

RECORDINGS = Path(__file__).with_name("recordings")


def at(player: Player) -> Address:
    return Address("http", "127.0.0.1", player.port)


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with Player(RECORDINGS / "ollama-contract.json") as player:
        yield player


@pytest.fixture(scope="module")
def engine(player: Player) -> Iterator[Ollama]:
    with Ollama(at(player), "gemma3:270m", CONTRACT_OPTIONS) as engine:
        yield engine


@pytest.fixture
def fresh_engine(player: Player) -> Ollama:
    return Ollama(at(player), "gemma3:270m", CONTRACT_OPTIONS)


class TestRecordedContract(OllamaContract):
    """What the engine asked when it was recorded, it asks again, and reads the same."""


def test_the_model_is_known(engine: Ollama) -> None:
    model = engine.model()
    assert (model.name, model.quantization) == ("gemma3:270m", "Q4_K_M")
    assert (model.size_bytes, model.parameters) == (253_113_294, 268_098_176)
    assert len(model.sha256 or "") == 64
    assert set(model.not_learnt) == {"file"}
    assert engine.version == "0.24.0"


def test_what_is_loaded_is_told(engine: Ollama) -> None:
    about = engine.about()
    (loaded,) = [entry for entry in about["loaded"] if entry["name"] == "gemma3:270m"]
    assert (loaded["num_ctx"], loaded["vram_bytes"]) == (512, 0)
    assert loaded["size_bytes"] > 250_000_000
    assert "completion" in about["capabilities"]


def test_a_chat_has_its_phases() -> None:
    with (
        Player(RECORDINGS / "ollama-chat.json") as player,
        Ollama(at(player), "gemma3:270m", OPTIONS) as engine,
    ):
        done = engine.complete(KINDS["chat"])
    assert (done.output_tokens, done.tokens_basis, done.finish_reason) == (8, "server", "length")
    assert done.chunk_tokens == (1,) * 8
    assert done.prompt_tokens == 4
    assert (done.cached_tokens, done.evaluated_tokens) == (None, None)
    parts = (done.server_load_ns, done.server_prefill_ns, done.server_decode_ns)
    assert sum(part or 0 for part in parts) <= (done.server_total_ns or 0)
    assert all(part is not None for part in parts)


def test_thinking_is_reasoning_and_no_answer() -> None:
    options = Options(num_ctx=512, temperature=0.0, seed=1, think=True)
    with (
        Player(RECORDINGS / "ollama-thinking.json") as player,
        Ollama(at(player), "gemma3-think:270m", options) as engine,
    ):
        done = engine.complete(KINDS["thinking"])
    assert done.reasoning
    assert done.text == ""
    assert done.first_token_ns is not None
    assert done.first_answer_ns is None
    assert done.raw_request["think"] is True


def test_an_answer_that_repeats_itself_breaks_off_without_an_end() -> None:
    with (
        Player(RECORDINGS / "ollama-repeats.json") as player,
        Ollama(at(player), "gemma3:270m", OPTIONS) as engine,
        pytest.raises(RequestFailed, match="gives up after 30 repeats") as caught,
    ):
        engine.complete(KINDS["repeats"])
    assert caught.value.error_class is ErrorClass.CUT_STREAM
    assert caught.value.partial is not None
    assert caught.value.partial.text.startswith(" ha ha")


def test_what_was_not_recorded_is_not_made_up(engine: Ollama) -> None:
    with pytest.raises(RequestFailed, match="501"):
        engine.complete(CompletionRequest(messages=(Message("user", "Never asked."),)))


def test_recordings_tell_nothing_of_the_machine() -> None:
    for path in RECORDINGS.iterdir():
        text = path.read_text()
        assert "/blobs/" not in text
        assert "modelfile" not in text
