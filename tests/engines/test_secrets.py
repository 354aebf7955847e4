"""What an engine with a key says, returns and raises never holds the key."""

from __future__ import annotations

import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.credentials import Credentials
from chimera.engines.targets import Access, open_target
from chimera.engines.wire.address import parse_address
from chimera.errors import EngineError, InputError
from tests.engines.echo_server import WAYS, echoing

KEY = "sk-Zq7wXhidden:Jv5!secret/Tail=="
REQUEST = CompletionRequest(prompt="p", max_tokens=2)
LOCAL = parse_address("http://127.0.0.1:1/v1")


@pytest.fixture(params=["default", "variable", "file"])
def access(request: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Access:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if request.param == "default":
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return Access()
    if request.param == "variable":
        monkeypatch.setenv("MY_KEY", KEY)
        return Access(api_key_env="MY_KEY")
    (tmp_path / "key").write_text(f"  {KEY}\n")
    return Access(api_key_file=tmp_path / "key")


def said_by(engine: Measurable) -> list[str]:
    """All that an engine says of itself and brings back, as text."""
    said = [repr(engine), str(engine.version), repr(engine.cannot), repr(engine.about())]
    try:
        said.append(repr(engine.start()))
        said += [repr(engine.model()), repr(engine.about()), repr(engine.cannot)]
        said += [repr(engine), str(engine.version), str(engine.metrics_url), str(engine.address)]
        said.append(repr(engine.prepare(REQUEST)))
        done = engine.complete(REQUEST)
        said += [repr(done), msgspec.json.encode(done).decode()]
    except EngineError as error:
        said += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
    return said


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_an_engine_says_holds_its_key(access: Access, way: str) -> None:
    with echoing(way) as (port, seen):
        target = f"openai@http://127.0.0.1:{port}/v1"
        with closing(open_target(target, access=access)) as engine:
            said = said_by(engine)
    assert set(seen) == {f"Bearer {KEY}"}
    assert_hidden("\n".join(said))


def assert_hidden(text: str) -> None:
    for part in (KEY, KEY[:12], "Jv5!secret", "Tail=="):
        assert part not in text


def test_a_key_goes_to_no_other_machine_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    far = parse_address("http://192.0.2.1/v1")
    assert Credentials(far, default_env="OPENAI_API_KEY").withheld
    assert Credentials(far, default_env="OPENAI_API_KEY").headers() == {}
    named = Credentials(far, key_env="OPENAI_API_KEY")
    assert named.headers() == {"Authorization": f"Bearer {KEY}"}
    encrypted = Credentials(parse_address("https://192.0.2.1/v1"), default_env="OPENAI_API_KEY")
    assert encrypted.headers() == named.headers()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key_env": "NOT_SET"}, "holds no key"),
        ({"key_env": KEY}, "by the name of its variable"),
        ({"key_env": "A", "key_file": Path("b")}, "not both"),
        ({"key_env": "BROKEN"}, "cannot be sent"),
        ({"key_file": Path("/nowhere/key")}, "cannot read a key from the file '/nowhere/key'"),
        ({"headers": {"bad name": KEY}}, "name of a header"),
        ({"headers": {"X": f"{KEY}\r\nY: 1"}}, "cannot be sent"),
    ],
)
def test_what_cannot_be_a_key_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("BROKEN", f"{KEY}\nsecond line")
    with pytest.raises(InputError, match=said) as caught:
        Credentials(LOCAL, **options)
    assert_hidden("".join(traceback.format_exception(caught.value)))


def test_headers_are_as_secret_as_a_key() -> None:
    access = Access(headers={"X-Api-Key": KEY})
    credentials = Credentials(LOCAL, headers=access.headers)
    assert_hidden(repr(access) + repr(credentials) + credentials.hide(f"no {KEY}!"))


# Keys as they are, and any text around one.
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)


@given(keys, st.text(max_size=20), st.text(max_size=20), st.sampled_from(["", " ", '"', ":"]))
def test_a_quoted_key_is_hidden_wherever_it_stands(
    key: str, before: str, after: str, mark: str
) -> None:
    credentials = Credentials(LOCAL, headers={"Authorization": f"Bearer {key}"})
    told = {"a": [f"{before}{mark}{key}{mark}{after}", {key: 1}], "b": (key,)}
    hidden = credentials.hide(told)
    assert key not in hidden["a"][0]
    assert key not in hidden["a"][1]
    assert key not in hidden["b"]
