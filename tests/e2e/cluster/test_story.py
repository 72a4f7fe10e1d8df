"""Environment folders become running services, and a revert takes them back."""

import pytest

from tests.e2e.cluster.fleet import ENVIRONMENTS, SERVICE, START, Fleet
from tests.e2e.cluster.place import until

# Where nothing is cached, the first test's fixtures build the cluster: its commands bound themselves.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600, func_only=True)]


@pytest.mark.timeout(3 * START, func_only=True)
def test_one_command_brings_three_environments_that_answer_as_the_models_do_offline(
    fleet: Fleet,
) -> None:
    for environment in ENVIRONMENTS:
        release = fleet.held(environment)
        fleet.wait(environment, release, START)
        assert "bit for bit" in fleet.answers(environment)
        assert image_of(fleet, environment).endswith(f"@{fleet.images[release]}")


def test_a_promotion_is_served_with_no_request_lost(fleet: Fleet) -> None:
    fleet.wait("prod", 1)
    load = fleet.load("prod")
    fleet.mlops("promote", SERVICE, "--to", "prod")
    branch = f"promote/{SERVICE}-2-to-prod"
    fleet.check(branch)
    fleet.merge(branch)
    fleet.wait("prod", 2)
    load.go_on(1)
    tally = load.end()
    assert tally["lost"] == 0, tally["reasons"]
    assert set(tally["releases"]) == {"1", "2"}
    assert image_of(fleet, "prod").endswith(f"@{fleet.images[2]}")
    running = {each["image"] for pod in fleet.pods("prod") for each in pod["spec"]["containers"]}
    assert running == {image_of(fleet, "prod")}


def test_a_revert_brings_the_earlier_model_back_and_loses_nothing(fleet: Fleet) -> None:
    load = fleet.load("prod")
    pushed = fleet.revert()
    fleet.wait("prod", 1)
    load.go_on(1)
    tally = load.end()
    assert tally["lost"] == 0, tally["reasons"]
    assert tally["releases"]["2"]["last"] - pushed < 30
    assert "bit for bit" in fleet.answers("prod")


def test_what_somebody_edits_by_hand_is_healed(fleet: Fleet) -> None:
    path = f"/apis/apps/v1/namespaces/ml-prod/deployments/{SERVICE}"
    wanted = image_of(fleet, "prod")
    other = wanted.replace(fleet.images[1], fleet.images[2])
    container = {"name": "service", "image": other}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    fleet.api.patch(path, change, kind="strategic-merge")
    until("the edit is taken back", 30, lambda: image_of(fleet, "prod") == wanted)
    fleet.wait("prod", 1)


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v1/namespaces/ml-staging/services/{SERVICE}",
        f"/apis/apps/v1/namespaces/ml-staging/deployments/{SERVICE}",
        "/apis/networking.k8s.io/v1/namespaces/ml-staging/networkpolicies/default-deny",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/ml-staging-releases",
    ],
)
def test_what_somebody_deletes_by_hand_is_restored(fleet: Fleet, path: str) -> None:
    before = fleet.api.get(path)
    assert before is not None
    fleet.api.delete(path)

    def restored() -> bool:
        found = fleet.api.get(path)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    until(f"{path} is there again", 30, restored)
    fleet.wait("staging", 2)


def image_of(fleet: Fleet, environment: str) -> str:
    """The image that the workload of an environment names."""
    workload = fleet.workload(environment)
    assert workload is not None
    return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])
