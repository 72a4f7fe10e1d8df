"""A shipped service with a small model of its own, in its real process."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from mlops.bento import Artifact, build, scorer
from mlops.data.contract import contract_path
from mlops.data.feature_limits import limits_for
from mlops.repository import Repository
from mlops.scoring import artifact, features
from mlops.scoring.scorer import Scorer
from mlops.scoring.source import module_of
from mlops.specs.model import Model
from tests.serving.toy import body, serving
from tests.team import ROOT, make_team


@dataclass(frozen=True)
class Served:
    """The service's process, and its model offline."""

    client: httpx.Client
    offline: Scorer


@contextmanager
def served(folder: Path, name: str, highest: Mapping[str, float] | None = None) -> Iterator[Served]:
    """Build and serve a service whose model has its own name.

    Args:
        folder: for the team's repository, the model and the bento.
        name: of the service.
        highest: of features, in place of what their contract allows.
    """
    team = make_team(folder)
    for part in (f"apps/{name}", f"models/{name}"):
        shutil.copytree(ROOT / part, team.root / part, ignore=shutil.ignore_patterns("evidence"))
    contract = contract_path(Repository.at(ROOT).model(name).data.dataset)
    shutil.copy(ROOT / contract, team.root / contract)
    team.commit("Add the service")
    repo = team.repo
    model = small_model(repo.model(name), folder / "artifact", highest or {})
    built = build(repo, repo.commit("HEAD"), name, {name: model})
    pins = {name: model.digest}
    with serving(built.path, release=2, pins=pins) as process, process.ask() as client:
        yield Served(client, scorer(built.path, name, model.digest))


def answers_the_example(found: Served, name: str) -> None:
    """Hold the answer to the example of service.yaml to what the model gives offline."""
    example = Repository.at(ROOT).service(name).example
    expected = found.offline.score([found.offline.features.record(**example)]).tolist()
    answer = found.client.post("/predict", content=body(example)).json()
    assert answer == {"release": 2, "predictions": expected}


def small_model(spec: Model, folder: Path, highest: Mapping[str, float]) -> Artifact:
    """A model of a few trees, trained with the model's own code on made-up features."""
    own = ROOT / "models" / spec.model
    code = features.load(own / "features.py")
    train = module_of((own / "train.py").read_bytes(), str(own / "train.py")).train
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (500, len(code.columns)))
    y = random.poisson(50, 500) if spec.task == "regression" else random.integers(0, 2, 500)
    text = train(x, y, code.columns, {"rounds": 20}, 1)
    limits = limits_for(Repository.at(ROOT), spec.model, code.columns)
    card = artifact.Card(
        model=spec.model,
        task=spec.task,
        format=spec.format,
        columns=code.columns,
        features=code.digest,
        limits=limits
        and tuple(
            limit.model_copy(update={"high": highest.get(limit.feature, limit.high)})
            for limit in limits
        ),
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
