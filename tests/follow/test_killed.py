"""A follower killed at any moment: nothing of it stays, and the next one reaches what Git says."""

import random
import time
from contextlib import suppress

import psutil
import pytest

from mlops import records
from tests.follow.conftest import Fleet
from tests.follow.running import (
    Following,
    following,
    has_ended,
    is_free,
    leftovers,
    port_of,
    processes_of,
    release_at,
    wait_until,
)

pytestmark = pytest.mark.slow
GONE_WITHIN = 15.0


def recorded(fleet: Fleet) -> list[int]:
    """The releases that are recorded as serving."""
    return [record.release for record in records.read(fleet.team.repo.git, "origin")]


@pytest.mark.parametrize("seed", range(5))
def test_killed_during_a_switch_it_leaves_no_process_and_the_next_one_recovers(
    fleet: Fleet, seed: int
) -> None:
    chosen = random.Random(seed)
    port = port_of(fleet.team)
    fleet.deploy(1)
    follower = Following(fleet.team, "dev")
    follower.until_status(serving=1, health="Healthy")
    fleet.deploy(2, "second")
    time.sleep(chosen.uniform(0.1, 3.5))
    follower.process.kill()
    follower.process.wait()
    wait_until(lambda: not processes_of(fleet.team), "its processes have ended", GONE_WITHIN)
    # A process that ends has no name any more before it gives its port back.
    wait_until(lambda: is_free(port), "the port is free", GONE_WITHIN)
    with following(fleet.team) as again:
        again.until_status(serving=2, health="Healthy", sync="Synced")
        assert release_at(port) == 2
        # Recorded by the one that was killed or by this one, and once.
        wait_until(lambda: recorded(fleet)[-1:] == [2], "release 2 is recorded")
    assert leftovers(fleet.team, follower.places) == []
    assert recorded(fleet) == sorted(set(recorded(fleet)))


def test_killed_and_started_again_at_once_the_next_one_takes_over_the_port(fleet: Fleet) -> None:
    fleet.deploy(1)
    follower = Following(fleet.team, "dev")
    told = follower.until_status(serving=1, health="Healthy")
    assert told.pid is not None
    orphan = psutil.Process(told.pid)
    follower.process.kill()
    follower.process.wait()
    with following(fleet.team) as again:
        again.until_status(serving=1, health="Healthy", restarts=0)
        assert has_ended(orphan)
        assert not any(event["event"] == "port-in-use" for event in again.events)


def test_a_hung_process_of_a_killed_follower_is_ended_by_the_next_one(fleet: Fleet) -> None:
    fleet.deploy(1)
    follower = Following(fleet.team, "dev")
    told = follower.until_status(serving=1, health="Healthy")
    assert told.pid is not None
    hung = psutil.Process(told.pid)
    hung.suspend()
    try:
        follower.process.kill()
        follower.process.wait()
        with following(fleet.team) as again:
            again.until_status(serving=1, health="Healthy")
            assert has_ended(hung)
    finally:
        with suppress(psutil.NoSuchProcess):
            hung.kill()
