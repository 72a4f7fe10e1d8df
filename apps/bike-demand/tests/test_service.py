"""The service as its users meet it."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from mlops.bento import Artifact, build, scorer
from mlops.repository import Repository
from mlops.scoring import artifact, features
from tests.serving.toy import body, serving
from tests.team import ROOT, make_team

NAME = "bike-demand"
FEATURES = ROOT / "models" / NAME / "features.py"


def test_the_example_is_a_row_the_model_takes() -> None:
    spec = Repository.at(ROOT).service(NAME)
    features.load(FEATURES).record(**spec.example)


@pytest.mark.slow
def test_it_answers_the_example_as_the_model_does(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    for part in (f"apps/{NAME}", f"models/{NAME}"):
        shutil.copytree(ROOT / part, team.root / part, ignore=shutil.ignore_patterns("evidence"))
    team.commit("Add the service")
    model = small_model(tmp_path / "artifact")
    repo = team.repo
    built = build(repo, repo.commit("HEAD"), NAME, {NAME: model})
    example = repo.service(NAME).example
    offline = scorer(built.path, NAME, model.digest)
    expected = offline.score([offline.features.record(**example)]).tolist()
    pins = {NAME: model.digest}
    with serving(built.path, release=2, pins=pins) as served, served.ask() as client:
        answer = client.post("/predict", content=body(example)).json()
        described = client.get("/docs.json").text
    assert answer == {"release": 2, "predictions": expected}
    assert "hour of the day" in described


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
    )
    files = artifact.files_of(card, text.encode())
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Artifact(artifact.digest_of(files), folder)
