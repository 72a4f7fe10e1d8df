"""`mlops status`: what should serve, what serves, and the next step."""

import json
import threading
import time
from pathlib import Path

import pytest

from mlops.commands.status import status
from mlops.errors import NotGood
from mlops.follow import status as follower_status
from mlops.follow.places import Places
from mlops.registry import Registry
from tests.follow.conftest import Fleet
from tests.follow.running import following
from tests.team import Team


def rows(team: Team, *args: str) -> list[dict[str, object]]:
    done = team.mlops("status", "--json", *args)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)["services"]
    return found


def test_without_releases_the_next_step_is_named_for_each_environment(team: Team) -> None:
    data = (
        "toy-line waits for data: no version of toy-points is pinned yet; "
        "mlops data ingest toy-points FILE..."
    )
    assert {row["environment"]: row["next"] for row in rows(team)} == dict.fromkeys(
        ("dev", "staging", "prod"), data
    )
    assert team.mlops("status", "--check").returncode == 0


def test_an_unknown_environment_is_bad_input(team: Team) -> None:
    done = team.mlops("status", "--env", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("environments/nowhere: is not an environment of this project;")


def test_a_release_that_nobody_follows_is_missing_and_names_the_command(fleet: Fleet) -> None:
    fleet.deploy(4)
    row = rows(fleet.team, "--env", "dev")[0]
    assert (row["desired"], row["serving"], row["health"]) == (4, None, "Missing")
    assert (row["message"], row["next"]) == ("no follower runs", "mlops follow dev")
    assert fleet.team.mlops("status", "--check").returncode == 1


def test_the_table_is_for_people(fleet: Fleet) -> None:
    fleet.deploy(4)
    done = fleet.team.mlops("status", "--env", "dev")
    assert done.stdout.splitlines()[0] == "releases as in origin/main"
    assert done.stdout.splitlines()[2].split()[:4] == ["dev/toy", "4", "-", "Missing"]
    assert done.stdout.splitlines()[-1] == "dev/toy: next: mlops follow dev"


def test_broken_release_files_are_bad_input(team: Team) -> None:
    team.write("environments/dev/toy/release.yaml", "service: toy\n")
    team.commit("Break it")
    assert team.mlops("status").returncode == 2


def test_a_follower_that_stopped_writing_counts_as_dead(team: Team) -> None:
    places = Places.of(team.repo.stores, "dev")
    process = 1
    written = follower_status.FollowerStatus(
        environment="dev",
        pid=process,
        started=follower_status.moment(0),
        heartbeat=follower_status.moment(time.time() - follower_status.SILENCE - 1),
        source="origin main",
        commit=None,
        services=(),
    )
    follower_status.write(places.status, written)
    found = follower_status.read(places.status)
    assert found == written
    assert not follower_status.is_running(written)


def test_a_follower_whose_process_is_gone_counts_as_dead(team: Team) -> None:
    gone = 2**22 - 1
    written = follower_status.FollowerStatus(
        environment="dev",
        pid=gone,
        started=follower_status.moment(),
        heartbeat=follower_status.moment(),
        source="origin main",
        commit=None,
        services=(),
    )
    assert not follower_status.is_running(written)


def test_waiting_without_a_follower_ends_in_time_and_says_what_is_missing(fleet: Fleet) -> None:
    fleet.deploy(1)
    with pytest.raises(NotGood) as raised:
        status(fleet.team.repo, "dev", wait=0)
    assert [str(problem) for problem in raised.value.problems] == [
        "dev: not within 0 s: no follower runs; mlops follow dev"
    ]


@pytest.mark.slow
def test_waiting_ends_when_what_was_pushed_serves_and_aliases_follow(
    fleet: Fleet, tmp_path: Path
) -> None:
    team = fleet.team
    artifacts = {name: fleet.bentos.made[name].model for name in ("first", "second")}
    registry = Registry.of(team.repo)
    numbers = {
        name: registry.register(
            "toy-line",
            {file.name: file.read_bytes() for file in made.path.iterdir()},
            "sha256:" + "0" * 64,
            params={},
            metrics={},
            tags={},
        ).version
        for name, made in artifacts.items()
    }
    with following(team) as follower:
        follower.until_status(health="Missing")
        for number, kind in ((1, "first"), (2, "second")):
            fleet.deploy(number, kind)
            done = team.mlops("status", "--env", "dev", "--wait", "60", "--aliases", "--check")
            assert done.returncode == 0, done.stdout + done.stderr
            assert follower.until_status(serving=number)
            line = f"alias dev-toy -> toy-line version {numbers[kind]}"
            assert done.stdout.splitlines()[-1] == line
        behind = threading.Timer(1, lambda: fleet.deploy(3, "first"))
        behind.start()
        behind.join()
        assert status(team.repo, "dev", wait=60, check=True) == 0
        assert follower.until_status(serving=3)


@pytest.mark.slow
def test_waiting_for_a_release_that_does_not_serve_says_why(fleet: Fleet) -> None:
    fleet.deploy(1, "raises")
    with following(fleet.team) as follower:
        follower.until_status(health="Degraded")
        done = fleet.team.mlops("status", "--env", "dev", "--wait", "0")
        assert done.returncode == 1
        assert done.stderr.startswith(
            "dev/toy: not within 0 s: Degraded, Git says release 1, release - serves: "
            "release 1 did not become ready: "
        )
        assert "no such table" in done.stderr
