"""What holds Argo CD up by default does not, as infra/bootstrap and infra/argocd set it."""

from datetime import UTC, datetime, timedelta

import pytest

from mlops.environments.manifests import manifests_path
from tests.e2e.cluster.fleet import ARGOCD, SERVICE, Fleet, write
from tests.e2e.cluster.place import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NAME = f"dev-{SERVICE}"
SERVICE_PATH = f"/api/v1/namespaces/ml-dev/services/{SERVICE}"
REPLICAS = "replicas: {min: 1, max: 3}"
AT_ONCE = 20.0
"""Seconds; by default these take 60 to 310."""


def change_by_hand(fleet: Fleet, before: str, after: str) -> None:
    """Change the rendered manifests and push them past the checks."""
    file = fleet.root / manifests_path("dev", SERVICE)
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    fleet.push("By hand")


def redirect(fleet: Fleet) -> None:
    """What somebody might do to the Service by hand."""
    ports = [{"name": "http", "port": 80, "targetPort": 9}]
    fleet.api.patch(SERVICE_PATH, {"spec": {"ports": ports}})


def is_healed(fleet: Fleet) -> bool:
    """Whether the Service leads to the pods."""
    found = fleet.api.get(SERVICE_PATH)
    return found is not None and found["spec"]["ports"][0]["targetPort"] == "http"


def test_a_commit_that_mends_a_failing_sync_is_taken_at_once(fleet: Fleet) -> None:
    fleet.wait("dev", 2)
    change_by_hand(fleet, f"@{fleet.images[2]}", ":latest")

    def is_tried_again() -> bool:
        operation = (fleet.application(NAME).get("status") or {}).get("operationState") or {}
        return int(operation.get("retryCount") or 0) >= 3

    until("the sync was tried four times", 60, is_tried_again)
    fleet.revert()
    assert fleet.synced("dev") < AT_ONCE
    fleet.wait("dev", 2)


def test_a_commit_that_mends_what_cannot_be_read_is_taken_at_once(fleet: Fleet) -> None:
    fleet.wait("dev", 2)
    change_by_hand(fleet, "kind: Service\n", "kind: [\n")

    def is_unreadable() -> bool:
        conditions = (fleet.application(NAME).get("status") or {}).get("conditions") or ()
        return any(each["type"] == "ComparisonError" for each in conditions)

    until("Argo CD complains", 60, is_unreadable)
    fleet.git("revert", "--no-edit", "HEAD")
    write(fleet.root / f"environments/dev/{SERVICE}/settings.yaml", "replicas: .*", REPLICAS)
    fleet.mlops("render")
    fleet.push("Mend it, and change it")
    assert fleet.synced("dev") < AT_ONCE
    fleet.revert()
    fleet.synced("dev")


def test_drift_is_healed_as_fast_the_sixth_time_as_the_first(fleet: Fleet) -> None:
    fleet.synced("dev")
    for _ in range(6):
        redirect(fleet)
        assert until("the edit is taken back", 60, lambda: is_healed(fleet)) < AT_ONCE


def quiet(fleet: Fleet) -> None:
    """Wait until what was asked for is compared; by itself Argo CD does it in two minutes."""
    path, refresh = f"{ARGOCD}/applications/{NAME}", "argocd.argoproj.io/refresh"
    fleet.api.patch(path, {"metadata": {"annotations": {refresh: "normal"}}})

    def is_quiet() -> bool:
        application = fleet.application(NAME)
        at = datetime.fromisoformat(application["status"]["reconciledAt"])
        asked = refresh in application["metadata"].get("annotations", {})
        return not asked and datetime.now(UTC) - at > timedelta(seconds=10)

    until("nothing is compared for ten seconds", 90, is_quiet)


def test_a_push_elsewhere_is_not_compared_with_this_service(fleet: Fleet) -> None:
    fleet.synced("dev")
    quiet(fleet)
    before = fleet.application(NAME)["status"]["reconciledAt"]
    (fleet.root / "notes.md").write_text("# Notes\n")
    fleet.push("Something else")
    # A change of another environment's folder, pushed later, is seen: the first push was, too.
    write(fleet.root / f"environments/staging/{SERVICE}/settings.yaml", "replicas: .*", REPLICAS)
    fleet.mlops("render")
    fleet.push("Another environment")
    fleet.synced("staging")
    assert fleet.application(NAME)["status"]["reconciledAt"] == before
    fleet.revert()


def test_the_replicas_that_an_autoscaler_asks_for_are_no_drift_and_outlive_a_sync(
    fleet: Fleet,
) -> None:
    fleet.synced("dev")
    path = f"/apis/apps/v1/namespaces/ml-dev/deployments/{SERVICE}"
    fleet.api.patch(path, {"spec": {"replicas": 2}})
    until("two pods serve", 60, lambda: len(fleet.pods("dev")) == 2)
    assert fleet.state(NAME)[0] == "Synced"
    write(fleet.root / f"environments/dev/{SERVICE}/settings.yaml", "replicas: .*", REPLICAS)
    fleet.mlops("render")
    fleet.push("A change that says a number of replicas, too")
    fleet.synced("dev")
    assert (fleet.api.get(path) or {})["spec"]["replicas"] == 2
    fleet.revert()
    fleet.synced("dev")
    fleet.api.patch(path, {"spec": {"replicas": 1}})
    fleet.wait("dev", 2)


def test_what_is_paused_by_hand_is_left_alone_until_it_is_resumed(fleet: Fleet) -> None:
    fleet.synced("dev")
    path = f"{ARGOCD}/applications/{NAME}"
    fleet.api.patch(path, {"spec": {"syncPolicy": {"automated": {"enabled": False}}}})
    redirect(fleet)
    until("Argo CD sees the difference", 30, lambda: fleet.state(NAME)[0] == "OutOfSync")
    assert "paused by hand" in fleet.status("dev")
    automated = {"prune": True, "selfHeal": True, "enabled": None}
    fleet.api.patch(path, {"spec": {"syncPolicy": {"automated": automated}}})
    assert until("the edit is taken back", 60, lambda: is_healed(fleet)) < AT_ONCE
