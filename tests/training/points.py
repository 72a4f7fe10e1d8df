"""The toy project's dataset, pinned without the ingest, and its model, trained and opened."""

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from mlops.data.contract import read_contract
from mlops.data.pin import pin_of, pin_path, stored, to_dvc
from mlops.data.table import encode
from mlops.files import write_whole
from mlops.registry import Registered, Registry
from mlops.repository import Layout
from mlops.scoring.scorer import Scorer
from mlops.training import training
from mlops.training.holdout import Split, split_rows
from tests.team import Team

MODEL = "toy-line"
INVALID = Path(__file__).parents[1] / "fixtures" / "invalid"


def points(days: int = 20, seed: int = 1) -> pd.DataFrame:
    """Hourly points near a line, one slope for each side."""
    chance = np.random.default_rng(seed)
    rows = days * 24
    x = chance.uniform(0, 10, rows).round(3)
    side = np.where(chance.random(rows) < 0.6, "right", "left")
    y = 3 * x + np.where(side == "right", 5.0, 0.0) + chance.normal(0, 0.5, rows)
    moments = pd.date_range("2024-01-01", periods=rows, freq="h", unit="us")
    return pd.DataFrame({"moment": moments, "x": x, "side": side, "y": y.round(4)})


def pin(team: Team, rows: pd.DataFrame) -> None:
    """Pin these rows as toy-points in the work tree, with their content in the stores."""
    repo = team.repo
    contract = read_contract(repo, "toy-points")
    content = encode(contract, rows)
    made = pin_of("toy-points", content, len(rows), contract.version)
    write_whole(stored(repo, made), content)
    team.write(pin_path("toy-points"), to_dvc(made))


@cache
def _empty_registry() -> bytes:
    """A made, empty MLflow database: making one takes seconds, copying it none."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with tempfile.TemporaryDirectory() as folder:
        SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", folder)
        return (Path(folder) / "mlflow.db").read_bytes()


def start_registry(team: Team) -> None:
    """Give a team an empty registry."""
    write_whole(team.stores / "mlflow.db", _empty_registry())


def registered(team: Team) -> Registered:
    """The work tree's model, trained and registered in this process."""
    repo = team.repo
    made = training.train(repo, repo, MODEL)
    inputs = training.inputs_of(repo, MODEL)
    return Registry.of(repo).register(MODEL, made.files, inputs, params={}, metrics={}, tags={})


@dataclass(frozen=True)
class Candidate:
    """A model trained on the older rows of a frame, and the split."""

    split: Split
    scorer: Scorer
    trained: training.Trained


def candidate(layout: Layout, rows: pd.DataFrame, folder: Path) -> Candidate:
    """Train and open the toy model as the tree says; the artifact lies below `folder`."""
    split = split_rows(layout.model(MODEL), rows)
    trained = training.fit(layout, MODEL, split.train)
    place = folder / trained.digest.removeprefix("sha256:")
    for name, content in trained.files.items():
        write_whole(place / name, content)
    scorer = Scorer.of(training.features_of(layout, MODEL), place, trained.digest)
    return Candidate(split, scorer, trained)
