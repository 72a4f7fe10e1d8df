"""The service as its users meet it."""

import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops.bento import Artifact, build, scorer
from mlops.data.contract import read_contract
from mlops.data.feature_limits import limits_for
from mlops.repository import Repository
from mlops.scoring import artifact, features
from mlops.scoring.limits import Limit
from mlops.scoring.scorer import Scorer
from tests.data.rows import good_rows
from tests.serving.one_code import agree
from tests.serving.toy import body, serving
from tests.team import ROOT, make_team

NAME = "bike-demand"
FEATURES = ROOT / "models" / NAME / "features.py"


def test_the_example_is_a_row_the_model_takes() -> None:
    spec = Repository.at(ROOT).service(NAME)
    features.load(FEATURES).record(**spec.example)


@dataclass(frozen=True)
class Served:
    """The service's real process, with a small model, and that model offline."""

    client: httpx.Client
    offline: Scorer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    team = make_team(folder)
    for part in (f"apps/{NAME}", f"models/{NAME}"):
        shutil.copytree(ROOT / part, team.root / part, ignore=shutil.ignore_patterns("evidence"))
    team.commit("Add the service")
    model = small_model(folder / "artifact")
    repo = team.repo
    built = build(repo, repo.commit("HEAD"), NAME, {NAME: model})
    pins = {NAME: model.digest}
    with serving(built.path, release=2, pins=pins) as process, process.ask() as client:
        yield Served(client, scorer(built.path, NAME, model.digest))


@pytest.mark.slow
def test_it_answers_the_example_as_the_model_does(served: Served) -> None:
    example = Repository.at(ROOT).service(NAME).example
    expected = served.offline.score([served.offline.features.record(**example)]).tolist()
    answer = served.client.post("/predict", content=body(example)).json()
    assert answer == {"release": 2, "predictions": expected}
    assert "hour of the day" in served.client.get("/docs.json").text


DATA = read_contract(Repository.at(ROOT), "bike-rentals")


@pytest.mark.slow
@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(good_rows(DATA), min_size=1, max_size=20))
def test_training_and_serving_make_the_same_of_any_rows_that_the_contract_allows(
    served: Served, rows: list[dict[str, Any]]
) -> None:
    agree(DATA, rows, served.offline, served.client)


@pytest.mark.slow
def test_a_feature_outside_its_contract_is_answered_and_counted(served: Served) -> None:
    example = Repository.at(ROOT).service(NAME).example
    before = counted(served, "hr")
    rows = [{**example, "hr": hour} for hour in (LATEST - 1, LATEST, LATEST + 1, LATEST + 2)]
    assert served.client.post("/predict", content=body(*rows)).status_code == 200
    assert counted(served, "hr") == before + 2
    assert counted(served, "temp") == 0


def counted(served: Served, feature: str) -> float:
    name = f'mlops_features_outside_total{{feature="{feature}",model="{NAME}",release="2"}} '
    lines = served.client.get("/metrics").text.splitlines()
    (line,) = [line for line in lines if line.startswith(name)]
    return float(line.removeprefix(name))


LATEST = 21
"""Hour that the small model's limits end with, before Record's do."""


def small_model(folder: Path) -> Artifact:
    """A model of a few trees, trained with the model's own code on made-up features."""
    code = features.load(FEATURES)
    spec = importlib.util.spec_from_file_location("train", FEATURES.parent / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (500, len(code.columns)))
    text = module.train(x, random.poisson(50, 500), code.columns, {"rounds": 20}, 1)
    card = artifact.Card(
        model=NAME,
        task="regression",
        format="lightgbm",
        columns=code.columns,
        features=code.digest,
        limits=limits(code.columns),
    )
    files = artifact.files_of(card, text.encode())
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Artifact(artifact.digest_of(files), folder)


def limits(columns: tuple[str, ...]) -> tuple[Limit, ...]:
    """The contract's, the hour's a little narrower."""
    found = limits_for(Repository.at(ROOT), NAME, columns)
    assert found is not None
    high = {"hr": LATEST}
    return tuple(
        limit.model_copy(update={"high": high.get(limit.feature, limit.high)}) for limit in found
    )
