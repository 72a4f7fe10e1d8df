"""Fixtures every test may use."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.team import Team, make_team

# How long an example takes says more about the machine than about the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A fresh clone of the small project with its forge and stores."""
    return make_team(tmp_path)
