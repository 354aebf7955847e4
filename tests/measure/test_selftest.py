"""The self-test on this machine, short: what it says is plausible, and it is kept."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from chimera import __version__
from chimera.cli.main import main
from chimera.measure import selftest
from chimera.measure.selftest import (
    FILE,
    SelfTestReport,
    keep_selftest,
    kept_selftest,
    run_selftest,
)


@pytest.fixture(scope="module")
def report() -> SelfTestReport:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selftest, "_TTFT_MS", 40)
        patch.setattr(selftest, "_ITL_MS", 5)
        patch.setattr(selftest, "_FLAT_STREAMS", 64)
        seen: list[int] = []
        found = run_selftest((1, 4), seen.append)
        assert seen == [1, 4]
    return found


def test_the_report_is_plausible(report: SelfTestReport) -> None:
    assert report.version == __version__
    assert report.chunks_per_cpu_s > 1000
    assert [(level.streams, level.requests) for level in report.levels] == [(1, 10), (4, 16)]
    for level in report.levels:
        assert level.failed == 0
        assert level.true_ttft_mean_ns >= 40e6
        assert level.true_itl_mean_ns >= 4e6
        # A client cannot see a token before it was sent, nor is it this slow.
        assert -1e6 < level.ttft_bias_mean_ns < 20e6
        assert -20 < level.itl_bias_percent < 20
        assert 0.5 < level.delivered < 1.05
        assert 0 < level.client_cpu_share < 1


def test_it_is_kept_and_read_back(tmp_path: Path, report: SelfTestReport) -> None:
    assert kept_selftest(tmp_path / "new") is None
    keep_selftest(report, tmp_path / "new")
    kept = kept_selftest(tmp_path / "new")
    assert kept == report.recorded()
    assert (kept.streams, kept.requests) == (4, 16)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]
    newer = msgspec.structs.replace(report, captured_utc="2030-01-01T00:00:00.000000Z")
    keep_selftest(newer, tmp_path / "new")
    assert kept_selftest(tmp_path / "new") == newer.recorded()


@pytest.mark.parametrize("change", [{"version": "0.0.1"}, {"levels": ()}])
def test_another_version_or_an_empty_one_is_not_used(
    tmp_path: Path, report: SelfTestReport, change: dict[str, object]
) -> None:
    keep_selftest(msgspec.structs.replace(report, **change), tmp_path)
    assert kept_selftest(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', "\x00"])
def test_a_broken_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert kept_selftest(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_no_matter(
    tmp_path: Path, report: SelfTestReport
) -> None:
    (tmp_path / "file").touch()
    keep_selftest(report, tmp_path / "file")
    assert kept_selftest(tmp_path / "file") is None


def test_the_command(
    tmp_path: Path,
    report: SelfTestReport,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[tuple[int, ...]] = []

    def run(levels: tuple[int, ...], _: object) -> SelfTestReport:
        asked.append(levels)
        return report

    monkeypatch.setattr("chimera.cli.selftest.run_selftest", run)
    assert main(["selftest", "--streams", "4,1,4", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["levels"]) == 2
    assert list(tmp_path.iterdir()) == []  # only the usual levels are kept: they can be compared
    assert main(["selftest"]) == 0
    text = capsys.readouterr().out
    assert "TTFT bias mean" in text
    assert "streamed chunks" in text
    assert asked == [(1, 4), selftest.LEVELS]
    assert kept_selftest(tmp_path / "chimera") == report.recorded()
    assert main(["selftest", "--streams", "0"]) == 2
