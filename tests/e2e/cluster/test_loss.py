"""A removed folder waits for a person; a lost cluster comes back from Git."""

import re
from datetime import UTC, datetime

import pytest

from tests.e2e.cluster.fleet import ARGOCD, ENVIRONMENTS, SERVICE, Fleet
from tests.e2e.cluster.place import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

NAME = f"staging-{SERVICE}"


def test_a_removed_folder_serves_on_until_a_person_confirms_or_takes_it_back(fleet: Fleet) -> None:
    release = fleet.held("staging")
    fleet.wait("staging", release)
    before = {pod["metadata"]["uid"] for pod in fleet.pods("staging")}
    fleet.git("rm", "-r", "--quiet", f"environments/staging/{SERVICE}")
    fleet.push("Remove a service")

    def is_held() -> bool:
        return "deletionTimestamp" in fleet.application(NAME).get("metadata", {})

    until("the removal waits", 60, is_held)
    until(
        "the status says so",
        60,
        lambda: "waits for a confirmation" in words(fleet.status("staging")),
    )
    fleet.revert()
    fleet.api.patch(f"{ARGOCD}/applications/{NAME}", {"metadata": {"finalizers": None}})
    until("it is managed again", 90, lambda: fleet.application(NAME) and not is_held())
    fleet.synced("staging")
    assert {pod["metadata"]["uid"] for pod in fleet.pods("staging")} == before


def test_a_confirmed_removal_takes_the_service_away(fleet: Fleet) -> None:
    release = fleet.held("staging")
    fleet.git("rm", "-r", "--quiet", f"environments/staging/{SERVICE}")
    fleet.push("Remove a service")
    until("it waits", 60, lambda: "or confirm: kubectl" in words(fleet.status("staging")))
    command = re.search(
        r"annotate (application \S+ --overwrite \S+=)", words(fleet.status("staging"))
    )
    assert command is not None
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    fleet.place.kubectl("-n", "argocd", "annotate", *f"{command[1]}{now}".split())
    until("it is gone", 90, lambda: not fleet.pods("staging") and not fleet.application(NAME))
    fleet.revert()
    fleet.wait("staging", release)


def test_one_command_brings_everything_back_into_a_new_cluster(fleet: Fleet) -> None:
    harness = fleet.place.harness
    if harness is None:
        pytest.skip("only a cluster of our own is thrown away")
    held = {name: fleet.held(name) for name in ENVIRONMENTS}
    fleet.api.close()
    harness.lose()
    harness.start()
    fleet.api.open()
    assert fleet.application("root") == {}
    fleet.bootstrap()
    for environment, release in held.items():
        fleet.wait(environment, release)
        assert "bit for bit" in fleet.answers(environment)


def words(text: str) -> str:
    """Without the line breaks of a terminal."""
    return " ".join(text.split())
