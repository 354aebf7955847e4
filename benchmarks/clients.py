"""The measuring clients that are compared: their commands, and how their results are read."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.timing import command
from chimera.stats.describe import quantile

PROMPT_TOKENS = 32
# A hub is never asked: the tokenizer is a folder and must stay one.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

_TOKENIZER = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
words = ["[UNK]", "[EOS]", *(f"w{i}" for i in range(100))]
made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", bos_token="[EOS]",
                        eos_token="[EOS]", pad_token="[EOS]").save_pretrained(sys.argv[1])
"""


@dataclass(frozen=True)
class Load:
    """What a client is to send: ``rounds`` requests of each stream, one after another."""

    model: str
    tokens: int
    streams: int
    rounds: int

    @property
    def count(self) -> int:
        return self.streams * self.rounds


@dataclass(frozen=True)
class Place:
    """Where a client finds what it needs; ``folder`` is new for each run."""

    url: str
    folder: Path
    tokenizer: Path
    book_url: str


@dataclass(frozen=True)
class Reported:
    """What a client itself says it measured."""

    requests: int
    ttft_mean_ms: float
    ttft_p99_ms: float | None
    gap_mean_ms: float | None


@dataclass(frozen=True)
class Client:
    name: str
    version: str
    command: Callable[[Load, Place], list[str]]
    read: Callable[[Path], Reported]
    environment: dict[str, str] = field(default_factory=dict)


def clients(venv: Path) -> tuple[list[Client], list[str]]:
    """Chimera and the peers that are installed in ``venv``, and why others are skipped."""
    found = [Client("chimera", _chimera_version(), _chimera, read_chimera)]
    skipped = []
    for name, build, read, environment in (
        ("llama-benchy", _llama_benchy, read_llama_benchy, OFFLINE),
        # AIPerf 0.13 takes no folder when HF_HUB_OFFLINE is set; it asks no hub for one otherwise.
        ("aiperf", _aiperf, read_aiperf, {"HF_HUB_DISABLE_TELEMETRY": "1"}),
    ):
        script = venv / "bin" / name
        if not script.exists():
            skipped.append(f"{name}: skipped, it is not installed in {venv.name}")
            continue
        version = _peer_version(venv, name)
        found.append(Client(name, version, _with_script(build, script), read, environment))
    if (venv / "bin" / "guidellm").exists():
        skipped.append("guidellm: skipped, it is installed but this benchmark cannot drive it")
    else:
        skipped.append(f"guidellm: skipped, it is not installed in {venv.name}")
    return found, skipped


def make_tokenizer(venv: Path, folder: Path) -> None:
    """A word is a token: the smallest tokenizer that both peers load."""
    python = venv / "bin" / "python"
    environment = os.environ | OFFLINE
    words = [str(python), "-c", _TOKENIZER, str(folder)]
    subprocess.run(words, check=True, capture_output=True, env=environment)


def _with_script(
    build: Callable[[str, Load, Place], list[str]], script: Path
) -> Callable[[Load, Place], list[str]]:
    return lambda load, place: build(str(script), load, place)


def _chimera(load: Load, place: Place) -> list[str]:
    return [
        *command(),
        *("bench", f"openai:{load.model}@{place.url}/v1", "--workload", "built-in:short"),
        *("-c", str(load.streams), "-n", str(load.count), "--max-tokens", str(load.tokens)),
        *("--repeats", "1", "--warmup", "0", "--json", "--no-watch"),
        *("--output", str(place.folder / "run")),
    ]


def _llama_benchy(script: str, load: Load, place: Place) -> list[str]:
    # The checks before the measurement are left out: the mock answers no question rightly.
    return [
        *(script, "--base-url", f"{place.url}/v1", "--model", "mock"),
        *("--served-model-name", load.model, "--tokenizer", str(place.tokenizer)),
        *("--book-url", place.book_url, "--pp", str(PROMPT_TOKENS), "--tg", str(load.tokens)),
        *("--concurrency", str(load.streams), "--runs", str(load.rounds), "--no-warmup"),
        *("--no-adapt-prompt", "--skip-coherence", "--latency-mode", "none"),
        *("--save-result", str(place.folder / "result.json"), "--format", "json"),
    ]


def _aiperf(script: str, load: Load, place: Place) -> list[str]:
    return [
        *(script, "profile", "--model", load.model, "--url", place.url, "--streaming"),
        *("--endpoint-type", "chat", "--tokenizer", str(place.tokenizer)),
        *("--isl", str(PROMPT_TOKENS), "--osl", str(load.tokens)),
        *("--concurrency", str(load.streams), "--request-count", str(load.count)),
        *("--ui", "none", "--no-server-metrics", "--no-gpu-telemetry"),
        *("--artifact-dir", str(place.folder / "artifacts")),
    ]


def read_chimera(folder: Path) -> Reported:
    """The summary on its standard output."""
    (found,) = _json(folder / "stdout")["configurations"]
    ttft, tpot = found["metrics"]["ttft_s"], found["metrics"]["tpot_s"]
    return Reported(
        requests=found["n"],
        ttft_mean_ms=1e3 * ttft["mean"],
        ttft_p99_ms=None if ttft["p99"] is None else 1e3 * ttft["p99"],
        gap_mean_ms=None if tpot is None else 1e3 * tpot["mean"],
    )


def read_llama_benchy(folder: Path) -> Reported:
    """It keeps each request's TTFT and decode rate; the inverse of the rate is the mean gap."""
    (found,) = _json(folder / "result.json")["benchmarks"]
    if found["e2e_ttft"] is None:
        raise ValueError("no request got a token")
    ttft = sorted(found["e2e_ttft"]["values"])
    rates = (found["tg_req_throughput"] or {"values": []})["values"]
    return Reported(
        requests=len(ttft),
        ttft_mean_ms=fmean(ttft),
        ttft_p99_ms=quantile(ttft, 0.99),
        gap_mean_ms=fmean(1e3 / rate for rate in rates) if rates else None,
    )


def read_aiperf(folder: Path) -> Reported:
    """The aggregate that it exports beside the records."""
    found = _json(folder / "artifacts" / "profile_export_aiperf.json")
    ttft = found["time_to_first_token"]
    assert ttft["unit"] == "ms"
    gap = found.get("inter_token_latency", {}).get("avg")
    return Reported(
        requests=round(found["request_count"]["avg"]),
        ttft_mean_ms=ttft["avg"],
        ttft_p99_ms=ttft["p99"],
        gap_mean_ms=gap if gap is not None and math.isfinite(gap) else None,
    )


def _json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _chimera_version() -> str:
    done = subprocess.run([*command(), "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().rpartition(" ")[2]


def _peer_version(venv: Path, name: str) -> str:
    words = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", words, name],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
