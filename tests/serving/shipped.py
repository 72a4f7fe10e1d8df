"""A shipped service with a small model of its own, served and asked for its example."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlops.bento import Artifact, build, scorer
from mlops.repository import Repository
from mlops.scoring import artifact, features
from mlops.scoring.source import module_of
from mlops.specs.model import Model
from tests.serving.toy import body, serving
from tests.team import ROOT, make_team


@dataclass(frozen=True)
class Asked:
    """What the service answered, what the model gives offline, and `/docs.json`."""

    answer: dict[str, Any]
    predictions: list[float]
    described: str


def asked(folder: Path, name: str) -> Asked:
    """Build, serve and ask a service whose model has its own name."""
    team = make_team(folder)
    for part in (f"apps/{name}", f"models/{name}"):
        shutil.copytree(ROOT / part, team.root / part, ignore=shutil.ignore_patterns("evidence"))
    team.commit("Add the service")
    repo = team.repo
    model = small_model(repo.model(name), folder / "artifact")
    built = build(repo, repo.commit("HEAD"), name, {name: model})
    example = repo.service(name).example
    offline = scorer(built.path, name, model.digest)
    predictions = offline.score([offline.features.record(**example)]).tolist()
    with (
        serving(built.path, release=2, pins={name: model.digest}) as served,
        served.ask() as client,
    ):
        answer = client.post("/predict", content=body(example)).json()
        return Asked(answer, predictions, client.get("/docs.json").text)


def small_model(spec: Model, folder: Path) -> Artifact:
    """A model of a few trees, trained with the model's own code on made-up features."""
    own = ROOT / "models" / spec.model
    code = features.load(own / "features.py")
    train = module_of((own / "train.py").read_bytes(), str(own / "train.py")).train
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (500, len(code.columns)))
    y = random.poisson(50, 500) if spec.task == "regression" else random.integers(0, 2, 500)
    text = train(x, y, code.columns, {"rounds": 20}, 1)
    card = artifact.Card(
        model=spec.model,
        task=spec.task,
        format=spec.format,
        columns=code.columns,
        features=code.digest,
    )
    files = artifact.files_of(card, text.encode())
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Artifact(artifact.digest_of(files), folder)


def example_is_a_record(name: str) -> bool:
    """Whether the example of service.yaml is a row that the model takes; raises when not."""
    record = features.load(ROOT / "models" / name / "features.py").record
    return isinstance(record(**Repository.at(ROOT).service(name).example), record)
