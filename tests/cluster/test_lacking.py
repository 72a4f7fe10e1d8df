"""What a cluster lacks is told in one line each, before anything is applied."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops.cluster.kubectl import Kubectl, NotAllowed, NotThere, Object
from mlops.cluster.lacking import Check, checks_of
from mlops.cluster.shipped import differences
from mlops.environments.clusters import expected
from mlops.errors import Note, Problem
from mlops.files import dump_yaml, write_whole
from mlops.repository import Layout
from mlops.tree import WorkTree
from tests.cluster import objects as made
from tests.team import PROJECT, ROOT, Team, free_port

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
WATCHED = "https://github.com/example/toys.git"
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "argocd-cm"},
    "data": {"timeout.reconciliation": "60s"},
}
APP_PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "prod", "namespace": "argocd"},
    "spec": {"sourceRepos": [WATCHED]},
}
SPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "toys-prod", "labels": {"mlops/environment": "prod"}},
}
SHIPPED = {
    "infra/bootstrap/argocd-cm.yaml": SETTINGS,
    "infra/argocd/prod.yaml": APP_PROJECT,
    "infra/clusters/prod/namespace.yaml": SPACE,
}
PLURALS = {
    "v1": {"ConfigMap": "configmaps", "Namespace": "namespaces"},
    "argoproj.io/v1alpha1": {
        "Application": "applications",
        "ApplicationSet": "applicationsets",
        "AppProject": "appprojects",
    },
}
OF_ARGOCD = "argocd/argocd-secret"
PATHS = {
    "settings": "/api/v1/namespaces/argocd/configmaps/argocd-cm",
    "project": "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/prod",
    "space": "/api/v1/namespaces/toys-prod",
    "applications": "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications",
}


@dataclass(frozen=True)
class Holding(Kubectl):
    """A cluster that holds objects by their address, and answers in no other way."""

    objects: Mapping[str, Any] = field(default_factory=dict)
    version: str = "v1.36.3"
    deploy_key: str = "url\nwebhookManifestCacheWarmDisabled\n"
    secrets: Mapping[str, str] = field(
        default_factory=lambda: {OF_ARGOCD: "webhook.github.secret\n"}
    )
    """Namespace and name to the names of its keys."""
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: PLURALS)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        if path == "/version":
            return {"gitVersion": self.version}
        group = path.removeprefix("/apis/").removeprefix("/api/")
        if group in self.kinds:
            resources = self.kinds[group].items()
            named = [
                {"kind": kind, "name": name, "namespaced": kind != "Namespace"}
                for kind, name in resources
            ]
            return {"resources": [*named, {"kind": "Scale", "name": "x/scale"}]}
        if path not in self.objects:
            raise NotThere(Problem(path, "is not there", "none"))
        found: Object = self.objects[path]
        return found

    def text(self, *args: str, given: bytes = b"") -> str:
        assert not given, "doctor changes nothing"
        if args[1] == "secrets":
            return "deploy-key Opaque 4 1d\n"
        if "deploy-key" in args:
            return self.deploy_key
        _, _, secret, _, namespace, *_ = args
        if f"{namespace}/{secret}" not in self.secrets:
            raise NotThere(Problem(secret, "is not there", "none"))
        return self.secrets[f"{namespace}/{secret}"]

    def contexts(self) -> dict[str, str]:
        return {"there": "https://prod-cluster.example.com"}

    def current(self) -> str:
        return "there"


def holding(**changed: Any) -> dict[str, Any]:
    """The objects of a cluster that lacks nothing, but for what is said (None: taken away)."""
    application = made.application()
    application["spec"]["source"] |= {"path": "infra/argocd", "repoURL": WATCHED}
    known = {
        "settings": {**SETTINGS, "data": {**SETTINGS["data"], "url": "https://cd"}},  # type: ignore[dict-item]  # its data is a mapping
        "project": APP_PROJECT,
        "space": SPACE,
        "applications": {"items": [application]},
    }
    return {PATHS[name]: one for name, one in {**known, **changed}.items() if one is not None}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Files of one environment, prod, with what is expected of its cluster."""
    root = tmp_path_factory.mktemp("shipped") / "project"
    shutil.copytree(PROJECT, root)
    words = '[project]\nname = "toys"\n[environments]\norder = ["prod"]\n'
    write_whole(root / "mlops.toml", f'{words}[argocd]\nrepository = "{WATCHED}"\n')
    for path, document in SHIPPED.items():
        write_whole(root / path, dump_yaml(document))
    write_whole(root / "infra/bootstrap/kustomization.yaml", "resources: [argocd-cm.yaml]\n")
    return Layout(WorkTree(root))


def found(layout: Layout, kubectl: Kubectl) -> list[str]:
    checks: dict[str, Check] = checks_of(layout, kubectl)
    none: Any = None
    told = [each for check in checks.values() for each in check(none)]
    return [f"({each})" if isinstance(each, Note) else str(each) for each in told]


def test_a_cluster_that_holds_all_of_git_lacks_nothing(layout: Layout) -> None:
    assert found(layout, Holding(objects=holding())) == []


APPLY = "kubectl apply --server-side --force-conflicts --field-manager=mlops -k infra/bootstrap"
CASES: dict[str, tuple[Holding, list[str]]] = {
    "Kubernetes is too old": (
        Holding(objects=holding(), version="v1.29.9-eks-1"),
        [
            (
                "the current context: runs Kubernetes v1.29.9-eks-1; it takes 1.30 or newer, whose API "
                "server holds to the policies"
            )
        ],
    ),
    "a setting is another": (
        Holding(objects=holding(settings={**SETTINGS, "data": {"url": "https://cd"}})),
        [
            (
                "infra/bootstrap/argocd-cm.yaml: ConfigMap argocd-cm: differs in the cluster in "
                f"`data.timeout.reconciliation`; {APPLY}"
            )
        ],
    ),
    "the settings are not applied": (
        Holding(objects=holding(settings=None)),
        [
            "infra/bootstrap/argocd-cm.yaml: ConfigMap argocd-cm: is not in the cluster; " + APPLY,
        ],
    ),
    "a project is missing": (
        Holding(objects=holding(project=None)),
        [
            (
                "infra/argocd/prod.yaml: AppProject prod: is not in the cluster; merge it to main; "
                "Application root of Argo CD says why it does not apply it"
            )
        ],
    ),
    "the namespace is not the environment's": (
        Holding(objects=holding(space={**SPACE, "metadata": {"name": "toys-prod"}})),
        [
            (
                "infra/clusters/prod/namespace.yaml: Namespace toys-prod: differs in the cluster in "
                "`metadata.labels.mlops/environment`; Application prod-cluster of Argo CD says why it "
                "does not apply it"
            )
        ],
    ),
    "no webhook is set up": (
        Holding(objects=holding(), secrets={OF_ARGOCD: "admin.password\n"}),
        [
            (
                "Secret argocd-secret in argocd: has neither webhook.github.secret nor "
                "webhook.gogs.secret, so a push is seen only when Argo CD asks; set up the webhook, "
                "docs/clusters.md says how"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_lacking_is_told_with_its_fix(case: str, layout: Layout) -> None:
    kubectl, lines = CASES[case]
    assert found(layout, kubectl) == lines


def test_without_argo_cd_its_kinds_are_named(layout: Layout) -> None:
    bare = Holding(objects=holding(applications=None), kinds={"v1": PLURALS["v1"]})
    told = found(layout, bare)
    argo = "does not know {} of argoproj.io/v1alpha1; install Argo CD"
    assert told[:3] == [
        f"the current context: {argo.format(kind)}"
        for kind in ("AppProject", "Application", "ApplicationSet")
    ]


def test_kinds_that_the_settings_ask_for_are_named(layout: Layout, tmp_path: Path) -> None:
    assert isinstance(layout.tree, WorkTree)
    root = tmp_path / "project"
    shutil.copytree(layout.tree.root, root)
    with (root / "environments/prod/env.yaml").open("a") as file:
        file.write("prometheus: http://prometheus.monitoring:9090\n")
    manifests = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: toy}\n"
    settings = "service: toy\nlocal_port: 18000\n"
    write_whole(root / "environments/prod/toy/settings.yaml", settings)
    write_whole(root / "environments/prod/toy/manifests.yaml", manifests)
    told = found(Layout(WorkTree(root)), Holding(objects=holding()))
    assert told == [
        "the current context: does not know Rollout of argoproj.io/v1alpha1; install Argo Rollouts",
        (
            "the current context: does not know ServiceMonitor of monitoring.coreos.com/v1; install "
            "the Prometheus operator, or take `prometheus` out of env.yaml"
        ),
    ]


def test_a_paused_application_is_named_with_the_way_back(layout: Layout) -> None:
    paused = made.application(automated={"prune": True, "selfHeal": True, "enabled": False})
    [line] = found(layout, Holding(objects=holding(applications={"items": [paused]})))
    assert line.startswith("Application prod-toy: is paused by hand (break-glass); bring the ")
    assert "kubectl -n argocd patch application prod-toy --type merge -p " in line


def test_a_repository_that_argo_cd_cannot_read_is_named(layout: Layout) -> None:
    said = "failed to list refs: authentication required"
    denied = made.application(conditions=(("ComparisonError", said),))
    [line] = found(layout, Holding(objects=holding(applications={"items": [denied]})))
    assert line == (
        f"Application prod-toy: Argo CD cannot read Git ({said}); give Argo CD a read-only deploy "
        "key, docs/clusters.md says how"
    )


def test_a_repository_whose_pushes_wait_for_all_applications_is_told(layout: Layout) -> None:
    [line] = found(layout, Holding(objects=holding(), deploy_key="url\n"))
    assert line == (
        "(no repository secret has webhookManifestCacheWarmDisabled: a push waits for all "
        "applications that it does not change, docs/clusters.md says how to set it)"
    )


def test_a_cluster_that_no_context_leads_to_is_said_not_to_be_seen(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Holding, "contexts", lambda _: {"there": "https://other.example.com"})
    told = found(layout, Holding(objects=holding()))
    note = "(prod was not looked at: no context of the kubeconfig leads to {})"
    assert told == [note.format("https://prod-cluster.example.com")] * 2


def test_without_a_cluster_only_that_is_told(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    server = f"http://127.0.0.1:{free_port()}"
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "c", "context": {"cluster": "c"}}
    value = {"clusters": [cluster], "contexts": [context], "current-context": "c"}
    config.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **value}))
    monkeypatch.setenv("KUBECONFIG", str(config))
    for command in (("doctor", "--context", "c"), ("status", "--context", "c")):
        done = team.mlops(*command)
        assert done.returncode in (1, 2)
        said = done.stdout + done.stderr
        assert said.count("context c: the cluster cannot be reached (") == 1
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"sync": "OutOfSync", "conditions": (("SyncError", "no such\nkind"),)},
            "is OutOfSync (no such kind)",
        ),
        (
            {"sync": "OutOfSync", "operation": {"phase": "Succeeded", "message": "went well"}},
            "is OutOfSync",
        ),
        (
            {"sync": "OutOfSync", "operation": {"phase": "Running", "message": "waits for x"}},
            "is OutOfSync (waits for x)",
        ),
        ({"health": "Degraded"}, "is Degraded"),
    ],
    ids=["complaint", "drift", "under way", "unwell"],
)
def test_what_reads_infra_and_is_not_well_is_named(
    status: dict[str, Any], said: str, layout: Layout
) -> None:
    application = made.application(**status)
    application["metadata"]["name"] = "root"
    [line] = found(layout, Holding(objects=holding(applications={"items": [application]})))
    assert line == f"Application root: {said}; kubectl -n argocd describe application root"


TOLD = "the forge is told what Argo CD and Argo Rollouts find"
OWN = "github-appID\ngithub-installationID\ngithub-privateKey\n"
NOTES = "argocd/argocd-notifications-secret"
ABORTS = "argo-rollouts/argo-rollouts-notification-secret"
OPTIONAL = (
    "(no Secret argocd-notifications-secret in argocd, which is optional: the forge does not hear "
    "which commits run; infra/bootstrap/README.md says how to make it)"
)
UNTOLD = (
    "infra/clusters/prod/rollouts.yaml: Secret argo-rollouts-notification-secret in argo-rollouts "
    "lacks forge-token, so an aborted canary opens no rollback pull request; docs/clusters.md says "
    "how to make it"
)
HALF = (
    "infra/bootstrap/notifications.yaml: Secret argocd-notifications-secret in argocd lacks "
    "github-appID, github-privateKey, so the forge does not hear which commits run; "
    "infra/bootstrap/README.md says how to make it"
)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A project on GitHub with canaries in prod, and parts of the platform; all is rendered."""
    root = tmp_path_factory.mktemp("hosted") / "project"
    shutil.copytree(PROJECT, root)
    shutil.copytree(ROOT / "infra/platform", root / "infra/platform")
    words = '[project]\nname = "toys"\n[environments]\norder = ["prod"]\n'
    forge = '[forge]\nkind = "github"\nrepository = "example/toys"\n'
    argocd = '[argocd]\nrollouts = "argo-rollouts"\nplatform = ["mlflow"]\n'
    write_whole(root / "mlops.toml", f"{words}{forge}{argocd}")
    with (root / "environments/prod/env.yaml").open("a") as file:
        file.write("prometheus: http://prometheus.monitoring:9090\n")
    for path, text in expected(Layout(WorkTree(root))).items():
        write_whole(root / path, text)
    return Layout(WorkTree(root))


def found_by(name: str, layout: Layout, kubectl: Kubectl) -> list[str]:
    none: Any = None
    told = checks_of(layout, kubectl)[name](none)
    return [f"({each})" if isinstance(each, Note) else str(each) for each in told]


@pytest.mark.parametrize(
    ("secrets", "lines"),
    [
        ({NOTES: OWN, ABORTS: "forge-token\n"}, []),
        ({ABORTS: "forge-token\n"}, [OPTIONAL]),
        ({NOTES: OWN}, [UNTOLD]),
        ({NOTES: OWN, ABORTS: "token\n"}, [UNTOLD]),
        ({NOTES: "github-installationID\n", ABORTS: "forge-token\n"}, [HALF]),
    ],
    ids=["all", "states are optional", "no secret", "another key", "half a secret"],
)
def test_a_secret_that_rendered_notifications_need_is_looked_for_by_its_keys(
    secrets: Mapping[str, str], lines: list[str], hosted: Layout
) -> None:
    assert found_by(TOLD, hosted, Holding(secrets=secrets)) == lines


def test_secrets_that_may_not_be_read_are_said_not_to_be_seen(
    hosted: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def text(_: Kubectl, *args: str) -> str:
        raise NotAllowed(Problem(args[2], "may not be read", "none"))

    monkeypatch.setattr(Holding, "text", text)
    note = "(not looked at: the keys of Secret {} may not be read)"
    assert found_by(TOLD, hosted, Holding()) == [
        note.format("argocd-notifications-secret in argocd"),
        note.format("argo-rollouts-notification-secret in argo-rollouts"),
    ]


def test_without_rendered_notifications_no_secret_is_looked_for(layout: Layout) -> None:
    assert found_by(TOLD, layout, Holding(secrets={})) == []


PARTS = "the parts of infra/platform that are chosen run"
MLFLOW = "infra/platform/mlflow/application.yaml"


def part(name: str, layout: Layout, **status: Any) -> dict[str, Any]:
    """The Application of a part as its cluster has it."""
    wanted = yaml.safe_load(layout.tree.read(MLFLOW) or b"")
    live = made.application(**status)
    metadata = {**live["metadata"], "name": name}
    return {**live, "metadata": metadata, "spec": wanted["spec"]}


def test_a_chosen_part_that_is_well_lacks_nothing(hosted: Layout) -> None:
    one = part("platform-mlflow", hosted)
    applications = PATHS["applications"]
    there = {applications: {"items": [one]}, f"{applications}/platform-mlflow": one}
    assert found_by(PARTS, hosted, Holding(objects=there)) == []


def test_parts_that_are_missing_or_not_well_are_named(hosted: Layout) -> None:
    unwell = part("platform-mlflow-objects", hosted, health="Missing")
    other = part("platform-monitoring", hosted, sync="OutOfSync")
    there = {PATHS["applications"]: {"items": [unwell, other]}}
    assert found_by(PARTS, hosted, Holding(objects=there)) == [
        (
            f"{MLFLOW}: Application platform-mlflow: is not in the cluster; Application platform of "
            "Argo CD says why it does not apply it"
        ),
        (
            "Application platform-mlflow-objects: is Missing; kubectl -n argocd describe application "
            "platform-mlflow-objects"
        ),
    ]


def test_a_part_that_is_paused_is_named(hosted: Layout) -> None:
    one = part("platform-mlflow", hosted)
    one["spec"] = {**one["spec"], "syncPolicy": {"automated": {"enabled": False}}}
    [line] = found_by(
        "nothing is paused by hand",
        hosted,
        Holding(objects={PATHS["applications"]: {"items": [one]}}),
    )
    assert line.startswith("Application platform-mlflow: is paused by hand (break-glass); ")


@given(JSON)
def test_what_is_wanted_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(st.dictionaries(st.text(), JSON, max_size=3), st.dictionaries(st.text(), JSON, max_size=3))
def test_more_than_is_wanted_is_well(wanted: dict[str, Any], more: dict[str, Any]) -> None:
    assert list(differences(wanted, {**more, **wanted})) == []


@given(st.text(min_size=1), st.integers(min_value=1))
def test_another_value_is_told_by_its_key(key: str, value: int) -> None:
    assert list(differences({"data": {key: value}}, {"data": {key: value + 1}})) == [f"data.{key}"]
    assert list(differences({"data": {key: value}}, {})) == [f"data.{key}"]
