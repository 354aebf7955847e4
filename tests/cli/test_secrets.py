"""A key is sent to its server and stands nowhere else, whatever the server does with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.echo_server import WAYS, echoing

# Its middle has characters that no pattern of usual keys has.
KEY = "sk-Zq7wXhidden:Jv5!secret/Tail=="
BENCH = ("bench", "-w", "built-in:short")
PARTS = (KEY, KEY[:12], "Jv5!secret", "Tail==")
SOURCES = {
    "default variable": ({"OPENAI_API_KEY": KEY}, []),
    "named variable": ({"MY_KEY": KEY, "OPENAI_API_KEY": "another-key"}, ["--api-key-env=MY_KEY"]),
    "file": ({}, ["--api-key-file=key.txt"]),
    "named target": ({"MY_KEY": KEY}, []),
}


def chimera(*words: str, cwd: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
    return subprocess.run(
        [sys.executable, "-m", "chimera", *words],
        cwd=cwd,
        env=clean | variables | {"CHIMERA_DEBUG": "1"},  # tracebacks must not show it either
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def prepared(folder: Path, port: int, source: str) -> tuple[str, dict[str, str], list[str]]:
    """(target, environment, options) of a source of the key."""
    target = f"openai@http://127.0.0.1:{port}/v1"
    if source == "file":
        (folder / "key.txt").write_text(KEY + "\n")
    if source == "named target":
        text = f'[targets.mine]\ntarget = "{target}"\napi_key_env = "MY_KEY"\n'
        (folder / "chimera.toml").write_text(text)
        target = "mine"
    variables, options = SOURCES[source]
    return target, variables, options


def everything(folder: Path, done: subprocess.CompletedProcess[str]) -> str:
    ours = [p for p in folder.rglob("*") if p.is_file() and p.name != "key.txt"]
    return "\n".join([done.stdout, done.stderr, *(p.read_text() for p in ours)])


def assert_hidden(text: str) -> None:
    for part in PARTS:
        assert part not in text, text[max(0, text.find(part) - 200) :][:400]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("as_json", [True, False])
def test_bench_keeps_a_key_from_each_source(tmp_path: Path, source: str, as_json: bool) -> None:
    with echoing("error") as (port, seen):
        target, variables, options = prepared(tmp_path, port, source)
        words = [
            "bench",
            target,
            "-w",
            "built-in:short",
            "--repeats=2",
            "--max-tokens=2",
            "--output=out",
        ]
        words += [*options, *(["--json"] if as_json else [])]
        done = chimera(*words, cwd=tmp_path, variables=variables)
    assert done.returncode == 1  # every request failed, and says why
    assert set(seen) - {""} == {f"Bearer {KEY}"}  # the metrics page is asked without it
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"run.jsonl", "requests.csv", "environment.json"}
    text = everything(tmp_path, done)
    assert_hidden(text)
    assert "bad key" in text  # the server's words are kept, without the key
    assert "[key]" in text


@pytest.mark.parametrize("way", WAYS)
def test_bench_keeps_a_key_whatever_the_server_does(tmp_path: Path, way: str) -> None:
    with echoing(way) as (port, seen):
        target, variables, _ = prepared(tmp_path, port, "default variable")
        words = [
            "bench",
            target,
            "-w",
            "built-in:short",
            "--repeats=2",
            "--max-tokens=2",
            "--output=out",
        ]
        done = chimera(*words, cwd=tmp_path, variables=variables)
    assert f"Bearer {KEY}" in seen
    assert "Traceback" not in done.stdout
    assert "unexpected error" not in done.stderr
    assert (tmp_path / "out").exists() == (way not in ("refused", "lists"))
    assert_hidden(everything(tmp_path, done))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("as_json", [True, False])
def test_doctor_keeps_a_key(tmp_path: Path, way: str, as_json: bool) -> None:
    with echoing(way) as (port, seen):
        target, variables, options = prepared(tmp_path, port, "file")
        words = ["doctor", target, *options, *(["--json"] if as_json else [])]
        done = chimera(*words, cwd=tmp_path, variables=variables)
    assert set(seen) - {""} == {f"Bearer {KEY}"}  # the metrics page is asked without it
    assert done.returncode == (0 if way in ("text", "list") else 4)
    assert "unexpected error" not in done.stderr
    assert_hidden(everything(tmp_path, done))


def test_several_processes_have_the_key(tmp_path: Path) -> None:
    with echoing("text") as (port, seen):
        target, variables, options = prepared(tmp_path, port, "file")
        words = [
            "bench",
            target,
            "-w",
            "built-in:short",
            "--repeats=1",
            "--max-tokens=2",
            "--output=out",
        ]
        words += ["--processes=2", "--requests=4", *options]
        done = chimera(*words, cwd=tmp_path, variables=variables)
    assert done.returncode == 0, done.stderr
    assert set(seen) - {""} == {f"Bearer {KEY}"}  # the metrics page is asked without it
    assert_hidden(everything(tmp_path, done))


def test_a_key_in_the_place_of_its_variables_name_is_not_shown(tmp_path: Path) -> None:
    target = "openai:m@http://127.0.0.1:9/v1"
    for verb in ("bench", "doctor"):
        done = chimera(verb, target, f"--api-key-env={KEY}", cwd=tmp_path, variables={})
        assert done.returncode == 2
        assert_hidden(everything(tmp_path, done))


def test_a_key_in_chimera_toml_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = f'[targets.mine]\ntarget = "openai:m@http://127.0.0.1:9/v1"\napi_key = "{KEY}"\n'
    (tmp_path / "chimera.toml").write_text(text)
    done = chimera("bench", "mine", cwd=tmp_path, variables={})
    assert done.returncode == 2
    assert "api_key" in done.stderr
    assert_hidden(done.stdout + done.stderr)
