"""Every part is killed in the middle of a change: what Git says is reached in the end."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e.cluster.fleet import SYNC, Fleet, release_of
from tests.e2e.cluster.place import Harness, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

DOWN = 3.0
"""Seconds a killed part is away; whoever watches over it brings it back."""
AT_ONCE = (("argocd-repo-server", "git-server"), ("argocd-application-controller",))
WHILE_PODS_ROLL = (("kube-apiserver",), ("kubelet",))


@pytest.fixture
def harness(fleet: Fleet) -> Iterator[Harness]:
    """What can kill parts; all of them run again afterwards."""
    if fleet.place.harness is None:
        pytest.skip("parts are killed in a cluster of our own only")
    yield fleet.place.harness
    fleet.place.harness.start()


@pytest.mark.parametrize("parts", [*AT_ONCE, *WHILE_PODS_ROLL], ids=" and ".join)
def test_a_part_killed_in_the_middle_holds_nothing_up_for_long(
    promoted: Fleet, harness: Harness, parts: tuple[str, ...]
) -> None:
    fleet, before = promoted, promoted.held("prod")
    fleet.wait("prod", before)
    load = fleet.load("prod")
    after, _ = fleet.switch()
    if parts in WHILE_PODS_ROLL:
        until("pods of the other release", SYNC, lambda: rolls(fleet, after))
    for part in parts:
        harness.kill(part)
    time.sleep(DOWN)
    harness.start()
    fleet.wait("prod", after)
    tally = load.end()
    assert tally["lost"] == 0, tally["reasons"]
    assert set(tally["releases"]) <= {str(before), str(after)}


def rolls(fleet: Fleet, release: int) -> bool:
    """Whether a pod of a release is there."""
    return any(release_of(pod) == release for pod in fleet.pods("prod"))
