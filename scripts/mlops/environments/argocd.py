"""What Argo CD is given of an environment, and what starts it: plain objects, no I/O."""

from collections.abc import Sequence
from typing import Any

from mlops.environments import platform as parts_of
from mlops.environments.notifications import NOTIFIED, notifies
from mlops.environments.platform import Part
from mlops.specs.environment import IN_CLUSTER, Environment, SyncWindow
from mlops.specs.project import Project

Document = dict[str, Any]
ARGO = "argoproj.io/v1alpha1"
PROJECT = "mlops"
"""AppProject of what is not a service: the environments' own objects and their namespaces."""
ROOT = "root"
# All that a service may consist of. What is not named here is refused, Secrets and RBAC too; no
# kind that belongs to a whole cluster is among them.
SERVICE_KINDS = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("argoproj.io", "AnalysisTemplate"),
    ("argoproj.io", "Rollout"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("external-secrets.io", "ExternalSecret"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
)
CLUSTER_KINDS = (
    ("", "Namespace"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
)
# All of a whole cluster that charts may bring; what stands in a namespace is not listed.
CHART_KINDS = (
    ("", "Namespace"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
)
OWN_KINDS = (
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("", "ConfigMap"),  # the notifications of Argo Rollouts
)
# A project before what names it: an ApplicationSet that comes first fails, and waits a minute.
FIRST = {"argocd.argoproj.io/sync-wave": "-1"}
# Each try takes what Git says then: a commit that mends comes at most 10 s later. Ten minutes of
# tries outlast most outages; without an end a removed folder would wait for ever behind its tries.
RETRY = {
    "limit": 60,
    "refresh": True,
    "backoff": {"duration": "1s", "factor": 2, "maxDuration": "10s"},
}
# No `allowEmpty`: a folder that renders to nothing takes no running service away.
AUTOMATED = {"prune": True, "selfHeal": True}


def of_environment(project: Project, repository: str, env: Environment) -> list[Document]:
    """AppProject and ApplicationSet of an environment's services, Application of its namespace."""
    namespace = project.argocd.namespace
    source = {"repoURL": repository, "targetRevision": project.forge.main}
    return [
        _services_project(namespace, repository, env),
        _services(project, source, env),
        _cluster(namespace, source, env),
    ]


def root(project: Project, repository: str) -> list[Document]:
    """AppProject `mlops`, and the Application that reads infra/argocd."""
    namespace = project.argocd.namespace
    source = {"repoURL": repository, "targetRevision": project.forge.main}
    everywhere = {"server": "*", "namespace": "*"}
    return [
        _object(
            "AppProject",
            PROJECT,
            namespace,
            {
                "description": "The environments of this repository; services have projects of "
                "their own",
                "sourceRepos": [repository],
                "destinations": [everywhere],
                "clusterResourceWhitelist": _kinds(CLUSTER_KINDS),
                "namespaceResourceWhitelist": _kinds(OWN_KINDS),
            },
        ),
        _object(
            "Application",
            ROOT,
            namespace,
            {
                "project": PROJECT,
                "source": {**source, "path": "infra/argocd", "directory": {"include": "*.yaml"}},
                "destination": {"server": IN_CLUSTER, "namespace": namespace},
                "syncPolicy": _policy("ServerSideApply=true", "PruneLast=true"),
            },
            annotations=_read_by_path(),
        ),
    ]


def platform(project: Project, repository: str, parts: Sequence[Part]) -> list[Document]:
    """AppProject of the platform's parts, the Application that reads theirs, and their objects.

    No finalizer: what a part brought stays when it is no longer chosen, its data too.
    """
    namespace = project.argocd.namespace
    source = {"repoURL": repository, "targetRevision": project.forge.main}
    places = sorted({part.namespace for part in parts})
    own = [repository] if any(part.has_objects for part in parts) else []
    files = [f"{part.name}/application.yaml" for part in parts]
    return [
        _object(
            "AppProject",
            parts_of.PROJECT,
            namespace,
            {
                "description": "The optional parts of the platform",
                "sourceRepos": [*sorted({part.repository for part in parts}), *own],
                "destinations": [{"server": IN_CLUSTER, "namespace": place} for place in places],
                "clusterResourceWhitelist": _kinds(CHART_KINDS),
            },
            annotations=dict(FIRST),
        ),
        _object(
            "Application",
            parts_of.PROJECT,
            namespace,
            {
                "project": PROJECT,
                "source": {
                    **source,
                    "path": parts_of.FOLDER,
                    "directory": {"recurse": True, "include": f"{{{','.join(files)}}}"},
                },
                "destination": {"server": IN_CLUSTER, "namespace": namespace},
                "syncPolicy": _policy("ServerSideApply=true"),
            },
            annotations=_read_by_path(),
        ),
        *(_objects(namespace, source, part) for part in parts if part.has_objects),
    ]


def _objects(namespace: str, source: Document, part: Part) -> Document:
    """The Application of what stands beside a part's chart."""
    return _object(
        "Application",
        f"{part.application}-objects",
        namespace,
        {
            "project": parts_of.PROJECT,
            "source": {
                **source,
                "path": f"{parts_of.FOLDER}/{part.name}/objects",
                "directory": {"include": "*.yaml"},
            },
            "destination": {"server": IN_CLUSTER, "namespace": part.namespace},
            "syncPolicy": _policy("CreateNamespace=true", "ServerSideApply=true"),
        },
        annotations=_read_by_path(),
    )


def _services_project(namespace: str, repository: str, env: Environment) -> Document:
    spec = {
        "description": f"The services of {env.name}",
        "sourceRepos": [repository],
        "destinations": [env.destination],
        "namespaceResourceWhitelist": _kinds(SERVICE_KINDS),
    }
    if env.sync_windows:
        spec["syncWindows"] = [_window(window) for window in env.sync_windows]
    found = _object("AppProject", env.name, namespace, spec, annotations=dict(FIRST))
    # Not before its last Application: without its project that could not be taken down.
    found["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    return found


def _window(window: SyncWindow) -> Document:
    return {
        "kind": "deny",
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.timezone,
        "applications": ["*"],
        "manualSync": True,
        "description": window.reason,
    }


def _services(project: Project, source: Document, env: Environment) -> Document:
    given = {"repoURL": source["repoURL"], "revision": source["targetRevision"]}
    folders = {"directories": [{"path": f"environments/{env.name}/*"}]}
    notes = {
        f"notifications.argoproj.io/subscribe.{trigger}.forge": ""
        for trigger in (NOTIFIED if notifies(project) else ())
    }
    replicas = {"jsonPointers": ["/spec/replicas"]}  # the autoscaler's
    template = {
        "metadata": {
            "name": f"{env.name}-{{{{ .path.basename }}}}",
            "annotations": {**_read_by_path(), **notes},
        },
        "spec": {
            "project": env.name,
            "source": {
                **source,
                "path": "{{ .path.path }}",
                "directory": {"include": "manifests.yaml"},
            },
            "destination": env.destination,
            "revisionHistoryLimit": 5,
            "ignoreDifferences": [
                {"group": "apps", "kind": "Deployment", **replicas},
                {"group": "argoproj.io", "kind": "Rollout", **replicas},
            ],
            "syncPolicy": _policy(
                "ServerSideApply=true",
                "RespectIgnoreDifferences=true",
                "FailOnSharedResource=true",
                "PruneLast=true",
            ),
        },
    }
    return _object(
        "ApplicationSet",
        env.name,
        project.argocd.namespace,
        {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            # A webhook makes it look at once; this is for when none comes.
            "generators": [{"git": {**given, "requeueAfterSeconds": 60, **folders}}],
            # Break-glass: an Application that is paused by hand stays so until it is resumed.
            "ignoreApplicationDifferences": [{"jsonPointers": ["/spec/syncPolicy/automated"]}],
            "template": template,
        },
    )


def _cluster(namespace: str, source: Document, env: Environment) -> Document:
    """No finalizer: with the Application neither the namespace nor its rules go."""
    return _object(
        "Application",
        f"{env.name}-cluster",
        namespace,
        {
            "project": PROJECT,
            "source": {
                **source,
                "path": f"infra/clusters/{env.name}",
                "directory": {"include": "*.yaml"},
            },
            "destination": env.destination,
            "syncPolicy": _policy("ServerSideApply=true", "FailOnSharedResource=true"),
        },
        annotations=_read_by_path(),
    )


def _read_by_path() -> dict[str, str]:
    """Only a change below the Application's own path makes Argo CD compare it again."""
    return {"argocd.argoproj.io/manifest-generate-paths": "."}


def _policy(*options: str) -> Document:
    return {"automated": AUTOMATED, "retry": RETRY, "syncOptions": list(options)}


def _kinds(kinds: tuple[tuple[str, str], ...]) -> list[Document]:
    return [{"group": group, "kind": kind} for group, kind in kinds]


def _object(
    kind: str,
    name: str,
    namespace: str,
    spec: Document,
    *,
    annotations: dict[str, str] | None = None,
) -> Document:
    metadata: Document = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": ARGO, "kind": kind, "metadata": metadata, "spec": spec}
