"""``chimera runs export --mlflow``: what a tracking store holds afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chimera.cli.main import main
from chimera.record.runfile import read_run
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import ENDED, put

RUN = "20260102T030405Z-aaaaaa"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHIMERA_STORE", str(tmp_path / "runs.db"))
    # What MLflow 3 wants before it writes files.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with open_store() as store:
        put(store, sample_run(RUN, experiment="mine"), ENDED, tags=("odd: tag", "b"))


@pytest.mark.filterwarnings("ignore")
def test_params_metrics_tags_and_the_run_file(tmp_path: Path) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="no mlflow (extra `mlflow`)")
    uri = (tmp_path / "mlruns").as_uri()
    assert main(["runs", "export", RUN, "--mlflow", uri]) == 0
    client = tracking.MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    assert (run.info.run_name, run.info.status) == (RUN, "FINISHED")
    assert run.data.params["configuration_0/num_ctx"] == "512"
    assert run.data.params["request/max_tokens"] == "4"
    assert run.data.metrics["configuration_0/requests"] == 3
    assert run.data.metrics["configuration_0/failed"] == 1
    assert run.data.metrics["configuration_0/ttft_s_mean"] == pytest.approx(0.04, abs=1e-3)
    assert run.data.tags["chimera.tags"] == "b, odd: tag"
    path = client.download_artifacts(run.info.run_id, "run.jsonl", str(tmp_path))
    assert read_run(Path(path)).requests == ENDED[1:4]


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mlflow.tracking", reason="no mlflow (extra `mlflow`)")
    assert main(["runs", "export", RUN, "--mlflow", "http://me:s3cret@127.0.0.1:9"]) == 3
    said = capfd.readouterr().err
    assert "cannot export to http://me@127.0.0.1:9" in said
    assert "s3cret" not in said


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("mlflow", "mlflow.tracking", "mlflow.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["runs", "export", RUN, "--mlflow", "http://127.0.0.1:9"]) == 4
    assert "chimera-lab[mlflow]" in capfd.readouterr().err
