"""What Argo CD and Argo Rollouts tell the forge."""

import json
import re
from typing import Any

import pytest
import yaml

from mlops.environments.clusters import expected
from mlops.environments.notifications import ABORTED_RELEASE
from tests.environments.watched import documents, with_argocd
from tests.strict_schemas import problems
from tests.team import Team


@pytest.mark.parametrize("forge", ["github", "own-github", "gitea"])
def test_notifications_know_each_trigger_that_services_subscribe_to(team: Team, forge: str) -> None:
    with_argocd(team, more="", forge=forge)
    files = expected(team.repo)
    services = documents(files["infra/argocd/dev.yaml"])["ApplicationSet"]["spec"]
    notes = documents(files["infra/bootstrap/notifications.yaml"])["ConfigMap"]["data"]
    subscribed = [
        key.removeprefix("notifications.argoproj.io/subscribe.").removesuffix(".forge")
        for key in services["template"]["metadata"]["annotations"]
        if key.endswith(".forge")
    ]
    assert len(subscribed) == 3
    for trigger in subscribed:
        (condition,) = yaml.safe_load(notes[f"trigger.{trigger}"])
        (template,) = condition["send"]
        assert yaml.safe_load(notes[f"template.{template}"])["message"]
    (service,) = (key for key in notes if key.startswith("service."))
    assert service.endswith(".forge")
    assert not re.search(r"BEGIN|ghp_", notes[service])  # secrets are named, never here


def with_rollouts(team: Team, forge: str, *environments: str) -> dict[str, Any]:
    """Argo Rollouts and measurements there; the rendered notifications by environment."""
    with_argocd(team, more='\n[argocd]\nrollouts = "argo-rollouts"\n', forge=forge)
    for name in environments:
        with (team.root / f"environments/{name}/env.yaml").open("a") as file:
            file.write("prometheus: http://prometheus:9090\n")
    files = expected(team.repo)
    return {
        path.split("/")[2]: documents(text)["ConfigMap"]
        for path, text in files.items()
        if path.endswith("/rollouts.yaml")
    }


@pytest.mark.parametrize(
    ("forge", "address"),
    [
        ("github", "https://api.github.com"),
        ("own-github", "https://github.example.com/api/v3"),
        ("gitea", "https://git.example.com/api/v1"),
    ],
)
def test_an_abort_is_told_to_the_forge_with_a_token_that_is_only_named(
    team: Team, forge: str, address: str
) -> None:
    found = with_rollouts(team, forge, "prod")["prod"]
    assert found["metadata"] == {
        "name": "argo-rollouts-notification-configmap",
        "namespace": "argo-rollouts",
    }
    assert problems(found) == []
    data = found["data"]
    service = yaml.safe_load(data["service.webhook.forge"])
    assert service["url"] == address
    headers = {each["name"]: each["value"] for each in service["headers"]}
    assert re.fullmatch(r"(Bearer|token) \$forge-token", headers["Authorization"])
    # Without a condition it is sent with the event, and not again at each later change.
    assert yaml.safe_load(data["trigger.on-rollout-aborted"]) == [{"send": ["rollout-aborted"]}]


PATH = "/repos/toys/toy-project/actions/workflows/rollback.yaml/dispatches"
INPUTS = {
    "service": "toy",
    "environment": "prod",
    "if-release": "7",
    "reason": "A cluster aborted its rollout.",
}


def filled(text: str, name: str, release: str, namespace: str) -> Any:
    """What Go's templates make of a body, for the few words that ours has."""
    text = text.replace("{{toJson .rollout.metadata.name}}", json.dumps(name))
    text = text.replace(ABORTED_RELEASE, json.dumps(release))
    choice = r'\{\{if eq \.rollout\.metadata\.namespace "([^"]+)"\}\}([^{]+)\{\{end\}\}'
    text = re.sub(choice, lambda hit: hit[2] if hit[1] == namespace else "", text)
    assert "{{" not in text
    return json.loads(text)


@pytest.mark.parametrize("forge", ["github", "gitea"])
def test_an_abort_names_service_environment_and_release(team: Team, forge: str) -> None:
    data = with_rollouts(team, forge, "prod")["prod"]["data"]
    call = yaml.safe_load(data["template.rollout-aborted"])["webhook"]["forge"]
    assert (call["method"], call["path"]) == ("POST", PATH)
    body = {"ref": "main", "inputs": INPUTS}
    assert filled(call["body"], "toy", "7", "toys-prod") == body
    # Values are quoted by the engine: they cannot become keys.
    hostile = filled(call["body"], 'a", "environment": "dev', '1"}', "elsewhere")
    values = hostile["inputs"]
    assert (values["service"], values["environment"]) == ('a", "environment": "dev', "")


def test_a_clusters_rollouts_are_told_of_once_for_all_its_environments(team: Team) -> None:
    for name in ("staging", "prod"):
        path = f"environments/{name}/env.yaml"
        team.write(path, re.sub("cluster: .*", "cluster: one", (team.root / path).read_text()))
    found = with_rollouts(team, "github", "staging", "prod")
    assert list(found) == ["staging"]
    body = found["staging"]["data"]["template.rollout-aborted"]
    assert '"toys-staging"}}staging{{' in body
    assert '"toys-prod"}}prod{{' in body


def test_without_a_forge_or_measurements_no_abort_is_told(team: Team) -> None:
    assert with_rollouts(team, "github") == {}
