"""Fixtures every test may use."""

from pathlib import Path

import pytest
from tests.team import Team, make_team


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """A fresh clone of the small project with its forge and stores."""
    return make_team(tmp_path)
