"""What settings.yaml and env.yaml ask for beside the plain service: measured, canary, secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops.environments.kustomization import refused
from mlops.environments.manifests import render
from mlops.errors import BadInput
from mlops.specs.environment import SecretStore
from tests.releases import release_of
from tests.strict_schemas import problems
from tests.team import Team

SETTINGS = """service: toy
local_port: 18301
"""
CANARY = "canary: {steps: [25, 50], step_seconds: 60, max_error_rate: 0.00001}\n"
SECRETS = "secrets: {API_KEY: {key: toys/toy, property: api}, TOKEN: {key: toys/token}}\n"
OVERLAY = """apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
configMapGenerator:
  - {name: words, literals: [a=b]}
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: service}
      spec:
        template:
          spec:
            containers:
              - name: service
                envFrom: [{configMapRef: {name: words}}]
"""


def rendered(team: Team, settings: str, *, complete: bool = True) -> dict[str, dict[str, Any]]:
    """Documents by kind; with `complete` dev has a Prometheus and a secret store."""
    team.write("environments/dev/toy/settings.yaml", SETTINGS + settings)
    found = {"prometheus": "http://prometheus:9090", "secret_store": SecretStore(name="vault")}
    env = team.repo.environment("dev").model_copy(update=found if complete else {})
    made = release_of(team, image=True)
    text = render(team.repo, "dev", made.release, env, team.repo.settings("dev", "toy"))
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def test_with_all_options_every_document_is_valid_by_strict_schemas(team: Team) -> None:
    team.write("apps/toy/kustomize/kustomization.yaml", OVERLAY)
    team.commit("An overlay")
    found = rendered(team, f"hosts: [toy.example.com]\n{CANARY}{SECRETS}")
    assert [told for each in found.values() for told in problems(each)] == []
    assert {each["metadata"]["namespace"] for each in found.values()} == {"toys-dev"}
    assert {each["metadata"]["name"] for kind, each in found.items() if kind != "ConfigMap"} == {
        "toy"
    }
    # The overlay changed the Deployment that was, and its references hold in the Rollout.
    (container,) = found["Rollout"]["spec"]["template"]["spec"]["containers"]
    (source,) = container["envFrom"]
    assert source["configMapRef"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert container["env"][2:4] == [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": "toy", "key": name}}}
        for name in ("API_KEY", "TOKEN")
    ]


def test_a_canary_is_a_rollout_in_place_of_the_deployment(team: Team) -> None:
    found = rendered(team, CANARY)
    assert "Deployment" not in found
    rollout, autoscaler = found["Rollout"], found["HorizontalPodAutoscaler"]
    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "toy"}
    assert autoscaler["spec"]["scaleTargetRef"] == target
    assert rollout["spec"]["replicas"] == autoscaler["spec"]["minReplicas"]
    assert rollout["spec"]["rollbackWindow"]["revisions"] <= rollout["spec"]["revisionHistoryLimit"]
    assert rollout["spec"]["progressDeadlineAbort"] is True
    notes = rollout["metadata"]["annotations"]
    assert notes["mlops/release"] == "1"
    assert notes["notifications.argoproj.io/subscribe.on-rollout-aborted.forge"] == ""
    labels = rollout["spec"]["template"]["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"].items() <= labels.items()
    for spread in rollout["spec"]["template"]["spec"]["topologySpreadConstraints"]:
        assert spread["matchLabelKeys"] == ["rollouts-pod-template-hash"]
    steps = rollout["spec"]["strategy"]["canary"]["steps"]
    assert [step["setWeight"] for step in steps[::2]] == [25, 50]
    assert [step["analysis"]["templates"] for step in steps[1::2]] == [
        [{"templateName": "toy"}]
    ] * 2


def test_a_log_for_pods_is_told_to_the_container_and_one_of_the_follower_is_not(team: Team) -> None:
    log = "predictions: {to: s3://logs/toys, share: 0.1, without: [side]}\n"
    found = rendered(team, log)
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    (variable,) = (one for one in container["env"] if one["name"] == "MLOPS_PREDICTIONS")
    told = json.loads(variable["value"])
    assert told.pop("bento") == release_of(team, image=True).release.bento
    assert told == {
        "to": "s3://logs/toys/dev/toy",
        "shown": "s3://logs/toys/dev/toy",
        "project": team.repo.project.project.name,
        "environment": "dev",
        "service": "toy",
        "share": 0.1,
        "without": ["side"],
    }
    assert rendered(team, "predictions: {share: 0.1}\n") == rendered(team, "")


def test_every_argument_of_the_analysis_has_a_value_or_comes_from_the_rollout(team: Team) -> None:
    found = rendered(team, CANARY)
    template = found["AnalysisTemplate"]["spec"]
    values = {each["name"]: each.get("value") for each in template["args"]}
    step = found["Rollout"]["spec"]["strategy"]["canary"]["steps"][1]["analysis"]
    given = {each["name"] for each in step["args"]}
    assert {name for name, value in values.items() if value is None} == given
    named = {word.split("}}")[0] for word in str(template["metrics"]).split("{{args.")[1:]}
    assert named == set(values)
    assert values["max-error-rate"] == "0.00001"
    assert (values["interval"], values["window"]) == ("10s", "60s")


def test_a_canary_without_measurements_and_secrets_without_a_store_are_refused_at_once(
    team: Team,
) -> None:
    with pytest.raises(BadInput) as found:
        rendered(team, CANARY + SECRETS, complete=False)
    assert str(found.value) == (
        "environments/dev/toy/settings.yaml: `canary` has nothing to be measured by: the "
        "environment names no `prometheus`; add `prometheus: URL` to environments/dev/env.yaml, "
        "or take `canary` out\n"
        "environments/dev/toy/settings.yaml: `secrets` have no place to come from: the environment "
        "names no `secret_store`; add `secret_store: {name: NAME}` to environments/dev/env.yaml, "
        "or take `secrets` out"
    )


def test_a_name_that_is_too_long_for_a_label_is_refused(team: Team) -> None:
    name = "t" * 50
    settings = team.repo.settings("dev", "toy").model_copy(update={"service": name})
    (problem,) = refused("before-production", team.repo.environment("dev"), settings)
    assert str(problem) == (
        f"environments/before-production/{name}: its Application would be "
        f"before-production-{name}, 68 characters, Kubernetes takes 63; give the service or the "
        "environment a shorter name"
    )


def test_a_base_from_before_a_part_was_there_is_told(team: Team) -> None:
    for file in sorted(Path(team.root / "infra/base/canary").iterdir()):
        file.unlink()
    commit = team.commit("As before there were canaries")
    with pytest.raises(BadInput) as found:
        rendered(team, CANARY)
    assert str(found.value) == (
        f"infra/base/canary: is not in commit {commit[:12]}, whose base the manifests are rendered "
        "from; raise `base_floor` in env.yaml, or take `canary` of settings.yaml out"
    )
