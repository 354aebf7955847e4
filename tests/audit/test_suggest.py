"""The right values as a diff that applies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from chimera.audit import Audit
from chimera.audit.suggest import suggest
from tests.audit.samples import claim, sample
from tests.audit.test_annotated import audits


def patched(text: str, diff: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.md")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        done = subprocess.run(
            ["patch", "--binary", "-s", str(path)],
            input=diff.encode("utf-8", "surrogatepass"),
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout
        return path.read_bytes().decode("utf-8", "surrogatepass")


needs_patch = pytest.mark.skipif(shutil.which("patch") is None, reason="no patch on PATH")


@needs_patch
@settings(max_examples=60)
@given(audit=audits())
def test_any_suggestion_applies(audit: Audit) -> None:
    done = suggest(audit)
    assert (done.diff == "") is (done.text == audit.text)
    if done.diff:
        assert patched(audit.text, done.diff) == done.text
    bad = [c for c in audit.claims if c.is_bad]
    assert sorted(map(id, [*done.changed, *done.left])) == sorted(map(id, bad))


def test_numbers_are_replaced_and_units_stay() -> None:
    done = suggest(sample())
    assert "reaches 114.2 tokens/s, as" in done.text
    assert "| beta | 98.5 ms |" in done.text
    assert "2. It is 5 ms." in done.text  # the unit was wrong, not the number
    assert [c.text for c in done.left] == ["28 runs"]
    assert done.diff.startswith("--- a/report.md\n+++ b/report.md\n@@ ")


@pytest.mark.parametrize(
    ("words", "label", "right", "new"),
    [
        ("5 ms", "contradicted", "6.5", "6.5 ms"),
        ("5 ms", "contradicted", "6.5 s", "6.5 s"),
        ("alpha", "misattributed", "beta", "beta"),
        ("5 ms", "fabricated", "6", None),
        ("5 ms", "contradicted", None, None),
        ("5 to 7 ms", "contradicted", "6", None),
        ("half", "contradicted", "0.4", None),
        ("5 ms", "supported", "6", None),
        ("5", "contradicted", "6", "6"),
        ("5", "contradicted", "6 ms", None),  # it may not be of a time at all
        ("faster", "contradicted", "the other way round", None),
    ],
)
def test_what_becomes_of_one_claim(words: str, label: str, right: Any, new: str | None) -> None:
    text = f"It is {words} long"
    kind = "name" if words == "alpha" else "comparison" if words == "faster" else "number"
    wrong = claim(text, words, label, right=right, kind=kind)
    done = suggest(Audit(name="r", text=text, claims=(wrong,)))
    assert done.text == f"It is {new or words} long"


def test_a_cell_keeps_the_unit_of_its_header() -> None:
    text = "| model | TTFT (ms) |\n|---|---|\n| beta | 99 |\n"
    wrong = claim(text, "99", "contradicted", right="98.5 ms")
    assert "| beta | 98.5 |" in suggest(Audit(name="r", text=text, claims=(wrong,))).text


def test_claims_that_overlap_change_once() -> None:
    text = "5 ms"
    claims = tuple(claim(text, w, "contradicted", right="7 ms") for w in ("5 ms", "5", "ms"))
    done = suggest(Audit(name="r", text=text, claims=claims))
    assert len(done.changed) == 1
    assert len(done.left) == 2
