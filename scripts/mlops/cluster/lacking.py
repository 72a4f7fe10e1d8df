"""What the clusters lack of what this repository expects of them; nothing is changed, and of a
secret only its name and the names of its keys are read.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import yaml

from mlops.cluster.findings import is_paused, resume
from mlops.cluster.keys import is_notifier, keys, unset
from mlops.cluster.kubectl import ClusterError, Kubectl, NotAllowed, NotThere, Object, one_line
from mlops.cluster.seen import ARGO, call, cluster_of
from mlops.cluster.shipped import differing, resources
from mlops.environments import platform
from mlops.environments.argocd import ROOT
from mlops.environments.manifests import manifests_path
from mlops.errors import Note, Problem
from mlops.follow.overview import git_says
from mlops.repository import Layout, Repository

BOOTSTRAP, ARGOCD, CLUSTERS = "infra/bootstrap", "infra/argocd", "infra/clusters"
APPLY = f"kubectl apply --server-side --force-conflicts --field-manager=mlops -k {BOOTSTRAP}"
OLDEST = (1, 30)
"""The first Kubernetes with ValidatingAdmissionPolicy v1."""
ARGO_KINDS = {
    ("argoproj.io/v1alpha1", kind) for kind in ("Application", "ApplicationSet", "AppProject")
}
CANARY_KINDS = {("argoproj.io/v1alpha1", kind) for kind in ("Rollout", "AnalysisTemplate")}
METRICS_KIND = ("monitoring.coreos.com/v1", "ServiceMonitor")
SECRETS_KIND = ("external-secrets.io/v1", "ExternalSecret")
INSTALL = {
    **dict.fromkeys(ARGO_KINDS, "install Argo CD"),
    **dict.fromkeys(CANARY_KINDS, "install Argo Rollouts"),
    METRICS_KIND: "install the Prometheus operator, or take `prometheus` out of env.yaml",
    SECRETS_KIND: "install External Secrets, or take `secrets` out of settings.yaml",
}
UNWELL = ("Degraded", "Missing")
QUICK = "webhookManifestCacheWarmDisabled"
"""Key of a repository secret with which a push looks at no application but those it changes."""
WEBHOOKS = ("webhook.github.secret", "webhook.gogs.secret")
Kind = tuple[str, str]
Found = Problem | Note
Check = Callable[[Repository], Iterator[Found]]


@dataclass(frozen=True)
class Clusters:
    """Argo CD's cluster, those of the environments, and what Git says they hold."""

    argocd: Kubectl
    layout: Layout

    @property
    def namespace(self) -> str:
        """Of Argo CD."""
        return self.layout.project.argocd.namespace

    @cached_property
    def targets(self) -> dict[str, Kubectl | None]:
        """Each environment's cluster; None where no context leads to it."""
        environment = self.layout.environment
        return {name: cluster_of(self.argocd, environment(name)) for name in self.layout.order}

    @cached_property
    def applications(self) -> tuple[Object, ...]:
        """All of Argo CD's; none where it is not installed."""
        try:
            return self.argocd.listed(f"{ARGO}/{self.namespace}/applications")
        except NotThere:
            return ()

    def documents(self, folder: str) -> Iterator[tuple[str, Object]]:
        """Path and content of each object that Git has below a folder."""
        for path in self.layout.tree.files(folder):
            if path.endswith(".yaml") and not path.endswith("/kustomization.yaml"):
                content = self.layout.tree.read(path) or b""
                for document in yaml.load_all(content, Loader=yaml.CSafeLoader):
                    if document:
                        yield path, document


def checks(repo: Repository, argocd: Kubectl) -> dict[str, Check]:
    """The checks by what they see to, of what main says; raises like `checks_of`."""
    return checks_of(git_says(repo)[1], argocd)


def checks_of(layout: Layout, argocd: Kubectl) -> dict[str, Check]:
    """The checks by what they see to; only the first where no cluster answers.

    Raises:
        BadInput: when kubectl is not installed.
    """
    clusters = Clusters(argocd, layout)
    named = f"the cluster of {argocd.name} answers, and is new enough"
    try:
        version = argocd.get("/version")
    except ClusterError as error:
        problems = error.problems
        return {named: lambda _: iter(problems)}
    found: dict[str, Callable[[Clusters], Iterator[Found]]] = {
        named: partial(_version, version=version),
        "the kinds that the project uses are installed": _kinds,
        f"Argo CD's settings are those of {BOOTSTRAP}": _bootstrap,
        f"Argo CD's projects and application sets are those of {ARGOCD}": _argocd,
        f"namespaces and policies are those of {CLUSTERS}": _clusters,
        "Argo CD may read the repository": _repository,
        "a push is told to Argo CD at once": _webhook,
        "the forge is told what Argo CD and Argo Rollouts find": _told,
        f"the parts of {platform.FOLDER} that are chosen run": _platform,
        "nothing is paused by hand": _paused,
    }
    return {name: _bind(check, clusters) for name, check in found.items()}


def _bind(check: Callable[[Clusters], Iterator[Found]], clusters: Clusters) -> Check:
    return lambda _: check(clusters)


def _version(clusters: Clusters, version: Object) -> Iterator[Found]:
    said = str(version.get("gitVersion", ""))
    found = re.match(r"v(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        what = f"runs Kubernetes {said or 'of an unknown version'}"
        fix = f"it takes {OLDEST[0]}.{OLDEST[1]} or newer, whose API server holds to the policies"
        yield Problem(clusters.argocd.name, what, fix)


def _kinds(clusters: Clusters) -> Iterator[Found]:
    yield from _unknown(clusters.argocd, ARGO_KINDS)
    used = partial(_used, clusters.layout)
    yield from _in_each(clusters, lambda name, target: _unknown(target, used(name)))


def _in_each(
    clusters: Clusters,
    look: Callable[[str, Kubectl], Iterator[Found]],
    environments: Collection[str] | None = None,
) -> Iterator[Found]:
    """What is found in each environment's cluster; two on one cluster tell a thing once."""
    told: set[Found] = set()
    for name in clusters.layout.order if environments is None else environments:
        target = clusters.targets[name]
        if target is None:
            cluster = clusters.layout.environment(name).cluster
            yield Note(f"{name} was not looked at: no context of the kubeconfig leads to {cluster}")
            continue
        try:
            found = list(look(name, target))
        except ClusterError as error:
            found = list(error.problems)
        yield from (each for each in found if each not in told)
        told |= set(found)


def _used(layout: Layout, environment: str) -> set[Kind]:
    """The kinds that an environment's services have, and those that its files ask for."""
    env = layout.environment(environment)
    found: set[Kind] = {METRICS_KIND} if env.prometheus else set()
    for service in layout.served_in(environment):
        text = layout.tree.read(manifests_path(environment, service)) or b""
        documents = yaml.load_all(text, Loader=yaml.CSafeLoader)
        found |= {(one["apiVersion"], one["kind"]) for one in documents if one}
        settings = layout.settings(environment, service)
        found |= CANARY_KINDS if settings.canary else set()
        found |= {SECRETS_KIND} if settings.secrets else set()
    return found


def _unknown(kubectl: Kubectl, kinds: set[Kind]) -> Iterator[Problem]:
    known = {version: resources(kubectl, version) for version in sorted({one for one, _ in kinds})}
    for version, kind in sorted(kinds):
        if kind not in known[version]:
            fix = INSTALL.get((version, kind), "install what brings it")
            yield Problem(kubectl.name, f"does not know {kind} of {version}", fix)


def _bootstrap(clusters: Clusters) -> Iterator[Found]:
    documents = list(clusters.documents(BOOTSTRAP))
    if not documents:
        what = "is not in Git, or mlops.toml does not say which repository Argo CD reads"
        yield Problem(BOOTSTRAP, what, "write `repository` below [argocd], then mlops render")
    yield from differing(clusters.argocd, documents, clusters.namespace, APPLY)


def _argocd(clusters: Clusters) -> Iterator[Found]:
    fix = "merge it to main; Application root of Argo CD says why it does not apply it"
    documents = list(clusters.documents(ARGOCD))
    yield from differing(clusters.argocd, documents, clusters.namespace, fix)
    yield from _unwell(clusters, {ROOT})


def _clusters(clusters: Clusters) -> Iterator[Found]:
    def look(name: str, target: Kubectl) -> Iterator[Problem]:
        fix = f"Application {name}-cluster of Argo CD says why it does not apply it"
        namespace = clusters.layout.environment(name).namespace
        documents = list(clusters.documents(f"{CLUSTERS}/{name}"))
        yield from differing(target, documents, namespace, fix)

    yield from _in_each(clusters, look)
    yield from _unwell(clusters, {f"{name}-cluster" for name in clusters.layout.order})


def _unwell(clusters: Clusters, names: Collection[str]) -> Iterator[Problem]:
    """Applications that are not as Git says, or whose objects are not well."""
    for one in clusters.applications:
        name, status = one["metadata"]["name"], one.get("status") or {}
        sync = (status.get("sync") or {}).get("status", "Unknown")
        health = (status.get("health") or {}).get("status", "Unknown")
        bad = [*([sync] if sync != "Synced" else []), *([health] if health in UNWELL else [])]
        if name in names and bad:
            said = _complaint(status)
            what = f"is {' and '.join(bad)}{f' ({said})' if said else ''}"
            fix = f"{call(clusters.argocd, clusters.namespace)} describe application {name}"
            yield Problem(f"Application {name}", what, fix)


def _complaint(status: Object) -> str:
    """The first of what Argo CD says is wrong; empty where it says nothing."""
    operation = status.get("operationState") or {}
    said = [each.get("message") for each in status.get("conditions") or ()]
    # Of a sync that went well the message says just that.
    said += [operation.get("message")] if operation.get("phase") != "Succeeded" else []
    said += [(status.get("health") or {}).get("message")]
    return one_line(str(next(filter(None, said), "")))


def _repository(clusters: Clusters) -> Iterator[Found]:
    fix = "give Argo CD a read-only deploy key, docs/clusters.md says how"
    for one in clusters.applications:
        for condition in (one.get("status") or {}).get("conditions") or ():
            said = str(condition.get("message", ""))
            if "authentication" in said or "authorization" in said or "permission denied" in said:
                name = f"Application {one['metadata']['name']}"
                yield Problem(name, f"Argo CD cannot read Git ({one_line(said)})", fix)
                return
    try:
        names = _secrets(clusters)
    except NotAllowed:
        yield Note("the names of Argo CD's secrets were not looked at: it is not allowed")
        return
    if not names:
        yield Note(f"no repository secret: right for a public repository; else {fix}")
    elif not any(QUICK in keys(clusters.argocd, clusters.namespace, name) for name in names):
        yield Note(
            f"no repository secret has {QUICK}: a push waits for all applications that it does not "
            "change, docs/clusters.md says how to set it"
        )


def _secrets(clusters: Clusters) -> list[str]:
    """Names of the secrets with which Argo CD reads repositories.

    As a table, which the API server makes: values do not leave it.
    """
    label = "argocd.argoproj.io/secret-type in (repository, repo-creds)"
    listed = ("get", "secrets", "-n", clusters.namespace, "-l", label, "--no-headers")
    return [line.split()[0] for line in clusters.argocd.text(*listed).splitlines() if line]


def _webhook(clusters: Clusters) -> Iterator[Found]:
    try:
        there = keys(clusters.argocd, clusters.namespace, "argocd-secret")
    except NotAllowed:
        yield Note("not looked at: the keys of Secret argocd-secret may not be read")
        return
    if not there.intersection(WEBHOOKS):
        yield Problem(
            f"Secret argocd-secret in {clusters.namespace}",
            f"has neither {' nor '.join(WEBHOOKS)}, so a push is seen only when Argo CD asks",
            "set up the webhook, docs/clusters.md says how",
        )


def _told(clusters: Clusters) -> Iterator[Found]:
    """The secrets with which notifications reach the forge, where notifications are rendered."""
    for path, document in clusters.documents(BOOTSTRAP):
        if is_notifier(document):
            yield from unset(clusters.argocd, path, document, clusters.namespace)
    rendered = {
        name: [each for each in clusters.documents(f"{CLUSTERS}/{name}") if is_notifier(each[1])]
        for name in clusters.layout.order
    }

    def look(name: str, target: Kubectl) -> Iterator[Found]:
        for path, document in rendered[name]:
            yield from unset(target, path, document, clusters.namespace)

    yield from _in_each(clusters, look, [name for name, found in rendered.items() if found])


def _platform(clusters: Clusters) -> Iterator[Found]:
    parts = platform.chosen(clusters.layout)
    names = {platform.PROJECT} if parts else set()
    for part in parts:
        folder = f"{platform.FOLDER}/{part.name}"
        documents = [
            each for each in clusters.documents(folder) if each[0] == f"{folder}/application.yaml"
        ]
        fix = f"Application {platform.PROJECT} of Argo CD says why it does not apply it"
        yield from differing(clusters.argocd, documents, clusters.namespace, fix)
        names |= {part.application, f"{part.application}-objects"}
    yield from _unwell(clusters, names)


def _paused(clusters: Clusters) -> Iterator[Found]:
    kubectl = call(clusters.argocd, clusters.namespace)
    for one in clusters.applications:
        name, spec = one["metadata"]["name"], one["spec"]
        is_part = spec.get("project") == platform.PROJECT
        watched = spec.get("source", {}).get("repoURL") == clusters.layout.project.watched
        if (watched or is_part) and is_paused(one):
            fix = f"bring the mending into Git, then {resume(kubectl, name)}"
            yield Problem(f"Application {name}", "is paused by hand (break-glass)", fix)
