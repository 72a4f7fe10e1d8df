"""mlops build: from the commit and the registry to a bento, or the reason why not."""

import json
from pathlib import Path

import pytest

from mlops.bento import find
from tests.team import Team

pytestmark = pytest.mark.slow
RAW = "data-contracts/toy-points/raw/2024-01.csv"


@pytest.fixture
def with_data(team: Team) -> Team:
    done = team.mlops("data", "ingest", "toy-points", RAW)
    assert done.returncode == 0, done.stderr
    team.commit("Pin January")
    return team


def test_it_builds_what_was_trained_from_this_commit_and_the_same_again(with_data: Team) -> None:
    team = with_data
    assert team.mlops("train", "toy-line").returncode == 0
    first = json.loads(team.mlops("build", "toy", "--json").stdout)
    assert first["new"]
    assert find(team.repo, "toy", first["bento"]) == Path(first["path"])
    assert first["models"]["toy-line"]["version"] == 1
    told = team.mlops("build", "toy")
    assert told.returncode == 0
    assert "bento of toy was there already, unchanged" in told.stdout
    assert first["bento"] in told.stdout
    assert told.stdout.splitlines()[-1].startswith("Next: mlops release toy")


def test_without_a_model_of_this_source_and_data_it_says_what_to_run(with_data: Team) -> None:
    done = with_data.mlops("build", "toy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        "models/toy-line: no registered version of this source and data; run mlops train toy-line"
    )


def test_what_is_not_committed_is_named(team: Team) -> None:
    team.write("apps/toy/service.py", "print()\n")
    team.write("models/toy-line/new.py", "")
    team.write("models/toy-line/tests/test_it.py", "")
    team.write("apps/toy/README.md", "words\n")
    done = team.mlops("build", "toy")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "apps/toy/service.py: differs from the last commit; commit it, then build",
        "models/toy-line/new.py: differs from the last commit; commit it, then build",
    ]


def test_a_service_that_does_not_exist_is_told(team: Team) -> None:
    done = team.mlops("build", "nothing")
    assert done.returncode == 2
    assert done.stderr.startswith("apps/nothing/service.yaml: file is missing; add it")


def test_its_help_shows_an_example(team: Team) -> None:
    assert "Example: mlops build bike-demand" in team.mlops("build", "--help").stdout
