"""A team with bentos of the toy service: good ones that differ, and some that do not serve."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops.bento import Artifact, build
from mlops.repository import release_path
from tests.releases import make_release
from tests.serving.toy import MODEL, toy_artifact
from tests.team import Team, make_team

SERVICE_FILE = "apps/toy/service.py"
RAISES = 'import os\n\nif "MLOPS_RELEASE" in os.environ:\n    raise RuntimeError("no such table")\n'
SCORES = "line.score,"
NOT_FINITE = "lambda rows: line.score(rows) * float('nan'),"


@dataclass(frozen=True)
class Made:
    """A bento and the model in it."""

    bento: str
    model: Artifact


@dataclass(frozen=True)
class Bentos:
    """Stores with bentos by name."""

    stores: Path
    made: Mapping[str, Made]


@dataclass(frozen=True)
class Fleet:
    """A team whose releases are put into environments by hand."""

    team: Team
    bentos: Bentos

    def text(self, number: int, kind: str, service: str = "toy") -> str:
        """release.yaml of a release with that number."""
        made = self.bentos.made[kind]
        release = make_release(number, bento=made.bento, model=made.model.digest, service=service)
        return release.release_text

    def deploy(self, number: int, kind: str = "first", environment: str = "dev") -> str:
        """Merge a release into an environment; returns the commit."""
        self.team.write(release_path(environment, "toy"), self.text(number, kind))
        return self.team.commit(f"Release {number} to {environment}")

    def revert(self) -> str:
        """Revert the newest commit."""
        self.team.git("revert", "--no-edit", "HEAD")
        self.team.git("push", "--quiet", "origin", "HEAD")
        return self.team.git("rev-parse", "HEAD")


@pytest.fixture(scope="session")
def bentos(tmp_path_factory: pytest.TempPathFactory) -> Bentos:
    """Built once: `first` and `second` differ in their model; `raises` and `nan` do not serve."""
    folder = tmp_path_factory.mktemp("bentos")
    team = make_team(folder)
    first = toy_artifact(team, folder / "first", rounds=40)
    second = toy_artifact(team, folder / "second", rounds=60)
    good = (team.root / SERVICE_FILE).read_text()
    sources = {
        "first": (good, first),
        "second": (good, second),
        "raises": (good + RAISES, first),
        "nan": (good.replace(SCORES, NOT_FINITE), first),
    }
    made = {}
    for name, (source, model) in sources.items():
        team.write(SERVICE_FILE, source)
        built = build(team.repo, team.repo, "toy", {MODEL: model})
        made[name] = Made(built.digest, model)
    return Bentos(team.stores, made)


@pytest.fixture
def fleet(team: Team, bentos: Bentos) -> Fleet:
    """A fresh team with those bentos in its store."""
    shutil.copytree(bentos.stores / "bentos", team.stores / "bentos")
    return Fleet(team, bentos)
