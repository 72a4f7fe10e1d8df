"""The clusters' admission policies, held to manifests before a merge."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops.checks import policy
from mlops.checks.admission import refused
from mlops.environments.clusters import policies
from mlops.errors import BadInput
from mlops.repository import Layout, Repository
from mlops.tree import Overlay, WorkTree
from tests.checks.contexts import context_of, told
from tests.strict_schemas import problems
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
REASONS = sorted(path.name for path in INVALID.glob("admission-*"))
GOOD = ROOT / "tests/fixtures/valid/environments/prod/toy/manifests.yaml"
PATH = "environments/dev/toy/manifests.yaml"
RELEASES = "infra/policies/releases.yaml"


def judged(text: str, more: Mapping[str, str] | None = None) -> str:
    """What is refused of a manifest, a line each."""
    files = {PATH: text.encode(), **{path: each.encode() for path, each in (more or {}).items()}}
    layout = Layout(Overlay(WorkTree(ROOT), files))
    return "".join(f"{problem}\n" for problem in refused(layout, [PATH]))


def test_what_mlops_renders_is_let_in() -> None:
    assert "kind: Deployment" in GOOD.read_text()
    assert judged(GOOD.read_text()) == ""


@pytest.mark.parametrize("reason", REASONS)
def test_what_a_cluster_would_refuse_is_refused_before_the_merge(reason: str) -> None:
    folder = INVALID / reason
    assert judged((folder / "manifests.yaml").read_text()) == (folder / "message.txt").read_text()


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Rollout"])
def test_another_kind_of_workload_is_no_way_around(kind: str) -> None:
    group = "argoproj.io/v1alpha1" if kind == "Rollout" else "apps/v1"
    text = (INVALID / "admission-no-evidence" / "manifests.yaml").read_text()
    text = text.replace("kind: Deployment", f"kind: {kind}").replace("apps/v1", group)
    assert f"{kind} toy: names no release with evidence" in judged(text)


@pytest.mark.parametrize("kind", ["Pod", "Job", "CronJob"])
def test_pods_and_jobs_need_digests_too(kind: str) -> None:
    pod = {"containers": [{"name": "a", "image": "busybox:1"}]}
    job = {"template": {"spec": pod}}
    spec = {"Pod": pod, "Job": job, "CronJob": {"jobTemplate": {"spec": job}}}[kind]
    version = "v1" if kind == "Pod" else "batch/v1"
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    found = judged(yaml.safe_dump(document))
    assert f"{PATH}: {kind} a: an image is not named by its digest" in found
    assert "a container is privileged or may become so" in found


def test_every_object_of_a_file_is_looked_at_and_others_are_left_alone() -> None:
    wrong = (INVALID / "admission-image-by-tag" / "manifests.yaml").read_text()
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: image}\ndata: {image: 'a:1'}\n"
    assert judged(f"{config}---\n{GOOD.read_text()}---\n{wrong}").count("\n") == 1


@given(st.text(max_size=80))
def test_no_text_in_place_of_a_manifest_breaks_the_check(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert judged(text) == ""


def test_a_policy_that_is_not_cel_is_told_with_its_file() -> None:
    text = (ROOT / RELEASES).read_text().replace("object.kind == 'Pod' ?", "object.kind == (")
    with pytest.raises(BadInput, match=rf"^{RELEASES}: an expression is not CEL \("):
        judged(GOOD.read_text(), {RELEASES: text})


def test_the_projects_policies_are_objects_that_a_cluster_takes() -> None:
    for each in policies(Repository.at(ROOT)).values():
        assert problems(each) == []


def test_a_policy_names_all_that_the_api_server_would_fill_in() -> None:
    for each in policies(Repository.at(ROOT)).values():
        constraints = each["spec"]["matchConstraints"]
        assert {"matchPolicy", "objectSelector"} <= constraints.keys()
        assert all(rule["scope"] == "*" for rule in constraints["resourceRules"])
        assert all("reason" in one for one in each["spec"]["validations"])


def test_a_pull_request_is_held_to_the_policies(team: Team) -> None:
    folder = INVALID / "admission-privileged"
    team.write(PATH, (folder / "manifests.yaml").read_text())
    found = policy.run(context_of(team, "policy"))
    assert found.outcome == "not good"
    assert (folder / "message.txt").read_text() in told(found)


def test_a_stricter_policy_is_held_to_what_runs_already(team: Team) -> None:
    team.write(PATH, Path(GOOD).read_text())
    team.commit("It runs")
    team.git("fetch", "--quiet", "origin")
    text = (team.root / RELEASES).read_text()
    rule = "\n    - expression: object.metadata.name != 'toy'\n      message: no toys; rename it\n"
    team.write(RELEASES, f"{text.rstrip()}{rule}")
    found = policy.run(context_of(team, "policy"))
    assert f"{PATH}: Deployment toy: no toys; rename it\n" in told(found)
