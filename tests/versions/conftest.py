"""A dataset with two versions, each a commit."""

import pytest

from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.team import Team

PATH = "data-contracts/toy-points.dvc"


@pytest.fixture
def versions(team: Team) -> tuple[Team, str, str]:
    """January, then January and February, each a commit: the clone and both digests."""
    found = []
    for file in (JANUARY, FEBRUARY):
        found.append(ingested(team, file))
        team.commit(f"Ingest {file.name}")
    return team, found[0], found[1]


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
