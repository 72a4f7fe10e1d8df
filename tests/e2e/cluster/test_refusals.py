"""What must not run is refused, and everything beside it goes on."""

import json
import re
from collections.abc import Iterator
from functools import partial

import pytest

from mlops.environments.manifests import manifests_path
from tests.e2e.cluster.fleet import ARGOCD, SERVICE, Fleet, write
from tests.e2e.cluster.place import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

FORBIDDEN = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"""


@pytest.fixture
def pushed_past_the_checks(fleet: Fleet) -> Iterator[Fleet]:
    """Three folders that `mlops check` refuses, pushed by somebody who may push to main."""
    fleet.wait("staging", 2)
    good = (fleet.root / manifests_path("staging", SERVICE)).read_text()
    settings = fleet.root / f"environments/staging/{SERVICE}/settings.yaml"
    write(settings, "replicas: .*", "replicas: {min: 2, max: 2}")
    fleet.mlops("render")
    add(fleet, "forbidden", FORBIDDEN)
    add(fleet, "by-tag", good.replace(SERVICE, "by-tag").replace(f"@{fleet.images[2]}", ":latest"))
    fleet.git("add", "--all")
    fleet.git("commit", "--quiet", "--message", "Past the checks")
    refused = fleet.mlops("check", "--base", "HEAD~1", expect=2)
    add(fleet, "broken", good.replace("kind: Service\n", "kind: [\n"))
    fleet.git("add", "--all")
    fleet.git("commit", "--quiet", "--amend", "--no-edit")
    refused += fleet.mlops("check", "--base", "HEAD~1", expect=2)
    for name in ("forbidden", "by-tag", "broken"):
        assert f"environments/staging/{name}" in refused
    fleet.send()
    yield fleet
    fleet.revert()
    for name in ("forbidden", "by-tag", "broken"):
        until(f"{name} is gone", 60, partial(is_gone, fleet, f"staging-{name}"))


def test_what_must_not_run_is_refused_and_the_others_still_sync(
    pushed_past_the_checks: Fleet,
) -> None:
    fleet = pushed_past_the_checks
    until("two pods of bike-demand", 60, lambda: len(fleet.pods("staging")) == 2)
    for name, word in {"forbidden": "not permitted", "by-tag": "digest", "broken": "yaml"}.items():
        until(f"{name} is refused", 60, partial(says, fleet, name, word))
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles/everything"
    assert fleet.api.get(roles) is None
    assert fleet.api.get("/apis/apps/v1/namespaces/ml-staging/deployments/by-tag") is None
    told = fleet.status("staging")
    for name in ("forbidden", "by-tag", "broken"):
        assert f"staging/{name}: " in told


@pytest.mark.parametrize(
    ("line", "value", "said"),
    [
        (r"( +image: \S+)@sha256:\w+", r"\1:latest", "an image is not named by its digest"),
        (r" +mlops/evidence: .*\n", "", "names no release with evidence"),
        ("(allowPrivilegeEscalation): false", r"\1: true", "a container is privileged"),
    ],
    ids=["no digest", "no evidence", "privileged"],
)
def test_the_api_server_refuses_by_itself_what_no_release_may_be(
    fleet: Fleet, line: str, value: str, said: str
) -> None:
    fleet.wait("staging", fleet.held("staging"))
    good = (fleet.root / manifests_path("staging", SERVICE)).read_text()
    good = good.replace(SERVICE, "by-hand")
    bad, count = re.subn(line, value, good)
    assert count == 1
    apply = ("apply", "--dry-run=server", "--namespace=ml-staging", "--filename=-")
    assert "deployment.apps/by-hand created" in fleet.place.kubectl(*apply, given=good)
    assert said in fleet.place.kubectl(*apply, given=bad, check=False)


def is_gone(fleet: Fleet, name: str) -> bool:
    """Whether an Application is removed; ends a sync that holds that up, as the status says."""
    found = fleet.application(name)
    if "deletionTimestamp" in found.get("metadata", {}) and "operation" in found:
        command = re.search(r"patch application \S+ --type json -p '(.+?)'", status_of(fleet, name))
        assert command is not None, f"no word on how to end the sync of {name}"
        fleet.api.patch(f"{ARGOCD}/applications/{name}", json.loads(command[1]), kind="json")
    return not found


def status_of(fleet: Fleet, name: str) -> str:
    """What `mlops status` says of an Application, as one line."""
    words = " ".join(fleet.status("staging").split())
    return words.partition(f"staging/{name.removeprefix('staging-')}: ")[2].partition(" staging/")[
        0
    ]


def add(fleet: Fleet, name: str, text: str) -> None:
    """A folder of a service in staging, with these manifests."""
    file = fleet.root / manifests_path("staging", name)
    file.parent.mkdir(parents=True)
    file.write_text(text)


def says(fleet: Fleet, name: str, word: str) -> bool:
    """Whether Argo CD says a word of an Application."""
    status = fleet.application(f"staging-{name}").get("status") or {}
    said = [str(each["message"]) for each in status.get("conditions") or ()]
    operation = status.get("operationState") or {}
    results = (operation.get("syncResult") or {}).get("resources") or ()
    said += [str(operation.get("message")), *(str(each.get("message")) for each in results)]
    return any(word in each.lower() for each in said)
