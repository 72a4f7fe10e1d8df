"""The files before a change, and what served by them, wherever they are read from."""

import pytest

from mlops.checks.context import Context, Share
from mlops.graph import affected
from mlops.repository import release_path
from mlops.training.champion import release_with
from tests.releases import make_release
from tests.team import Team

MODEL = "toy-line"


def context(team: Team) -> Context:
    """What a part is given for all that differs from the last commit."""
    repo, head = team.repo, team.repo.git.head()
    changed = tuple(repo.git.uncommitted())
    return Context(repo, head, head, changed, affected(repo, changed), Share("models"))


def champion(team: Team) -> int | None:
    """The release that served before what is not committed."""
    found = release_with(context(team).before_below("environments/prod"), MODEL, "prod")
    return found.release if found else None


def serve(team: Team, service: str, number: int) -> None:
    path = release_path("prod", service)
    team.write(path, make_release(number, service=service).release_text)


def test_what_serves_before_a_change_is_not_what_the_change_brings(team: Team) -> None:
    serve(team, "toy", 1)
    team.commit("prod serves release 1")
    team.write("models/toy-line/train.py", "")
    assert champion(team) == 1
    serve(team, "toy", 2)
    assert champion(team) == 1


@pytest.mark.parametrize("likely", [[], ["toy"], ["other"], ["toy", "nowhere"]])
def test_a_release_is_found_whatever_service_was_expected(team: Team, likely: list[str]) -> None:
    serve(team, "other", 3)
    found = release_with(team.repo, MODEL, "prod", likely)
    assert found is not None
    assert (found.service, found.release) == ("other", 3)
    assert release_with(team.repo, MODEL, "dev", likely) is None
    assert release_with(team.repo, "no-model", "prod", likely) is None


def test_the_service_that_still_names_the_model_comes_first(team: Team) -> None:
    serve(team, "other", 3)
    serve(team, "toy", 4)
    assert [
        release.service
        for likely in ((), ("toy",))
        if (release := release_with(team.repo, MODEL, "prod", likely))
    ] == ["other", "toy"]
