"""The first release of a service comes from where one is, and from data before that."""

import shutil
from pathlib import Path

import pytest

from mlops.environments.first_step import first_step
from mlops.files import write_whole
from mlops.repository import Layout
from mlops.tree import WorkTree
from tests.releases import files_of, make_release
from tests.team import PROJECT

PIN = "data-contracts/toy-points.dvc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The small project, before any release."""
    shutil.copytree(PROJECT, tmp_path / "project")
    return tmp_path / "project"


def step(root: Path, environment: str) -> str:
    return first_step(Layout(WorkTree(root)), environment, "toy")


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_without_data_it_says_how_to_get_some(root: Path, environment: str) -> None:
    assert step(root, environment) == (
        "toy-line waits for data: no version of toy-points is pinned yet; "
        "mlops data ingest toy-points FILE..."
    )


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_where_nothing_is_released_a_release_is_first(root: Path, environment: str) -> None:
    write_whole(root / PIN, "there is a pin; what it says is not asked\n")
    assert step(root, environment) == "mlops release toy"


def test_what_an_earlier_environment_holds_goes_to_the_next(root: Path) -> None:
    for path, content in files_of(make_release(3), "dev").items():
        write_whole(root / path, content)
    assert step(root, "staging") == step(root, "prod") == "mlops promote toy --to staging"


def test_a_service_that_cannot_be_read_is_released_to_hear_why(root: Path) -> None:
    write_whole(root / "apps/toy/service.yaml", "models: 3\n")
    assert step(root, "prod") == "mlops release toy"
