"""The same commit and the same data give the same release, byte for byte, on another machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.elsewhere import elsewhere
from tests.team import Team, git, make_team

RAW = "data-contracts/toy-points/raw/2024-01.csv"
BRANCH = "origin/release/toy-1"


def mlops(root: Path, environment: dict[str, str], *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlops", *args],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def released(team: Team, environment: dict[str, str]) -> dict[str, bytes]:
    """Train and release in a clone; the files of the branch that differ from main."""
    mlops(team.root, environment, "train", "toy-line")
    mlops(team.root, environment, "release", "toy")
    team.git("fetch", "--quiet", "origin")
    tree = team.repo.commit(BRANCH).tree
    names = team.git("diff", "--name-only", "main", BRANCH).splitlines()
    return {name: tree.read(name) or b"" for name in names}


@pytest.mark.slow
def test_releasing_elsewhere_gives_the_same_files(tmp_path: Path) -> None:
    here = make_team(tmp_path / "here")
    environment = {"PYTHONHASHSEED": "1", "TZ": "UTC"}
    mlops(here.root, environment, "data", "ingest", "toy-points", RAW)
    here.commit("Pin January")
    first = released(here, environment)
    folder = tmp_path / "there" / "a longer name"
    folder.mkdir(parents=True)
    # The forge as it was before the release, and stores that hold the data alone.
    git(folder, "clone", "--quiet", "--bare", "--single-branch", str(here.forge), "forge.git")
    git(folder, "clone", "--quiet", "forge.git", "team")
    there = Team(folder / "team", folder / "forge.git", folder / "stores")
    shutil.copytree(here.stores / "dvc", there.stores / "dvc")
    there.git("config", "user.name", "Somebody")
    there.git("config", "user.email", "somebody@example.com")
    second = released(there, elsewhere(folder))
    assert there.git("rev-parse", "main") == here.git("rev-parse", "main")
    assert "environments/dev/toy/release.yaml" in first
    assert second == first
