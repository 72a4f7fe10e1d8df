"""Fixtures every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.team import Team, copy_team, git, make_team

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# Each takes a minute or more: begun last, one would leave the other processor idle.
LONGEST = (
    "tests/workflows/test_story.py",
    "tests/benchmarks/test_small.py",
    "tests/demo/",
    "tests/workflows/test_nightly.py",
    "tests/images/test_making.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, the others in their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


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
