"""Promotions that an environment asks for by itself are due when nothing speaks against them."""

from datetime import UTC, datetime, timedelta

import pytest

from mlops.environments.next_promotions import Next, next_promotions
from mlops.environments.promotion import branch_of
from mlops.records import Record, append
from tests.environments.shelf import Shelf, shelf_of
from tests.team import Team

STAGING = "environments/staging/env.yaml"
DUE = (Next("toy", "staging", 1),)


@pytest.fixture
def shelf(team: Team) -> Shelf:
    """Release 1 in dev."""
    found = shelf_of(team)
    found.put(1, "dev")
    return found


def ask(team: Team, more: str = "") -> None:
    """Let staging ask for promotions."""
    text = (team.root / STAGING).read_text()
    team.write(STAGING, f"{text}open_promotions: true\n{more}")
    team.commit("Staging asks for promotions")


def serve(team: Team, number: int, hours: float) -> None:
    """What the follower of dev records: it has served a release for so long."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    commit = team.git("rev-parse", "HEAD")
    record = Record(
        kind="serving", environment="dev", service="toy", release=number,
        at=at.isoformat(timespec="seconds"), commit=commit,
    )  # fmt: skip
    append(team.repo.git, "origin", record)


def test_only_an_environment_that_asks_gets_one(shelf: Shelf) -> None:
    assert next_promotions(shelf.team.repo) == ()
    ask(shelf.team)
    assert next_promotions(shelf.team.repo) == DUE


def test_what_is_held_already_or_was_taken_back_is_not_due(shelf: Shelf) -> None:
    ask(shelf.team)
    shelf.put(1, "staging")
    assert next_promotions(shelf.team.repo) == ()
    shelf.revert()
    assert next_promotions(shelf.team.repo) == ()
    shelf.put(2, "dev")
    assert next_promotions(shelf.team.repo) == (Next("toy", "staging", 2),)


def test_one_that_waits_for_approval_is_left_alone(shelf: Shelf) -> None:
    ask(shelf.team)
    branch = branch_of("toy", 1, "staging")
    shelf.team.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    assert next_promotions(shelf.team.repo) == ()


def test_the_soak_is_waited_for(shelf: Shelf) -> None:
    ask(shelf.team, "soak: PT2H\n")
    assert next_promotions(shelf.team.repo) == ()
    serve(shelf.team, 1, hours=1)
    assert next_promotions(shelf.team.repo) == ()


def test_after_the_soak_it_is_due(shelf: Shelf) -> None:
    ask(shelf.team, "soak: PT2H\n")
    serve(shelf.team, 1, hours=3)
    assert next_promotions(shelf.team.repo) == DUE


def test_nothing_is_due_in_a_freeze(shelf: Shelf) -> None:
    today = datetime.now(UTC).date()
    ask(shelf.team, f"freeze:\n- {{start: {today}, end: {today}, reason: holidays}}\n")
    assert next_promotions(shelf.team.repo) == ()
