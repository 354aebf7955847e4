"""The agent at work on the embedded model, in both grades, beside two free calls of the same model.

python -m benchmarks.bench_agents [FOLDER] [--rounds N] [--tokens N] [--json]

The free calls are asked as an earlier system asked: file names and the persona, "write an
analysis", then "write the report". What they say is audited; so is each report.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.timing import ROOT, default_folder, new_process_environment, show

NOTES = [
    "own: the workflow (ingest, analysis, report) without the time in engine calls, by a clock",
    "     around them; start of the process and rendering are in bench_report",
    "sentences: whose wording the model chose (choose), which it wrote and code accepted (cite)",
    "wrong: claims that the audit finds contradicted, misattributed, inconsistent or fabricated",
]
_FREE_TOKENS = 1161  # twice this is what the earlier system's two calls generated
_CONTEXT = 8192


def in_grade(folder: Path, grade: str) -> dict[str, Any]:
    """One report in a new process, in a grade."""
    with TemporaryDirectory() as temporary:
        output, clock = Path(temporary, "report"), Path(temporary, "clock.json")
        words = [sys.executable, "-m", "benchmarks.engine_clock", str(clock), "report"]
        options = ["--grade", grade, "--output", str(output)]
        done = subprocess.run(
            [*words, str(folder), *options],
            env=new_process_environment(),
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"chimera report: exit code {done.returncode}\n{done.stderr.decode()}")
        content = json.loads((output / "report.json").read_text("utf-8"))
        calls = (output / "calls.jsonl").read_text("utf-8").splitlines()[1:]
        tokens = sum(json.loads(line)["output_tokens"] or 0 for line in calls)
        times = content["times_s"]
        whole = times["ingest_s"] + times["analysis_s"] + times["report_s"]
        busy = json.loads(clock.read_text("utf-8"))["calls"]
        engine = sum(busy.get(name, {}).get("sum_s", 0.0) for name in busy if name != "close")
        outcomes = [d["outcome"] for d in content["writing"]["drafts"]]
        wrote = len(outcomes) - outcomes.count("replaced")
        if grade == "choose":
            wrote = content["sentences"]["model"]
        return {
            "wall_s": whole,
            "own_percent": 100 * max(0.0, whole - engine) / whole,
            "tokens": tokens,
            "sentences": wrote,
            "tokens_per_sentence": tokens / wrote if wrote else None,
            "claims_wrong": wrong_in(output / "report.md", folder, own=True),
        }


def free_calls(folder: Path, tokens: int) -> dict[str, Any]:
    """Two calls of the same model in free text, ``tokens`` each."""
    from chimera.agents.persona import load_persona
    from chimera.engines.base import CompletionRequest, Options
    from chimera.engines.llamacpp import LlamaCpp

    names = "\n".join(sorted(str(p.relative_to(folder)) for p in folder.rglob("*.*")))
    front = f"{load_persona('technical').prompt}\n\nFiles of the dataset:\n{names}\n\n"
    with LlamaCpp(options=Options(num_ctx=_CONTEXT, temperature=0.8, seed=0)) as engine:
        begun = perf_counter()
        written = 0
        text = ""
        for task in ("Analysis of the dataset, with its key findings:\n", "# Technical report\n"):
            request = CompletionRequest(
                prompt=front + task, max_tokens=tokens, ignore_eos=True, timeout_s=3600
            )
            done = engine.complete(request)
            written += done.output_tokens or 0
            text += task + done.text + "\n"
        wall_s = perf_counter() - begun
    with TemporaryDirectory() as temporary:
        report = Path(temporary, "free.md")
        report.write_text(text, "utf-8")
        wrong = wrong_in(report, folder, own=False)
    return {
        "wall_s": wall_s,
        "own_percent": None,
        "tokens": written,
        "sentences": None,
        "tokens_per_sentence": None,
        "claims_wrong": wrong,
    }


def wrong_in(report: Path, folder: Path, *, own: bool) -> int:
    """Claims of a report that do not hold."""
    from chimera.audit import Auditor
    from chimera.audit.own import read_ledger

    ledger = read_ledger(report.with_suffix(".json").read_bytes()) if own else None
    audit = Auditor(folder).audit(report.read_text("utf-8"), ledger=ledger)
    return sum(1 for claim in audit.claims if claim.is_bad)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=_FREE_TOKENS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if find_spec("xllamacpp") is None:
        print("bench_agents left out: the embedded engine is not installed (extra `local`)")
        return 0
    found: dict[str, list[dict[str, Any]]] = {"choose": [], "cite": [], "two free calls": []}
    for _ in range(options.rounds):
        for grade in ("choose", "cite"):
            found[grade].append(in_grade(folder, grade))
        found["two free calls"].append(free_calls(folder, options.tokens))
    rows: list[dict[str, object]] = []
    for name, runs in found.items():
        row: dict[str, object] = {"what": name, "n": len(runs)}
        for key in runs[0]:
            values = [run[key] for run in runs if run[key] is not None]
            row[key] = statistics.median(values) if values else None
        rows.append(row)
    show(f"The agent, {folder.name}", rows, NOTES, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
