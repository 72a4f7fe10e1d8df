"""The gates: a candidate that is better in one respect and worse in another is refused."""

import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from mlops.repository import Repository
from mlops.scoring.scorer import Scorer
from mlops.scoring.source import module_of
from mlops.training.comparison import compare
from mlops.training.evaluation import measure_rows
from mlops.training.holdout import split_rows
from mlops.training.training import features_of, fit

NAME = "flight-delay"
ROOT = Path(__file__).parents[3]
EXCERPT = ROOT / "tests" / "fixtures" / "flights"
WEIGHTED = "rounds: 100", "rounds: 100\n    scale_pos_weight: 3"


def rows() -> pd.DataFrame:
    """The excerpt of real flights, joined as the dataset is."""
    sources = {name: _ingested(name) for name in ("flights", "weather")}
    joined: pd.DataFrame = _code("flights-with-weather/derive.py").derive(sources)
    return joined


def _ingested(dataset: str) -> pd.DataFrame:
    raw = pd.read_csv(EXCERPT / f"{dataset}.csv", dtype=str, keep_default_na=False)
    frame: pd.DataFrame = _code(f"{dataset}/ingest.py").ingest(raw)
    names = ("origin", "carrier", "dest", "tailnum", "departs_at", "hour_at")
    numbers = [column for column in frame.columns if column not in names]
    return frame.assign(**{column: pd.to_numeric(frame[column]) for column in numbers})


def _code(path: str) -> ModuleType:
    file = ROOT / "data-contracts" / path
    return module_of(file.read_bytes(), str(file))


def project(folder: Path, old: str = "", new: str = "") -> Repository:
    """The model's own files, with a line of model.yaml replaced."""
    shutil.copytree(ROOT / "models" / NAME, folder / "models" / NAME)
    shutil.copy(ROOT / "mlops.toml", folder / "mlops.toml")
    file = folder / "models" / NAME / "model.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    return Repository.at(folder)


def trained(repo: Repository, train: pd.DataFrame, folder: Path) -> Scorer:
    made = fit(repo, NAME, train)
    folder.mkdir()
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    return Scorer.of(features_of(repo, NAME), folder, made.digest)


@pytest.mark.slow
def test_late_flights_weighted_more_raise_auc_and_spoil_the_probabilities_so_it_is_refused(
    tmp_path: Path,
) -> None:
    """As on all of the data (model.yaml), whose slices an excerpt is too small for."""
    shipped = project(tmp_path / "shipped")
    spec = shipped.model(NAME)
    split = split_rows(spec, rows())
    champion = trained(shipped, split.train, tmp_path / "champion")
    weighted = project(tmp_path / "weighted", *WEIGHTED)
    candidate = trained(weighted, split.train, tmp_path / "candidate")
    found = {one.metric: one for one in compare(spec, split, candidate, champion)}
    assert found["auc"].challenger_value > found["auc"].champion_value
    assert not found["log_loss"].passed
    measured = measure_rows(spec, split, candidate, "sha256:" + "0" * 64).evidence
    assert "absolute ece" in {gate.gate for gate in measured.gates if not gate.passed}
    assert all(one.passed for one in compare(spec, split, champion, champion))


def test_the_gates_ask_for_order_and_calibration_in_all_rows_and_in_each_slice() -> None:
    asked = Repository.at(ROOT).model(NAME).gates
    both = {"auc", "ece"}
    assert {gate.metric for gate in asked.absolute} == both
    assert {gate.metric for gate in asked.relative} == {"auc", "log_loss"}
    for column in ("month", "carrier"):
        assert {gate.metric for gate in asked.slices if gate.column == column} == both
