"""What an environment confirmed, and the aliases derived from it."""

import pytest

from mlops.follow import confirmed
from mlops.follow.aliases import environment_of, pins_of
from mlops.follow.confirmed import Confirmed
from mlops.follow.places import Places
from mlops.records import Record
from mlops.specs.release import Release
from tests.releases import make_release
from tests.team import Team


def record(release: Release) -> Record:
    return Record(
        kind="serving",
        environment="dev",
        service=release.service,
        release=release.release,
        at="2024-01-01T00:00:00.000Z",
        commit="a" * 40,
    )


ONE, TWO = make_release(1).release, make_release(2).release


def test_a_restart_with_the_same_release_makes_no_record() -> None:
    once = Confirmed().with_release(ONE, record(ONE))
    assert once.with_release(ONE, record(ONE)) == once


def test_there_and_back_makes_three_records() -> None:
    found = Confirmed()
    for release in (ONE, TWO, ONE):
        found = found.with_release(release, record(release))
    assert [entry.release for entry in found.pending] == [1, 2, 1]


def test_appended_records_do_not_wait_any_more() -> None:
    found = Confirmed().with_release(ONE, record(ONE)).with_release(TWO, record(TWO))
    left = found.without_records(found.pending[:1])
    assert [entry.release for entry in left.pending] == [2]
    assert left.services == {"toy": TWO}


def test_it_comes_back_from_its_file(team: Team) -> None:
    path = Places.of(team.repo.stores, "dev").confirmed
    assert confirmed.read(path) == Confirmed()
    written = Confirmed().with_release(ONE, record(ONE))
    confirmed.write(path, written)
    assert confirmed.read(path) == written


def test_aliases_are_derived_whole_from_what_is_confirmed(team: Team) -> None:
    places = {name: Places.of(team.repo.stores, name).confirmed for name in ("dev", "prod")}
    confirmed.write(places["dev"], Confirmed().with_release(TWO, record(TWO)))
    confirmed.write(places["prod"], Confirmed().with_release(ONE, record(ONE)))
    pins = pins_of(team.repo, ["dev", "prod"])
    assert pins == {"toy-line": {"dev-toy": TWO.models[0], "prod-toy": ONE.models[0]}}
    taken_out = confirmed.read(places["dev"]).without_service("toy")
    confirmed.write(places["dev"], taken_out)
    assert pins_of(team.repo, ["dev", "prod"]) == {"toy-line": {"prod-toy": ONE.models[0]}}


@pytest.mark.parametrize(
    ("alias", "environment"),
    [("dev-toy", "dev"), ("dev-eu-toy", "dev-eu"), ("champion", None), ("devtoy", None)],
)
def test_an_alias_belongs_to_the_longest_environment_it_begins_with(
    alias: str, environment: str | None
) -> None:
    assert environment_of(alias, ("dev", "dev-eu", "prod")) == environment
