"""An environment's folder is made real: first releases, switches, reverts, failures."""

import shutil
import signal
import socket
from pathlib import Path

import psutil
import pytest

from mlops import records
from mlops.repository import release_path
from tests.follow.conftest import Fleet
from tests.follow.running import (
    ask,
    following,
    has_ended,
    is_free,
    port_of,
    release_at,
    wait_until,
)
from tests.team import free_port

INVALID = Path(__file__).parent.parent / "fixtures" / "invalid"
pytestmark = pytest.mark.slow


def test_a_release_in_git_serves_and_the_next_one_takes_over(fleet: Fleet) -> None:
    port = port_of(fleet.team)
    with following(fleet.team) as follower:
        follower.until_status(health="Missing", sync="Synced")
        assert is_free(port)
        fleet.deploy(1)
        follower.until("serving", "toy", release=1)
        before = ask(port)
        assert (before.status_code, before.headers["x-release"]) == (200, "1")
        commit = fleet.deploy(2, "second")
        follower.until("serving", "toy", release=2)
        after = ask(port)
        assert after.headers["x-release"] == "2"
        assert after.json()["predictions"] != before.json()["predictions"]
        told = follower.until_status(health="Healthy", sync="Synced", serving=2, commit=commit)
        assert told.warm is not None
        assert told.warm.release == 1
        assert told.warm.memory_mb is not None
        follower.until("recorded", "toy", release=2)
    found = records.read(fleet.team.repo.git, "origin")
    assert [(entry.environment, entry.service, entry.release) for entry in found] == [
        ("dev", "toy", 1),
        ("dev", "toy", 2),
    ]
    assert found[1].commit == commit
    assert is_free(port)


def test_a_revert_switches_back_to_the_warm_predecessor_without_a_start(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        first = follower.until_status(serving=1, health="Healthy")
        fleet.deploy(2, "second")
        follower.until("serving", release=2)
        seen = len(follower.events)
        fleet.revert()
        back = follower.until("serving", start=seen, release=1)
        assert back["start_seconds"] is None
        again = follower.until_status(serving=1, health="Healthy", sync="Synced")
        assert again.pid == first.pid
        assert release_at(port_of(fleet.team)) == 1


def test_a_predecessor_that_is_not_kept_warm_is_ended_and_started_again(fleet: Fleet) -> None:
    team = fleet.team
    path = "environments/dev/toy/settings.yaml"
    team.write(path, (team.root / path).read_text() + "keep_warm_seconds: 0\n")
    fleet.deploy(1)
    with following(team) as follower:
        first = follower.until_status(serving=1, health="Healthy")
        assert first.pid is not None
        gone = psutil.Process(first.pid)
        fleet.deploy(2, "second")
        follower.until("serving", release=2)
        wait_until(lambda: has_ended(gone), "the predecessor has ended")
        seen = len(follower.events)
        fleet.revert()
        assert follower.until("serving", start=seen, release=1)["start_seconds"] > 0


def test_a_shorter_time_in_the_settings_ends_the_kept_predecessor(fleet: Fleet) -> None:
    team = fleet.team
    fleet.deploy(1)
    with following(team) as follower:
        first = follower.until_status(serving=1, health="Healthy")
        assert first.pid is not None
        gone = psutil.Process(first.pid)
        fleet.deploy(2, "second")
        follower.until("serving", release=2)
        path = "environments/dev/toy/settings.yaml"
        team.write(path, (team.root / path).read_text() + "keep_warm_seconds: 1\n")
        team.commit("Keep it warm for a second")
        wait_until(lambda: has_ended(gone), "the predecessor has ended")
        assert follower.until_status(warm=None).serving == 2


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("raises", "no such table"),
        ("nan", "release 2 gives no finite prediction for its example"),
    ],
)
def test_a_release_that_does_not_serve_leaves_the_old_one_and_says_degraded(
    fleet: Fleet, kind: str, reason: str
) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(serving=1, health="Healthy")
        fleet.deploy(2, kind)
        told = follower.until_status(health="Degraded", desired=2, serving=1, sync="OutOfSync")
        assert reason in told.message
        assert told.next == "`mlops rollback toy --env dev`, or release a corrected one"
        assert release_at(port_of(fleet.team)) == 1
        fleet.revert()
        follower.until_status(health="Healthy", sync="Synced", desired=1, serving=1)


def test_a_bento_whose_content_differs_is_not_started(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(serving=1, health="Healthy")
        digest = fleet.bentos.made["second"].bento
        folder = fleet.team.stores / "bentos" / "toy" / digest.removeprefix("sha256:")
        (folder / "src" / "service.py").write_text("import os\n")
        fleet.deploy(2, "second")
        told = follower.until_status(health="Degraded", desired=2, serving=1)
        assert "content is sha256:" in told.message
        assert not any(
            event["event"] == "serving" and event["release"] == 2 for event in follower.events
        )


def test_only_the_newest_of_several_quick_changes_is_pursued(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(serving=1, health="Healthy")
        for number in range(2, 6):
            fleet.deploy(number, "second" if number % 2 == 0 else "first")
        follower.until_status(serving=5, health="Healthy", sync="Synced")
        serving = [event["release"] for event in follower.events if event["event"] == "serving"]
        assert serving == sorted(set(serving))
        assert release_at(port_of(fleet.team)) == 5


def test_a_serving_process_that_dies_is_started_again_and_counted(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        first = follower.until_status(serving=1, health="Healthy")
        assert first.pid is not None
        psutil.Process(first.pid).kill()
        again = follower.until_status(serving=1, health="Healthy", restarts=1)
        assert again.pid != first.pid
        assert release_at(port_of(fleet.team)) == 1


def test_a_port_in_use_is_named_with_who_has_it_and_taken_once_free(fleet: Fleet) -> None:
    port = port_of(fleet.team)
    fleet.deploy(1)
    with socket.create_server(("127.0.0.1", port)), following(fleet.team) as follower:
        told = follower.until_status(health="Degraded", serving=None)
        me = psutil.Process()
        template = (INVALID / "follow-port-in-use" / "message.txt").read_text().rstrip("\n")
        assert told.message == template.format(port=port, pid=me.pid, name=me.name())
        assert told.next == "end that process or change local_port"
    with following(fleet.team) as follower:
        follower.until_status(health="Healthy", serving=1)


def test_a_broken_file_stops_only_its_own_service(fleet: Fleet) -> None:
    team = fleet.team
    fleet.deploy(1)
    with following(team) as follower:
        follower.until_status("toy", health="Healthy")
        folder = INVALID / "follow-broken-settings"
        team.write("environments/dev/other/settings.yaml", (folder / "settings.yaml").read_text())
        fleet.deploy(2, "second")
        told = follower.until_status("other", health="Degraded", sync="OutOfSync")
        assert told.message == (folder / "message.txt").read_text().rstrip("\n")
        follower.until_status("toy", health="Healthy", serving=2)
        team.write(release_path("dev", "toy"), "release: latest\n")
        team.commit("Break toy")
        broken = follower.until_status("toy", health="Degraded", serving=2)
        assert "key is missing `service`" in broken.message
        assert release_at(port_of(team)) == 2


def test_a_removed_folder_stops_its_service_and_frees_the_port(fleet: Fleet) -> None:
    port = port_of(fleet.team)
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(health="Healthy", serving=1)
        shutil.rmtree(fleet.team.root / "environments/dev/toy")
        fleet.team.commit("Take toy out of dev")
        follower.until("removed", "toy")
        wait_until(lambda: is_free(port), "the port is free")
        wait_until(lambda: follower.service("toy") is None, "toy is out of the status")


def test_a_changed_port_is_opened_before_the_old_one_is_given_up(fleet: Fleet) -> None:
    team = fleet.team
    old, new = port_of(team), free_port()
    fleet.deploy(1)
    with following(team) as follower:
        follower.until_status(health="Healthy", port=old)
        path = "environments/dev/toy/settings.yaml"
        team.write(path, f"service: toy\nlocal_port: {new}\n")
        team.commit("Another port")
        follower.until_status(health="Healthy", sync="Synced", port=new)
        assert release_at(new) == 1
        wait_until(lambda: is_free(old), "the old port is free")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_told_to_end_it_leaves_nothing_and_exits_as_told(
    fleet: Fleet, number: int, code: int
) -> None:
    port = port_of(fleet.team)
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(health="Healthy", serving=1)
        assert follower.end(number) == code
        assert is_free(port)
        assert follower.status() is None


def test_a_second_follower_of_an_environment_is_refused(fleet: Fleet) -> None:
    with following(fleet.team) as follower:
        follower.until("following")
        done = fleet.team.mlops("follow", "dev")
        assert done.returncode == 2
        held = f"is held by `mlops follow dev` (process {follower.process.pid})"
        assert held in done.stderr


def test_packed_refs_are_seen_too(fleet: Fleet) -> None:
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(health="Healthy", serving=1)
        fleet.deploy(2, "second")
        fleet.team.git("-C", str(fleet.team.forge), "pack-refs", "--all")
        follower.until_status(health="Healthy", serving=2)


def test_a_forge_that_is_away_is_told_and_does_not_stop_what_serves(fleet: Fleet) -> None:
    forge, away = fleet.team.forge, fleet.team.forge.with_name("away.git")
    fleet.deploy(1)
    with following(fleet.team) as follower:
        follower.until_status(health="Healthy", serving=1)
        forge.rename(away)
        follower.until("unreachable")
        assert release_at(port_of(fleet.team)) == 1
        away.rename(forge)
        fleet.deploy(2, "second")
        follower.until_status(health="Healthy", serving=2)
