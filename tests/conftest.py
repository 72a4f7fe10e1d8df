"""Fixtures every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.team import Team, copy_team, git, make_team

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def first_team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """What every team is a copy of, with few files to copy; nobody works in it."""
    team = make_team(tmp_path_factory.mktemp("first"))
    for repository in (team.root, team.forge):
        git(repository, "repack", "-a", "-d", "--quiet")
    return team


@pytest.fixture
def team(first_team: Team, tmp_path: Path) -> Team:
    """A fresh clone of the small project with its forge and stores."""
    return copy_team(first_team, tmp_path)
